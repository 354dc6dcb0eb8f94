"""Percentiles: a bound on p95 is the binary gate on the share of values that keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from llmops.jobs.exam import exams
from llmops.rules.base import Finding, Outcome
from llmops.rules.forecast import Sight, gates
from tests.rules.world import World, row
from tests.trees import BANK, changed, graph

E = "specs/evaluations/quality.yaml"
CHECK = "metric: builtin/accuracy, require: {min: 0.8}, regression: {margin: 0.02}"


def waits(bound: str, statistic: str = "p95", files: Mapping[str, str] = BANK) -> dict[str, str]:
    """The small tree with a bound on how long answers take."""
    said = f"metric: builtin/latency_ms, statistic: {statistic}, require: {{{bound}}}"
    found = changed(E, CHECK, said, files)
    return {**found, E: found[E].replace("require: {min: 0.7}", "require: {max: 1000}")}


def rows(values: list[float | None]) -> list[dict[str, Any]]:
    return [row(i, {"accuracy": v}, language="zh") for i, v in enumerate(values)]


def judged(values: list[float | None], bound: str, statistic: str = "p95") -> Finding:
    files = waits(bound, statistic)
    (found,) = World(files, files, lambda _made: rows(values)).found("require")
    return found


def test_p95_passes_with_the_fewest_values_that_can_show_it() -> None:
    found = judged([100.0] * 59, "max: 1000")
    assert found.outcome is Outcome.PASSED
    assert (found.n, found.value, found.bound) == (59, 100.0, "max 1000")
    assert "accuracy p95 100.0 meets max 1000" in found.message


def test_p95_of_one_value_less_shows_nothing() -> None:
    found = judged([100.0] * 58, "max: 1000")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.about_more is not None


@pytest.mark.parametrize(("slow", "outcome"), [
    (8, Outcome.PASSED),  # PROOF: at most 0.05 of 300 is shown by 8
    (9, Outcome.INCONCLUSIVE),
    (15, Outcome.INCONCLUSIVE),  # what the point rule would pass
    (23, Outcome.FAILED),
])  # fmt: skip
def test_p95_counts_the_values_above_the_bound(slow: int, outcome: Outcome) -> None:
    values = [2000.0] * slow + [100.0] * (300 - slow)
    assert judged(values, "max: 1000").outcome is outcome


def test_a_value_at_the_bound_keeps_it() -> None:
    assert judged([1000.0] * 59, "max: 1000").outcome is Outcome.PASSED
    assert judged([1000.0] * 59, "min: 1000").outcome is Outcome.PASSED


def test_a_minimum_of_the_median_counts_the_values_below() -> None:
    assert judged([500.0] * 40 + [100.0] * 20, "min: 400", "p50").outcome is Outcome.PASSED
    assert judged([500.0] * 30 + [100.0] * 30, "min: 400", "p50").outcome is Outcome.INCONCLUSIVE
    assert judged([500.0] * 10 + [100.0] * 50, "min: 400", "p50").outcome is Outcome.FAILED


def test_the_value_printed_is_one_of_the_values_and_its_interval_are_two_of_them() -> None:
    found = judged([float(i) for i in range(1, 1001)], "max: 2000")
    assert found.value == 950.0
    assert found.interval is not None
    low, high = found.interval
    assert low < 950 < high
    assert low.is_integer()
    assert high.is_integer()
    assert 930 < low < 940
    assert 960 < high < 970


def test_an_interval_without_an_upper_end_is_not_printed() -> None:
    found = judged([100.0] * 59, "max: 1000")
    assert found.interval is None
    assert "interval" not in found.message


def test_an_invalid_cell_is_never_left_out() -> None:
    assert judged([None, *[100.0] * 300], "max: 1000").outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("bound", ["max: 1000", "min: 10"])
def test_an_allowed_invalid_cell_keeps_no_bound(bound: str) -> None:
    statistic = "p95" if "max" in bound else "p50"
    files = waits(bound, statistic)
    files = changed(E, "checks:", "on_case_error: {max: 0.5}\n  checks:", files)

    def outcome(values: list[float | None]) -> Outcome:
        (found,) = World(files, files, lambda _m: rows(values)).found("require")
        return found.outcome

    few = 59 if "max" in bound else 5  # the fewest that show it
    assert outcome([100.0] * few) is Outcome.PASSED
    assert outcome([None, *[100.0] * few]) is Outcome.INCONCLUSIVE
    assert outcome([None, *[100.0] * 120]) is Outcome.PASSED


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_value_that_is_no_time_is_no_value(value: float) -> None:
    assert judged([value, *[100.0] * 300], "max: 1000").outcome is Outcome.INCONCLUSIVE


def test_no_case_shows_no_percentile() -> None:
    assert judged([], "max: 1000").outcome is Outcome.INCONCLUSIVE
    assert judged([100.0], "max: 1000").outcome is Outcome.INCONCLUSIVE


def test_a_slice_of_a_percentile_is_a_percentile_of_the_slice() -> None:
    files = waits("max: 1000")
    slow = [row(i, {"accuracy": 2000.0}, language="en") for i in range(100)]
    fast = [row(i, {"accuracy": 10.0}, language="zh") for i in range(100, 3000)]
    found = {f.gate: f for f in World(files, files, lambda _m: [*slow, *fast]).found("slices")}
    name = "Evaluation/quality/by-language"
    assert found[f"{name}[en]"].outcome is Outcome.FAILED
    assert found[f"{name}[en]"].value == 2000.0
    assert found[f"{name}[en]"].base_value == 2000.0
    assert found[f"{name}[zh]"].outcome is Outcome.PASSED


@pytest.mark.parametrize(("rows", "statistic", "decidable"), [
    (59, "p95", True), (58, "p95", False), (299, "p99", True), (298, "p99", False),
    (5, "p50", True), (4, "p50", False),
])  # fmt: skip
def test_a_plan_says_whether_its_rows_can_bound_a_percentile(
    rows: int, statistic: str, decidable: bool
) -> None:
    files = waits("max: 1000", statistic)
    files = changed(E, "rows: 200", f"rows: {rows}", files)
    found = graph(files)
    gate = next(g for g in gates(exams(None, found), Sight()) if g.kind == "require")
    assert gate.decidable is decidable
    assert gate.claim == f"accuracy {statistic} max 1000"
    least = {"p95": 59, "p99": 299, "p50": 5}[statistic]
    assert ("it takes" in gate.note) is not decidable
    assert decidable or f"it takes {least}" in gate.note


@pytest.mark.parametrize(("before", "after", "looser"), [
    ("p95", "p90", True), ("p95", "p99", False),
])  # fmt: skip
def test_a_lower_percentile_under_a_maximum_is_looser(
    before: str, after: str, looser: bool
) -> None:
    world = World(
        waits("max: 1000", after), waits("max: 1000", before), lambda _m: rows([1.0] * 400)
    )
    said = [f"{one.before} -> {one.after}" for one in world.verdict().loosened]
    assert (f"statistic {before} -> statistic {after}" in said) is looser


def test_a_higher_percentile_over_a_minimum_is_looser() -> None:
    world = World(waits("min: 1", "p99"), waits("min: 1", "p50"), lambda _m: rows([1.0] * 400))
    assert any("statistic p50" in one.before for one in world.verdict().loosened)
    world = World(waits("min: 1", "p50"), waits("min: 1", "p99"), lambda _m: rows([1.0] * 400))
    assert not world.verdict().loosened
