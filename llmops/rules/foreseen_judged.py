"""A judged share before there is evidence: what rows and anchors can decide, what people would.

How often the judge is right is measured where its graded anchors are kept (for base's target, or
for this one); else it is assumed half-way between the declared minima and 1. Like every forecast it
decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from llmops.rules.foreseen import POWER, Forecast
from llmops.statistics import binomial, judged

Count = tuple[int, int]  # k of n
TWO_SIDED = 0.025  # each side of the interval that is printed
LIKELY_SHORT = NormalDist().inv_cdf(POWER)  # standard errors by which a count may well fall short


@dataclass(frozen=True, slots=True)
class Rated:
    """Anchors of both classes, how often the judge is right on each, and whether that is known."""

    good: int
    bad: int
    sensitivity: float
    specificity: float
    measured: bool = False

    def counts(self) -> tuple[Count, Count]:
        """What is expected of the judge on these anchors."""
        right = round(self.sensitivity * self.good), round(self.specificity * self.bad)
        return (right[0], self.good), (right[1], self.bad)


def share(rows: int, side: str, bound: float, rated: Rated, alpha: float) -> Forecast:
    """The claim on a share that a judge of these anchors grades."""
    if not _best(rows, side, bound, rated, alpha):
        few = f"{rows} rows and {rated.good + rated.bad} anchors"
        return Forecast(False, f"{few} cannot show {bound:g}, not even without any miss")
    from_ = _passes_from(rows, side, bound, rated, alpha)
    how = f"{rated.sensitivity:.2f} of good and {rated.specificity:.2f} of bad answers"
    source = "as measured" if rated.measured else "assumed"
    judge = f"{rated.good} good and {rated.bad} bad anchors, a judge right on {how} ({source})"
    if from_ is None:
        return Forecast(None, f"{judge}: not likely to show {bound:g} at any true rate")
    words = f"{from_:.3f} or {'more' if side == 'min' else 'less'}"
    compared = _compared(rows, from_, rated)
    note = f"likely passes when the true rate is {words}, with {judge}; {compared}"
    return Forecast(True, note, passes_at=from_)


def minima(given: Mapping[str, Any], rated: Rated, alpha: float) -> str:
    """Which of the declared minima these anchors can never show; "" if all can be."""
    for word, sort, n in (("sensitivity", "good", rated.good), ("specificity", "bad", rated.bad)):
        least = float(given[f"min_{word}"])
        if not binomial.shows(n, n, least, alpha / 4):
            needed = binomial.cases_needed(least, 0, alpha / 4)
            more = f"; {needed} without a miss would" if needed is not None else ""
            return f"{n} {sort} anchors cannot show a {word} of {least:g}{more}"
    return ""


def _best(rows: int, side: str, bound: float, rated: Rated, alpha: float) -> bool:
    """Whether a judge without an error and a target without a miss would pass."""
    k = rows if side == "min" else 0
    anchors = (rated.good, rated.good), (rated.bad, rated.bad)
    return _shows((k, rows), *anchors, side, bound, alpha)


def _shows(graded: Count, good: Count, bad: Count, side: str, bound: float, alpha: float) -> bool:
    found = judged.binary(*graded, good, bad, alpha)
    return found.decidable and (found.lower >= bound if side == "min" else found.upper <= bound)


def _passes_from(rows: int, side: str, bound: float, rated: Rated, alpha: float) -> float | None:
    """The true rate nearest to the bound at which it likely passes; None if there is none."""
    close, far = bound, 1.0 if side == "min" else 0.0
    if not _likely(far, rows, side, bound, rated, alpha):
        return None
    for _ in range(20):
        middle = (close + far) / 2
        if _likely(middle, rows, side, bound, rated, alpha):
            far = middle
        else:
            close = middle
    return far


def _likely(rate: float, rows: int, side: str, bound: float, rated: Rated, alpha: float) -> bool:
    """Whether the bound would still be shown when the estimate falls short by a likely error."""
    good, bad = rated.counts()
    se, sp = rated.sensitivity, rated.specificity
    better = se + sp - 1
    passed = rate * se + (1 - rate) * (1 - sp)
    if better <= 0:
        return False
    variance = passed * (1 - passed) / rows
    variance += rate**2 * se * (1 - se) / rated.good
    variance += (1 - rate) ** 2 * sp * (1 - sp) / rated.bad
    short = LIKELY_SHORT * math.sqrt(variance)
    k = math.floor((passed - short) * rows) if side == "min" else math.ceil((passed + short) * rows)
    return _shows((min(max(k, 0), rows), rows), good, bad, side, bound, alpha)


def _compared(rows: int, rate: float, rated: Rated) -> str:
    """What people alone would take to show as much, who label the answers of every change anew."""
    passed = rate * rated.sensitivity + (1 - rate) * (1 - rated.specificity)
    found = judged.binary(round(passed * rows), rows, *rated.counts(), TWO_SIDED)
    if not found.decidable or found.upper <= found.lower:
        return "its interval cannot be told beforehand"
    half, anchors = (found.upper - found.lower) / 2, rated.good + rated.bad
    labels = judged.labels_for(rate, half)
    once = math.ceil(anchors / labels)
    same = f"half width {half:.3f}, as {labels} labels of people per change"
    return f"{same}; {anchors} anchors, rated once, cost less from change {once + 1} on"
