"""Forecasts of gaps and of regressions by group: what their rows can decide."""

from __future__ import annotations

from typing import Any

from llmops.jobs.base import PlannedGate
from llmops.jobs.exam import exams
from llmops.rules.forecast import Sight, gates
from tests.rules.test_gap import SLICE, E, in_pairs, languages
from tests.rules.world import World
from tests.trees import BANK, changed, graph


def planned(entry: str, rows: list[dict[str, Any]] | None, kind: str) -> PlannedGate:
    files = changed(E, SLICE, entry)
    world = graph(files)
    sight = Sight(rows=lambda _closure: rows, place=lambda _side, _ref, loc: f"{E}:{len(loc)}:1")
    return next(g for g in gates(exams(world, world), sight) if g.kind == kind and "fair" in g.id)


GAP = "{name: fair, column: language, check: accuracy, gap: {max: 0.1%s}}"
EACH = "{name: fair, column: language, check: accuracy, regression: {margin: 0.05}}"


def test_a_gap_is_not_foretold_before_there_are_rows() -> None:
    found = planned(GAP % "", None, "gap")
    assert found.decidable is None
    assert "not known" in found.note


def test_a_gap_that_no_result_could_show_is_refused_where_it_must_be_proven() -> None:
    rows = languages(zh=(9, 10), en=(9, 10))
    found = planned(GAP % ", prove: true", rows, "gap")
    assert found.decidable is False
    assert "groups of 10 rows cannot show a gap of 0.1" in found.note
    assert found.place.startswith(f"{E}:")
    assert planned(GAP % "", rows, "gap").decidable is True


def test_an_open_gap_says_how_many_rows_would_decide_it() -> None:
    found = planned(GAP % "", languages(zh=(95, 100), en=(94, 100)), "gap")
    assert found.needed is not None
    assert found.needed > 200
    assert found.rows == 200
    wide = planned(GAP % "", languages(zh=(90, 100), en=(70, 100)), "gap")
    assert "above 0.1" in wide.note
    done = planned(GAP % "", languages(zh=(950, 1000), en=(940, 1000)), "gap")
    assert "likely to pass" in done.note


def test_a_regression_by_group_is_as_decidable_as_its_smallest_group() -> None:
    found = planned(EACH, languages(zh=(900, 1000), en=(45, 50)), "regression")
    assert found.rows == 50
    assert found.note.startswith("en has 50 rows:")
    assert planned(EACH, None, "regression").decidable is None


def test_pairs_are_foretold_by_half_of_their_rows() -> None:
    files = in_pairs()
    found = next(g for g in gates(exams(None, graph(files)), Sight()) if g.kind == "gap")
    assert found.decidable is None
    assert found.needed is not None


def test_a_plan_lists_a_gap_by_its_claim() -> None:
    files = changed(E, SLICE, GAP % "")
    world = World(files, files, lambda _made: languages(zh=(95, 100), en=(95, 100)))
    claims = {g.id: g.claim for g in world.facts().plan.gates}
    assert claims["Evaluation/quality/fair/gap"] == "accuracy by language apart by at most 0.1"
    assert "Evaluation/quality/fair/gap" not in {g.id for g in World(BANK).facts().plan.gates}
