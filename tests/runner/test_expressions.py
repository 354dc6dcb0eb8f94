"""Expressions mean here what they mean at GitHub, as far as its documentation says."""

from __future__ import annotations

import pytest

from tests.runner.expressions import Closed, Scope, Unknown, condition, evaluate, filled

EVENT = {"pull_request": {"number": 7, "labels": [{"name": "a"}, {"name": "llmops:abc"}]}}
CONTEXTS = {
    "github": Closed(event=EVENT, sha="abc", base_ref="", repository="acme/llm"),
    "needs": Closed(plan={"result": "success", "outputs": Closed(jobs='["a-1","b"]')}),
}


def value(text: str) -> object:
    return evaluate(text, Scope(CONTEXTS))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'it''s'", "it's"),
        ("github.sha", "abc"),
        ("github.event.pull_request.number", 7),
        ("github.event.merge_group.base_ref", None),
        ("github.base_ref || github.event.merge_group.base_ref || 'x'", "x"),
        ("github.event.pull_request.number || github.sha", 7),
        ("github.sha == 'ABC'", True),
        ("github.sha != 'abc'", False),
        ("!github.base_ref", True),
        ("true && 'a' || 'b'", "a"),
        ("false && 'a' || 'b'", "b"),
        ("(true || false) && false", False),
        ("null == ''", True),
        ("'1' == 1", True),
        ("'x' == 1", False),
        ("fromJSON(needs.plan.outputs.jobs)", ["a-1", "b"]),
        ("format('llmops:{0}', github.sha)", "llmops:abc"),
        ("contains(github.event.pull_request.labels.*.name, 'llmops:abc')", True),
        ("contains(github.event.pull_request.labels.*.name, 'llmops')", False),
        ("contains(github.event.issue.labels.*.name, 'x')", False),
    ],
)
def test_a_value(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    ["github.nothing", "nothing.sha", "hashFiles('x')", "github['sha']", "a $ b", "'x", "", "1 < 2",
     "needs.other.result", "needs.plan.outputs.x", "github.sha github.sha", "(github.sha"],
)  # fmt: skip
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(Unknown):
        value(text)


@pytest.mark.parametrize(
    ("text", "status", "holds"),
    [
        (None, "success", True),
        (None, "failure", False),
        ("github.sha == 'abc'", "failure", False),
        ("github.sha == 'abc'", "success", True),
        ("always()", "cancelled", True),
        ("failure()", "failure", True),
        ("failure()", "success", False),
        ("always() && github.sha == 'x'", "failure", False),
        ("${{ always() }}", "failure", True),
    ],
)
def test_a_condition_holds_only_after_success_unless_it_asks(
    text: str | None, status: str, holds: bool
) -> None:
    assert condition(text, Scope(CONTEXTS, status)) is holds


def test_a_condition_that_is_partly_an_expression_is_refused() -> None:
    with pytest.raises(Unknown, match="always true"):
        condition("${{ github.sha }} == 'abc'", Scope(CONTEXTS))


def test_texts_are_filled_and_a_whole_expression_keeps_its_type() -> None:
    scope = Scope(CONTEXTS)
    assert filled("a-${{ github.sha }}-${{ github.base_ref }}.", scope) == "a-abc-."
    assert filled({"x": ["${{ fromJSON(needs.plan.outputs.jobs) }}"]}, scope) == {
        "x": [["a-1", "b"]]
    }
