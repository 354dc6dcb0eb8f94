"""Bad input to every gate on rows: a clear word, and never passed.

One tree claims something in each way there is (a share, a mean, a percentile, each of these by
group, against base, a gap between groups and within pairs). Each kind of bad rows is then put to
it: no finding that rests on them passes, and none is a traceback.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from llmops.jobs.make import Made
from llmops.rules.base import Finding, Outcome
from tests.rules.world import World, row
from tests.trees import BANK, changed, spec

Rows = list[dict[str, Any]]
ON_ROWS = ("require", "slices", "regression", "gap")
FILES = {
    **BANK,
    "specs/datasets/swaps.yaml": spec(
        "Dataset", "swaps",
        "sources: [{name: all, file: specs/data/bank.jsonl, license: Apache-2.0,"
        " origin: synthetic}]\nformat: qa",
    ),
    "specs/evaluations/quality.yaml": spec(
        "Evaluation", "quality",
        "target: Application/bot\ndataset: bank#test\nchecks:\n"
        "  - {name: accuracy, metric: builtin/accuracy, require: {min: 0.8},"
        " regression: {margin: 0.1}}\n"
        "  - {name: f1, metric: builtin/token_f1, require: {min: 0.7}, regression: {margin: 0.2}}\n"
        "  - {name: wait, metric: builtin/latency_ms, statistic: p95, require: {max: 900}}\n"
        "slices:\n"
        "  - {name: each, column: language, check: accuracy, require: {min: 0.7},"
        " regression: {margin: 0.2}, gap: {max: 0.3}}\n"
        "  - {name: scored, column: language, check: f1, require: {min: 0.6}, gap: {max: 0.4}}\n"
        "  - {name: slow, column: language, check: wait, require: {max: 900}}\n"
        "  - {name: swap, pairs: swaps, check: accuracy, gap: {max: 0.2}}",
    ),
}  # fmt: skip


def good(n: int = 400) -> Rows:
    """Rows that pass everything: two languages, in pairs."""
    values = {"accuracy": 1.0, "f1": 0.95, "wait": 100.0}
    return [
        {**row(i, values, language="zh" if i % 2 else "en", pair=f"p{i // 2}",
               variant="b" if i % 2 else "a"), "expected": "yes"}
        for i in range(n)
    ]  # fmt: skip


def found(rows: object, base: object = None) -> list[Finding]:
    def put(given: object) -> Callable[[Made], Any]:
        return lambda _made: given

    head = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16", FILES)
    world = World(head, FILES, put(rows), put(rows if base is None else base))
    return [f for f in world.verdict().findings if f.rule in ON_ROWS]


def passed(findings: list[Finding]) -> list[str]:
    return [f.gate for f in findings if f.outcome is Outcome.PASSED]


def test_good_rows_pass_every_gate() -> None:
    findings = found(good())
    assert {f.rule for f in findings} == set(ON_ROWS)
    assert [f.message for f in findings if f.outcome is not Outcome.PASSED] == []
    assert len(findings) == 16


def with_cells(change: Callable[[dict[str, Any]], Any], rows: int = 1) -> Rows:
    """The good rows, with other cells in the first few."""
    made = good()
    for one in made[:rows]:
        one["cells"] = {name: change(dict(cell)) for name, cell in one["cells"].items()}
    return made


def valued(value: object) -> Rows:
    return with_cells(lambda cell: {**cell, "value": value})


NO_VALUES = [
    math.nan, math.inf, -math.inf, None, True, "1", "NaN", [1.0], {"value": 1.0}, -1.0, -(10**400),
]  # fmt: skip


@pytest.mark.parametrize("value", NO_VALUES, ids=repr)
def test_one_value_that_is_none_is_never_passed(value: object) -> None:
    findings = found(valued(value), good())
    whole = [f for f in findings if "[" not in f.gate]
    assert passed(whole) == []
    assert all(f.outcome is Outcome.INCONCLUSIVE for f in whole)
    assert all("cells invalid: c0" in f.message for f in whole)


@pytest.mark.parametrize("value", [1.0001, 10**400])
def test_one_value_above_the_range_is_never_passed(value: float) -> None:
    findings = found(valued(value), good())
    ranged = [f for f in findings if "[" not in f.gate and "wait" not in f.gate]
    assert passed(ranged) == []


@pytest.mark.parametrize("change", [
    lambda cell: {**cell, "valid": False}, lambda cell: {**cell, "valid": 1},
    lambda cell: {**cell, "valid": "true"}, lambda cell: {**cell, "applies": False, "value": None},
    lambda _cell: {}, lambda cell: {"value": cell["value"]},
])  # fmt: skip
def test_a_cell_that_is_not_said_to_be_valid_is_never_passed(change: Any) -> None:
    whole = [f for f in found(with_cells(change), good()) if "[" not in f.gate]
    assert passed(whole) == []


def without(name: str) -> Rows:
    made = good()
    del made[0]["cells"][name]
    return made


@pytest.mark.parametrize(("name", "gates"), [
    ("accuracy", ["accuracy", "accuracy/regression", "each/gap", "swap/gap"]),
    ("f1", ["f1", "f1/regression", "scored/gap"]),
    ("wait", ["wait"]),
])  # fmt: skip
def test_a_missing_cell_makes_its_own_gates_inconclusive_and_no_others(
    name: str, gates: list[str]
) -> None:
    findings = found(without(name), good())
    undecided = [
        f.gate for f in findings if f.outcome is Outcome.INCONCLUSIVE and "[" not in f.gate
    ]
    assert sorted(undecided) == [f"Evaluation/quality/{gate}" for gate in sorted(gates)]


@pytest.mark.parametrize("rows", [None, []], ids=["absent", "empty"])
def test_no_rows_are_never_passed(rows: Rows | None) -> None:
    findings = found(rows, good())
    assert findings
    assert passed(findings) == []
    assert {f.outcome for f in findings} == {Outcome.INCONCLUSIVE}


def test_one_row_is_never_passed() -> None:
    findings = found(good(1), good(1))
    assert passed(findings) == []


def test_a_case_that_is_counted_twice_is_never_passed() -> None:
    twice = [*good(), good()[0]]
    findings = found(twice, twice)
    whole = [f for f in findings if "[" not in f.gate]
    assert passed(whole) == []


@pytest.mark.parametrize("base", [good(398), [*good(), {**good(402)[-1]}], []])
def test_unequal_case_sets_are_never_compared(base: Rows) -> None:
    findings = [f for f in found(good(), base) if f.rule == "regression"]
    assert findings
    assert passed(findings) == []


def all_at(value: float) -> Rows:
    return [
        {**one, "cells": {n: {**c, "value": value} for n, c in one["cells"].items()}}
        for one in good()
    ]


def test_equal_scores_at_a_bound_show_nothing_and_below_it_fail() -> None:
    at = {f.gate: f.outcome for f in found(all_at(0.7))}
    assert at["Evaluation/quality/f1"] is Outcome.INCONCLUSIVE
    below = {f.gate: f.outcome for f in found(all_at(0.5))}
    assert below["Evaluation/quality/f1"] is Outcome.FAILED
    assert below["Evaluation/quality/f1/regression"] is Outcome.PASSED  # nothing changed
    assert below["Evaluation/quality/accuracy"] is Outcome.INCONCLUSIVE  # 0.5 is no right or wrong


@pytest.mark.parametrize("counted", [-5, 0, 1, 401, 10**300], ids=lambda n: f"{n:.0e}")
def test_a_count_of_rows_that_is_not_theirs_is_never_passed(counted: int) -> None:
    rows = good()
    world = World(FILES, FILES, lambda _made: rows, counted=counted)
    assert passed([f for f in world.verdict().findings if f.rule in ("require", "slices")]) == []
