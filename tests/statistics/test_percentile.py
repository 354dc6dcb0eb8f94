"""Percentiles as shares: the published sizes, numpy as oracle, exact coverage, laws, bad input."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from llmops.statistics import binomial, percentile

law = settings(deadline=None, derandomize=True, max_examples=80)
values = st.lists(st.integers(-50, 50).map(float), max_size=80)
quantiles = st.sampled_from([0.5, 0.9, 0.95, 0.99]) | st.floats(0.01, 0.99)


def test_p95_needs_59_values_and_p99_299() -> None:
    assert (percentile.smallest_n(0.95), percentile.smallest_n(0.99)) == (59, 299)


@law
@given(quantiles, st.floats(0.001, 0.4))
def test_so_many_values_without_one_above_show_it_and_one_less_does_not(
    q: float, alpha: float
) -> None:
    n = percentile.smallest_n(q, alpha)
    found = percentile.claim([1.0] * n, q, 1.0)
    assert binomial.lower(found.k, found.n, alpha) >= found.share
    assert binomial.lower(n - 1, n - 1, alpha) < q


def test_a_value_at_the_bound_does_not_exceed_it_on_either_side() -> None:
    found = [1.0, 2.0, 3.0]
    assert percentile.claim(found, 0.9, 2.0) == percentile.Counted(2, 3, 0.9)
    assert percentile.claim(found, 0.75, 2.0, "min") == percentile.Counted(2, 3, 0.25)


@law
@given(values, quantiles, st.integers(-60, 60))
def test_at_least_is_at_most_of_mirrored_values(xs: list[float], q: float, t: int) -> None:
    here = percentile.claim(xs, q, t, "min")
    there = percentile.claim([-x for x in xs], 1 - q, -t)
    assert here == there


@law
@given(values, quantiles, st.integers(-60, 59))
def test_a_laxer_bound_never_counts_fewer(xs: list[float], q: float, t: int) -> None:
    assert percentile.claim(xs, q, t).k <= percentile.claim(xs, q, t + 1).k
    assert percentile.claim(xs, q, t, "min").k >= percentile.claim(xs, q, t + 1, "min").k


def test_the_observed_percentile_agrees_with_numpy() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        xs = [chance.uniform(-5, 5) for _ in range(chance.randint(1, 60))]
        q = chance.choice([0.5, 0.9, 0.95, 0.99])
        assert percentile.value(xs, q) == np.quantile(xs, q, method="inverted_cdf")


@law
@given(values, quantiles, st.floats(0.5, 0.999))
def test_the_interval_holds_the_observed_percentile(
    xs: list[float], q: float, confidence: float
) -> None:
    low, high = percentile.interval(xs, q, confidence)
    seen = percentile.value(xs, q)
    assert (seen is None) == (not xs)
    if seen is not None:
        assert low is None or low <= seen
        assert high is None or seen <= high


@pytest.mark.parametrize("q", [0.5, 0.9, 0.95])
@pytest.mark.parametrize("n", [1, 20, 59, 100, 300])
def test_each_end_of_the_interval_is_wrong_with_at_most_half_of_the_error(q: float, n: int) -> None:
    """Exactly, from the distribution of ranks among n values of a continuous one."""
    low, high = percentile.interval([float(i) for i in range(1, n + 1)], q, 0.95)
    if low is not None:
        assert stats.binom.cdf(low - 1, n, q) <= 0.025  # fewer than `low` values below
        assert stats.binom.cdf(low, n, q) > 0.025
    if high is not None:
        assert stats.binom.sf(high - 1, n, q) <= 0.025
        assert stats.binom.sf(high - 2, n, q) > 0.025
    else:
        assert q**n > 0.025


def test_no_value_says_nothing() -> None:
    assert percentile.claim([], 0.95, 1.0) == percentile.Counted(0, 0, 0.95)
    assert percentile.value([], 0.95) is None
    assert percentile.interval([], 0.95) == (None, None)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_without_rank_is_refused_and_named(bad: float) -> None:
    for ask in (
        lambda: percentile.claim([1.0, bad], 0.95, 1.0),
        lambda: percentile.value([1.0, bad], 0.95),
        lambda: percentile.interval([1.0, bad], 0.95),
    ):
        with pytest.raises(ValueError, match=f"value 1 is {bad}"):
            ask()
    with pytest.raises(ValueError, match="cannot be compared"):
        percentile.claim([1.0], 0.95, bad)


@pytest.mark.parametrize("q", [0.0, 1.0, -0.5, 95, math.nan])
def test_a_quantile_without_meaning_is_refused(q: float) -> None:
    for ask in (
        lambda: percentile.claim([1.0], q, 1.0),
        lambda: percentile.smallest_n(q),
        lambda: percentile.value([1.0], q),
        lambda: percentile.interval([1.0], q),
    ):
        with pytest.raises(ValueError, match="a quantile must lie between 0 and 1"):
            ask()


def test_another_side_or_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match='"min" or "max"'):
        percentile.claim([1.0], 0.95, 1.0, "above")  # type: ignore[arg-type]
    for confidence in (0.0, 1.0, 1.5, math.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            percentile.interval([1.0], 0.95, confidence)
