from __future__ import annotations

from llmops.rules.base import Outcome
from tests.rules.world import World, right, row
from tests.trees import changed

E = "specs/evaluations/quality.yaml"


def test_a_mean_cannot_hide_a_ruined_group() -> None:
    def rows(_made: object) -> list[dict[str, object]]:
        zh = [row(i, {"accuracy": 1.0}, language="zh") for i in range(190)]
        return zh + [row(i, {"accuracy": 0.0}, language="en") for i in range(190, 210)]

    world = World(head_rows=rows)
    by_gate = {f.gate: f.outcome for f in world.verdict().findings}
    assert by_gate["Evaluation/quality/accuracy"] is Outcome.PASSED
    assert by_gate["Evaluation/quality/by-language[zh]"] is Outcome.PASSED
    assert by_gate["Evaluation/quality/by-language[en]"] is Outcome.FAILED
    assert world.verdict().outcome is Outcome.FAILED


def test_every_value_of_the_column_is_judged() -> None:
    assert len(World(head_rows=lambda m: right(200, 200)).found("slices")) == 2


def test_only_named_values_are_judged_when_some_are_named() -> None:
    files = changed(E, "column: language,", "column: language, values: [zh],")
    (found,) = World(files, files, lambda m: right(200, 200)).found("slices")
    assert found.gate.endswith("[zh]")


def test_a_named_value_without_a_case_is_inconclusive() -> None:
    files = changed(E, "column: language,", "column: language, values: [fr],")
    (found,) = World(files, files, lambda m: right(200, 200)).found("slices")
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_column_that_no_row_has_is_inconclusive_not_passed() -> None:
    files = changed(E, "column: language,", "column: tongue,")
    (found,) = World(files, files, lambda m: right(200, 200)).found("slices")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert 'no case has a column "tongue"' in found.message


def test_a_finding_names_the_rows_that_it_is_about_and_the_gate_that_orders_them() -> None:
    found = World(head_rows=lambda m: right(200, 200)).found("slices")
    said = [(f.tested.column, f.tested.group) for f in found if f.tested]
    assert said == [("language", "en"), ("language", "zh")]
    assert {f.tested.gate for f in found if f.tested} == {"Evaluation/quality/by-language"}
