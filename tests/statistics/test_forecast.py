"""Forecasts for means and differences: against simulated power, their laws, bad input."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llmops.statistics import forecast, paired, star
from llmops.statistics.forecast import Scale, Spread

law = settings(deadline=None, derandomize=True, max_examples=80)
levels = st.floats(0.001, 0.3)
Draw = Callable[[np.random.Generator, int], "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"]


def simulated_power(draw: Draw, n: int, m: float, alpha: float, runs: int = 2000) -> float:
    """How often n cases in [0, 1] refute "the mean is at most m": the test itself, many at once."""
    rng, target = np.random.default_rng(1), -math.log(alpha)
    wealth, s, s2 = np.zeros(runs), np.full(runs, 0.5), np.full(runs, 0.25)
    best, v = np.zeros(runs), np.full(runs, 0.25)
    for t in range(n):
        y = draw(rng, runs)
        room = np.maximum(target - wealth, 0.0)
        bet = np.minimum(np.sqrt(2 * room / ((n - t) * v)), 0.99 / m)
        wealth = np.where(best < target, wealth + np.log1p(bet * (y - m)), wealth)
        best = np.maximum(best, wealth)
        s += y
        s2 += (y - s / (t + 2)) ** 2
        v = s2 / (t + 2)
    return float((best >= target).mean())


POPULATIONS: dict[str, tuple[Draw, float]] = {
    "rare misses": (lambda r, k: (r.random(k) < 0.97).astype(float), 0.97),
    "misses": (lambda r, k: (r.random(k) < 0.8).astype(float), 0.8),
    "coin": (lambda r, k: (r.random(k) < 0.5).astype(float), 0.5),
    "rare hits": (lambda r, k: (r.random(k) < 0.1).astype(float), 0.1),
    "flat": (lambda r, k: r.random(k), 0.5),
    "skewed up": (lambda r, k: r.beta(9, 1, k), 0.9),
    "skewed down": (lambda r, k: r.beta(1, 9, k), 0.1),
    "constant": (lambda r, k: np.full(k, 0.9), 0.9),
    "pairs": (lambda r, k: np.where(r.random(k) < 0.02, 1.0 * (r.random(k) < 0.5), 0.5), 0.5),
}


@pytest.mark.parametrize("gap", [0.05, 0.09])
@pytest.mark.parametrize("name", POPULATIONS)
def test_the_forecast_cases_suffice_and_are_not_far_too_many(name: str, gap: float) -> None:
    """At most 5 % too few; at most twice as many."""
    draw, mean = POPULATIONS[name]
    lies = forecast.spread(draw(np.random.default_rng(2), 100_000).tolist())
    for alpha, power in ((0.05, 0.9), (0.0125, 0.8)):
        n = forecast.cases_for_mean(mean, Scale(mean - gap, 0, 1), lies, power, alpha)
        assert n is not None
        assert simulated_power(draw, math.ceil(1.05 * n), mean - gap, alpha) >= power
        assert simulated_power(draw, math.floor(0.45 * n), mean - gap, alpha) < power


def test_large_forecasts_are_close() -> None:
    """Within 15 % where thousands are needed."""
    draw, mean = POPULATIONS["misses"]
    n = forecast.cases_for_mean(mean, Scale(0.77, 0, 1), Spread(0.16))
    assert n is not None
    assert n > 1700
    assert simulated_power(draw, math.ceil(1.02 * n), 0.77, 0.05) >= 0.9
    assert simulated_power(draw, math.floor(n / 1.15), 0.77, 0.05) < 0.9


@pytest.mark.parametrize(("discordance", "margin"), [(0.1, 0.05), (0.02, 0.04), (0.3, 0.08)])
def test_the_forecast_difference_passes_so_often(discordance: float, margin: float) -> None:
    for n in (150, 600, 1500):
        difference = forecast.difference_for_power(n, discordance, margin)
        if difference is None or difference > discordance:
            continue
        up = (discordance + difference) / 2

        def draw(
            rng: np.random.Generator, k: int, up: float = up
        ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
            u = rng.random(k)
            return np.where(u < up, 1.0, np.where(u < discordance, 0.0, 0.5))

        assert simulated_power(draw, n, (1 - margin) / 2, 0.05) >= 0.78


# Laws


@law
@given(st.floats(0.02, 0.98), st.floats(0, 1), st.integers(1, 5000), levels)
def test_the_forecast_mean_is_the_first_for_which_so_many_cases_do(
    threshold: float, share: float, n: int, alpha: float
) -> None:
    scale, lies = Scale(threshold, 0, 1), Spread(share * 0.25)
    mean = forecast.mean_for_power(n, scale, lies, 0.8, alpha)
    if mean is None:
        needed = forecast.cases_for_mean(1.0, scale, lies, 0.8, alpha)
        assert needed is None or needed > n
        return
    needed = forecast.cases_for_mean(mean, scale, lies, 0.8, alpha)
    assert needed is not None
    assert needed <= n
    nearer = threshold + (mean - threshold) * (1 - 1e-6)
    needed = forecast.cases_for_mean(nearer, scale, lies, 0.8, alpha)
    assert needed is None or needed >= n


@law
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0, 0.25), st.floats(-0.9, 0.9))
def test_at_most_is_the_mirror_of_at_least(
    threshold: float, mean: float, variance: float, lean: float
) -> None:
    for one, other in ((lean, -lean), (None, None)):
        here = forecast.cases_for_mean(mean, Scale(threshold, 0, 1), Spread(variance, one))
        mirrored = Scale(-threshold, -1, 0, "max")
        there = forecast.cases_for_mean(-mean, mirrored, Spread(variance, other))
        assert here == there


@law
@given(st.floats(0.1, 100), st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0, 0.2))
def test_the_unit_changes_nothing(unit: float, threshold: float, mean: float, v: float) -> None:
    assume(abs(mean - threshold) > 1e-4)
    here = forecast.cases_for_mean(mean, Scale(threshold, 0, 1), Spread(v))
    scale = Scale(unit * threshold, 0, unit)
    there = forecast.cases_for_mean(unit * mean, scale, Spread(unit * unit * v))
    assert (here is None) == (there is None)
    assert here is None or there == pytest.approx(here, rel=1e-9, abs=1)


@law
@given(st.floats(0.5, 0.9), st.floats(0.01, 0.2), st.floats(0, 0.2), levels, levels)
def test_more_spread_a_smaller_gap_or_a_stricter_level_need_no_fewer(
    threshold: float, gap: float, variance: float, a: float, b: float
) -> None:
    strict, lax = sorted((a, b))
    scale, mean = Scale(threshold, 0, 1), min(threshold + gap, 1.0)

    def needed(mean: float, spread: Spread, alpha: float) -> int:
        found = forecast.cases_for_mean(mean, scale, spread, 0.9, alpha)
        assert found is not None
        return found

    known = Spread(variance, 0.0)
    assert needed(mean, known, strict) >= needed(mean, known, lax)
    assert needed(mean, Spread(variance + 0.05, 0.0), lax) >= needed(mean, known, lax)
    assert needed(threshold + gap / 2, known, lax) >= needed(mean, known, lax)
    assert needed(mean, Spread(variance), lax) >= needed(mean, known, lax)


@law
@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0.05, 0.95), st.booleans())
def test_about_more_is_none_on_the_wrong_side_and_nothing_when_shown(
    xs: list[float], threshold: float, least: bool
) -> None:
    scale = Scale(threshold, 0, 1, "min" if least else "max")
    more = forecast.about_more(xs, scale)
    refutes = star.rejects_at_most if least else star.rejects_at_least
    mean = math.fsum(xs) / len(xs) if xs else None
    if refutes(xs, threshold, 0, 1):
        assert more == 0
    elif mean is None or (mean <= threshold if least else mean >= threshold):
        assert more is None
    elif abs(mean - threshold) > 1e-6:
        half_way = (mean + threshold) / 2
        needed = forecast.cases_for_mean(half_way, scale, forecast.spread(xs))
        assert needed is not None
        assert more == max(needed - len(xs), 1)


def test_a_later_attempt_needs_more_cases() -> None:
    chance = random.Random(3)
    xs = [min(1.0, chance.random() + 0.3) for _ in range(60)]
    first = forecast.about_more(xs, Scale(0.75, 0, 1), 0.05)
    second = forecast.about_more(xs, Scale(0.75, 0, 1), 0.0125)
    assert first is not None
    assert second is not None
    assert 0 < first < second


@law
@given(st.integers(1, 20_000), st.floats(0, 0.5), st.floats(0, 0.3), levels)
def test_more_pairs_pass_a_difference_that_is_no_better(
    n: int, discordance: float, margin: float, alpha: float
) -> None:
    few = forecast.difference_for_power(n, discordance, margin, 1.0, 0.8, alpha)
    many = forecast.difference_for_power(2 * n, discordance, margin, 1.0, 0.8, alpha)
    if few is not None:
        assert -margin < few <= 1
        assert many is not None
        assert many <= few + 1e-9


def test_an_unchanged_system_passes_at_about_the_cases_for_its_margin() -> None:
    for discordance, margin in ((0.1, 0.02), (0.1, 0.01), (0.3, 0.05)):
        n = paired.cases_for_margin(discordance, margin)
        assert n is not None
        difference = forecast.difference_for_power(n, discordance, margin, power=0.9)
        assert difference == pytest.approx(0.0, abs=0.1 * margin)


# Edges and bad input


def test_no_case_shows_nothing() -> None:
    assert forecast.mean_for_power(0, Scale(0.5, 0, 1), Spread(0.0)) is None
    assert forecast.difference_for_power(0, 0.1, 0.02) is None
    assert forecast.about_more([], Scale(0.5, 0, 1)) is None


def test_equal_scores_have_no_spread_and_a_forecast() -> None:
    assert forecast.spread([0.7]) == Spread(0.0, 0.0)
    assert forecast.spread([0.7] * 9).variance == 0
    more = forecast.about_more([0.9] * 5, Scale(0.8, 0, 1))
    assert more is not None
    assert 50 < more < 80


def test_the_end_of_the_range_can_never_be_exceeded() -> None:
    assert forecast.mean_for_power(10**6, Scale(1.0, 0, 1), Spread(0.0)) is None
    assert forecast.mean_for_power(10**6, Scale(0.0, 0, 1, "max"), Spread(0.0)) is None


def test_input_without_meaning_is_refused() -> None:
    fine = Spread(0.1)
    for low, high in [(1, 0), (0, 0), (0, math.inf), (math.nan, 1)]:
        with pytest.raises(ValueError, match="no range"):
            forecast.cases_for_mean(0.5, Scale(0.5, low, high), fine)
    for threshold in (-0.1, 1.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="the threshold"):
            forecast.about_more([0.5], Scale(threshold, 0, 1))
        with pytest.raises(ValueError, match="the mean"):
            forecast.cases_for_mean(threshold, Scale(0.5, 0, 1), fine)
    for variance in (-0.1, 0.26, math.nan, math.inf):
        with pytest.raises(ValueError, match="no variance of"):
            forecast.mean_for_power(9, Scale(0.5, 0, 1), Spread(variance))
    with pytest.raises(ValueError, match='"min" or "max"'):
        forecast.mean_for_power(9, Scale(0.5, 0, 1, "above"), fine)  # type: ignore[arg-type]
    for rate in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            forecast.reach(rate, 0.05)
        with pytest.raises(ValueError, match="between 0 and 1"):
            forecast.reach(0.8, rate)
    for values in ([], [math.nan], [0.5, math.inf]):
        with pytest.raises(ValueError, match="without a spread"):
            forecast.spread(values)
    with pytest.raises(ValueError, match="value 1 is"):
        forecast.about_more([0.5, math.nan], Scale(0.5, 0, 1))


def test_differences_without_meaning_are_refused() -> None:
    for width in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="width"):
            forecast.difference_for_power(9, 0.1, 0.02, width)
    for margin in (-0.1, 1.1, math.nan, math.inf):
        with pytest.raises(ValueError, match="margin"):
            forecast.difference_for_power(9, 0.1, margin)
    for discordance in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="discordance"):
            forecast.difference_for_power(9, discordance, 0.02)
