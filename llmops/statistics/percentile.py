"""Percentiles as shares: "p95 is at most t" says that at least 95 % of the values are at most t.

In: finite values in any order, a quantile, a bound. Out: counts for `binomial`, which decides them
like any other share, and order statistics to print. Nothing is assumed of the distribution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from llmops.statistics import binomial

Side = Literal["min", "max"]


@dataclass(frozen=True, slots=True)
class Counted:
    """A claim on a percentile as a claim on a share: k of n, and that at least `share` are so."""

    k: int
    n: int
    share: float


def claim(values: Sequence[float], q: float, threshold: float, side: Side = "max") -> Counted:
    """What must be shown for "the q-quantile is at most the threshold" (`side` min: at least).

    At most: k values of n do not exceed the threshold, and their true share is at least q. At
    least: k values do not fall below it, and their true share is at least 1 - q. Decide it with
    `binomial.lower(k, n, alpha) >= share` (shown) and `binomial.upper(k, n, alpha) < share`
    (refuted).

    Raises ValueError for a value or threshold that is not finite, a q outside (0, 1), or another
    side.
    """
    _finite(values)
    _quantile(q)
    if not math.isfinite(threshold):
        raise ValueError(f"a percentile cannot be compared with {threshold}")
    if side not in ("min", "max"):
        raise ValueError(f'a side is "min" or "max", not "{side}"')
    if side == "max":
        return Counted(sum(1 for v in values if v <= threshold), len(values), q)
    return Counted(sum(1 for v in values if v >= threshold), len(values), 1 - q)


def smallest_n(q: float, alpha: float = 0.05) -> int:
    """The fewest values that can show that the q-quantile is at most something: p95 needs 59.

    Raises ValueError for a q or alpha outside (0, 1).
    """
    needed = binomial.cases_needed(_quantile(q), 0, alpha)
    assert needed is not None
    return needed


def value(values: Sequence[float], q: float) -> float | None:
    """The observed percentile: the smallest value that a share of at least q does not exceed.

    None when there is no value. Raises as `claim`.
    """
    _finite(values)
    _quantile(q)
    rank = math.ceil(q * len(values) * (1 - 1e-12))
    return sorted(values)[max(rank, 1) - 1] if values else None


def interval(
    values: Sequence[float], q: float, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """The two-sided interval of the q-quantile: two of the values themselves, by their ranks.

    None on a side where so few values bound nothing. Raises as `claim`, and for a confidence
    outside (0, 1).
    """
    _finite(values)
    _quantile(q)
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence must lie between 0 and 1, not {confidence}")
    n, alpha = len(values), (1 - confidence) / 2
    above = binomial.smallest_passing_count(n, q, alpha)
    below = binomial.smallest_passing_count(n, 1 - q, alpha)
    ranked = sorted(values)
    low = None if below is None else ranked[n - below]
    return low, None if above is None else ranked[above - 1]


def _finite(values: Sequence[float]) -> None:
    for i, v in enumerate(values):
        if not math.isfinite(v):
            raise ValueError(f"value {i} is {v}, and has no rank")


def _quantile(q: float) -> float:
    if not 0 < q < 1:  # also where it is not a number
        raise ValueError(f"a quantile must lie between 0 and 1, not {q}")
    return q
