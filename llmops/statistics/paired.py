"""Differences of the same cases under head and base: is head worse by more than a margin?

`decide` judges the whole family of a plan's detect gates. Passed is tested at alpha for each;
failed under Holm's correction, so that a change which is nowhere worse than its margins is failed
anywhere with probability at most alpha. `tango` and `mcnemar` are for printing and decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from llmops.statistics import holm, star, tail

Word = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One gate's data: head minus base for each case, so oriented that positive is better.

    `values` stand in betting order, each within [-width, width], where `width` is that of the
    metric's range; `margin` is the loss that is still allowed, in the metric's own unit.
    """

    values: tuple[float, ...]
    margin: float
    width: float = 1.0


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


def decide(family: Sequence[Difference], alpha: float = 0.05) -> tuple[Decision, ...]:
    """Passed, failed or undecided for every gate of a plan, in the order given.

    A gate without values is undecided and counts in the family with p = 1; one that is shown both
    ways is undecided.

    Raises ValueError for a value that is not finite or outside its range, a margin below 0 or not
    finite, a width that is not positive, or alpha outside (0, 1).
    """
    ps = [_p_value(gate, alpha, len(family)) for gate in family]
    corrected = holm.adjusted(ps)
    return tuple(
        _decision(gate, p, adjusted, alpha)
        for gate, p, adjusted in zip(family, ps, corrected, strict=True)
    )


def cases_for_margin(discordance: float, margin: float, width: float = 1.0) -> int | None:
    """About how many cases show "not worse than the margin" when nothing changed, 9 times in 10.

    `discordance` is the mean squared difference: for right-or-wrong metrics the share of cases
    that change sides. None when the margin is 0 or next to it.

    Raises ValueError for what `decide` refuses.
    """
    _margin(margin)
    _width(width)
    if not 0 <= discordance <= width * width:
        raise ValueError(f"discordance {discordance} is outside 0 to {width * width}")
    return _cases(discordance, margin, width)


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


def _p_value(gate: Difference, alpha: float, family: int) -> float:
    _margin(gate.margin)
    width = _width(gate.width)
    return star.p_value_at_least(gate.values, -gate.margin, -width, width, alpha, family)


def _decision(gate: Difference, p: float, adjusted: float, alpha: float) -> Decision:
    shown = star.rejects_at_most(gate.values, -gate.margin, -gate.width, gate.width, alpha)
    refuted = adjusted <= alpha
    if shown is not refuted:
        return Decision("passed" if shown else "failed", p, adjusted)
    return Decision("undecided", p, adjusted, _about_more(gate))


def _about_more(gate: Difference) -> int | None:
    n = len(gate.values)
    if n == 0:
        return None
    mean = math.fsum(gate.values) / n
    gap = gate.margin + min(mean, 0.0) if gate.margin else mean / 2
    needed = _cases(math.fsum(d * d for d in gate.values) / n, gap, gate.width)
    return None if needed is None else max(needed - n, 1)


def _cases(discordance: float, gap: float, width: float) -> int | None:
    """10 x discordance / gap^2; with hardly any discordance the bets' cap asks for 8 / gap.

    None for a gap that is none, or too small for any number of cases.
    """
    if gap < 1e-9 * width:
        return None
    return math.ceil(max(10 * discordance / gap**2, 8 * width / gap) - 1e-6)


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


def _margin(margin: float) -> None:
    if not 0 <= margin < math.inf:
        raise ValueError(f"a margin must be finite and at least 0, not {margin}")


def _width(width: float) -> float:
    if not 0 < width < math.inf:
        raise ValueError(f"a width must be finite and positive, not {width}")
    return width
