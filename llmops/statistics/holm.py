"""Holm's correction: many tests, and the chance that any of them cries wolf stays at most alpha.

Holm 1979; valid whatever the dependence between the tests.
"""

from __future__ import annotations

from collections.abc import Sequence


def adjusted(ps: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p values, in the order given; those at most alpha are rejected together.

    A member of the family without data counts with p = 1. Raises ValueError for a p value
    outside [0, 1] or not a number.
    """
    for i, p in enumerate(ps):
        if not 0 <= p <= 1:
            raise ValueError(f"p value {i} is {p}, outside 0 to 1")
    found = [1.0] * len(ps)
    largest = 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        largest = max(largest, min(1.0, (len(ps) - rank) * ps[i]))
        found[i] = largest
    return tuple(found)
