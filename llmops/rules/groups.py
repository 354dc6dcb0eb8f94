"""Rows -> groups: the cases that share a value of a column, by the word for that value.

Shared by `slices`, `regression` and `gap`, so that a slice means the same cases in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmops.rules.facts import Row

NONE = "(none)"


def groups(rows: Sequence[Row], entry: Mapping[str, Any]) -> dict[str, frozenset[str]] | None:
    """Value -> its cases, for the values that a slice is about, in the order of their words.

    A value that is asked for and that no row has is an empty group. None where no row has the
    column at all.
    """
    column, found = entry["column"], dict[str, set[str]]()
    for row in rows:
        found.setdefault(text(row.get("columns", {}).get(column)), set()).add(str(row["case"]))
    if not found.keys() - {NONE}:
        return None
    wanted = [text(value) for value in entry.get("values", [])] or sorted(found)
    return {value: frozenset(found.get(value, ())) for value in dict.fromkeys(wanted)}


def nothing(rows: Sequence[Row], entry: Mapping[str, Any]) -> str:
    """Why there is no group."""
    return f'no case has a column "{entry["column"]}"' if rows else "no case"


def text(value: Any) -> str:
    """A column's value as a word; a missing one is `(none)`."""
    return NONE if value is None else str(value)
