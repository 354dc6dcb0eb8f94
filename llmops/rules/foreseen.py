"""Rows, bounds and what is known today -> Forecasts, one for each shape of a claim.

Shares are exact (binomial power); means and differences are the approximations of
`statistics/forecast.py`. A forecast says what it took for granted in `needed_for` and `note`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from llmops.jobs.metrics import Metric
from llmops.statistics import binomial, forecast, paired, star
from llmops.statistics import percentile as percentiles
from llmops.statistics.forecast import Scale, Spread
from llmops.statistics.gap import Groups, Variants

POWER, LIKELY = 0.8, 0.9  # of what is said to pass; of rows that are said to decide
_POWERED = "80 % power"
DISCORDANT = 0.1  # cases that change sides, where nothing is known: a tenth
Bound = Mapping[str, float]
_SIDES: Mapping[str, forecast.Side] = {"min": "min", "max": "max"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of today's target under a check; None is not known."""

    mean: float | None = None
    spread: Spread | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the rows of one gate can decide. The fields are those of `PlannedGate`."""

    decidable: bool | None
    note: str
    passes_at: float | None = None
    needed: int | None = None
    needed_for: str = ""
    rows: int | None = None


def share(rows: int | None, bound: Bound, seen: Known, alpha: float) -> Forecast:
    """A claim on a share of right cases."""
    if rows is None:
        return Forecast(None, "")
    sides = [_share_side(rows, side, t, seen.mean, alpha) for side, t in sorted(bound.items())]
    if len(sides) == 2 and all(found.decidable for found in sides):
        least = binomial.smallest_passing_count(rows, bound["min"], alpha)
        most = binomial.largest_passing_count(rows, bound["max"], alpha)
        assert least is not None
        assert most is not None
        if least > most:
            return Forecast(False, f"no result of {rows} rows shows both")
    return _worst(sides)


def _worst(sides: list[Forecast]) -> Forecast:
    """The side that is harder to show."""
    return min(sides, key=lambda f: (f.decidable is not False, -(f.needed or 0)))


@lru_cache(maxsize=4096)
def _share_side(rows: int, side: str, bound: float, today: float | None, alpha: float) -> Forecast:
    """One side; "at most t" is "at least 1 - t" of what does not happen. `today`: base's share."""
    least = bound if side == "min" else 1 - bound
    count = binomial.smallest_passing_count(rows, least, alpha)
    if count is None:
        return _hopeless(rows, side, bound, binomial.cases_needed(least, 0, alpha))
    from_ = binomial.rate_for_power(rows, least, POWER, alpha)
    assert from_ is not None
    rate, why = _likely(least, today if side == "min" or today is None else 1 - today)
    needed = binomial.stable_cases_for_power(least, rate, LIKELY, alpha)
    assert needed is not None
    power = binomial.power(needed, least, rate, alpha)
    shown = rate if side == "min" else 1 - rate
    at = f"{_short(shown)} ({math.floor(100 * power):.0f} %){why}"
    passes_at = from_ if side == "min" else 1 - from_
    said = _reached(passes_at, side == "min")
    if needed > rows:
        note = f"{_decides(rows, bound, 'rate', said)}; {needed} rows would decide it at {at}"
    else:
        passing = count if side == "min" else rows - count
        fewer = "" if side == "min" else " or fewer"
        note = f"passes at {passing} of {rows}{fewer}, likely when the true rate is {said}"
    return Forecast(True, note, passes_at, needed, at)


def _hopeless(rows: int, side: str, bound: float, needed: int | None) -> Forecast:
    """No result passes."""
    flawless = "not even without a miss" if side == "min" else "not even without one event"
    without = "a miss" if side == "min" else "one event"
    more = f"; {needed} without {without} would" if needed is not None else ""
    note = f"{rows} rows cannot show {bound:g}, {flawless}{more}"
    return Forecast(False, note, needed=needed, needed_for=f"without {without}" if needed else "")


def _likely(least: float, known: float | None) -> tuple[float, str]:
    """The rate to plan for: today's where it is good enough, else half-way to perfection."""
    if known is not None and least < known:
        return known, ", as base has it"
    return (1 + least) / 2, ""


def _reached(value: float, up: bool) -> str:
    """`0.979 or more`; rounded so that what is said suffices."""
    return f"{_up(value):g} or more" if up else f"{0 - _up(-value):g} or less"


def _decides(rows: int, bound: float, what: str, said: str) -> str:
    return f"{rows} rows decide {bound:g} only when the true {what} is {said} ({_POWERED})"


def _up(value: float) -> float:
    """Rounded to three places so that what is said suffices."""
    return math.ceil(1000 * value - 1e-9) / 1000


def _short(value: float) -> str:
    return f"{value:.4g}"


def percentile(
    rows: int | None, bound: Bound, q: float, values: Sequence[float], alpha: float
) -> Forecast:
    """A claim on a percentile: one on the share of values on the right side of the bound.

    `values` are those of base, as far as they are kept.
    """
    if rows is None:
        return Forecast(None, "")
    ((side, t),) = bound.items()
    counted = percentiles.claim(values, q, t, _SIDES[side])
    today = counted.k / counted.n if counted.n else None
    found = _share_side(rows, "min", counted.share, today, alpha)
    if found.decidable is False:
        word = f"p{round(100 * q)}"
        return replace(found, note=f"{rows} rows cannot bound {word}, it takes {found.needed}")
    where = f"at {'most' if side == 'max' else 'least'} {t:g}"
    return replace(found, note=f"of values {where}: {found.note}")


def mean(
    rows: int | None, bound: Bound, within: tuple[float, float], seen: Known, alpha: float
) -> Forecast:
    """A claim on the mean of scores."""
    if rows is None:
        return Forecast(None, "")
    sides = [Scale(t, *within, _SIDES[side]) for side, t in sorted(bound.items())]
    return _worst([_mean_side(rows, scale, seen, alpha) for scale in sides])


def _mean_side(rows: int, scale: Scale, seen: Known, alpha: float) -> Forecast:
    bound, up = scale.threshold, scale.side == "min"
    if not _best_shows(rows, scale, alpha):
        return Forecast(False, f"{rows} rows cannot show {bound:g}, not even if all are perfect")
    if not scale.lower <= bound <= scale.upper:
        return Forecast(True, "")
    worst = (bound - scale.lower) * (scale.upper - bound)
    spread, how = (
        (Spread(worst), "if scores differ as much as they can")
        if seen.spread is None
        else (seen.spread, "if scores differ as base's do")
    )
    from_ = _likely_from(rows, scale, spread, alpha)
    end = scale.upper if up else scale.lower
    good = seen.mean is not None and (seen.mean > bound if up else seen.mean < bound)
    aim = seen.mean if good and seen.mean is not None else (bound + end) / 2
    needed = forecast.cases_for_mean(aim, scale, spread, LIKELY, alpha)
    at = f"{_short(aim)}{', as base has it' if good else ''} ({how})"
    said = "all but perfect" if from_ is None else _reached(from_, up)
    if needed is not None and needed > rows:
        note = f"{_decides(rows, bound, 'mean', said)}; about {needed} rows would decide it at {at}"
    else:
        note = f"likely to pass when the true mean is {said}, {how}"
    return Forecast(True, note, from_, needed, at)


# Most gates of a tree claim the same of as many rows: what the search found is kept.


@lru_cache(maxsize=1024)
def _likely_from(rows: int, scale: Scale, spread: Spread, alpha: float) -> float | None:
    return forecast.mean_for_power(rows, scale, spread, POWER, alpha)


@lru_cache(maxsize=1024)
def _likely_difference(
    rows: int, spread: float, margin: float, width: float, alpha: float
) -> float | None:
    return forecast.difference_for_power(rows, spread, margin, width, POWER, alpha)


@lru_cache(maxsize=256)
def _best_shows(rows: int, scale: Scale, alpha: float) -> bool:
    """Whether so many perfect scores show the claim."""
    bound, low, high = scale.threshold, scale.lower, scale.upper
    if scale.side == "min":
        return bound <= high and star.rejects_at_most([high] * rows, bound, low, high, alpha)
    return bound >= low and star.rejects_at_least([low] * rows, bound, low, high, alpha)


def difference(
    rows: int | None, margin: float, scale: Metric, seen: Known, changed: float | None,
    alpha: float, *, proves: bool,
) -> Forecast:  # fmt: skip
    """A claim that head is not worse than base by more than a margin, case by case."""
    assert scale.lower is not None
    assert scale.upper is not None
    width = scale.upper - scale.lower
    spread, how = _discordance(scale, width, seen, changed)
    needed = paired.cases_for_margin(spread, margin, width, alpha)
    if rows is None:
        more = f"about {needed} rows would decide it {how}" if needed is not None else ""
        return Forecast(None, more, needed=needed, needed_for=how)
    if proves and not _best_shows(rows, Scale(-margin, -width, width), alpha):
        note = f"{rows} rows cannot show a margin of {margin:g}, not even if all got better"
        return Forecast(False, note, needed=needed, needed_for=how)
    within = min(margin, width)
    from_ = _likely_difference(rows, spread, within, width, alpha)
    said = "as large as it can be" if from_ is None else f"{_up(from_):+g} or more"
    only = f"a margin of {margin:g} only when the true difference is {said} ({_POWERED})"
    if needed is None:
        note = f"{rows} rows decide {only}, {how}"
    elif needed > rows:
        same = "would decide it when nothing changes for the worse"
        note = f"{rows} rows decide {only}; about {needed} {same}, {how}"
    else:
        note = f"likely to pass when the true difference is {said}, {how}"
    return Forecast(True, note, from_, needed, how)


def _discordance(
    scale: Metric, width: float, seen: Known, changed: float | None
) -> tuple[float, str]:
    """The mean squared difference to plan for, and where it comes from."""
    binary = scale.kind == "binary"
    if changed is not None:
        said = f"{100 * changed:.3g} % of cases change sides" if binary else "cases differ"
        return changed, f"if {said} as they do now"
    assumed = DISCORDANT * width * width
    what = "cases change sides" if binary else "cases change by the whole range"
    if binary and seen.mean is not None:
        most = 2 * min(seen.mean, 1 - seen.mean)
        if most < assumed:
            return most, f"if {100 * most:.3g} % of {what} (base is right in {seen.mean:.3g})"
    return assumed, f"if {100 * DISCORDANT:.0f} % of {what}"


def pairs(rows: int | None, most: float, scale: Metric, alpha: float, *, proves: bool) -> Forecast:
    """A claim that two variants of a case differ by at most so much; `rows` counts pairs."""
    assert scale.lower is not None
    assert scale.upper is not None
    width = scale.upper - scale.lower
    spread, how = _discordance(scale, width, Known(), None)
    needed = paired.cases_for_margin(spread, most, width, alpha)
    if rows is not None and not Variants((0.0,) * rows, most, width).shown(alpha):
        note = f"{rows} pairs cannot show a gap of {most:g}, not even if none differs"
        return Forecast(not proves, note, needed=needed, needed_for=how, rows=rows)
    more = f"about {needed} pairs would decide it when neither does better, {how}"
    note = more if rows is None or (needed or 0) > rows else f"likely to pass {how}"
    return Forecast(None if rows is None else True, note, needed=needed, needed_for=how, rows=rows)


def groups(seen: Groups, alpha: float, *, proves: bool) -> Forecast:
    """A claim that groups differ by at most so much, from kept rows of the same cases."""
    sizes = [len(group) for group in seen.groups]
    rows, most = sum(len(group) for group in seen.groups), f"{seen.most:g}"
    best = replace(seen, groups=tuple((seen.upper,) * size for size in sizes))
    if not best.shown(alpha):
        note = (
            f"groups of {_sizes(sizes)} rows cannot show a gap of {most}, not even if all are best"
        )
        return Forecast(not proves, note, rows=rows)
    more = seen.about_more()
    if seen.observed is not None and not seen.shown(alpha):
        how = f"if they stay {seen.observed:.3g} apart"
        if more is None:
            return Forecast(True, f"the gap is {seen.observed:.3g} now, above {most}", rows=rows)
        note = f"about {rows + more} rows would decide it {how}"
        return Forecast(True, note, needed=rows + more, needed_for=how, rows=rows)
    return Forecast(True, "likely to pass if the groups stay as they are", rows=rows)


def _sizes(sizes: Sequence[int]) -> str:
    return f"{min(sizes)}" if len(set(sizes)) == 1 else f"{min(sizes)} to {max(sizes)}"
