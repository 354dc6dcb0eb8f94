"""Exact bounds for a share of cases, and how many cases it takes to show one (Clopper-Pearson).

k of n cases succeed. The share is shown to be at least t at level alpha when the one-sided lower
bound is at least t, which is when so many successes have probability at most alpha at t.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist

from llmops.statistics import tail

_EXACT = 10**6  # stable sample sizes above this are the smooth ones, at most 0.1 % too large


def lower(k: int, n: int, alpha: float = 0.05) -> float:
    """The one-sided lower bound of the share, right with probability at least 1 - alpha.

    0 when there is no case. Raises ValueError unless 0 <= k <= n and 0 < alpha < 1.
    """
    _counts(k, n)
    _level(alpha)
    if k == 0:
        return 0.0
    if k == n:
        return math.pow(alpha, 1 / n)
    return _root(k, n, alpha)


def upper(k: int, n: int, alpha: float = 0.05) -> float:
    """The one-sided upper bound of the share; 1 when there is no case. Raises as `lower`."""
    _counts(k, n)
    return 1 - lower(n - k, n, alpha)


def interval(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The two-sided interval of the share, half of the error on each side. Raises as `lower`."""
    alpha = (1 - _level(confidence)) / 2
    return lower(k, n, alpha), upper(k, n, alpha)


@lru_cache(maxsize=4096)
def smallest_passing_count(n: int, threshold: float, alpha: float = 0.05) -> int | None:
    """The fewest successes of n that show a share of at least `threshold`; None if none does."""
    if not shows(n, n, threshold, alpha):
        return None
    return _first(lambda k: shows(k, n, threshold, alpha), round(n * threshold), 0, n)


def largest_passing_count(n: int, threshold: float, alpha: float = 0.05) -> int | None:
    """The most events of n that show a share of at most `threshold`; None if none does."""
    _share(threshold)
    needed = smallest_passing_count(n, 1 - threshold, alpha)
    return None if needed is None else n - needed


def cases_needed(threshold: float, misses: int, alpha: float = 0.05) -> int | None:
    """The smallest n that shows a share of at least `threshold` with so many misses.

    None when no number does (`threshold` is 1). Raises ValueError for misses below 0, a threshold
    outside [0, 1], or alpha outside (0, 1).
    """
    _share(threshold)
    _level(alpha)
    if misses < 0:
        raise ValueError(f"misses must be at least 0, not {misses}")
    if threshold == 1:
        return None
    if threshold == 0:
        return misses
    guess = _guess(threshold, misses, alpha)
    return _first(lambda n: shows(n - misses, n, threshold, alpha), guess, misses + 1)


def shows(k: int, n: int, threshold: float, alpha: float = 0.05) -> bool:
    """Whether k of n show a share of at least `threshold`: `lower(k, n, alpha) >= threshold`."""
    _counts(k, n)
    _share(threshold)
    _level(alpha)
    if threshold == 0:
        return True
    chance = tail.at_least(k, n, threshold)
    if abs(chance - alpha) > 1e-9 * alpha:
        return chance < alpha
    return lower(k, n, alpha) >= threshold


def power(n: int, threshold: float, rate: float, alpha: float = 0.05) -> float:
    """The chance that n cases show `threshold` when the true share is `rate`."""
    _share(rate)
    count = smallest_passing_count(n, threshold, alpha)
    return 0.0 if count is None else tail.at_least(count, n, rate)


def rate_for_power(
    n: int, threshold: float, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """The true share from which on n cases show `threshold` with at least this power.

    None when no result of n cases shows it. For a claim "at most t" ask with 1 - t and take the
    answer from 1. Raises ValueError as `power`, and for a power outside (0, 1).
    """
    _level(power)
    count = smallest_passing_count(n, threshold, alpha)
    return None if count is None else lower(count, n, power)


def stable_cases_for_power(
    threshold: float, true_rate: float, power: float = 0.9, alpha: float = 0.05
) -> int | None:
    """The smallest n from which on every n shows `threshold` with at least this power.

    Power is a saw: for m misses it falls from `cases_needed(m)` to just before
    `cases_needed(m + 1)`. So the answer is `cases_needed` of the first m after the last one whose
    trough is too low. None when the true rate is not above the threshold.
    """
    _share(threshold)
    _share(true_rate)
    _level(power)
    _level(alpha)
    if true_rate <= threshold:
        return None
    if threshold == 0:
        return 0
    return cases_needed(threshold, _stable_misses(threshold, true_rate, power, alpha), alpha)


def about_more(k: int, n: int, threshold: float, alpha: float = 0.05) -> int | None:
    """How many cases beyond n would likely show `threshold`, after k of n did not.

    Enough for 90 % power at every larger number too, at the rate half-way between the threshold
    and k/n, at the level `alpha` of the next attempt (`attempts.next_level`): more cases are an
    attempt, and old and new are tested together. 0 when k of n show it already. None when no
    number of cases will show it at the observed rate: that is not above the threshold, or there is
    no case yet.
    """
    _counts(k, n)
    _share(threshold)
    _level(alpha)
    if n == 0:
        return None
    if shows(k, n, threshold, alpha):
        return 0
    cases = stable_cases_for_power(threshold, (threshold + k / n) / 2, 0.9, alpha)
    return None if cases is None else max(cases - n, 1)


def _root(k: int, n: int, alpha: float) -> float:
    """The share at which k or more of n have probability alpha: Newton's method on its log.

    The log is concave and increasing in the share; a bracket guards against rounding.
    """
    low, high = 0.0, 1.0
    share = _wilson_lower(k, n, alpha)
    for _ in range(100):
        chance = tail.at_least(k, n, share)
        low, high = (low, share) if chance > alpha else (share, high)
        slope = tail.point(k, n, share) * k / share
        following = (low + high) / 2
        if chance > 0 and slope > 0:
            newton = share - math.log(chance / alpha) * chance / slope
            following = newton if low < newton < high else following
        if abs(following - share) <= 1e-14 * share:
            return following
        share = following
    return share


def _wilson_lower(k: int, n: int, alpha: float) -> float:
    z, rate = _z(alpha), k / n
    middle = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return min(max((middle - half) / (1 + z * z / n), 1e-12 / n), 1 - 1e-12)


def _guess(threshold: float, misses: int, alpha: float) -> int:
    """About the n at which `misses` misses just show the threshold (normal approximation)."""
    z, miss = _z(alpha), 1 - threshold
    root = (z * math.sqrt(threshold) + math.sqrt(z * z * threshold + 4 * (misses + 0.5))) / 2
    return max(round(root * root / miss), misses + 1)


def _stable_misses(threshold: float, rate: float, power: float, alpha: float) -> int:
    """The first number of misses from which on no trough of the saw is below `power`.

    Troughs rise but for the rounding of each `cases_needed` to a whole case, which can disorder
    them over a window of about 1.6 miss sqrt(misses / threshold) misses: so after the bisection
    a run of good troughs longer than that ends the search.
    """

    def good(misses: int) -> bool:
        cases = cases_needed(threshold, misses + 1, alpha)
        assert cases is not None
        return tail.at_least(cases - 1 - misses, cases - 1, rate) >= power

    found = _first(good, _likely_misses(threshold, rate, power, alpha), 0)
    window = 4 + math.ceil(3 * (1 - threshold) * math.sqrt(found / threshold))
    if found > _EXACT * (1 - threshold):
        return found + window
    misses = found
    while misses < found + window:
        misses += 1
        found = found if good(misses) else misses + 1
    return found


def _likely_misses(threshold: float, rate: float, power: float, alpha: float) -> int:
    spread = _z(alpha) * math.sqrt(threshold * (1 - threshold))
    spread += _z(1 - power) * math.sqrt(rate * (1 - rate))
    return max(round((1 - threshold) * (spread / (rate - threshold)) ** 2), 0)


def _first(holds: Callable[[int], bool], guess: int, low: int, high: int = 2**63) -> int:
    """The smallest number from `low` on for which `holds`, which it does from there to `high`."""
    below, above, step = low - 1, high, 1
    probe, hit, missed = min(max(guess, low), high), False, False
    while above - below > 1:
        if holds(probe):
            above, hit = probe, True
            ahead = max(probe - step, below + 1)
        else:
            below, missed = probe, True
            ahead = min(probe + step, above - 1)
        probe = (below + above) // 2 if hit and missed else ahead
        step *= 4
    return above


def _z(alpha: float) -> float:
    return NormalDist().inv_cdf(1 - alpha)


def _counts(k: int, n: int) -> None:
    if not (isinstance(k, int) and isinstance(n, int) and 0 <= k <= n):
        raise ValueError(f"{k} of {n} is no count of cases")


def _share(value: float) -> None:
    if not 0 <= value <= 1:  # also where it is not a number
        raise ValueError(f"a share must lie in 0 to 1, not {value}")


def _level(alpha: float) -> float:
    if not 0 < alpha < 1:
        raise ValueError(f"an error rate must lie between 0 and 1, not {alpha}")
    return alpha
