"""Kept rows are read once for all gates, and each check reads only its own column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmops.rules.claims import Cell, Column, cells, kept_cells
from llmops.rules.facts import Facts
from tests.rules.world import World, right, row

ACCURACY = {"name": "accuracy", "metric": "builtin/accuracy"}


class Rows:
    """Rows that count how often they are gone through."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self.rows, self.read = rows, 0

    def __iter__(self) -> Any:
        self.read += 1
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def facts_of(rows: Any) -> Facts:
    return replace(World().facts(), rows=lambda _closure: rows)


def test_a_column_is_read_once_and_is_what_cells_gives() -> None:
    rows = Rows(right(3, 5))
    facts = facts_of(rows)
    assert kept_cells(facts, "c", ACCURACY) == cells(rows.rows, ACCURACY)
    assert kept_cells(facts, "c", dict(ACCURACY, require={"min": 0.5})) is kept_cells(
        facts, "c", ACCURACY
    )
    assert rows.read == 1


def test_another_threshold_metric_name_or_closure_is_another_column() -> None:
    rows = [row(i, {"accuracy": i / 4, "other": 1.0}) for i in range(5)]
    facts = facts_of(rows)
    f1 = {"name": "accuracy", "metric": "builtin/token_f1"}
    found = [kept_cells(facts, "c", check) for check in (
        ACCURACY, f1, {**f1, "pass_at": 0.5}, {**f1, "pass_at": 0.9}, {**f1, "name": "other"},
    )]  # fmt: skip
    assert [[cell.value for cell in one] for one in found] == [
        [0, None, None, None, 1], [0, 0.25, 0.5, 0.75, 1], [0, 0, 1, 1, 1],
        [0, 0, 0, 0, 1], [1] * 5,
    ]  # fmt: skip
    assert kept_cells(facts, "d", f1) is not kept_cells(facts, "c", f1)


def test_facts_with_other_rows_are_not_told_the_earlier_ones() -> None:
    facts = facts_of(right(3, 5))
    before = kept_cells(facts, "c", ACCURACY)
    after = kept_cells(replace(facts, rows=lambda _closure: right(5, 5)), "c", ACCURACY)
    assert [c.value for c in before] != [c.value for c in after]


def test_no_rows_are_an_empty_column() -> None:
    assert list(kept_cells(facts_of(None), "c", ACCURACY)) == []


def test_a_column_reads_as_the_list_of_its_cells() -> None:
    found = [Cell("a", "1", 1.0), Cell("b", "2", None), Cell("a", "3", 0.0)]
    column = Column.of(found)
    assert (list(column), len(column), column[1], list(column[1:])) == (
        found, 3, found[1], found[1:],
    )  # fmt: skip
    assert column.invalid() == ["2"]
    assert list(column.among(frozenset({"a"}))) == [found[0], found[2]]


def test_a_case_that_a_transformation_leaves_as_it_is_is_no_cell_and_an_invalid_one_is() -> None:
    said = [("value", 1.0, True, True), ("same", 1.0, True, False), ("failed", None, False, False)]
    rows = [
        {"case": case, "id": case,
         "cells": {"typos": {"value": value, "valid": valid, "applies": applies}}}
        for case, value, valid, applies in said
    ]  # fmt: skip
    typos = {"name": "typos", "metric": "giskard/typos"}
    assert list(cells(rows, typos)) == [
        Cell("value", "value", 1.0), Cell("failed", "failed", None),
    ]  # fmt: skip


def test_numbers_too_large_for_any_metric_are_no_value() -> None:
    rows = [row(0, {"latency": 10**400}), row(1, {"latency": 5}), row(2, {"latency": -1})]
    latency = {"name": "latency", "metric": "builtin/latency_ms"}
    assert [cell.value for cell in cells(rows, latency)] == [None, 5.0, None]
