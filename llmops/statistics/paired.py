"""Differences of the same cases under head and base: is head worse by more than a margin?

`decide` judges the whole family of a plan's detect gates: these, and the gaps of `gap.py`. Passed
is tested at alpha for each; failed under Holm's correction, so that a change which is nowhere worse
than its margins is failed anywhere with probability at most alpha. `tango` and `mcnemar` are for
printing and decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal, Protocol

from llmops.statistics import forecast, holm, star, tail

Word = Literal["passed", "failed", "undecided"]


class Detect(Protocol):
    """One detect gate's data, as its family is judged by them."""

    def p_value(self, alpha: float, family: int) -> float:
        """Of "nothing is worse than allowed", for Holm's correction over `family` gates."""

    def shown(self, alpha: float) -> bool:
        """Whether the data show, at level alpha, that nothing is worse than allowed."""

    def about_more(self) -> int | None:
        """How many more cases would likely show it, if any number would."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One gate's data: head minus base for each case, so oriented that positive is better.

    `values` stand in betting order, each within [-width, width], where `width` is that of the
    metric's range; `margin` is the loss that is still allowed, in the metric's own unit.
    """

    values: tuple[float, ...]
    margin: float
    width: float = 1.0

    def p_value(self, alpha: float, family: int) -> float:
        """Of "not worse than the margin"; 1 without data."""
        width = _width(self.width)
        low = -_margin(self.margin)
        return star.p_value_at_least(self.values, low, -width, width, alpha, family)

    def shown(self, alpha: float) -> bool:
        """Whether "worse than the margin" is refuted."""
        return star.rejects_at_most(self.values, -self.margin, -self.width, self.width, alpha)

    def about_more(self) -> int | None:
        """Cases that would likely show it; None without data, or where it is lost already."""
        n = len(self.values)
        if n == 0:
            return None
        mean = math.fsum(self.values) / n
        gap = self.margin + min(mean, 0.0) if self.margin else mean / 2
        discordance = math.fsum(d * d for d in self.values) / n
        needed = cases_within(discordance, gap, self.width)
        return None if needed is None else max(needed - n, 1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the data say about one gate.

    `p` and `adjusted_p` belong to "not worse than the margin", before and after Holm's
    correction. `about_more` counts the cases that would likely decide an undecided gate; None
    when it is decided, has no data, or would not be passed at the observed mean.
    """

    word: Word
    p: float
    adjusted_p: float
    about_more: int | None = None


def decide(
    family: Sequence[Detect], alpha: float = 0.05, levels: Sequence[float] | None = None
) -> tuple[Decision, ...]:
    """Passed, failed or undecided for every gate of a plan, in the order given.

    `levels`: the error rate at which each gate may pass, where that is not `alpha`.
    A gate without values is undecided and counts in the family with p = 1; one that is shown both
    ways is undecided.

    Raises ValueError for a value that is not finite or outside its range, a margin below 0 or not
    finite, a width that is not positive, or alpha outside (0, 1).
    """
    ps = [gate.p_value(alpha, len(family)) for gate in family]
    corrected = holm.adjusted(ps)
    own = [alpha] * len(family) if levels is None else levels
    return tuple(
        _decision(gate, p, adjusted, alpha, level)
        for gate, p, adjusted, level in zip(family, ps, corrected, own, strict=True)
    )


def cases_for_margin(
    discordance: float, margin: float, width: float = 1.0, alpha: float = 0.05
) -> int | None:
    """About how many cases show "not worse than the margin" when nothing changed, 9 times in 10.

    `discordance` is the mean squared difference: for right-or-wrong metrics the share of cases
    that change sides. None when the margin is 0 or next to it.

    Raises ValueError for what `decide` refuses.
    """
    _margin(margin)
    _width(width)
    if not 0 <= discordance <= width * width:
        raise ValueError(f"discordance {discordance} is outside 0 to {width * width}")
    return cases_within(discordance, margin, width, alpha)


def mcnemar(better: int, worse: int) -> float:
    """Exact two-sided p value of "as many cases turned better as worse". For printing."""
    if better < 0 or worse < 0:
        raise ValueError(f"{better} better and {worse} worse are no counts of cases")
    return min(1.0, 2 * tail.at_most(min(better, worse), better + worse, 0.5))


def tango(better: int, worse: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Tango's score interval (1998) of the difference of two paired shares. For printing.

    Of n cases `better` are right under head only and `worse` under base only. Raises ValueError
    when these are no counts, or the confidence is not inside (0, 1).
    """
    if better < 0 or worse < 0 or better + worse > n:
        raise ValueError(f"{better} better and {worse} worse of {n} are no counts of cases")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence must lie between 0 and 1, not {confidence}")
    if n == 0:
        return -1.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return -_tango_upper(worse, better, n, z), _tango_upper(better, worse, n, z)


def cases_within(
    discordance: float, gap: float, width: float = 1.0, alpha: float = 0.05
) -> int | None:
    """10 x discordance / gap^2 at the usual level; more where few cases change sides.

    There bets start too bold and are capped: at least 7.5 x discordance / gap^2 + 6 / gap. Other
    levels ask in proportion. None for a gap that is none, or too small for any number of cases.
    """
    if gap < 1e-9 * width:
        return None
    spread = discordance / gap**2 * (forecast.reach(0.9, alpha) / forecast.reach(0.9, 0.05)) ** 2
    start = width / gap * math.log(alpha) / math.log(0.05)
    return math.ceil(max(10 * spread, 7.5 * spread + 6 * start) - 1e-6)


def _decision(gate: Detect, p: float, adjusted: float, alpha: float, level: float) -> Decision:
    shown, refuted = gate.shown(level), adjusted <= alpha
    if shown is not refuted:
        return Decision("passed" if shown else "failed", p, adjusted)
    return Decision("undecided", p, adjusted, gate.about_more())


def _tango_upper(better: int, worse: int, n: int, z: float) -> float:
    """The largest difference that the score test does not reject, by bisection."""
    low, high = (better - worse) / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _score(better, worse, n, middle) >= -z:
            low = middle
        else:
            high = middle
    return high


def _score(better: int, worse: int, n: int, delta: float) -> float:
    """Tango's statistic: observed minus hypothetical difference over its spread under it."""
    b = -better - worse + (2 * n - better + worse) * delta
    c = -worse * delta * (1 - delta)
    share_worse = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * share_worse + delta * (1 - delta))
    excess = better - worse - n * delta
    if variance <= 0:
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def _margin(margin: float) -> float:
    if not 0 <= margin < math.inf:
        raise ValueError(f"a margin must be finite and at least 0, not {margin}")
    return margin


def _width(width: float) -> float:
    if not 0 < width < math.inf:
        raise ValueError(f"a width must be finite and positive, not {width}")
    return width
