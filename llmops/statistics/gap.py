"""Gaps: is the difference between groups, or between the two variants of a case, at most so much?

In: values of paired cases, or of groups of different cases. Out: what `paired.decide` judges in one
family with regressions. Nothing is assumed of the distribution but its range.

`Variants` has one difference d for each pair and claims |mean d| <= most. *Passed* when both "mean
d >= most" and "mean d <= -most" are refuted at alpha: a wrong pass has probability at most alpha,
since one of the two is true then. *Failed* when "mean d <= most" or "mean d >= -most" is refuted: p
is twice the smaller of their two p values.

`Groups` claims that no two means differ by more than `most`. With the lower bound L and the upper
bound U of each group, both one-sided at alpha / 2: *passed* when U_i - L_j <= most for all i and j.
A pair whose means differ by more would need a wrong U_i or a wrong L_j, so a wrong pass has
probability at most alpha for any number of groups, whether or not they depend on each other.
*Failed* when L_i - U_j > most for some i and j, with each of the 2V bounds of V groups at alpha /
(2V): if no true gap exceeds `most`, one of the 2V bounds must be wrong. In a family of M gates this
is done once, at alpha / M, so p is alpha / M or 1, which is valid at every level of Holm's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from llmops.statistics import binomial, star
from llmops.statistics.paired import cases_within


@dataclass(frozen=True, slots=True)
class Variants:
    """One difference for each pair, in betting order, each within [-width, width]."""

    values: tuple[float, ...]
    most: float
    width: float = 1.0

    def p_value(self, alpha: float, family: int) -> float:
        """Of "the mean is within `most` of 0"; 1 without data."""
        flipped = tuple(-v for v in self.values)
        found = [
            star.p_value_at_least(xs, -self.most, -self.width, self.width, alpha, 2 * family)
            for xs in (self.values, flipped)
        ]
        return min(1.0, 2 * min(found))

    def shown(self, alpha: float) -> bool:
        """Whether the mean is shown to be within `most` of 0."""
        ends = (-self.width, self.width, alpha)
        return star.rejects_at_most(self.values, -self.most, *ends) and star.rejects_at_least(
            self.values, self.most, *ends
        )

    def about_more(self) -> int | None:
        """Cases that would likely show it; None without data, or where the mean is too far off."""
        n = len(self.values)
        if n == 0:
            return None
        mean = math.fsum(self.values) / n
        spread = math.fsum(v * v for v in self.values) / n
        needed = cases_within(spread, self.most - abs(mean), self.width)
        return None if needed is None else max(needed - n, 1)


@dataclass(frozen=True, slots=True)
class Groups:
    """The values of each group, in betting order, within [lower, upper]; `binary`: all 0 or 1."""

    groups: tuple[tuple[float, ...], ...]
    most: float
    lower: float = 0.0
    upper: float = 1.0
    binary: bool = True

    @property
    def complete(self) -> bool:
        """Whether there are two groups or more, and cases in each."""
        return len(self.groups) > 1 and all(self.groups)

    @property
    def observed(self) -> float | None:
        """The difference between the highest and the lowest mean; None without data."""
        if not self.complete:
            return None
        means = [math.fsum(group) / len(group) for group in self.groups]
        return max(means) - min(means)

    def p_value(self, alpha: float, family: int) -> float:
        """Of "no two means differ by more than `most`"; 1 where a group is missing."""
        level = alpha / family
        if not self.complete:
            return 1.0
        refuted = self._surely(level / (2 * len(self.groups))) > self.most
        return level * (1 - 1e-12) if refuted else 1.0

    def shown(self, alpha: float) -> bool:
        """Whether no two means differ by more than `most`."""
        return self.complete and self._at_most(alpha / 2) <= self.most

    def interval(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Two-sided, of the difference between the highest and the lowest mean."""
        if not self.complete:
            return None
        alpha = (1 - confidence) / 2
        low = self._surely(alpha / (2 * len(self.groups)))
        return max(low, 0.0), self._at_most(alpha / 2)

    def about_more(self) -> int | None:
        """Cases that would likely show it, if all groups grow alike: bounds narrow by their root.

        None where a group is missing or the observed gap is too wide already.
        """
        observed = self.observed
        if observed is None or observed >= self.most:
            return None
        n = sum(len(group) for group in self.groups)
        factor = ((self._at_most(0.025) - observed) / (self.most - observed)) ** 2
        return max(math.ceil(n * (factor - 1)), 1)

    def _at_most(self, level: float) -> float:
        """What no gap exceeds, by bounds at `level` each."""
        found = [self._bounds(group, level) for group in self.groups]
        return max(above[1] - below[0] for above, below in permutations(found, 2))

    def _surely(self, level: float) -> float:
        """What some gap exceeds, by bounds at `level` each."""
        found = [self._bounds(group, level) for group in self.groups]
        return max(above[0] - below[1] for above, below in permutations(found, 2))

    def _bounds(self, group: Sequence[float], level: float) -> tuple[float, float]:
        if self.binary:
            k, n = group.count(1.0), len(group)
            return binomial.lower(k, n, level), binomial.upper(k, n, level)
        return (
            star.lower_bound(group, self.lower, self.upper, level),
            star.upper_bound(group, self.lower, self.upper, level),
        )
