"""promptfoo's assertions as checks: the same answers pass, and the bound means every case."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.importers.base import NotCarriedError
from llmops.importers.foo_asserts import NOT_CARRIED, TYPES, every
from llmops.specs import metrics
from llmops.statistics import binomial

Means = Callable[[str, Any], bool]
# What each assertion means to promptfoo, of an answer and its value.
MEANING: dict[str, Means] = {
    "contains": lambda answer, value: value in answer,
    "icontains": lambda answer, value: value.lower() in answer.lower(),
    "contains-all": lambda answer, value: all(v in answer for v in value),
    "icontains-all": lambda answer, value: all(v.lower() in answer.lower() for v in value),
    "contains-any": lambda answer, value: any(v in answer for v in value),
    "icontains-any": lambda answer, value: any(v.lower() in answer.lower() for v in value),
    "starts-with": lambda answer, value: answer.startswith(value),
    "not-contains": lambda answer, value: value not in answer,
    "not-icontains": lambda answer, value: value.lower() not in answer.lower(),
    "regex": lambda answer, value: re.search(value, answer) is not None,
    "not-regex": lambda answer, value: re.search(value, answer) is None,
}
ANSWERS = st.text(alphabet="aAb.*\\ (\n|€", max_size=8).map(str.strip)  # as the metric reads them
VALUES = st.text(alphabet="aAb.*\\ (|€", min_size=1, max_size=3)


def passes(kind: str, answer: str, value: Any) -> bool:
    """Whether an answer passes every check that an assertion becomes, as deepeval decides it."""
    checks = TYPES[kind](value, {})
    assert {check.metric for check in checks} == {"deepeval/pattern_match"}
    return all(
        re.compile(
            check.given["pattern"], re.IGNORECASE if check.given.get("ignore_case") else 0
        ).fullmatch(answer)
        for check in checks
    )


@pytest.mark.parametrize("kind", [k for k in MEANING if "regex" not in k])
def test_the_same_answers_pass(kind: str) -> None:
    values = st.lists(VALUES, min_size=1, max_size=3) if "-a" in kind else VALUES

    @given(ANSWERS, values)
    def check(answer: str, value: Any) -> None:
        assert passes(kind, answer, value) == MEANING[kind](answer, value)

    check()


@pytest.mark.parametrize("kind", ["regex", "not-regex"])
@pytest.mark.parametrize("value", ["a", "^a", "a$", "^ab$", "a|b", "[a-c]{2}", "a.b", r"\.\*"])
def test_the_same_answers_match_a_pattern(kind: str, value: str) -> None:
    for answer in ("", "a", "ab", "b a", "xa", "a\nb", "acb", ".*", "x|y"):
        assert passes(kind, answer, value) == MEANING[kind](answer, value), answer


def test_a_bound_asks_for_every_case() -> None:
    for rows in (*range(1, 60), 299, 300, 1000, 5000):
        bound = every(rows)
        assert 0 < bound < 1
        assert binomial.smallest_passing_count(rows, bound) == rows
        assert binomial.smallest_passing_count(rows, round(bound + 2e-4, 4)) is None
    assert every(0) == 0


def test_every_metric_is_one_that_an_evaluation_measures() -> None:
    for kind, make in TYPES.items():
        for check in make("x", {"threshold": 1}):
            assert check.metric in metrics.OF_EVALUATIONS, kind
    assert not TYPES.keys() & NOT_CARRIED.keys()


@pytest.mark.parametrize("value", [None, {}, [], [None], [["a"]]])
def test_a_value_that_is_no_text_is_not_carried(value: Any) -> None:
    with pytest.raises(NotCarriedError):
        TYPES["contains"](value, {})
