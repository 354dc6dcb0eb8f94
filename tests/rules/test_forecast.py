from __future__ import annotations

from typing import Any

import pytest

from llmops.jobs.base import PlannedGate
from tests.rules.world import World, right, row
from tests.trees import BANK, changed

E = "specs/evaluations/quality.yaml"
R16 = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16")


def gate(world: World, name: str = "accuracy") -> PlannedGate:
    (found,) = (g for g in world.facts().plan.gates if g.id == f"Evaluation/quality/{name}")
    return found


def asking(old: str, new: str, **given: Any) -> World:
    files = changed(E, old, new)
    return World(files, files, **given)


def test_base_says_at_which_rate_the_rows_are_judged() -> None:
    world = asking("min: 0.8", "min: 0.9", head_rows=lambda m: right(188, 200))
    found = gate(world)
    assert found.rows == 200
    assert found.decidable is True
    assert found.needed_for == "0.94 (92 %), as base has it"
    assert "as base has it" in found.note
    assert (found.needed or 0) > 200
    assert found.place.startswith(E)


def test_without_base_the_rate_is_assumed() -> None:
    assert "as base has it" not in gate(World(base=None)).note


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rows: 200", "rows: 10"),
        ("require: {min: 0.8}", "require: {max: 0.01}"),
    ],
)
def test_a_claim_that_no_result_could_show_stands_at_its_place(old: str, new: str) -> None:
    found = gate(asking(old, new))
    assert found.decidable is False
    assert found.place.startswith(f"{E}:")
    assert "cannot show" in found.note


def test_scores_are_decided_by_their_range() -> None:
    f1 = "metric: builtin/token_f1, require: {min: 0.8}"
    world = asking("metric: builtin/accuracy, require: {min: 0.8}", f1)
    assert gate(world).decidable is True
    files = changed(E, "rows: 200", "rows: 2", world.head)
    assert gate(World(files, files)).decidable is False


def test_a_metric_without_a_range_is_undecidable_as_a_mean() -> None:
    world = asking("builtin/accuracy, require: {min: 0.8}", "builtin/tokens, require: {max: 9}")
    assert gate(world).decidable is False


def test_a_slice_is_as_decidable_as_its_smallest_group() -> None:
    def rows(_made: object) -> list[dict[str, object]]:
        zh = [row(i, {"accuracy": 1.0}, language="zh") for i in range(195)]
        return zh + [row(i, {"accuracy": 1.0}, language="en") for i in range(195, 200)]

    found = gate(World(head_rows=rows), "by-language")
    assert (found.rows, found.decidable) == (5, False)
    assert found.note.startswith("en has 5 rows: 5 rows cannot show 0.7")


def test_a_named_value_that_no_case_has_cannot_be_decided() -> None:
    found = gate(asking("column: language,", "column: language, values: [fr],"), "by-language")
    assert (found.rows, found.decidable) == (0, False)


def test_groups_are_not_known_before_the_cases_are() -> None:
    found = gate(World(head_rows=lambda m: None), "by-language")
    assert found.decidable is None
    assert "not known" in found.note


def test_a_group_cannot_be_larger_than_all_rows() -> None:
    world = asking("require: {min: 0.7}", "require: {min: 0.99}", head_rows=lambda m: None)
    assert gate(world, "by-language").decidable is False


def test_a_regression_that_will_stay_undecided_warns_and_only_a_proof_is_refused() -> None:
    plain = gate(World(R16), "accuracy/regression")
    assert plain.decidable is True
    assert (plain.needed or 0) > (plain.rows or 0)
    few = changed(E, "{margin: 0.02}", "{margin: 0.02, prove: true}")
    files = changed(E, "rows: 200", "rows: 2", few)
    assert gate(World(files, files), "accuracy/regression").decidable is False


def test_a_regression_knows_what_changed_sides_once_both_are_judged() -> None:
    world = World(R16, head_rows=lambda m: right(180, 200), base_rows=lambda m: right(190, 200))
    assert "if 5 % of cases change sides as they do now" in gate(world, "accuracy/regression").note


def test_a_target_that_base_has_not_is_not_compared() -> None:
    base = {k: v for k, v in BANK.items() if k not in (E, "specs/applications/bot.yaml")}
    assert gate(World(base=base), "accuracy/regression").note == "base has no such target"
