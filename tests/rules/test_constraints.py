"""Constraints of a Prompt are gates of its Evaluations, and base's are put to head's answers."""

from __future__ import annotations

from typing import Any

from llmops.jobs.exam import exams
from llmops.rules.base import Outcome
from tests.rules.world import World, row
from tests.trees import BANK, changed, graph, read

P = "specs/prompts/ask.yaml"
E = "specs/evaluations/quality.yaml"
SAID = """\
  constraints:
    - {name: cite, text: Cite., test: {regex: '[0-9]', min_rate: 0.9}}
    - {name: clean, test: {regex: 'https?://', max_rate: 0.1}}
"""
TEXT = "  constraints: [{name: a, text: A.}]\n"
TOLD = {
    **BANK,
    P: BANK[P].replace("'{{ question }}'", "'{{ constraints }} {{ question }}'") + SAID,
}


def rows(cite: int, clean: int = 0, of: int = 400) -> Any:
    def answered(_made: object) -> list[dict[str, Any]]:
        return [
            row(i, {"accuracy": 1.0, "cite": float(i < cite), "clean": float(i < clean)},
                language="en")
            for i in range(of)
        ]  # fmt: skip

    return answered


def outcomes(world: World, rule: str = "require") -> dict[tuple[str, str], Outcome]:
    return {(f.gate, f.judged_by): f.outcome for f in world.found(rule)}


def test_a_constraint_is_a_gate_with_its_place_in_the_prompt() -> None:
    found = {f.gate: f for f in World(head=TOLD, base=TOLD, head_rows=rows(400)).found("require")}
    assert found["Evaluation/quality/cite"].outcome is Outcome.PASSED
    assert found["Evaluation/quality/clean"].outcome is Outcome.PASSED
    assert found["Evaluation/quality/cite"].place == f"{P}:10:7"


def test_answers_that_break_a_constraint_fail_its_gate() -> None:
    found = outcomes(World(head=TOLD, base=TOLD, head_rows=rows(100, 200)))
    assert found["Evaluation/quality/cite", "base"] is Outcome.FAILED
    assert found["Evaluation/quality/clean", "base"] is Outcome.FAILED


def test_base_s_constraint_judges_the_head_that_dropped_it() -> None:
    world = World(head={**BANK, P: TOLD[P].replace(SAID, TEXT)}, base=TOLD, head_rows=rows(100))
    assert outcomes(world)["Evaluation/quality/cite", "base"] is Outcome.FAILED
    told = {one.what: (one.before, one.after) for one in world.verdict().loosened}
    assert told == {
        "Evaluation/quality/cite": ("declared", "removed"),
        "Evaluation/quality/clean": ("declared", "removed"),
    }


def test_a_lower_rate_and_another_pattern_are_looser() -> None:
    lower = changed(P, "min_rate: 0.9", "min_rate: 0.2", TOLD)
    world = World(head=lower, base=TOLD, head_rows=rows(200))
    assert outcomes(world)["Evaluation/quality/cite", "base"] is Outcome.FAILED
    assert [one.what for one in world.verdict().loosened] == ["Evaluation/quality/cite"]
    other = changed(P, "'[0-9]'", "'.'", TOLD)
    told = World(head=other, base=TOLD, head_rows=rows(400)).verdict().loosened
    assert [one.what for one in told] == ["Evaluation/quality/cite"]


def closures(files: dict[str, str]) -> dict[str, str]:
    (exam, *_) = exams(None, graph(files))
    assert exam.head is not None
    return {made.job.type: made.job.closure for made in exam.head.all()}


def test_a_rate_makes_no_job_and_a_pattern_no_answer_anew() -> None:
    was = closures(TOLD)
    assert closures(changed(P, "min_rate: 0.9", "min_rate: 0.8", TOLD)) == was
    now = closures(changed(P, "'[0-9]'", "'[1-9]'", TOLD))
    assert {kind for kind in was if was[kind] != now[kind]} == {"evaluate"}
    now = closures(changed(P, "text: Cite.", "text: Quote.", TOLD))
    assert {kind for kind in was if was[kind] != now[kind]} == {"generate", "evaluate"}


def test_a_constraint_without_a_test_changes_no_evaluate_payload() -> None:
    plain, told = {**BANK}, {**TOLD, P: TOLD[P].replace(SAID, TEXT)}
    (before, *_), (after, *_) = exams(None, graph(plain)), exams(None, graph(told))
    assert before.head is not None
    assert after.head is not None
    assert before.head.job.spec == after.head.job.spec


def test_a_constraint_named_like_a_check_is_told() -> None:
    found = read(changed(P, "name: cite", "name: accuracy", TOLD)).diagnostics
    assert [(str(d.span), d.rule) for d in found] == [(f"{P}:10:14", "duplicate-name")]
