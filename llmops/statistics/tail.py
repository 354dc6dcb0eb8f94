"""Tails of the binomial distribution, to about 14 digits of relative precision.

The point probability is Loader's saddle-point form (2000), which does not cancel for large n; a
tail is that times the continued fraction of the incomplete beta function (Lentz's method).
"""

from __future__ import annotations

import math

_TINY = 1e-300
_LOG_ROOT_TAU = 0.5 * math.log(2 * math.pi)


def at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) for X the events among n, each with probability p; small ones stay precise."""
    if k <= 0:
        return 1.0
    if k > n or p <= 0:
        return 0.0
    if p >= 1:
        return 1.0
    if (n + 3) * p < k + 1:
        return point(k, n, p) * (1 - p) * fraction(k, n - k + 1, p)
    return 1 - point(k - 1, n, p) * p * fraction(n - k + 1, k, 1 - p)


def at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) for X the events among n, each with probability p; small ones stay precise."""
    if k < 0:
        return 0.0
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    if (n + 3) * p < k + 2:
        return 1 - point(k + 1, n, p) * (1 - p) * fraction(k + 1, n - k, p)
    return point(k, n, p) * p * fraction(n - k, k + 1, 1 - p)


def point(k: int, n: int, p: float) -> float:
    """P(X = k) for 0 < p < 1."""
    if k == 0:
        return math.exp(n * math.log1p(-p))
    if k == n:
        return math.exp(n * math.log(p))
    rest = n - k
    log = _stirling(n) - _stirling(k) - _stirling(rest)
    log -= _deviance(k, n * p) + _deviance(rest, n * (1 - p))
    return math.exp(log) * math.sqrt(n / (2 * math.pi * k * rest))


def fraction(a: float, b: float, x: float) -> float:
    """F in I_x(a, b) = x^a (1 - x)^b F / (a B(a, b)); quick where x is below a's share."""
    c, d = 1.0, 1 / _apart(1 - (a + b) * x / (a + 1))
    value, m = d, 1
    while m < 10**7:
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _apart(1 + term * d)
            c = _apart(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 4e-16:
            break
        m += 1
    return value


def _apart(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _stirling(x: float) -> float:
    """log(x!) minus Stirling's approximation of it."""
    if x < 16:
        return math.lgamma(x + 1) - (x + 0.5) * math.log(x) + x - _LOG_ROOT_TAU
    y = x * x
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / y) / y) / y) / y) / x


def _deviance(x: float, mean: float) -> float:
    """X log(x / mean) + mean - x, without cancellation where x is near its mean."""
    if abs(x - mean) >= 0.1 * (x + mean):
        return x * math.log(x / mean) + mean - x
    v = (x - mean) / (x + mean)
    total, term, j = (x - mean) * v, 2 * x * v, 1
    while True:
        term *= v * v
        following = total + term / (2 * j + 1)
        if following == total:
            return total
        total, j = following, j + 1
