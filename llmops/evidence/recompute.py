"""Rows -> the numbers that a worker must have measured on them. Dry.

In: a result, and the rows that it says to rest on. Out: what does not agree, in words. Shares,
means, counts and invalid cells are computed again for every job that keeps rows; what rests on no
row that is kept (a training's loss, seconds, a detector's own statistics) is `unproven`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llmops.jobs.base import Job, Measurement, Result

Row = Mapping[str, Any]
Lines = Callable[[str], Sequence[Any] | None]  # of an artifact by name; None where it is not there
_CLOSE = 1e-9  # shares of sums: the order of addition is ours, the last bit may be another
_CELL = {"value", "valid", "reason"}


def disagreements(job: Job, result: Result, lines: Lines) -> Iterator[str]:
    """What a result says and its rows do not, one phrase each."""
    if result.status != "ok":
        return
    known = dict(_known(job, lines))
    for one in result.measurements:
        if one.metric in known:
            yield from _differs(one, *known[one.metric])
    said = {one.metric for one in result.measurements}
    for check in _checks(job) if said else ():
        if check in known and check not in said:
            yield f"{check} is not among what was measured"
    yield from _odd_rows(job, lines)


def unproven(job: Job, result: Result, lines: Lines) -> tuple[str, ...]:
    """The measurements that no kept row can show."""
    known = dict(_known(job, lines))
    return tuple(one.metric for one in result.measurements if one.metric not in known)


def _differs(one: Measurement, value: float, cases: int) -> Iterator[str]:
    if one.sample_size != cases:
        yield f"{one.metric} is said to rest on {one.sample_size:,} cases, its rows are {cases:,}"
    if not math.isclose(one.value, value, rel_tol=_CLOSE, abs_tol=_CLOSE):
        yield f"{one.metric} is said to be {one.value:.6g}, its rows make it {value:.6g}"


def _known(job: Job, lines: Lines) -> Iterator[tuple[str, tuple[float, int]]]:
    """What can be computed again: metric -> value, cases."""
    if job.type in ("evaluate", "scan", "guard"):
        yield from _of_cells(job, lines("rows.jsonl") or ())
    if job.type == "guard":
        yield from _of_decisions(lines("rows.jsonl") or ())
    if job.type == "scan":
        yield from _of_findings(lines("findings.jsonl") or ())
    if job.type == "generate":
        yield from _of_responses(lines("responses.jsonl") or ())
    if job.type == "curate":
        yield from _of_parts(job, lines)


def _of_cells(job: Job, rows: Sequence[Row]) -> Iterator[tuple[str, tuple[float, int]]]:
    for check in _columns(job, rows):
        values = [v for row in rows if (v := _value(row, check)) is not None]
        if rows:
            yield f"{check}/invalid", (float(len(rows) - len(values)), len(rows))
        if values:
            yield check, (math.fsum(values) / len(values), len(values))


def _of_decisions(rows: Sequence[Row]) -> Iterator[tuple[str, tuple[float, int]]]:
    decided = [row for row in rows if isinstance(row, dict) and row.get("action") is not None]
    if not any("action" in row for row in rows):
        return
    actions = Counter(str(row["action"]) for row in decided)
    for name, action in (("blocked", "block"), ("masked", "mask"), ("allowed", "allow")):
        yield name, (float(actions[action]), len(decided))
    layers = Counter(
        layer
        for row in decided
        for layer in {str(hit.get("layer")) for hit in row.get("hits", ()) if isinstance(hit, dict)}
    )
    for layer, count in layers.items():
        yield f"hits/{layer}", (float(count), len(decided))


def _of_findings(lines: Sequence[Row]) -> Iterator[tuple[str, tuple[float, int]]]:
    for line in lines:
        found, cases, errors = line.get("findings"), line.get("cases"), line.get("errors")
        if isinstance(found, list) and type(cases) is int and type(errors) is int:
            yield f"{line.get('detector')}/findings", (float(len(found)), cases)
            yield f"{line.get('detector')}/errors", (float(errors), cases + errors)


def _of_responses(rows: Sequence[Row]) -> Iterator[tuple[str, tuple[float, int]]]:
    count = len(rows)
    if count:
        yield "errors", (float(sum(row.get("error") is not None for row in rows)), count)
    for name in ("input_tokens", "output_tokens"):
        tokens = [row.get(name) for row in rows]
        if count and all(type(one) is int for one in tokens):
            yield name, (float(sum(one for one in tokens if type(one) is int)), count)


def _of_parts(job: Job, lines: Lines) -> Iterator[tuple[str, tuple[float, int]]]:
    dataset = job.spec.get("dataset")
    splits = dataset.get("splits") if isinstance(dataset, Mapping) else None
    parts = splits.get("parts") if isinstance(splits, Mapping) else None
    for part in parts if isinstance(parts, Mapping) else ():
        rows = lines(f"parts/{part}.jsonl")
        if rows is not None:
            yield f"rows_{part}", (float(len(rows)), len(rows))


def _odd_rows(job: Job, lines: Lines) -> Iterator[str]:
    """Rows that no worker writes: a case twice, a cell that is missing or contradicts itself."""
    if job.type not in ("evaluate", "scan", "guard"):
        return
    rows = lines("rows.jsonl")
    if rows is None:
        yield "rows.jsonl is not there"
        return
    checks, seen = set(_columns(job, rows)), set[str]()
    for number, row in enumerate(rows, start=1):
        what = _odd(row, checks, seen)
        if what:
            yield f"line {number} of rows.jsonl {what}"
            return


def _odd(row: Any, checks: set[str], seen: set[str]) -> str:
    if not isinstance(row, dict) or not isinstance(row.get("id"), str):
        return "is no row"
    if row["id"] in seen:
        return "is of a case that was there already"
    seen.add(row["id"])
    cells = row.get("cells")
    if not isinstance(cells, dict) or cells.keys() != checks:
        return "has not a cell for every check"
    for cell in cells.values():
        if not isinstance(cell, dict) or not cell.keys() >= _CELL:
            return "has a cell that is none"
        value = cell["value"]
        number = type(value) in (int, float) and math.isfinite(value)
        if cell["valid"] is not number or not (number or value is None):
            return "has a cell that contradicts itself"
    return ""


def _columns(job: Job, rows: Sequence[Row]) -> tuple[str, ...]:
    """The cells that each row has: those of the checks, and of a scan those that no check names."""
    first = rows[0].get("cells") if rows and isinstance(rows[0], dict) else None
    more = first if job.type == "scan" and isinstance(first, dict) else ()
    return tuple(dict.fromkeys((*_checks(job), *more)))


def _checks(job: Job) -> tuple[str, ...]:
    if job.type == "guard":
        test = job.spec.get("test")
        return (str(test["name"]),) if isinstance(test, Mapping) else ()
    return tuple(str(one["name"]) for one in job.spec.get("checks", ()))


def _value(row: Row, check: str) -> float | None:
    cells = row.get("cells") if isinstance(row, dict) else None
    cell = cells.get(check) if isinstance(cells, dict) else None
    value = cell.get("value") if isinstance(cell, dict) else None
    return float(value) if isinstance(value, int | float) and type(value) is not bool else None
