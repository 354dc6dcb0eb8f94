"""Rule `gap`: a check's values differ by no more than a limit between groups, or within pairs.

`slices[].gap: {max: …}` with a `column`: between the value of the column that does best and the one
that does worst. With `pairs`, a dataset in which two cases differ in one thing only (a name, a
gender, a dialect): between the two variants of a case, one with the other. There each row has the
columns `pair` and `variant`, each pair has one row of both variants, and both expect the same.

A detect gate: *failed* when the difference is shown to be larger, at Holm's level over all of a
change's detect gates; *passed* when it is shown to be at most so much; else *warned* (`prove:
true`: inconclusive). Which side is better makes no difference.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.diagnostics import printable
from llmops.rules import detect
from llmops.rules.asked import Asked, absent, asked, finding
from llmops.rules.base import Finding, Outcome
from llmops.rules.claims import INVALID_HINT, Cell, invalid_words, kept_cells, scale_of
from llmops.rules.detect import Member, Missing
from llmops.rules.facts import Facts, Info, Row
from llmops.rules.groups import groups, nothing, text
from llmops.statistics import order
from llmops.statistics.gap import Groups, Variants
from llmops.statistics.paired import Decision

INFO = Info(
    id="gap",
    why="a target that treats two groups differently can meet every bound on the mean",
    fix="give the group that does worse more or better training rows, or rewrite the prompt",
    needs_evidence=True,
    controls=("nist-ai-rmf/measure-2.11",),
    good="""\
kind: Evaluation
spec:
  slices: [{name: fair, column: language, check: accuracy, gap: {max: 0.2}}]
""",
    bad="""\
kind: Evaluation
spec:
  slices: [{name: fair, column: language, check: accuracy, gap: {max: 0.01}}]  # of 200 cases
""",
)
PAIR, VARIANT = "pair", "variant"
SHAPE = "each pair has one row of each of two variants, in the columns pair and variant"


@dataclass(frozen=True, slots=True)
class Told:
    """What was compared, in words and numbers, beside what the family is judged by."""

    data: Groups | Variants
    words: str
    value: float
    n: int
    unit: str
    interval: tuple[float, float] | None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None


def members(facts: Facts) -> Iterator[Member]:
    """One member of the family for each gap of a slice."""
    for one in asked(facts, "slices", "gap"):
        found = _read(facts, one)
        most = float(one.entry["gap"]["max"])
        data = found.data if isinstance(found, Told) else Variants((), most)
        yield Member(one, data, _finding_of(facts, one, found))


def _finding_of(facts: Facts, one: Asked, found: Told | Missing) -> Callable[[Decision], Finding]:
    return lambda decision: _decided(facts, one, found, decision)


def _read(facts: Facts, one: Asked) -> Told | Missing:
    """What is compared, or why nothing can be."""
    missing = absent(facts, one.head)
    if missing is not None:
        return missing
    rows = facts.rows(one.head.job.closure) or ()
    found = kept_cells(facts, one.head.job.closure, one.check)
    invalid = [cell.id for cell in found if cell.value is None]
    if invalid or not found:
        return Outcome.INCONCLUSIVE, invalid_words(invalid, len(found)), INVALID_HINT
    if len({cell.case for cell in found}) != len(found):
        return Outcome.INCONCLUSIVE, "a case is counted twice", ""
    scale = scale_of(one.check)
    if scale.lower is None or scale.upper is None:
        return Outcome.INCONCLUSIVE, f"{one.check['metric']} has no range to compare in", ""
    return _pairs(one, rows, found) if "pairs" in one.entry else _groups(one, rows, found)


# ---- groups ---------------------------------------------------------------------------------


def _groups(one: Asked, rows: Sequence[Row], found: Sequence[Cell]) -> Told | Missing:
    split = groups(rows, one.entry)
    if split is None:
        return Outcome.INCONCLUSIVE, nothing(rows, one.entry), ""
    column, scale = one.entry["column"], scale_of(one.check)
    empty = [value for value, cases in split.items() if not cases]
    if empty:
        return Outcome.INCONCLUSIVE, f"no case has {column} {', '.join(map(_short, empty))}", ""
    if len(split) == 1:
        only = (
            f"every case has {column} {_short(next(iter(split)))}, so there is nothing to compare"
        )
        return Outcome.INCONCLUSIVE, only, ""
    values = {value: _ordered(one, found, cases) for value, cases in split.items()}
    assert scale.lower is not None
    assert scale.upper is not None
    data = Groups(
        tuple(values.values()), float(one.entry["gap"]["max"]),
        scale.lower, scale.upper, scale.kind == "binary",
    )  # fmt: skip
    means = sorted((math.fsum(v) / len(v), value) for value, v in values.items())
    (low, worst), (high, best) = means[0], means[-1]
    words = (
        f"{one.check['name']} by {column} goes from {low:.3f} ({_short(worst)})"
        f" to {high:.3f} ({_short(best)}), a gap of {high - low:.3f}"
    )
    return Told(data, words, high - low, len(found), "cases", data.interval())


def _ordered(one: Asked, found: Sequence[Cell], cases: frozenset[str]) -> tuple[float, ...]:
    """The values of some cases in betting order."""
    question = one.question({})
    where = question.dataset, question.split, f"{one.gate}/gap"
    known = {cell.case: cell.value for cell in found if cell.case in cases}
    ranked = sorted(known, key=order.betting_order(*where))
    return tuple(_known(known[case]) for case in ranked)


# ---- pairs ----------------------------------------------------------------------------------


def _pairs(one: Asked, rows: Sequence[Row], found: Sequence[Cell]) -> Told | Missing:
    matched = _matched(rows)
    if isinstance(matched, str):
        return Outcome.INCONCLUSIVE, matched, SHAPE
    values = {cell.case: _known(cell.value) for cell in found}
    question, scale = one.question({}), scale_of(one.check)
    where = question.dataset, question.split, f"{one.gate}/gap"
    rank = order.betting_order(*where)
    ranked = sorted(matched.cases, key=lambda pair: rank(pair[0]))
    sides = [(values[first], values[second]) for first, second in ranked]
    differences = tuple(second - first for first, second in sides)
    width = (scale.upper or 0.0) - (scale.lower or 0.0)
    n, mean = len(sides), math.fsum(differences) / len(sides)
    low, high = detect.interval(differences, width)
    first, second = (math.fsum(side) / n for side in zip(*sides, strict=True))
    words = (
        f"{one.check['name']} is {first:.3f} ({_short(matched.variants[0])}) and {second:.3f}"
        f" ({_short(matched.variants[1])}), a gap of {abs(mean):.3f}"
    )
    ends = max(low, -high, 0.0), max(abs(low), abs(high))
    data = Variants(differences, float(one.entry["gap"]["max"]), width)
    return Told(data, words, abs(mean), n, "pairs", ends, mean, (low, high))


@dataclass(frozen=True, slots=True)
class _Matched:
    """Both variants, and the two cases of each pair in their order."""

    variants: tuple[str, str]
    cases: tuple[tuple[str, str], ...]


def _matched(rows: Sequence[Row]) -> _Matched | str:
    """The pairs of some rows, or what is wrong with them, by name."""
    without = [str(r["id"]) for r in rows if None in (_column(r, PAIR), _column(r, VARIANT))]
    if without:
        return f"{len(without)} of {len(rows)} rows have no pair or no variant: {_some(without)}"
    variants = sorted({text(_column(row, VARIANT)) for row in rows})
    if len(variants) != 2:
        return f"there {_are(len(variants))}, {_some(variants)}: pairs compare two"
    pairs: dict[str, list[Row]] = {}
    for row in rows:
        pairs.setdefault(text(_column(row, PAIR)), []).append(row)
    for said, wrong in (
        ("do not have one row of each variant", _uneven),
        ("expect two answers", _two),
    ):
        bad = [pair for pair, both in pairs.items() if wrong(both, variants)]
        if bad:
            return f"{len(bad)} of {len(pairs)} pairs {said}: {_some(bad)}"
    return _Matched((variants[0], variants[1]), tuple(map(_cases, pairs.values())))


def _uneven(both: Sequence[Row], variants: Sequence[str]) -> bool:
    return sorted(text(_column(row, VARIANT)) for row in both) != list(variants)


def _two(both: Sequence[Row], _variants: Sequence[str]) -> bool:
    return len({str(row.get("expected")) for row in both}) != 1


def _cases(both: Sequence[Row]) -> tuple[str, str]:
    first, second = sorted(both, key=lambda row: text(_column(row, VARIANT)))
    return str(first["case"]), str(second["case"])


def _column(row: Row, name: str) -> Any:
    columns: Mapping[str, Any] = row.get("columns", {})
    return columns.get(name)


def _are(count: int) -> str:
    return "is 1 variant" if count == 1 else f"are {count} variants"


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(_short, names[:3])) + (", …" if len(names) > 3 else "")


def _short(name: str) -> str:
    return printable(name, 40)


# ---- words ----------------------------------------------------------------------------------

SAID = {
    "failed": "more than the maximum {m:g}",
    "passed": "shown to be at most {m:g}",
    "undecided": "not shown to be at most {m:g}, nor to be more",
}


def _decided(facts: Facts, one: Asked, found: Told | Missing, decision: Decision) -> Finding:
    claim, gate = one.entry["gap"], f"{one.gate}/gap"
    if not isinstance(found, Told):
        outcome, why, hint = found
        return replace(finding(facts, one, INFO.id, outcome, why), gate=gate, hint=hint)
    numbers = f"n = {found.n} {found.unit}"
    if found.interval is not None:
        low, high = found.interval
        numbers += f", 95 % interval {low:.3f} to {high:.3f}"
    words = f"{found.words}, {SAID[decision.word].format(m=claim['max'])} ({numbers})"
    return replace(
        finding(facts, one, INFO.id, detect.outcome(decision, claim), words),
        gate=gate,
        hint=detect.hint(decision),
        value=found.value,
        bound=f"max {claim['max']:g}",
        interval=found.interval,
        n=found.n,
        difference=found.difference,
        difference_interval=found.difference_interval,
        about_more=decision.about_more,
    )


def _known(value: float | None) -> float:
    assert value is not None
    return value
