"""Exact bounds and sample sizes: the published numbers, scipy as oracle, brute force, laws."""

from __future__ import annotations

import bisect
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from llmops.statistics import binomial, tail

law = settings(deadline=None, derandomize=True, max_examples=80)
levels = st.floats(1e-6, 0.5)
shares = st.floats(0.001, 0.999)


@st.composite
def counts(draw: st.DrawFn, most: int = 5000) -> tuple[int, int]:
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


def inputs(seed: int, how_many: int = 2000) -> list[tuple[int, int, float]]:
    """Counts from 1 to a million, half of them with few misses, and levels down to 1e-6."""
    chance = random.Random(seed)
    found = []
    for i in range(how_many):
        n = int(10 ** chance.uniform(0, 6))
        k = chance.randint(0, n) if i % 2 else n - min(n, int(10 ** chance.uniform(0, 3)) - 1)
        found.append((k, n, 10 ** chance.uniform(-6, -0.31)))
    return found


# Published numbers


@pytest.mark.parametrize(("misses", "cases"), [(0, 9985), (1, 15812), (2, 20984)])
def test_cases_needed_to_show_three_nines_seven(misses: int, cases: int) -> None:
    assert binomial.cases_needed(0.9997, misses, 0.05) == cases


def test_cases_needed_at_the_level_of_a_second_attempt() -> None:
    assert binomial.cases_needed(0.9997, 0, 0.025) == 12295


@pytest.mark.parametrize(
    ("n", "threshold", "alpha", "count"),
    [
        (1000, 0.90, 0.05, 916),
        (300, 0.95, 0.05, 292),
        (4000, 0.96, 0.05, 3861),
        (1000, 0.90, 0.025, 919),
    ],
)
def test_smallest_passing_count(n: int, threshold: float, alpha: float, count: int) -> None:
    assert binomial.smallest_passing_count(n, threshold, alpha) == count


def test_at_most_five_percent_of_300_passes_with_8_events() -> None:
    assert binomial.largest_passing_count(300, 0.05, 0.05) == 8
    assert binomial.upper(8, 300) <= 0.05 < binomial.upper(9, 300)


@pytest.mark.parametrize(("quantile", "cases"), [(0.95, 59), (0.99, 299)])
def test_a_percentile_needs_so_many_values(quantile: float, cases: int) -> None:
    assert binomial.cases_needed(quantile, 0, 0.05) == cases


def test_the_bound_rule_passes_a_missing_system_far_less_often_than_the_point_rule() -> None:
    point_rule = tail.at_least(180, 200, 0.88)
    assert round(point_rule, 3) == 0.227
    assert round(1 - (1 - point_rule) ** 10, 3) == 0.923
    assert round(binomial.power(200, 0.90, 0.88, 0.05), 5) == 0.00353


@pytest.mark.parametrize(
    ("threshold", "rate", "stable", "first"),
    [
        (0.90, 0.93, 792, 748),
        (0.95, 0.97, 900, 832),
        (0.95, 0.98, 361, 311),
        (0.98, 0.99, 1390, 1271),
    ],
)
def test_ninety_percent_power(threshold: float, rate: float, stable: int, first: int) -> None:
    assert binomial.stable_cases_for_power(threshold, rate, 0.9, 0.05) == stable
    powers = [binomial.power(n, threshold, rate) for n in range(2 * stable)]
    assert next(n for n, reached in enumerate(powers) if reached >= 0.9) == first
    assert powers[stable - 1] < 0.9 <= min(powers[stable:])


# Oracles


def test_bounds_agree_with_scipy_on_2000_random_inputs() -> None:
    asked = inputs(1)
    k, n, alpha = (np.array(column) for column in zip(*asked, strict=True))
    with np.errstate(all="ignore"):
        below = np.where(k == 0, 0.0, stats.beta.ppf(alpha, k, n - k + 1))
        above = np.where(k == n, 1.0, stats.beta.isf(alpha, k + 1, n - k))
    assert max(abs(binomial.lower(*a) - b) for a, b in zip(asked, below, strict=True)) < 1e-12
    assert max(abs(binomial.upper(*a) - b) for a, b in zip(asked, above, strict=True)) < 1e-12


def test_bounds_agree_with_scipy_at_the_most_extreme_levels() -> None:
    for k, n in [(0, 1), (1, 1), (1, 2), (5, 10**6), (10**6 - 1, 10**6), (10**6, 10**6), (3, 7)]:
        for alpha in (1e-12, 1e-9, 0.5, 0.9, 1 - 1e-9):
            below = stats.beta.ppf(alpha, k, n - k + 1) if k else 0.0
            assert binomial.lower(k, n, alpha) == pytest.approx(below, rel=1e-9, abs=1e-12)
            above = stats.beta.isf(alpha, k + 1, n - k) if k < n else 1.0
            assert binomial.upper(k, n, alpha) == pytest.approx(above, abs=1e-9)


def test_a_point_probability_is_exact_to_thirteen_digits() -> None:
    for n in (32, 33, 40, 64, 100, 400):
        for k in (16, 17, n // 2, n - 16):
            exact = Fraction(math.comb(n, k), 2**n)
            assert abs(Fraction(tail.point(k, n, 0.5)) / exact - 1) < 1e-13


def test_tails_agree_with_scipy_on_2000_random_inputs() -> None:
    chance = random.Random(5)
    for k, n, _ in inputs(5):
        p = min(max(k / n + chance.gauss(0, 2) / math.sqrt(n), 1e-9), 1 - 1e-9)
        assert tail.at_least(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), abs=1e-9)
        assert tail.at_most(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), abs=1e-9)


def test_the_rate_for_power_is_the_one_at_which_so_many_pass() -> None:
    chance = random.Random(6)
    for _ in range(2000):
        n, threshold = int(10 ** chance.uniform(0, 5)), chance.uniform(0.01, 0.999)
        power, alpha = chance.uniform(0.3, 0.99), 10 ** chance.uniform(-4, -0.5)
        rate = binomial.rate_for_power(n, threshold, power, alpha)
        count = binomial.smallest_passing_count(n, threshold, alpha)
        assert (rate is None) == (count is None)
        if rate is not None and count is not None:
            assert stats.binom.sf(count - 1, n, rate) == pytest.approx(power, abs=1e-9)


def test_published_rates_at_which_so_many_cases_pass_four_times_in_five() -> None:
    found = binomial.rate_for_power(1000, 0.9)
    assert found is not None
    assert round(found, 4) == 0.9226
    assert binomial.rate_for_power(58, 0.95) is None
    assert binomial.rate_for_power(59, 0.95) == pytest.approx(0.8 ** (1 / 59))
    for bad in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            binomial.rate_for_power(100, 0.9, bad)


def test_the_point_rule_asks_for_less_than_the_bound_rule() -> None:
    """Literal and assured, as published: 900 and 916 of 1,000, 285 and 292 of 300, ..."""
    for n, threshold, literal, assured in [
        (1000, 0.90, 900, 916), (300, 0.95, 285, 292), (4000, 0.96, 3840, 3861),
    ]:  # fmt: skip
        first = next(k for k in range(n + 1) if k / n >= threshold)
        assert (first, binomial.smallest_passing_count(n, threshold)) == (literal, assured)
    most = max(k for k in range(301) if k / 300 <= 0.05)
    assert (most, binomial.largest_passing_count(300, 0.05)) == (15, 8)


def test_two_sided_interval_agrees_with_statsmodels_on_2000_random_inputs() -> None:
    for k, n, alpha in inputs(2):
        expected = proportion_confint(k, n, alpha=alpha, method="beta")
        assert binomial.interval(k, n, 1 - alpha) == pytest.approx(expected, abs=1e-9)


def test_power_agrees_with_scipy_on_2000_random_inputs() -> None:
    chance = random.Random(3)
    for _ in range(2000):
        n, threshold = chance.randint(1, 3000), chance.uniform(0.05, 0.99)
        rate = chance.uniform(threshold, 1)
        passing = [k for k in (binomial.smallest_passing_count(n, threshold),) if k is not None]
        expected = stats.binom.sf(passing[0] - 1, n, rate) if passing else 0.0
        assert binomial.power(n, threshold, rate) == pytest.approx(expected, abs=1e-9)


def exact_chance(k: int, n: int, p: Fraction) -> Fraction:
    return sum((math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1)), Fraction())


def test_smallest_passing_count_agrees_with_exact_fractions() -> None:
    for n in range(1, 60, 7):
        for threshold in (Fraction(1, 20), Fraction(1, 2), Fraction(4, 5), Fraction(19, 20)):
            by_hand = [k for k in range(n + 1) if exact_chance(k, n, threshold) <= Fraction(1, 20)]
            expected = by_hand[0] if by_hand else None
            assert binomial.smallest_passing_count(n, float(threshold), 0.05) == expected


@pytest.mark.parametrize("p", [Fraction(1, 100), Fraction(3, 10), Fraction(999, 1000)])
def test_tails_agree_with_exact_fractions_relatively(p: Fraction) -> None:
    for n in (1, 7, 40, 300):
        for k in range(1, n + 1, max(1, n // 12)):
            exact = float(exact_chance(k, n, p))
            assert tail.at_least(k, n, float(p)) == pytest.approx(exact, rel=1e-11, abs=1e-280)
            rest = float(1 - exact_chance(k, n, p))
            assert tail.at_most(k - 1, n, float(p)) == pytest.approx(rest, rel=1e-11, abs=1e-280)


def brute_stable(threshold: float, rate: float, power: float, alpha: float, most: int) -> int:
    """One after the last n up to `most` whose power is too low, by scipy alone."""
    n = np.arange(1, most + 1)
    count = stats.binom.isf(alpha, n, threshold) + 1
    enough = stats.binom.sf(count - 1, n, rate) >= power
    assert enough[-most // 5 :].all()
    return int(n[~enough][-1]) + 1


def test_stable_cases_agree_with_brute_force() -> None:
    chance = random.Random(4)
    for _ in range(150):
        threshold = chance.choice([chance.uniform(0.02, 0.98), 0.9, 0.95, 0.5])
        rate = threshold + (1 - threshold) * chance.uniform(0.15, 0.9)
        power, alpha = chance.choice([0.8, 0.9, 0.95]), chance.choice([0.05, 0.025, 0.001])
        found = binomial.stable_cases_for_power(threshold, rate, power, alpha)
        assert found is not None
        assert found == brute_stable(threshold, rate, power, alpha, 4 * found + 40)


@pytest.mark.slow
def test_stable_cases_agree_with_brute_force_for_close_rates() -> None:
    for threshold, rate in [(0.9, 0.905), (0.5, 0.51), (0.3, 0.31), (0.98, 0.982), (0.1, 0.105)]:
        found = binomial.stable_cases_for_power(threshold, rate)
        assert found is not None
        assert found == brute_stable(threshold, rate, 0.9, 0.05, 2 * found)


# Laws


@law
@given(counts(), levels)
def test_bounds_grow_with_k(pair: tuple[int, int], alpha: float) -> None:
    k, n = pair
    assume(k < n)
    assert binomial.lower(k, n, alpha) < binomial.lower(k + 1, n, alpha)
    assert binomial.upper(k, n, alpha) < binomial.upper(k + 1, n, alpha)


@law
@given(counts(), levels)
def test_one_more_miss_lowers_the_bound(pair: tuple[int, int], alpha: float) -> None:
    k, n = pair
    assert binomial.lower(k, n + 1, alpha) <= binomial.lower(k, n, alpha)


@law
@given(counts(10**6), st.floats(1e-6, 0.2))
def test_the_share_and_both_bounds_lie_inside_the_interval(
    pair: tuple[int, int], alpha: float
) -> None:
    k, n = pair
    low, high = binomial.interval(k, n, 1 - alpha)
    assert 0 <= low <= binomial.lower(k, n, alpha) <= k / n
    assert k / n <= binomial.upper(k, n, alpha) <= high <= 1


@law
@given(counts(10**6), levels)
def test_so_many_successes_have_chance_alpha_at_the_bound(
    pair: tuple[int, int], alpha: float
) -> None:
    k, n = pair
    assume(k > 0)
    reached = stats.binom.sf(k - 1, n, binomial.lower(k, n, alpha))
    assert reached == pytest.approx(alpha, rel=1e-8)


@law
@given(st.integers(1, 5000), shares, levels)
def test_the_count_passes_and_one_less_does_not(n: int, threshold: float, alpha: float) -> None:
    count = binomial.smallest_passing_count(n, threshold, alpha)
    if count is None:
        assert binomial.lower(n, n, alpha) < threshold
        return
    assert binomial.lower(count, n, alpha) >= threshold
    assert binomial.lower(count - 1, n, alpha) < threshold


@law
@given(st.floats(0.01, 0.999), st.integers(0, 200), levels)
def test_the_needed_cases_show_it_and_one_less_does_not(
    threshold: float, misses: int, alpha: float
) -> None:
    n = binomial.cases_needed(threshold, misses, alpha)
    assert n is not None
    assert binomial.lower(n - misses, n, alpha) >= threshold
    assert n == misses + 1 or binomial.lower(n - 1 - misses, n - 1, alpha) < threshold


@law
@given(counts(300), st.floats(0.5, 0.99))
def test_about_more_is_what_decides_half_way(pair: tuple[int, int], threshold: float) -> None:
    k, n = pair
    more = binomial.about_more(k, n, threshold)
    if k / n <= threshold:
        assert more is None
    elif binomial.lower(k, n) >= threshold:
        assert more == 0
    else:
        rate = (threshold + k / n) / 2
        assert more is not None
        assert more > 0
        assert binomial.power(n + more, threshold, rate) >= 0.9


@law
@given(st.integers(1, 2000), shares)
def test_a_true_share_is_missed_with_at_most_alpha(n: int, rate: float) -> None:
    """Coverage exactly, from the distribution, not simulated."""
    first_above = bisect.bisect_right(range(n + 1), rate, key=lambda k: binomial.lower(k, n))
    assert stats.binom.sf(first_above - 1, n, rate) <= 0.05 + 1e-12


# Edges


def test_no_case_says_nothing() -> None:
    assert (binomial.lower(0, 0, 0.05), binomial.upper(0, 0, 0.05)) == (0, 1)
    assert binomial.interval(0, 0) == (0, 1)
    assert binomial.smallest_passing_count(0, 0.5) is None
    assert binomial.about_more(0, 0, 0.9) is None
    assert binomial.power(0, 0.9, 1.0) == 0


def test_a_tie_passes_everywhere_alike() -> None:
    assert binomial.lower(1, 1, 0.05) == 0.05
    assert binomial.smallest_passing_count(1, 0.05, 0.05) == 1
    assert binomial.cases_needed(0.05, 0, 0.05) == 1
    assert binomial.shows(1, 1, 0.05, 0.05)


def test_certainty_is_never_shown_and_nothing_always() -> None:
    assert binomial.smallest_passing_count(10**6, 1.0) is None
    assert binomial.cases_needed(1.0, 0) is None
    assert binomial.stable_cases_for_power(1.0, 1.0) is None
    assert binomial.about_more(5, 5, 1.0) is None
    assert binomial.smallest_passing_count(7, 0.0) == 0
    assert binomial.cases_needed(0.0, 3) == 3
    assert binomial.stable_cases_for_power(0.0, 0.5) == 0


def test_a_rate_on_the_wrong_side_needs_no_number_of_cases() -> None:
    assert binomial.about_more(90, 100, 0.9) is None
    assert binomial.stable_cases_for_power(0.9, 0.9) is None


def test_a_rate_of_one_has_full_power_once_no_miss_suffices() -> None:
    assert binomial.stable_cases_for_power(0.95, 1.0) == 59


def test_a_rate_next_to_the_threshold_is_answered_too() -> None:
    more = binomial.about_more(90_001, 100_000, 0.9)
    assert more is not None
    assert 2.9e10 < more < 3.3e10


@pytest.mark.parametrize(("k", "n"), [(2, 1), (-1, 5), (0, -1), (1.5, 3), (math.nan, 3)])
def test_counts_without_meaning_are_refused(k: int, n: int) -> None:
    for ask in (binomial.lower, binomial.upper, binomial.interval):
        with pytest.raises(ValueError, match="no count of cases"):
            ask(k, n)
    with pytest.raises(ValueError, match="no count of cases"):
        binomial.about_more(k, n, 0.9)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 1.5, math.nan, math.inf])
def test_levels_without_meaning_are_refused(alpha: float) -> None:
    for ask in (
        lambda: binomial.lower(0, 5, alpha),
        lambda: binomial.upper(5, 5, alpha),
        lambda: binomial.interval(1, 5, alpha),
        lambda: binomial.smallest_passing_count(5, 0.5, alpha),
        lambda: binomial.cases_needed(0.5, 0, alpha),
        lambda: binomial.shows(1, 2, 0.5, alpha),
        lambda: binomial.power(5, 0.5, 0.6, alpha),
        lambda: binomial.stable_cases_for_power(0.5, 0.6, 0.9, alpha),
        lambda: binomial.stable_cases_for_power(0.5, 0.6, alpha, 0.05),
        lambda: binomial.about_more(3, 5, 0.5, alpha),
    ):
        with pytest.raises(ValueError, match="between 0 and 1"):
            ask()


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan, math.inf])
def test_shares_without_meaning_are_refused(share: float) -> None:
    for ask in (
        lambda: binomial.smallest_passing_count(5, share),
        lambda: binomial.largest_passing_count(5, share),
        lambda: binomial.cases_needed(share, 0),
        lambda: binomial.shows(1, 2, share),
        lambda: binomial.power(5, 0.5, share),
        lambda: binomial.power(5, share, 0.5),
        lambda: binomial.stable_cases_for_power(share, 0.6),
        lambda: binomial.stable_cases_for_power(0.5, share),
        lambda: binomial.about_more(3, 5, share),
    ):
        with pytest.raises(ValueError, match="a share must lie in 0 to 1"):
            ask()


def test_negative_misses_are_refused() -> None:
    with pytest.raises(ValueError, match="misses"):
        binomial.cases_needed(0.9, -1)
