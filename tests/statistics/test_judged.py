"""Judges corrected by anchors: the published formula and widths, coverage, laws, bad input."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from llmops.statistics import binomial, judged, star
from llmops.statistics.judged import Expected

law = settings(deadline=None, derandomize=True, max_examples=80)
levels = st.floats(0.001, 0.4)


@st.composite
def counts(draw: st.DrawFn, most: int = 400) -> tuple[int, int]:
    n = draw(st.integers(1, most))
    return draw(st.integers(0, n)), n


@st.composite
def good_counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(20, 300))
    return draw(st.integers(math.ceil(0.8 * n), n)), n


# The published formula


def by_hand(
    k: int, n: int, good: tuple[int, int], bad: tuple[int, int], alpha: float
) -> tuple[float, float] | None:
    """From the sentence in the ground text, with scipy's bounds; None where it is undecidable."""

    def low(k: int, n: int, a: float) -> float:
        return float(stats.beta.ppf(a, k, n - k + 1)) if k else 0.0

    def high(k: int, n: int, a: float) -> float:
        return float(stats.beta.isf(a, k + 1, n - k)) if k < n else 1.0

    se_l, se_u = low(*good, alpha / 4), high(*good, alpha / 4)
    sp_l, sp_u = low(*bad, alpha / 4), high(*bad, alpha / 4)
    p_l, p_u = low(k, n, alpha / 2), high(k, n, alpha / 2)
    if se_l + sp_l <= 1 or p_l > se_u or p_u < 1 - sp_u:
        return None
    below = (p_l + sp_l - 1) / (se_u + sp_l - 1)
    above = (p_u + sp_u - 1) / (se_l + sp_u - 1)
    return max(0.0, min(1.0, below)), max(0.0, min(1.0, above))


def test_bounds_follow_the_formula_on_2000_random_inputs() -> None:
    chance, decided = random.Random(1), 0
    for _ in range(2000):
        n, a, b = chance.randint(1, 3000), chance.randint(1, 300), chance.randint(1, 300)
        good = (min(a, int(a * chance.uniform(0.5, 1.05))), a)
        bad = (min(b, int(b * chance.uniform(0.5, 1.05))), b)
        k, alpha = chance.randint(0, n), chance.choice([0.05, 0.025, 0.2])
        found, expected = judged.binary(k, n, good, bad, alpha), by_hand(k, n, good, bad, alpha)
        assert found.decidable == (expected is not None)
        if expected is None:
            assert (found.lower, found.upper, found.estimate) == (0, 1, None)
            continue
        decided += 1
        assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-9)
        assert found.estimate is not None
        assert found.lower - 1e-9 <= found.estimate <= found.upper + 1e-9
    assert 400 < decided < 1900


def test_a_judge_that_is_always_right_on_many_anchors_costs_little() -> None:
    found = judged.binary(900, 1000, (10**6, 10**6), (10**6, 10**6), 0.05)
    assert found.lower == pytest.approx(binomial.lower(900, 1000, 0.025), abs=1e-4)
    assert found.upper == pytest.approx(binomial.upper(900, 1000, 0.025), abs=1e-4)


def test_a_judge_no_better_than_chance_bounds_nothing() -> None:
    found = judged.binary(900, 1000, (50, 100), (50, 100))
    assert not found.decidable
    assert "better than chance" in found.why
    assert not judged.binary(900, 1000, (0, 0), (100, 100)).decidable
    assert not judged.binary(900, 1000, (100, 100), (0, 0)).decidable


def test_grades_that_contradict_the_anchors_bound_nothing() -> None:
    """Passing nearly all, by a judge that passes 7 of 10 good ones, shows other cases, not 1.0."""
    generous = judged.binary(1000, 1000, (140, 200), (190, 200))
    assert (generous.decidable, generous.lower, generous.upper) == (False, 0.0, 1.0)
    assert "more cases than" in generous.why
    strict = judged.binary(0, 1000, (190, 200), (140, 200))
    assert (strict.decidable, strict.lower, strict.upper) == (False, 0.0, 1.0)
    assert "fewer cases than" in strict.why


# Laws


@law
@given(counts(), good_counts(), good_counts(), levels)
def test_more_passed_cases_never_lower_a_bound(
    pair: tuple[int, int], good: tuple[int, int], bad: tuple[int, int], alpha: float
) -> None:
    k, n = pair
    here = judged.binary(k, n, good, bad, alpha)
    more = judged.binary(min(k + 1, n), n, good, bad, alpha)
    if here.decidable and more.decidable:
        assert here.lower <= more.lower + 1e-12
        assert here.upper <= more.upper + 1e-12


@law
@given(counts(), good_counts(), good_counts(), levels, levels)
def test_a_stricter_level_never_narrows(
    pair: tuple[int, int], good: tuple[int, int], bad: tuple[int, int], a: float, b: float
) -> None:
    strict, lax = sorted((a, b))
    wide, narrow = judged.binary(*pair, good, bad, strict), judged.binary(*pair, good, bad, lax)
    if narrow.decidable and wide.decidable:
        assert wide.lower <= narrow.lower + 1e-12
        assert narrow.upper <= wide.upper + 1e-12


@law
@given(counts(), good_counts(), good_counts(), levels)
def test_bad_answers_are_the_mirror_of_good_ones(
    pair: tuple[int, int], good: tuple[int, int], bad: tuple[int, int], alpha: float
) -> None:
    k, n = pair
    here, there = judged.binary(k, n, good, bad, alpha), judged.binary(n - k, n, bad, good, alpha)
    assert here.decidable == there.decidable
    assert here.lower == pytest.approx(1 - there.upper, abs=1e-9)
    assert here.upper == pytest.approx(1 - there.lower, abs=1e-9)


def wrong_bounds(
    truth: float, se: float, sp: float, anchors: tuple[int, int], runs: int
) -> tuple[int, int]:
    chance, (good, bad) = random.Random(4), anchors
    passed = truth * se + (1 - truth) * (1 - sp)

    def draw(n: int, p: float) -> int:
        return sum(chance.random() < p for _ in range(n))

    below = above = 0
    for _ in range(runs):
        found = judged.binary(draw(300, passed), 300, (draw(good, se), good), (draw(bad, sp), bad))
        below += found.lower > truth
        above += found.upper < truth
    return below, above


@pytest.mark.parametrize(
    ("truth", "se", "sp", "anchors"),
    [(0.9, 0.95, 0.9, (90, 20)), (0.5, 0.8, 0.8, (50, 50)), (0.97, 0.99, 0.7, (150, 15))],
)
def test_each_bound_errs_with_at_most_alpha(
    truth: float, se: float, sp: float, anchors: tuple[int, int]
) -> None:
    for wrong in wrong_bounds(truth, se, sp, anchors, 1000):
        assert binomial.lower(wrong, 1000, 0.01) <= 0.05
        assert wrong / 1000 <= 1.2 * 0.05


# Scores


def test_values_are_block_means_plus_what_people_said_more() -> None:
    found = judged.scores([1.0, 2.0, 3.0, 4.0, 5.0], [(4.0, 3.0), (1.0, 5.0)], 1, 5)
    assert found.values == (1.5 + 1.0, 4.0 - 4.0)
    assert (found.lower, found.upper) == (-3, 9)


@law
@given(
    st.lists(st.floats(0, 1), min_size=6, max_size=40),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=6),
)
def test_every_judged_score_counts_once_and_values_stay_in_their_range(
    scores: list[float], rated: list[tuple[float, float]]
) -> None:
    found = judged.scores(scores, rated, 0, 1)
    assert len(found.values) == len(rated)
    assert all(found.lower <= z <= found.upper for z in found.values)
    if rated and len(scores) % len(rated) == 0:  # equal blocks: the mean is the plain one
        plain = math.fsum(scores) / len(scores)
        more = math.fsum(h - j for h, j in rated) / len(rated)
        assert math.fsum(found.values) / len(rated) == pytest.approx(plain + more, abs=1e-9)


def test_a_biased_judge_of_scores_misses_the_true_mean_with_at_most_alpha() -> None:
    chance, wrong, runs = random.Random(6), [0, 0], 400
    for _ in range(runs):

        def case() -> tuple[float, float]:
            human = chance.random() ** 0.5
            return human, min(1.0, 0.6 * human + 0.4 * chance.random() + 0.1)

        only = [case()[1] for _ in range(400)]
        found = judged.scores(only, [case() for _ in range(80)], 0, 1)
        wrong[0] += star.rejects_at_most(found.values, 2 / 3, found.lower, found.upper)
        wrong[1] += star.rejects_at_least(found.values, 2 / 3, found.lower, found.upper)
    for count in wrong:
        assert binomial.lower(count, runs, 0.01) <= 0.05


# What it costs


def test_people_alone_give_a_half_width_of_0_042_and_a_corrected_judge_0_055_to_0_081() -> None:
    """200 labels at 0.90; a judge of 10,000 cases that is right in 98 % and in 95 % of answers."""
    good = judged.cost_compare(Expected(0.9, 0.98, 0.98), 200, 10_000)
    fair = judged.cost_compare(Expected(0.9, 0.95, 0.95), 200, 10_000)
    assert round(good.human_half_width, 3) == 0.042
    assert round(good.judge_half_width, 3) == 0.055
    assert round(fair.judge_half_width, 3) == 0.081
    assert (good.cheaper, fair.cheaper) == ("human", "human")


def test_human_half_widths_agree_with_statsmodels() -> None:
    for n in (10, 200, 1000):
        found = judged.cost_compare(Expected(0.9, 0.9, 0.9), n, 100)
        low, high = proportion_confint(0.9 * n, n, 0.05, method="wilson")
        assert found.human_half_width == pytest.approx((high - low) / 2, abs=1e-9)


@law
@given(st.floats(0.05, 0.95), st.floats(0.9, 1), st.floats(0.9, 1), st.integers(60, 400))
def test_so_many_labels_give_the_judge_s_width_and_one_less_does_not(
    rate: float, sensitivity: float, specificity: float, anchors: int
) -> None:
    found = judged.cost_compare(Expected(rate, sensitivity, specificity), anchors, 2000)
    if found.labels is None:
        assert (found.cheaper, found.judge_half_width) == ("human", 0.5)
        return
    same = judged.cost_compare(Expected(rate, 1, 1), found.labels, 1)
    assert same.human_half_width <= found.judge_half_width
    if found.labels > 1:
        fewer = judged.cost_compare(Expected(rate, 1, 1), found.labels - 1, 1)
        assert fewer.human_half_width > found.judge_half_width


def test_a_judge_is_cheaper_where_the_anchors_cost_less_than_the_labels_that_they_replace() -> None:
    """With few anchors nothing replaces them, however dear; with a free perfect judge they do."""
    perfect = judged.cost_compare(Expected(0.5, 1, 1), 2000, 10**6, label_cost=2.0)
    assert perfect.labels is not None
    assert perfect.labels > 2000
    assert (perfect.cheaper, perfect.judge_cost) == ("judge", 4000)
    dear = judged.cost_compare(Expected(0.5, 1, 1), 2000, 10**6, label_cost=2.0, judgement_cost=0.5)
    assert (dear.cheaper, dear.human_cost) == ("human", 2.0 * perfect.labels)
    assert dear.judge_cost == 4000 + 0.5 * 10**6
    assert judged.Compared(0.04, 0.04, 200, 200.0, 200.0).cheaper == "human"  # a tie


# Bad input


def test_counts_and_levels_without_meaning_are_refused() -> None:
    for k, n, good, bad in [
        (2, 1, (1, 1), (1, 1)), (1, 1, (2, 1), (1, 1)), (1, 1, (1, 1), (-1, 1)),
        (math.nan, 5, (1, 1), (1, 1)),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match="no count of cases"):
            judged.binary(k, n, good, bad)  # type: ignore[arg-type]
    for alpha in (0.0, 1.0, 2.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="between 0 and 1"):
            judged.binary(1, 2, (1, 1), (1, 1), alpha)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, 1.1])
def test_scores_outside_the_range_are_refused_and_named(bad: float) -> None:
    with pytest.raises(ValueError, match=f"score 1 is {bad}, outside 0 to 1"):
        judged.scores([0.5, bad], [(0.5, 0.5)], 0, 1)
    with pytest.raises(ValueError, match=f"human rating 0 is {bad}"):
        judged.scores([0.5], [(bad, 0.5)], 0, 1)
    with pytest.raises(ValueError, match=f"judge's rating 0 is {bad}"):
        judged.scores([0.5], [(0.5, bad)], 0, 1)


def test_no_range_and_too_few_judged_scores_are_refused() -> None:
    for low, high in [(1, 0), (0, 0), (math.nan, 1), (0, math.inf)]:
        with pytest.raises(ValueError, match="no range"):
            judged.scores([], [], low, high)
    with pytest.raises(ValueError, match="a block of its own"):
        judged.scores([0.5], [(0.5, 0.5), (0.5, 0.5)], 0, 1)
    assert judged.scores([0.5], [], 0, 1).values == ()


def test_comparisons_without_meaning_are_refused() -> None:
    expected = Expected(0.9, 0.9, 0.9)
    for anchors, cases in [(0, 10), (10, 0), (-1, 10)]:
        with pytest.raises(ValueError, match="compare nothing"):
            judged.cost_compare(expected, anchors, cases)
    for share in (-0.1, 1.1, math.nan):
        for wrong in (Expected(share, 1, 1), Expected(1, share, 1), Expected(1, 1, share)):
            with pytest.raises(ValueError, match="a share must lie in 0 to 1"):
                judged.cost_compare(wrong, 10, 10)
    for cost in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="a cost"):
            judged.cost_compare(expected, 10, 10, label_cost=cost)
        with pytest.raises(ValueError, match="a cost"):
            judged.cost_compare(expected, 10, 10, judgement_cost=cost)
    for confidence in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="between 0 and 1"):
            judged.cost_compare(expected, 10, 10, confidence)


def test_labels_for_a_half_width_are_the_fewest_that_give_it() -> None:
    """Wilson's interval, written out here: 200 labels give 0.042 at 0.90."""

    def half(n: int) -> float:
        z2 = 1.959963984540054**2
        return math.sqrt(z2 * (0.09 / n + z2 / (4 * n * n))) / (1 + z2 / n)

    for width in (0.3, 0.1, 0.042, 0.01):
        labels = judged.labels_for(0.9, width)
        assert half(labels) <= width
        assert labels == 1 or half(labels - 1) > width
    assert 195 <= judged.labels_for(0.9, 0.042) <= 205


@pytest.mark.parametrize(("rate", "width"), [(1.1, 0.1), (-0.1, 0.1), (math.nan, 0.1), (0.5, 0)])
def test_labels_for_nothing_are_a_mistake(rate: float, width: float) -> None:
    with pytest.raises(ValueError, match="half width"):
        judged.labels_for(rate, width)
