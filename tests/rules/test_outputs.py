"""Answers before and after a changed Prompt: the first that changed, nobody chose them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.rules.world import World, row
from tests.trees import BANK, changed

P = "specs/prompts/ask.yaml"
ASKED = changed(P, "'{{ question }}'", "'Q: {{ question }}'")


def answers(says: str, of: int = 50) -> Any:
    def answered(_made: object) -> list[dict[str, Any]]:
        rows = [row(i, {"accuracy": 1.0}, language="en") for i in range(of)]
        return [{**r, "response": says if i % 2 else "same"} for i, r in enumerate(rows)]

    return answered


def told(head: Mapping[str, str], **more: Any) -> Any:
    world = World(head=head, head_rows=answers("after"), base_rows=answers("before"), **more)
    return world.verdict().outputs


def test_a_changed_prompt_shows_answers_that_changed_though_none_is_worse() -> None:
    found = told(ASKED)
    assert (found.prompts, found.changed, found.compared) == (("Prompt/ask",), 25, 50)
    assert [case.id for case in found.cases] == ["c1", "c3", "c5", "c7", "c9"]
    assert {(c.before, c.expected, c.after) for c in found.cases} == {("before", "yes", "after")}


def test_without_a_changed_prompt_there_is_nothing_to_show() -> None:
    assert told(BANK) is None
    assert told(changed("specs/recipes/adapter.yaml", "max_steps: 10", "max_steps: 11")) is None


def test_a_render_test_alone_changes_no_answer() -> None:
    tested = {**BANK, P: BANK[P] + "  tests: [{name: a, inputs: {question: b}}]\n"}
    world = World(head=tested, head_rows=answers("same"))
    found = world.verdict().outputs
    assert found is not None
    assert (found.changed, found.cases) == (0, ())


def test_it_needs_no_regression_and_no_base_shows_nothing() -> None:
    bare = "specs/evaluations/quality.yaml"
    plain = changed(bare, ", regression: {margin: 0.02}", "")
    world = World(
        head={**plain, P: ASKED[P]}, base=plain,
        head_rows=answers("after"), base_rows=answers("before"),
    )  # fmt: skip
    assert world.verdict().outputs is None  # base's answers were not measured for this plan
    assert told(ASKED, base=None) is None
