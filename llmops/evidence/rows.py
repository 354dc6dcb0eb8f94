"""Kept rows and findings, by closure, read from the store line by line.

Out: the lines of an artifact as objects, or None where they are absent or damaged: whoever judges
them says inconclusive then. Each artifact is read once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from llmops.errors import AwayError, StoreError
from llmops.evidence.statement import Evidence
from llmops.evidence.store import Store

Row = Mapping[str, Any]
LOOKS = ("evaluate", "scan", "guard")  # jobs that look at rows to judge somebody by them
Asked = tuple[str, str]  # digest of what a row asks, and the row's id


def is_judged_by(name: str) -> bool:
    """Whether rules read an artifact of that name."""
    return name in ("rows.jsonl", "findings.jsonl", "anchors.jsonl") or name.startswith("digests/")


def rows_of(store: Store) -> Callable[[str], Sequence[Row] | None]:
    """Kept rows by evaluate closure; absent or damaged ones are None."""
    return _remembered(lambda closure: _lines(store, closure, "rows.jsonl", _is_row))


def findings_of(store: Store) -> Callable[[str], Sequence[Row] | None]:
    """What the detectors of a scan said, by closure; absent or damaged is None."""
    return _remembered(lambda closure: _lines(store, closure, "findings.jsonl", _is_object))


def anchors_of(store: Store) -> Callable[[str], Sequence[Row] | None]:
    """The rated rows that a judge graded, by evaluate closure; absent or damaged is None."""
    return _remembered(lambda closure: _lines(store, closure, "anchors.jsonl", _is_anchor))


def looked_of(store: Store) -> Callable[[str], tuple[str, int] | None]:
    """Of a closure: the digest of the rows it was given, and how many closures measured on them.

    None where nothing is kept of it. All evidence is read when it is first asked.
    """

    @cache
    def given() -> Mapping[str, str]:
        return {closure: kept.inputs["cases"] for closure, kept in looks(store)}

    @cache
    def count() -> Counter[str]:
        return Counter(given().values())

    def found(closure: str) -> tuple[str, int] | None:
        digest = given().get(closure)
        return (digest, count()[digest]) if digest is not None else None

    return found


def digests_of(store: Store) -> Callable[[str, str], Sequence[Asked] | None]:
    """What each row of a curated part asks, by curate closure and part; None as above."""
    read_already: dict[tuple[str, str], Sequence[Asked] | None] = {}

    def found(closure: str, part: str) -> Sequence[Asked] | None:
        if (closure, part) not in read_already:
            lines = _lines(store, closure, f"digests/{part}.jsonl", _is_asked)
            read_already[closure, part] = lines and [(str(one[0]), str(one[1])) for one in lines]
        return read_already[closure, part]

    return found


def looks(store: Store) -> Iterator[tuple[str, Evidence]]:
    """Each closure that measured something, with what is kept of it."""
    for closure, kept in store.proven().items():
        if kept.type in LOOKS and "cases" in kept.inputs:
            yield closure, kept


def _remembered(
    find: Callable[[str], Sequence[Row] | None],
) -> Callable[[str], Sequence[Row] | None]:
    read_already: dict[str, Sequence[Row] | None] = {}

    def found(closure: str) -> Sequence[Row] | None:
        if closure not in read_already:
            read_already[closure] = find(closure)
        return read_already[closure]

    return found


def _lines(
    store: Store, closure: str, name: str, whole: Callable[[Any], bool]
) -> Sequence[Any] | None:
    kept = store.evidence(closure)
    if kept is None or kept.result.status != "ok":
        return None
    try:
        data = store.read(closure, name)
        found = [json.loads(line, parse_constant=_refuse) for line in data.splitlines()]
    except AwayError:
        raise  # nobody knows whether they are absent
    except (StoreError, OSError, ValueError, RecursionError):
        return None  # damaged rows are absent rows: the gate says inconclusive
    return found if all(map(whole, found)) else None


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_row(value: Any) -> bool:
    """Whether a rule can read it: who was asked what, who answered what, and the cells."""
    if not isinstance(value, dict) or not {"id", "case", "input", "response"} <= value.keys():
        return False
    cells, columns = value.get("cells"), value.get("columns", {})
    whole = isinstance(cells, dict) and all(isinstance(cell, dict) for cell in cells.values())
    return whole and isinstance(columns, dict)


def _is_asked(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(v, str) for v in value)


def _is_anchor(value: Any) -> bool:
    """A row with what people said of it: a rating in 0 to 1, or what a control item is."""
    if not _is_row(value) or not {"rating", "control"} <= value.keys():
        return False
    rating, control = value["rating"], value["control"]
    rated = type(rating) in (int, float) and 0 <= rating <= 1
    return rated if control is None else control in ("good", "bad", "injection")


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a number")
