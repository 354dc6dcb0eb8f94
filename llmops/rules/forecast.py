"""Gates of a plan -> the same gates with what their rows can decide, before there is evidence.

For each gate: whether any result of its rows would pass, the true value at which it would likely
pass (80 % power), and the rows that would decide it. Rates, variances and groups come from kept
rows where there are any, and are assumed otherwise; which of the two is said. Nothing here decides
a gate: the error rate of a verdict does not rest on a forecast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs.base import PlannedGate, Proof
from llmops.jobs.evaluate import ANCHORS
from llmops.jobs.exam import Exam
from llmops.jobs.gates import Declared, Place, alpha_of, declared, nowhere
from llmops.jobs.make import Made
from llmops.jobs.metrics import METRICS, quantile
from llmops.rules import foreseen, foreseen_judged
from llmops.rules.claims import Cell, cells, scale_of
from llmops.rules.facts import Row
from llmops.rules.foreseen import Forecast, Known
from llmops.rules.foreseen_judged import Rated
from llmops.rules.groups import text
from llmops.rules.judged import Bench
from llmops.specs.base import Ref
from llmops.statistics import forecast as statistics
from llmops.statistics.gap import Groups

# Target, gate id, closure of its rows, alpha -> the level at which these rows would be judged.
UNCUT = "rows of each value are not known before they are curated"
Levels = Callable[[Ref, str, str, float], float]


def full(target: Ref, gate: str, closure: str, alpha: float) -> float:
    """The whole error rate: of a claim that has one attempt."""
    return alpha


@dataclass(frozen=True, slots=True)
class Sight:
    """What a forecast may look at. `judging`: the graph whose policies decide; `rows` as kept."""

    proven: Mapping[str, Proof] = field(default_factory=dict)
    judging: Graph | None = None
    rows: Callable[[str], Sequence[Row] | None] = lambda _closure: None
    place: Place = nowhere
    levels: Levels = full
    anchors: Callable[[str], Sequence[Row] | None] = lambda _closure: None


def gates(asked: tuple[Exam, ...], sight: Sight) -> tuple[PlannedGate, ...]:
    """Every gate of a plan, with its forecast."""
    return tuple(_foretold(one, sight) for one in declared(asked, sight.proven))


def _foretold(one: Declared, sight: Sight) -> PlannedGate:
    found = _FORECASTS[one.gate.kind](one, sight)
    where = ""
    if found.decidable is False or _short(one.gate, found):
        named = one.gate.kind in ("require", "regression", "gap")
        loc = (*one.loc, one.gate.kind) if named else one.loc
        where = sight.place(one.exam.judged_by, one.exam.asker.ref, loc)
    return replace(
        one.gate, rows=one.gate.rows if found.rows is None else found.rows,
        decidable=found.decidable, note=found.note, place=where,
        passes_at=found.passes_at, needed=found.needed, needed_for=found.needed_for,
    )  # fmt: skip


def _short(gate: PlannedGate, found: Forecast) -> bool:
    rows = gate.rows if found.rows is None else found.rows
    return rows is not None and found.needed is not None and found.needed > rows


def _alpha(one: Declared, sight: Sight) -> float:
    alpha = alpha_of(one.exam.part, sight.judging)
    return sight.levels(one.exam.target, one.gate.id, one.gate.closure, alpha)


def _require(one: Declared, sight: Sight) -> Forecast:
    """A claim on all cases."""
    seen = _seen(one, sight)
    return _claim(one, one.gate.rows, seen, _alpha(one, sight), sight)


def _claim(one: Declared, rows: int | None, seen: Known, alpha: float, sight: Sight) -> Forecast:
    """One `require` on so many cases, in the shape that its check gives it."""
    check, bound = one.check, one.entry["require"]
    if "statistic" in check:
        return foreseen.percentile(rows, bound, quantile(check["statistic"]), seen.values, alpha)
    scale = scale_of(check)
    if scale.kind == "unbounded":
        return Forecast(False, f"{check['metric']} has no range to test a mean in")
    if scale.kind == "binary":
        found = foreseen.share(rows, bound, seen, alpha)
        if rows is not None and (rated := _rated(one, sight)):
            return _judged(one, rows, rated, alpha)
        maybe = _applies_to_some(check) and seen.mean is None and found.decidable is True
        return replace(found, decidable=None) if maybe else found
    assert scale.lower is not None
    assert scale.upper is not None
    return foreseen.mean(rows, bound, (scale.lower, scale.upper), seen, alpha)


def _judged(one: Declared, rows: int, rated: Rated, alpha: float) -> Forecast:
    """A share that a calibrated judge grades: its minima first, which the anchors must show."""
    never = foreseen_judged.minima(one.exam.asker.spec["judge"]["calibration"], rated, alpha)
    if never:
        return Forecast(False, never)
    ((side, bound),) = one.entry["require"].items()
    return foreseen_judged.share(rows, side, float(bound), rated, alpha)


def _rated(one: Declared, sight: Sight) -> Rated | None:
    """The anchors of a judged check, and how often its judge is right; None without any."""
    given = one.exam.asker.spec.get("judge", {}).get("calibration")
    if given is None or not METRICS[one.check["metric"]].judged or not one.entry["require"]:
        return None
    side = next(iter(one.entry["require"]))
    for made in (one.head, one.exam.before):
        rows = sight.anchors(made.job.closure) if made is not None else None
        bench = Bench.of(rows, one.check, side) if rows else None
        if bench is not None and bench.true_positive[1] and bench.true_negative[1]:
            (good, of_good), (bad, of_bad) = bench.true_positive, bench.true_negative
            return Rated(of_good, of_bad, good / of_good, bad / of_bad, measured=True)
    curated = next((i for i in one.head.job.inputs if i.name == ANCHORS), None)
    proof = sight.proven.get(curated.job or "") if curated is not None else None
    if curated is None or proof is None:
        return None
    part = str(curated.artifact).removeprefix("parts/").removesuffix(".jsonl")
    counts = [int(proof.measured.get(f"{word}_{part}", 0)) for word in ("good", "bad")]
    assumed = [(1 + float(given[f"min_{word}"])) / 2 for word in ("sensitivity", "specificity")]
    return Rated(counts[0], counts[1], assumed[0], assumed[1])


def _applies_to_some(check: Mapping[str, Any]) -> bool:
    """Whether a case that a transformation leaves as it is does not count."""
    return str(check["metric"]).startswith("giskard/")


def _seen(one: Declared, sight: Sight) -> Known:
    """What is known of the target today: base's, under the same check."""
    before = one.exam.before
    rows = sight.rows(before.job.closure) if before is not None else None
    return _known(cells(rows, one.check)) if rows else Known()


def _known(found: Sequence[Cell]) -> Known:
    values = [cell.value for cell in found if cell.value is not None]
    if not values:
        return Known()
    return Known(math.fsum(values) / len(values), statistics.spread(values), tuple(values))


def _slice(one: Declared, sight: Sight) -> Forecast:
    """A claim on each value of a column: as decidable as its smallest group."""
    groups = _groups(one, sight)
    alpha = _alpha(one, sight)
    if not groups:
        whole = _claim(one, one.gate.rows, Known(), alpha, sight)
        if whole.decidable is False:
            return whole
        return Forecast(None, UNCUT)
    forecasts = {
        value: _claim(one, len(found), _known(found) if of_base else Known(), alpha, sight)
        for value, (found, of_base) in groups.items()
    }
    worst = min(forecasts, key=lambda v: (forecasts[v].decidable is not False, len(groups[v][0])))
    told = forecasts[worst]
    note = f"{worst} has {len(groups[worst][0])} rows: {told.note}"
    return replace(told, rows=len(groups[worst][0]), note=note)


def _groups(one: Declared, sight: Sight) -> dict[str, tuple[list[Cell], bool]]:
    """The cells of each value of the slice, from kept rows of the same cases; nothing if none."""
    for made in (one.exam.before, one.head):
        rows = sight.rows(made.job.closure) if made is not None else None
        if rows:
            return {v: (found, made is one.exam.before) for v, found in _by(one, rows).items()}
    return {}


def _by(one: Declared, rows: Sequence[Row]) -> dict[str, list[Cell]]:
    column = one.entry["column"]
    found = cells(rows, one.check)
    said = {str(row["case"]): text(row.get("columns", {}).get(column)) for row in rows}
    wanted = [text(v) for v in one.entry.get("values", ())] or sorted(set(said.values()))
    return {value: [cell for cell in found if said[cell.case] == value] for value in wanted}


def _regression(one: Declared, sight: Sight) -> Forecast:
    """Not worse than base: what decides is how many cases change sides."""
    if one.exam.base is None:
        return Forecast(None, "base has no such target")
    if "column" not in one.entry:
        return _compared(one, one.exam.base, one.gate.rows, sight)
    groups = _groups(one, sight)
    if not groups:
        return Forecast(None, UNCUT)
    value = min(groups, key=lambda v: len(groups[v][0]))
    rows = len(groups[value][0])
    told = _compared(one, one.exam.base, rows, sight)
    return replace(told, rows=rows, note=f"{value} has {rows} rows: {told.note}")


def _compared(one: Declared, base: Made, rows: int | None, sight: Sight) -> Forecast:
    """So many cases under head and base."""
    scale, given = scale_of(one.check), one.entry["regression"]
    if scale.lower is None or scale.upper is None:
        return Forecast(False if given.get("prove") else None, "no range to compare in")
    changed = _changed(one, base, sight)
    return foreseen.difference(
        rows, float(given["margin"]), scale, _seen(one, sight), changed,
        _alpha(one, sight), proves=bool(given.get("prove")),
    )  # fmt: skip


def _changed(one: Declared, base: Made, sight: Sight) -> float | None:
    """The mean squared difference of head and base, where both have been judged already."""
    head, before = (sight.rows(made.job.closure) for made in (one.head, base))
    if not head or not before:
        return None
    was = {cell.case: cell.value for cell in cells(before, one.check)}
    now = {cell.case: cell.value for cell in cells(head, one.check)}
    pairs = [(was[c], now[c]) for c in was.keys() & now.keys()]
    squares = [(a - b) ** 2 for a, b in pairs if a is not None and b is not None]
    return math.fsum(squares) / len(squares) if squares else None


def _gap(one: Declared, sight: Sight) -> Forecast:
    """No more difference between groups, or within pairs, than so much."""
    scale, given = scale_of(one.check), one.entry["gap"]
    proves, most = bool(given.get("prove")), float(given["max"])
    if scale.lower is None or scale.upper is None:
        return Forecast(False if proves else None, "no range to compare in")
    if "pairs" in one.entry:
        rows = None if one.gate.rows is None else one.gate.rows // 2
        return foreseen.pairs(rows, most, scale, _alpha(one, sight), proves=proves)
    groups = _groups(one, sight)
    if not groups:
        return Forecast(None, UNCUT)
    values = tuple(
        tuple(cell.value for cell in found if cell.value is not None)
        for found, _ in groups.values()
    )
    data = Groups(values, most, scale.lower, scale.upper, scale.kind == "binary")
    return foreseen.groups(data, _alpha(one, sight), proves=proves)


def _findings(one: Declared, sight: Sight) -> Forecast:
    return Forecast(True, "decided by what the scan finds")


def _classes(one: Declared, sight: Sight) -> Forecast:
    rows, least = one.gate.rows, one.exam.part.classes or 0
    if rows is not None and rows < 2 * least:
        return Forecast(False, f"{rows} rows cannot hold {least} of each class", needed=2 * least)
    return Forecast(None, "")


_FORECASTS: Mapping[str, Callable[[Declared, Sight], Forecast]] = {
    "require": _require,
    "regression": _regression,
    "slice": _slice,
    "gap": _gap,
    "findings": _findings,
    "classes": _classes,
}
