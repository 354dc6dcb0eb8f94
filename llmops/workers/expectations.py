"""Expectations of a Dataset (the words of dbt tests), counted while rows stream by.

`not_null: [columns]` (null, absent and empty text all count as null), `unique: column` (nulls do
not count) and `rows: {min, max}`. Each gives a reason when it does not hold, with the first place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from llmops import digest
from llmops.diagnostics import did_you_mean
from llmops.workers.contract import WorkerError


class Expectation(Protocol):
    """Sees every row once, then says why it does not hold, or ""."""

    def see(self, row: Mapping[str, Any], place: str) -> None:
        """Takes one row into account."""

    def reason(self) -> str:
        """Why it does not hold, in one phrase; "" when it does."""


class NotNull:
    """No row without a value in this column."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.count = 0
        self.first = ""

    def see(self, row: Mapping[str, Any], place: str) -> None:
        """Counts a row without a value."""
        if is_null(row.get(self.column)):
            self.count += 1
            self.first = self.first or place

    def reason(self) -> str:
        """How many rows have no value, and where the first is."""
        if not self.count:
            return ""
        return f"not_null {self.column}: {self.count} rows have none, first {self.first}"


class Unique:
    """No value of this column stands on two rows."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.seen: set[bytes] = set()
        self.count = 0
        self.first = ""

    def see(self, row: Mapping[str, Any], place: str) -> None:
        """Counts a row whose value was seen before."""
        if is_null(value := row.get(self.column)):
            return
        key = hashlib.sha256(digest.canonical(value)).digest()[:16]
        if key in self.seen:
            self.count += 1
            self.first = self.first or place
        self.seen.add(key)

    def reason(self) -> str:
        """How many rows repeat a value, and where the first is."""
        if not self.count:
            return ""
        return f"unique {self.column}: {self.count} rows repeat a value, first {self.first}"


class Rows:
    """The number of rows lies in a range."""

    def __init__(self, least: int | None, most: int | None) -> None:
        self.least = least
        self.most = most
        self.count = 0

    def see(self, row: Mapping[str, Any], place: str) -> None:
        """Counts the row."""
        self.count += 1

    def reason(self) -> str:
        """The number of rows and the bound it misses."""
        if self.least is not None and self.count < self.least:
            return f"rows: {self.count} is below the minimum {self.least}"
        if self.most is not None and self.count > self.most:
            return f"rows: {self.count} is above the maximum {self.most}"
        return ""


def build(wanted: Iterable[Mapping[str, Any]]) -> tuple[Expectation, ...]:
    """The expectations as a Dataset writes them. Raises WorkerError for an unknown one."""
    found: list[Expectation] = []
    for each in wanted:
        for name, value in each.items():
            found += _build(name, value)
    return tuple(found)


def _build(name: str, value: Any) -> list[Expectation]:
    if name == "not_null":
        return [NotNull(column) for column in _columns(value)]
    if name == "unique":
        return [Unique(column) for column in _columns(value)]
    if name == "rows":
        return [Rows(value.get("min"), value.get("max"))]
    known = ("not_null", "unique", "rows")
    hint = did_you_mean(name, known, otherwise=f"known are {', '.join(known)}")
    raise WorkerError(f'no expectation "{name}"', hint=hint)


def _columns(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def is_null(value: Any) -> bool:
    """Null, or empty text: a CSV cell cannot say null otherwise."""
    return value is None or (isinstance(value, str) and not value.strip())
