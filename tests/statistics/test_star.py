"""STaR-Bets: an independent slow version, the laws of its bounds, and its error rates."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.statistics import binomial, star

law = settings(deadline=None, derandomize=True, max_examples=80)
scores = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=120)
means = st.floats(0.001, 0.999)
levels = st.floats(0.001, 0.5)
LEVEL = math.log(1 / 0.05)


def slow_log_wealths(xs: Sequence[float], m: float, a: float, b: float, target: float) -> float:
    """The largest log wealth, each step from scratch, by the published formulas."""
    n, w = len(xs), b - a
    ys = [(x - a) / w for x in xs]
    mm = (m - a) / w
    wealth, found = 0.0, [0.0]
    for t in range(n):
        mean_after = [(0.5 + math.fsum(ys[: i + 1])) / (i + 2) for i in range(t)]
        squares = math.fsum((y - mean) ** 2 for y, mean in zip(ys, mean_after, strict=False))
        variance = (0.25 + squares) / (t + 1)
        bet = min(math.sqrt(2 * (target - wealth) / ((n - t) * variance)), 0.99 / mm)
        wealth += math.log(1 + bet * (ys[t] - mm))
        found.append(wealth)
        if wealth >= target:
            break
    return max(found)


def random_scores(chance: random.Random, n: int, a: float, b: float) -> list[float]:
    power = chance.choice([0.1, 0.5, 1, 3, 10])
    return [a + (b - a) * chance.random() ** power for _ in range(n)]


def test_it_agrees_with_an_independent_slow_version() -> None:
    chance = random.Random(1)
    rejected = 0
    for _ in range(2000):
        a = chance.choice([0.0, -1.0, chance.uniform(-5, 5)])
        b = a + chance.choice([1.0, 2.0, chance.uniform(0.1, 9)])
        xs = random_scores(chance, chance.randint(1, 40), a, b)
        m, target = a + (b - a) * chance.uniform(0.01, 1.1), chance.uniform(0.5, 8)
        expected = slow_log_wealths(xs, m, a, b, target)
        assert star.star_log_wealth(xs, m, a, b, target) == pytest.approx(expected, abs=1e-6)
        rejected += star.rejects_at_most(xs, m, a, b, math.exp(-target))
        assert star.rejects_at_most(xs, m, a, b, math.exp(-target)) == (expected >= target)
    assert 300 < rejected < 1700


def test_the_upper_side_is_the_lower_side_of_mirrored_values() -> None:
    chance = random.Random(2)
    for _ in range(500):
        a, b = -2.0, 3.0
        xs = random_scores(chance, chance.randint(1, 40), a, b)
        m = chance.uniform(a, b)
        mirrored = [min(max(a + b - x, a), b) for x in xs]
        assert star.rejects_at_least(xs, m, a, b) == star.rejects_at_most(mirrored, a + b - m, a, b)
        p = star.p_value_at_least(xs, m, a, b, 0.05, 31)
        slow = slow_log_wealths(mirrored, a + b - m, a, b, math.log(31 / 0.05))
        assert p == pytest.approx(math.exp(-slow), rel=1e-5)


def test_200_perfect_scores_show_more_than_0_9847() -> None:
    assert round(star.lower_bound([1.0] * 200, 0.0, 1.0, 0.05), 4) == 0.9847
    assert round(star.upper_bound([0.0] * 200, 0.0, 1.0, 0.05), 4) == 0.0153
    assert star.rejects_at_most([1.0] * 200, 0.984, 0, 1)
    assert not star.rejects_at_most([1.0] * 200, 0.985, 0, 1)


def test_it_is_6_to_12_percent_wider_than_t_at_1000_cases() -> None:
    chance = random.Random(3)
    ratios = []
    for _ in range(30):
        xs = [chance.betavariate(6, 3) for _ in range(1000)]
        mean = math.fsum(xs) / 1000
        sd = math.sqrt(math.fsum((x - mean) ** 2 for x in xs) / 999)
        ratios.append((mean - star.lower_bound(xs, 0, 1, 0.05)) / (1.6464 * sd / math.sqrt(1000)))
    assert 1.04 < math.fsum(ratios) / 30 < 1.14


def test_order_is_dice_for_a_betting_bound() -> None:
    """Over 300 orders of the same 200 cases, a standard deviation of about 0.0097."""
    chance = random.Random(4)
    xs = [float(i < 170) for i in range(200)]
    bounds = []
    for _ in range(300):
        chance.shuffle(xs)
        bounds.append(star.lower_bound(xs, 0, 1, 0.05))
    mean = math.fsum(bounds) / 300
    assert 0.005 < math.sqrt(math.fsum((b - mean) ** 2 for b in bounds) / 299) < 0.02


# Laws


@law
@given(scores, means, means, levels)
def test_refuting_a_mean_refutes_every_smaller_one(
    xs: list[float], a: float, b: float, alpha: float
) -> None:
    small, large = sorted((a, b))
    low = star.star_log_wealth(xs, large, 0, 1, -math.log(alpha))
    high = star.star_log_wealth(xs, small, 0, 1, -math.log(alpha))
    assert high >= low - 1e-9 or high >= -math.log(alpha)
    assert star.rejects_at_most(xs, small, 0, 1, alpha) or not star.rejects_at_most(
        xs, large, 0, 1, alpha
    )


@law
@given(scores, levels)
def test_every_grid_point_up_to_the_bound_is_refuted_and_the_next_is_not(
    xs: list[float], alpha: float
) -> None:
    bound = round(star.lower_bound(xs, 0, 1, alpha) * 10**6)
    near = range(max(1, bound - 20), bound + 1)
    far = range(1, bound + 1, max(1, bound // 50))
    assert all(star.rejects_at_most(xs, i / 10**6, 0, 1, alpha) for i in [*near, *far])
    assert not star.rejects_at_most(xs, (bound + 1) / 10**6, 0, 1, alpha)


@law
@given(
    st.lists(st.sampled_from([0.0, 0.25, 1.0]) | st.floats(0, 1), max_size=40),
    st.floats(1e-12, 0.999),
    st.sampled_from([0.0, -2.5e-4, 3.0]),
)
def test_bounds_are_those_of_a_plain_walk_over_the_whole_grid(
    shares: list[float], alpha: float, low: float
) -> None:
    high = low + 6e-4
    xs = [min(max(low + share * (high - low), low), high) for share in shares]
    grid = [i / star.GRID for i in range(round(low * star.GRID) + 1, round(high * star.GRID) + 1)]
    below, above = low, high
    for m in grid:
        if m <= high and star.rejects_at_most(xs, m, low, high, alpha):
            below = m
    for m in reversed([low, *grid]):
        if low <= m < high and star.rejects_at_least(xs, m, low, high, alpha):
            above = m
    assert star.lower_bound(xs, low, high, alpha) == below
    assert star.upper_bound(xs, low, high, alpha) == above


@pytest.mark.parametrize("alpha", [5e-324, 1e-300, 1e-9, 0.5, 1 - 1e-16])
def test_bounds_at_the_most_extreme_levels(alpha: float) -> None:
    for xs in ([1.0] * 50, [0.0] * 50, [0.5], [0.1, 0.9] * 30):
        low, high = star.lower_bound(xs, 0, 1, alpha), star.upper_bound(xs, 0, 1, alpha)
        assert 0 <= low <= high <= 1 or alpha > 0.5
        assert not star.rejects_at_most(xs, round(low * 10**6 + 1) / 10**6, 0, 1, alpha)


@law
@given(scores, levels)
def test_bounds_lie_inside_the_range_on_the_grid_and_never_beyond_every_value(
    xs: list[float], alpha: float
) -> None:
    low, high = star.lower_bound(xs, 0, 1, alpha), star.upper_bound(xs, 0, 1, alpha)
    assert 0 <= low <= max(xs)
    assert min(xs) <= high <= 1
    assert (low, high) == (round(low, 6), round(high, 6))


@law
@given(scores, levels, levels)
def test_a_stricter_level_gives_a_wider_bound(xs: list[float], a: float, b: float) -> None:
    strict, lax = sorted((a, b))
    assert star.lower_bound(xs, 0, 1, strict) <= star.lower_bound(xs, 0, 1, lax)


@law
@given(scores, means, levels)
def test_the_verdict_and_the_printed_bound_agree(
    xs: list[float], threshold: float, alpha: float
) -> None:
    t = max(round(threshold, 6), 1e-6)
    low, high = star.lower_bound(xs, 0, 1, alpha), star.upper_bound(xs, 0, 1, alpha)
    assert (low >= t) == star.rejects_at_most(xs, t, 0, 1, alpha)
    assert (high <= t) == star.rejects_at_least(xs, t, 0, 1, alpha)


@law
@given(scores, means, st.floats(-100, 100), st.floats(0.1, 100))
def test_shift_and_scale_change_nothing(
    xs: list[float], m: float, shift: float, scale: float
) -> None:
    moved = [min(max(shift + scale * x, shift), shift + scale) for x in xs]
    there = star.star_log_wealth(moved, shift + scale * m, shift, shift + scale, LEVEL)
    here = star.star_log_wealth(xs, m, 0, 1, LEVEL)
    assert there == pytest.approx(here, abs=1e-5) or min(there, here) > LEVEL - 1e-5


@law
@given(scores, means, st.integers(1, 40))
def test_holm_s_first_step_is_the_test_at_alpha_over_family(
    xs: list[float], m: float, family: int
) -> None:
    p = star.p_value_at_least(xs, m, 0, 1, 0.05, family)
    assert 0 < p <= 1
    assert (p * family <= 0.05) == star.rejects_at_least(xs, m, 0, 1, 0.05 / family)


# Error rates


def too_often(wrong: int, runs: int, nominal: float) -> bool:
    """Whether errors are shown to be above nominal, or are above it by a fifth."""
    return binomial.lower(wrong, runs, 0.01) > nominal or wrong / runs > 1.2 * nominal


Draw = Callable[[random.Random], float]
POPULATIONS: dict[str, tuple[Draw, float]] = {
    "rare misses": (lambda r: float(r.random() < 0.97), 0.97),
    "rare hits": (lambda r: float(r.random() < 0.03), 0.03),
    "skewed": (lambda r: r.random() ** 12, 1 / 13),
    "skewed up": (lambda r: 1 - r.random() ** 12, 12 / 13),
    "flat": (lambda r: r.random(), 0.5),
    "constant": (lambda r: 0.7, 0.7),
}


def errors(name: str, n: int, runs: int, seed: int) -> tuple[int, int]:
    draw, mean = POPULATIONS[name]
    chance = random.Random(seed)
    below = above = 0
    for _ in range(runs):
        xs = [draw(chance) for _ in range(n)]
        below += star.rejects_at_most(xs, mean, 0, 1)
        above += star.rejects_at_least(xs, mean, 0, 1)
    return below, above


@pytest.mark.parametrize("name", POPULATIONS)
def test_a_true_mean_is_refuted_with_at_most_alpha(name: str) -> None:
    for wrong in errors(name, 60, 1500, 7):
        assert not too_often(wrong, 1500, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 200, 1000])
@pytest.mark.parametrize("name", POPULATIONS)
def test_a_true_mean_is_refuted_with_at_most_alpha_in_long_runs(name: str, n: int) -> None:
    runs = 4_000_000 // (n + 200)
    for wrong in errors(name, n, runs, n):
        assert not too_often(wrong, runs, 0.05)


def test_the_same_check_catches_the_normal_approximation() -> None:
    chance, wrong = random.Random(8), 0
    for _ in range(1500):
        xs = [chance.random() < 0.97 for _ in range(60)]
        mean = sum(xs) / 60
        wrong += mean - 1.645 * math.sqrt(mean * (1 - mean) / 59) > 0.97
    assert too_often(wrong, 1500, 0.05)


# Edges


def test_no_data_refutes_nothing() -> None:
    assert not star.rejects_at_most([], 0.5, 0, 1)
    assert not star.rejects_at_most([], -0.5, 0, 1)
    assert not star.rejects_at_least([], 1.5, 0, 1)
    assert star.p_value_at_least([], 0.5, 0, 1) == 1
    assert (star.lower_bound([], 0, 1), star.upper_bound([], 0, 1)) == (0, 1)


def test_a_mean_outside_the_range_is_refuted_and_its_end_never() -> None:
    xs = [1.0] * 500
    assert star.rejects_at_most(xs, -0.001, 0, 1)
    assert not star.rejects_at_most(xs, 0.0, 0, 1)
    assert not star.rejects_at_most(xs, 1.5, 0, 1)
    assert star.rejects_at_least([0.0], 1.001, 0, 1)
    assert not star.rejects_at_least([0.0] * 500, 1.0, 0, 1)
    assert star.p_value_at_least([0.0], 1.001, 0, 1) == 0


def test_reaching_the_target_within_rounding_is_not_enough() -> None:
    """One case whose gain is the target but for rounding: that alone must not refute."""
    for alpha, refuted in [((1 + 1e-8) / 1.99, True), ((1 + 1e-12) / 1.99, False)]:
        assert star.star_log_wealth([1.0], 0.5, 0, 1, -math.log(alpha)) >= -math.log(alpha)
        assert star.rejects_at_most([1.0], 0.5, 0, 1, alpha) is refuted
        assert star.rejects_at_least([0.0], 0.5, 0, 1, alpha) is refuted


def test_the_grid_begins_right_above_the_range_and_ends_with_it() -> None:
    assert star.lower_bound([2e-6] * 200, 0, 4e-6) == 1e-6
    assert star.upper_bound([2e-6] * 200, 0, 4e-6) == 3e-6
    assert star.lower_bound([1.0] * 10**4, 0.999, 1.0) > 0.99999


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.0000001, -0.0000001])
def test_a_value_outside_the_range_is_refused_and_named(bad: float) -> None:
    asks: list[Callable[[list[float]], object]] = [
        lambda xs: star.star_log_wealth(xs, 0.5, 0, 1, 3),
        lambda xs: star.rejects_at_most(xs, 0.5, 0, 1),
        lambda xs: star.rejects_at_least(xs, 0.5, 0, 1),
        lambda xs: star.p_value_at_least(xs, 0.5, 0, 1),
        lambda xs: star.lower_bound(xs, 0, 1),
        lambda xs: star.upper_bound(xs, 0, 1),
    ]
    for ask in asks:
        with pytest.raises(ValueError, match=f"value 2 is {bad}, outside 0 to 1"):
            ask([0.5, 1.0, bad])


def test_ranges_levels_and_means_without_meaning_are_refused() -> None:
    for low, high in [(1, 0), (0, 0), (0, math.inf), (math.nan, 1), (-1.7e308, 1.7e308)]:
        with pytest.raises(ValueError, match="no range of values"):
            star.lower_bound([], low, high)
    for alpha in (0, 1, -1, math.nan):
        with pytest.raises(ValueError, match="alpha"):
            star.rejects_at_most([0.5], 0.5, 0, 1, alpha)
        with pytest.raises(ValueError, match="alpha"):
            star.upper_bound([0.5], 0, 1, alpha)
    for m in (math.nan, math.inf):
        with pytest.raises(ValueError, match="compared"):
            star.rejects_at_least([0.5], m, 0, 1)
    for target in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="target"):
            star.star_log_wealth([0.5], 0.5, 0, 1, target)
    with pytest.raises(ValueError, match="family"):
        star.p_value_at_least([0.5], 0.5, 0, 1, 0.05, 0)


def test_wide_and_narrow_ranges_keep_their_bounds_inside() -> None:
    chance = random.Random(9)
    for low, high in [(0.0, 60_000.0), (-1e9, 1e9), (0.0, 1e-7), (0.1, 0.3), (1e12, 1e12 + 1)]:
        xs = [min(max(low + (high - low) * chance.random(), low), high) for _ in range(200)]
        mean = math.fsum(xs) / 200
        assert low <= star.lower_bound(xs, low, high) <= mean <= star.upper_bound(xs, low, high)
        assert star.upper_bound(xs, low, high) <= high
