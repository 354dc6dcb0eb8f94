"""The error rate of each attempt at a claim: all of them together err at most alpha.

A claim that may be tried K times is tested at alpha/2, alpha/4, ..., and its last time at what is
left, alpha/2^(K-1). Added cases are an attempt too: old and new are tested together at its level.
"""

from __future__ import annotations

import math


def level(alpha: float, attempt: int, attempts: int) -> float:
    """The error rate at which attempt `attempt` (counted from 1) of `attempts` is tested.

    All of `alpha` when there is only one. Raises ValueError for an attempt outside 1 to
    `attempts`, no attempts, or alpha outside (0, 1).
    """
    if not 0 < alpha < 1:
        raise ValueError(f"an error rate must lie between 0 and 1, not {alpha}")
    if not (_whole(attempts) and attempts >= 1):
        raise ValueError(f"a claim has at least 1 attempt, not {attempts}")
    if not (_whole(attempt) and 1 <= attempt <= attempts):
        raise ValueError(f"attempt {attempt} of {attempts} is not allowed")
    return math.ldexp(alpha, -min(attempt, attempts - 1))


def next_level(alpha: float, attempt: int, attempts: int) -> float:
    """The level of the attempt after this one, for "about N more"; the last one's is kept.

    After the last attempt a new one needs an approval, which begins no smaller. Raises as `level`.
    """
    level(alpha, attempt, attempts)
    return level(alpha, min(attempt + 1, attempts), attempts)


def _whole(value: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
