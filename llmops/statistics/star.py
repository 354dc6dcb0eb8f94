"""STaR-Bets: tests and bounds for the mean of scores in a known range [lower, upper].

Voracek and Orabona 2025, arXiv 2505.22422. Valid for every sample size and every distribution in
the range: a bettor starts with wealth 1 against "the mean is at most m", and by Ville's inequality
multiplies it by 1/alpha with probability at most alpha when that is true. Values are looked at in
the order given, which must not depend on them (see `order`).

The log wealth is decreasing in m until it reaches its target. Without the cap the next log wealth
is L + log(1 + sqrt(2 (target - L) c) (y - m)), decreasing in m, and increasing in L except where
u/(1 + u) > 2 (target - L), u the bet's gain; but there log(1 + u) >= target - L, so the target is
reached at once. Under the cap both hold too. Hence the rejected m are an interval, and bisecting
the grid of printed bounds gives the same as testing every point of it. What is left to the target
follows the same step, so a smaller alpha never refutes more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

SLACK = 1e-9  # by which the log wealth must exceed its target: rounding never rejects
GRID = 10**6  # printed bounds are multiples of 1/GRID


def star_log_wealth(
    xs: Sequence[float], m: float, lower: float, upper: float, target: float
) -> float:
    """The largest log wealth reached against "the mean is at most m", betting towards `target`.

    At least 0. Infinite where `m` is below the range (the hypothesis is impossible), 0 where `m`
    is its lower end or there is no value. Stops at the first value of at least target + SLACK.

    Raises ValueError for a value or `m` that is not finite, a value outside [lower, upper], an
    empty range, or a target that is not positive.
    """
    return _against_at_most(_prepared(tuple(xs), lower, upper), m, target)


def rejects_at_most(
    xs: Sequence[float], m: float, lower: float, upper: float, alpha: float = 0.05
) -> bool:
    """Whether "the mean is at most m" is refuted at level `alpha`. Raises as `star_log_wealth`."""
    target = _target(alpha)
    return star_log_wealth(xs, m, lower, upper, target) >= target + SLACK


def rejects_at_least(
    xs: Sequence[float], m: float, lower: float, upper: float, alpha: float = 0.05
) -> bool:
    """Whether "the mean is at least m" is refuted at level `alpha`. Raises as `star_log_wealth`."""
    target = _target(alpha)
    return _against_at_least(xs, m, lower, upper, target) >= target + SLACK


def p_value_at_least(
    xs: Sequence[float], m: float, lower: float, upper: float, alpha: float = 0.05, family: int = 1
) -> float:
    """P value of "the mean is at least m" for Holm's correction over `family` such tests.

    exp(-largest log wealth) with the bets aimed at log(family / alpha); 1 without data. Raises as
    `star_log_wealth`, and when `family` is below 1.
    """
    if family < 1:
        raise ValueError(f"a family has at least 1 test, not {family}")
    return math.exp(-_against_at_least(xs, m, lower, upper, _target(alpha) + math.log(family)))


def lower_bound(xs: Sequence[float], lower: float, upper: float, alpha: float = 0.05) -> float:
    """A number to print that the mean exceeds, wrong with probability at most `alpha`.

    The largest multiple of 1e-6 in the range that is refuted as "the mean is at most it", as all
    below it are; `lower` if there is none. A fixed grid keeps the guarantee: only the first point
    at or above the mean must not be refuted. Raises as `star_log_wealth`.
    """
    return _bound(_prepared(tuple(xs), lower, upper), _target(alpha))


def upper_bound(xs: Sequence[float], lower: float, upper: float, alpha: float = 0.05) -> float:
    """A number to print that the mean stays below: `lower_bound` of the mirrored values."""
    bound = _bound(_mirrored(tuple(xs), lower, upper), _target(alpha))
    return -bound if bound else 0.0


@dataclass(frozen=True, slots=True)
class _Bets:
    """All that does not depend on the hypothesis: y in [0, 1] and 2 / ((n - t) v) at each step."""

    ys: tuple[float, ...]
    scales: list[float]
    lower: float
    upper: float


def _check(xs: Sequence[float], lower: float, upper: float) -> None:
    if not (math.isfinite(lower) and math.isfinite(upper) and 0 < upper - lower < math.inf):
        raise ValueError(f"no range of values: {lower} to {upper}")
    for i, x in enumerate(xs):
        if not lower <= x <= upper:  # also where x is not a number
            raise ValueError(f"value {i} is {x}, outside {lower} to {upper}")


@lru_cache(maxsize=4)
def _prepared(xs: tuple[float, ...], lower: float, upper: float) -> _Bets:
    """Remembered for a few samples: a verdict and its printed bound ask for the same."""
    _check(xs, lower, upper)
    return _bets(xs, lower, upper)


@lru_cache(maxsize=4)
def _mirrored(xs: tuple[float, ...], lower: float, upper: float) -> _Bets:
    """The same for bets that the mean is high: checked first, so a message has values as given."""
    _check(xs, lower, upper)
    return _bets(tuple([-x for x in xs]), -upper, -lower)


def _bets(xs: tuple[float, ...], lower: float, upper: float) -> _Bets:
    width = upper - lower
    unit = lower == 0 and width == 1
    ys = xs if unit else tuple([(x - lower) / width for x in xs])
    return _Bets(ys, _scales(ys), lower, upper)


def _scales(ys: Sequence[float]) -> list[float]:
    """2 / ((n - t) v), v the running variance that starts from one value of 0.5."""
    s, s2, v, left, seen, found = 0.5, 0.25, 0.25, len(ys), 1, []
    for y in ys:
        found.append(2 / (left * v))
        left -= 1
        seen += 1
        s += y
        s2 += (y - s / seen) ** 2
        v = s2 / seen
    return found


def _against_at_most(bets: _Bets, m: float, target: float) -> float:
    if not math.isfinite(m):
        raise ValueError(f"the mean cannot be compared with {m}")
    if not 0 < target < math.inf:
        raise ValueError(f"the target must be positive, not {target}")
    if not bets.ys:
        return 0.0
    mm = (m - bets.lower) / (bets.upper - bets.lower)
    if mm <= 0:
        return math.inf if mm < 0 else 0.0
    return _largest_log_wealth(bets, mm, target)


def _largest_log_wealth(bets: _Bets, mm: float, target: float) -> float:
    wealth = best = 0.0
    cap, goal = 0.99 / mm, target + SLACK
    sqrt, log1p = math.sqrt, math.log1p
    for y, scale in zip(bets.ys, bets.scales, strict=True):
        bet = sqrt((goal - wealth) * scale)
        wealth += log1p((bet if bet < cap else cap) * (y - mm))
        if wealth > best:
            best = wealth
            if best >= goal:
                break
    return best


def _against_at_least(
    xs: Sequence[float], m: float, lower: float, upper: float, target: float
) -> float:
    return _against_at_most(_mirrored(tuple(xs), lower, upper), -m, target)


def _target(alpha: float) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must lie between 0 and 1, not {alpha}")
    return -math.log(alpha)


def _bound(bets: _Bets, target: float) -> float:
    first, last = _grid(bets.lower, bets.upper)
    count = _rejected(bets, first, last, target)
    return (first + count - 1) / GRID if count else bets.lower


def _grid(lower: float, upper: float) -> tuple[int, int]:
    """First and last multiple of 1/GRID above `lower` and at most `upper`, in units of 1/GRID."""
    (a, b), (c, d) = lower.as_integer_ratio(), upper.as_integer_ratio()
    first = a * GRID // b + 1
    return first + (first / GRID <= lower), c * GRID // d  # the end itself is never refuted


def _rejected(bets: _Bets, first: int, last: int, target: float) -> int:
    """How many points from `first` on are refuted; the wealth falls with m, so a search will do.

    It begins where the normal approximation would end and strides out from there, which asks half
    as often as bisecting the whole grid and ends at the same point.
    """
    low, high = first - 1, last + 1
    probe, step = _likely(bets, target)
    while high - low > 1:
        probe = min(max(probe, low + 1), high - 1)
        refuted = _against_at_most(bets, probe / GRID, target) >= target + SLACK
        low, high = (probe, high) if refuted else (low, probe)
        probe += step if refuted else -step
        step *= 4
        if low >= first and high <= last:
            probe = (low + high) // 2
    return low - first + 1


def _likely(bets: _Bets, target: float) -> tuple[int, int]:
    """About the last point that is refuted, and a small step, in units of 1/GRID."""
    n, width = len(bets.ys), bets.upper - bets.lower
    if n == 0:
        return 0, 1
    mean = math.fsum(bets.ys) / n
    spread = math.sqrt(2 / bets.scales[-1])  # the running variance before the last value
    errors = max(math.sqrt(2 * target) - 0.6, 0.1)  # about 8 % more than the normal quantile
    away = width * (errors * spread / math.sqrt(n) + target / (4 * n))
    likely = bets.lower + width * mean - away
    return round(likely * GRID), max(round(0.05 * away * GRID), 1)
