"""Constraints: what a model is told of them, and the checks that its answers get."""

from __future__ import annotations

import pytest

from llmops.prompts.constraints import ENOUGH, checks, texts
from llmops.prompts.render import Prompt, Unrendered

TOLD = [{"zh": "引用来源", "en": "Cite"}, "No links", {"en": "Be brief"}]


def rendered(content: str) -> str:
    spec = {"messages": [{"role": "user", "content": content}], "constraints": TOLD}
    return Prompt.compile(spec).messages({})[0]["content"]


def test_all_texts_are_a_line_each() -> None:
    assert rendered("{{ constraints }}") == "- Cite\n- 引用来源\n- No links\n- Be brief"


def test_one_language_lacks_no_constraint() -> None:
    assert rendered("{{ constraints.zh }}") == "- 引用来源\n- No links\n- Be brief"
    assert rendered("{{ constraints.en }}") == "- Cite\n- No links\n- Be brief"


def test_a_language_that_nothing_is_told_in_is_an_error() -> None:
    with pytest.raises(Unrendered, match="no attribute 'fr'"):
        rendered("{{ constraints.fr }}")


def test_a_language_with_a_hyphen_is_reached_too_and_no_name_of_python_s() -> None:
    found = texts([{"zh-CN": "简", "__class__": "x"}])
    assert getattr(found, "zh-CN") == "- 简"
    assert type(found).__name__ == "Texts"


def test_tests_are_checks_with_their_bounds() -> None:
    given = [
        {"name": "told", "text": "x"},
        {"name": "cite", "test": {"regex": "a", "min_rate": 0.9}},
        {"name": "clean", "test": {"regex": "b", "max_rate": 0.1}},
        {"name": "short", "test": {"max_chars": 9}},
    ]
    assert checks({}) == ()
    assert checks({"constraints": given}) == (
        (1, {"name": "cite", "metric": "builtin/matches", "with": {"regex": "a"},
             "require": {"min": 0.9}}),
        (2, {"name": "clean", "metric": "builtin/matches", "with": {"regex": "b"},
             "require": {"max": 0.1}}),
        (3, {"name": "short", "metric": "builtin/within", "with": {"max_chars": 9},
             "require": {"min": ENOUGH}}),
    )  # fmt: skip
