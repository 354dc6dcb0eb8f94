"""How many cases a test of a mean will need, and what it can show with those it has.

In: a spread (variance of the cases, or discordance of paired ones), a gap to a threshold, an error
rate, a power. Out: about how many cases, or about which true mean; for plans and hints, they
decide nothing.

The log wealth of `star` reaches its target like a diffusion that hits 0: with n cases of variance
v and a mean that is a gap g above the hypothesis, its power depends on g sqrt(n / v) alone, which
must reach z(alpha) + z(1 - power) + 0.1 or a little less (solved numerically, for alpha from 0.2
to 1e-6). Rare low values cost more, since the bets fear them: v grows by g times their lean. The
cap on bets and the start at a variance of 1/4 cost about log(1 / alpha) x width / g cases, fewer
where the threshold is next to the end of the range behind it.
Simulated over 13 populations this is at most a few percent too few, and too many by a few percent
from thousands on, by up to a half of hundreds, at most twice as many below that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from llmops.statistics import star

Side = Literal["min", "max"]
_SMALLEST = 1e-9  # gaps below so much of the width are none


@dataclass(frozen=True, slots=True)
class Spread:
    """How cases lie around their mean.

    `lean`: third central moment by variance, negative where the rare values are low; None if it is
    not known, which counts as the worst that a range and a variance allow.
    """

    variance: float
    lean: float | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """The claim that a mean in [lower, upper] is at least (`side` max: at most) a threshold."""

    threshold: float
    lower: float
    upper: float
    side: Side = "min"


def spread(values: Sequence[float]) -> Spread:
    """The spread of some cases. Raises ValueError where there is none or one is not finite."""
    if not values or not all(map(math.isfinite, values)):
        raise ValueError(f"{len(values)} values without a spread")
    mean = math.fsum(values) / len(values)
    variance = math.fsum((x - mean) ** 2 for x in values) / len(values)
    third = math.fsum((x - mean) ** 3 for x in values) / len(values)
    return Spread(variance, third / variance if variance > 0 else 0.0)


def reach(power: float, alpha: float) -> float:
    """The gap in standard errors of the mean at which the test has this power.

    Raises ValueError unless both lie inside (0, 1).
    """
    for rate in (power, alpha):
        if not 0 < rate < 1:  # also where it is not a number
            raise ValueError(f"power and alpha must lie between 0 and 1, not {rate}")
    normal = NormalDist()
    return max(normal.inv_cdf(power) - normal.inv_cdf(alpha) + 0.1, 0.0)


def cases_for_mean(
    mean: float, scale: Scale, spread: Spread, power: float = 0.9, alpha: float = 0.05
) -> int | None:
    """About how many cases show the claim when this is the true mean; None on the wrong side.

    Raises ValueError for a mean or threshold outside the range, a variance that it cannot have,
    or a power or alpha outside (0, 1).
    """
    _check(scale, spread)
    far = reach(power, alpha)
    if not scale.lower <= mean <= scale.upper:
        raise ValueError(f"the mean {mean} is outside {scale.lower} to {scale.upper}")
    width = scale.upper - scale.lower
    gap = mean - scale.threshold if scale.side == "min" else scale.threshold - mean
    if gap < _SMALLEST * width:
        return None
    variance = spread.variance + gap * _fear(mean, scale, spread)
    height = scale.threshold - scale.lower if scale.side == "min" else scale.upper - scale.threshold
    start = -math.log(alpha) * width / gap * min(1.0, 0.25 + 1.5 * height / width)
    return math.ceil(far * far * variance / gap**2 + start - 1e-6)


def mean_for_power(
    n: int, scale: Scale, spread: Spread, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """The true mean from which on n cases show the claim with this power.

    None when even the end of the range would not do. Raises as `cases_for_mean`.
    """
    end = scale.upper if scale.side == "min" else scale.lower
    needed = cases_for_mean(end, scale, spread, power, alpha)
    if needed is None or needed > n:
        return None
    close, far = scale.threshold, end
    for _ in range(60):
        middle = (close + far) / 2
        needed = cases_for_mean(middle, scale, spread, power, alpha)
        if needed is None or needed > n:
            close = middle
        else:
            far = middle
    return far


def about_more(values: Sequence[float], scale: Scale, alpha: float = 0.05) -> int | None:
    """How many cases beyond these would likely show the claim, when they did not.

    Enough for 90 % power at the mean half-way between the threshold and theirs, spread as they
    are, at the level `alpha` of the next attempt; 0 when they show it already. None when no number
    will show it at the observed mean: that is not beyond the threshold, or there is no case yet.

    Raises ValueError for what `star` refuses.
    """
    _check(scale, Spread(0.0))
    shows = star.rejects_at_most if scale.side == "min" else star.rejects_at_least
    if shows(values, scale.threshold, scale.lower, scale.upper, alpha):
        return 0
    if not values:
        return None
    mean = math.fsum(values) / len(values)
    needed = cases_for_mean((scale.threshold + mean) / 2, scale, spread(values), 0.9, alpha)
    return None if needed is None else max(needed - len(values), 1)


def difference_for_power(
    n: int,
    discordance: float,
    margin: float,
    width: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
) -> float | None:
    """The true difference from which on n paired cases pass "not worse than the margin" so often.

    Signed so that more is better: 0 is an unchanged system, and below 0 one that is passed though
    it is a little worse. `discordance` is the mean squared difference: for right-or-wrong metrics
    the share of cases that change sides. None when not even the best difference is passed.

    Raises ValueError for a discordance outside 0 to width^2, a margin outside 0 to width, a width
    that is not positive, or a power or alpha outside (0, 1).
    """
    if not 0 < width < math.inf:
        raise ValueError(f"a width must be finite and positive, not {width}")
    if not 0 <= margin <= width:
        raise ValueError(f"a margin must lie in 0 to {width}, not {margin}")
    if not 0 <= discordance <= width * width:
        raise ValueError(f"discordance {discordance} is outside 0 to {width * width}")
    scale = Scale(-margin, -width, width)
    lean = -margin if discordance else 0.0
    return mean_for_power(n, scale, Spread(discordance, lean), power, alpha)


def _fear(mean: float, scale: Scale, spread: Spread) -> float:
    """By how much each unit of the gap adds to the variance that the bets meet."""
    if spread.lean is not None:
        return max(-spread.lean if scale.side == "min" else spread.lean, 0.0)
    above = mean - scale.lower if scale.side == "min" else scale.upper - mean
    return max(above - spread.variance / above, 0.0) if above > 0 else 0.0


def _check(scale: Scale, spread: Spread) -> None:
    lower, upper = scale.lower, scale.upper
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        raise ValueError(f"no range of values: {lower} to {upper}")
    if not lower <= scale.threshold <= upper:
        raise ValueError(f"the threshold {scale.threshold} is outside {lower} to {upper}")
    if scale.side not in ("min", "max"):
        raise ValueError(f'a side is "min" or "max", not "{scale.side}"')
    most = (upper - lower) ** 2 / 4
    if not 0 <= spread.variance <= most * (1 + 1e-9):
        raise ValueError(f"a range of {upper - lower} has no variance of {spread.variance}")
