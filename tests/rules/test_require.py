from __future__ import annotations

import math
from dataclasses import replace

import pytest

from llmops.digest import of_bytes
from llmops.rules import require
from llmops.rules.base import Outcome
from llmops.rules.claims import cells
from tests.rules.world import World, right, row
from tests.trees import changed

E = "specs/evaluations/quality.yaml"


def outcome(world: World) -> Outcome:
    (found,) = world.found("require")
    return found.outcome


def test_a_claim_that_the_lower_bound_clears_passes() -> None:
    (found,) = World(head_rows=lambda m: right(190, 200)).found("require")
    assert found.outcome is Outcome.PASSED
    assert (found.n, found.value, found.bound) == (200, 0.95, "min 0.8")
    assert found.interval is not None
    assert found.interval[0] < 0.95 < found.interval[1]


def test_a_finding_names_the_evidence_that_it_rests_on_and_none_where_there_is_none() -> None:
    facts = World().facts()
    (found,) = require.findings(facts)
    assert found.evidence == of_bytes(b"e")
    (found,) = require.findings(replace(facts, proven={}))
    assert found.evidence == ""


def test_a_point_above_the_bound_is_not_enough() -> None:
    # 0.825 is above 0.8, but its one-sided 95 % lower bound is 0.775
    (found,) = World(head_rows=lambda m: right(165, 200)).found("require")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.about_more is not None
    assert "more cases would decide" in found.hint


def test_a_claim_that_the_upper_bound_misses_fails() -> None:
    (found,) = World(head_rows=lambda m: right(100, 200)).found("require")
    assert found.outcome is Outcome.FAILED
    assert "below the minimum 0.8" in found.message
    assert found.place.startswith(f"{E}:")


@pytest.mark.parametrize("value", [None, math.nan, math.inf, 1.5, -1, True, "1"])
def test_a_cell_that_is_no_number_of_the_metric_never_passes(value: object) -> None:
    def rows(_made: object) -> list[dict[str, object]]:
        good = right(200, 200)
        cell = {"value": value, "valid": True, "reason": ""}
        return [{**good[0], "cells": {"accuracy": cell}}, *good[1:]]

    assert outcome(World(head_rows=rows)) is Outcome.INCONCLUSIVE


def test_a_missing_cell_never_passes() -> None:
    assert outcome(
        World(head_rows=lambda m: [row(0, {}), *right(200, 200)[1:]])
    ) is Outcome.INCONCLUSIVE  # fmt: skip


def test_a_cell_marked_invalid_never_passes_whatever_it_holds() -> None:
    def rows(_made: object) -> list[dict[str, object]]:
        good = right(200, 200)
        cell = {"value": 1.0, "valid": False, "reason": "timeout"}
        return [{**good[0], "cells": {"accuracy": cell}}, *good[1:]]

    assert outcome(World(head_rows=rows)) is Outcome.INCONCLUSIVE


def test_allowed_case_errors_count_as_wrong() -> None:
    files = changed(E, "checks:", "on_case_error: {max: 0.01}\n  checks:")

    def rows(_made: object) -> list[dict[str, object]]:
        return [row(i, {"accuracy": None}) for i in range(2)] + right(200, 200)[2:]

    (found,) = World(head=files, base=files, head_rows=rows).found("require")
    assert found.outcome is Outcome.PASSED
    assert found.value == 0.99


def test_no_rows_are_inconclusive() -> None:
    assert outcome(World(head_rows=lambda m: None)) is Outcome.INCONCLUSIVE
    assert outcome(World(head_rows=lambda m: [])) is Outcome.INCONCLUSIVE


def test_a_case_counted_twice_is_inconclusive() -> None:
    rows = right(199, 199)
    assert outcome(World(head_rows=lambda m: [*rows, rows[0]])) is Outcome.INCONCLUSIVE


def test_a_failed_training_fails_the_claim_and_says_why() -> None:
    (found,) = World(
        head_rows=lambda m: None, failed={"train/adapter": "loss is not finite at step 7"}
    ).found("require")
    assert found.outcome is Outcome.FAILED
    assert "loss is not finite at step 7" in found.message


def test_a_maximum_is_judged_from_the_other_side() -> None:
    files = changed(E, "require: {min: 0.8}", "require: {max: 0.2}")
    assert outcome(World(files, files, lambda m: right(20, 200))) is Outcome.PASSED
    assert outcome(World(files, files, lambda m: right(80, 200))) is Outcome.FAILED
    assert outcome(World(files, files, lambda m: right(38, 200))) is Outcome.INCONCLUSIVE


def test_a_bound_that_nothing_can_miss_is_met_even_by_no_right_case() -> None:
    least = changed(E, "require: {min: 0.8}", "require: {min: 0}")
    most = changed(E, "require: {min: 0.8}", "require: {max: 1}")
    assert outcome(World(least, least, lambda m: right(0, 200))) is Outcome.PASSED
    assert outcome(World(most, most, lambda m: right(200, 200))) is Outcome.PASSED


def test_an_undecided_maximum_needs_as_many_more_cases_as_its_mirrored_minimum() -> None:
    most = changed(E, "require: {min: 0.8}", "require: {max: 0.2}")
    (above,) = World(most, most, lambda m: right(38, 200)).found("require")
    (below,) = World(head_rows=lambda m: right(162, 200)).found("require")
    assert above.about_more == below.about_more
    assert above.about_more is not None
    assert above.hint == f"about {above.about_more} more cases would decide"


def scores(mean: float) -> list[dict[str, object]]:
    return [row(i, {"accuracy": mean + (0.05 if i % 2 else -0.05)}) for i in range(200)]


def test_a_score_is_judged_by_betting() -> None:
    files = changed(E, "metric: builtin/accuracy", "metric: builtin/token_f1")
    assert outcome(World(files, files, lambda m: scores(0.9))) is Outcome.PASSED
    assert outcome(World(files, files, lambda m: scores(0.6))) is Outcome.FAILED
    assert outcome(World(files, files, lambda m: scores(0.802))) is Outcome.INCONCLUSIVE


def test_an_undecided_score_says_about_how_many_more_cases_would_decide() -> None:
    files = changed(E, "metric: builtin/accuracy", "metric: builtin/token_f1")
    (above,) = World(files, files, lambda m: scores(0.802)).found("require")
    assert above.outcome is Outcome.INCONCLUSIVE
    assert above.about_more is not None
    assert above.about_more > 1000
    assert above.hint == f"about {above.about_more} more cases would decide"
    (below,) = World(files, files, lambda m: scores(0.799)).found("require")
    assert below.outcome is Outcome.INCONCLUSIVE
    assert below.about_more is None
    assert below.hint == "no number of cases will show this at the observed rate"


def test_pass_at_turns_a_score_into_right_or_wrong() -> None:
    files = changed(E, "builtin/accuracy, ", "builtin/token_f1, pass_at: 0.9, ")
    (found,) = World(files, files, lambda m: scores(0.93)).found("require")
    assert found.value == 0.5
    assert found.outcome is Outcome.FAILED


def test_a_policy_s_error_rate_is_used() -> None:
    # 171 of 200 clears 0.8 at 5 % but not at 1 %
    files = changed("policies/default.yaml", "rules:", "alpha: 0.01\n  rules:")
    assert outcome(World(head_rows=lambda m: right(171, 200))) is Outcome.PASSED
    strict = World(files, files, lambda m: right(171, 200))
    assert outcome(strict) is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("counted", "rows"), [(1000, 199), (1000, 201), (150, 200), (150, 149)])
def test_cases_left_out_or_added_are_never_passed(counted: int, rows: int) -> None:
    world = World(head_rows=lambda made: right(rows, rows), counted=counted)
    planned = min(counted, 200)
    for rule in ("require", "slices", "regression"):
        (found, *_) = world.found(rule)
        assert found.outcome is Outcome.INCONCLUSIVE
        assert f"judged {rows} cases, {planned} were planned" in found.message


@pytest.mark.parametrize(("counted", "rows"), [(1000, 200), (150, 150)])
def test_all_planned_cases_are_enough(counted: int, rows: int) -> None:
    world = World(head_rows=lambda made: right(rows, rows), counted=counted)
    assert outcome(world) is Outcome.PASSED
    assert not any("planned" in found.message for found in world.verdict().findings)


def test_only_a_changed_text_can_fail_to_apply_to_a_case() -> None:
    rows = right(100, 200)
    for one in rows:
        if one["cells"]["accuracy"]["value"] == 0:
            one["cells"]["accuracy"] |= {"value": None, "applies": False}
    found = cells(rows, {"name": "accuracy", "metric": "builtin/accuracy"})
    assert (len(found), sum(cell.value is None for cell in found)) == (200, 100)
    assert len(cells(rows, {"name": "accuracy", "metric": "giskard/typos"})) == 100


def test_a_finding_says_how_its_claim_was_tested() -> None:
    (found,) = World(head_rows=lambda m: right(190, 200)).found("require")
    said = found.tested
    assert said is not None
    assert (said.check, said.metric, said.kind) == ("accuracy", "builtin/accuracy", "binary")
    assert (said.lower, said.upper, said.at_least, said.at_most) == (0.0, 1.0, 0.8, None)
    assert said.gate == found.gate
    assert (said.dataset, said.split) == ("bank", "test")
    assert (said.errors_allowed, said.pass_at, said.statistic) == (0.0, None, "")
    assert (said.column, said.group) == ("", "")


def test_a_claim_that_nothing_was_kept_for_was_not_tested() -> None:
    facts = World().facts()
    (found,) = require.findings(replace(facts, proven={}, rows=lambda closure: None))
    assert found.tested is None
