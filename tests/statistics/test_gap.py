"""Gaps between groups and between variants: decisions by hand, and error rates by simulation."""

from __future__ import annotations

import random

import pytest

from llmops.statistics import binomial, paired, star
from llmops.statistics.gap import Groups, Variants
from llmops.statistics.paired import Difference

ALPHA = 0.05


def group(right: int, of: int) -> tuple[float, ...]:
    return (1.0,) * right + (0.0,) * (of - right)


def signs(more: int, less: int, n: int, seed: int = 1) -> tuple[float, ...]:
    values = [1.0] * more + [-1.0] * less + [0.0] * (n - more - less)
    random.Random(seed).shuffle(values)
    return tuple(values)


def word(*family: paired.Detect) -> list[str]:
    return [found.word for found in paired.decide(family, ALPHA)]


# Groups


def test_groups_pass_by_the_bounds_of_the_best_and_the_worst() -> None:
    high, low = binomial.upper(950, 1000, 0.025), binomial.lower(940, 1000, 0.025)
    assert word(Groups((group(950, 1000), group(940, 1000)), high - low)) == ["passed"]
    assert word(Groups((group(950, 1000), group(940, 1000)), high - low - 1e-6)) == ["undecided"]


def test_groups_fail_when_two_of_them_are_surely_apart() -> None:
    low, high = binomial.lower(950, 1000, 0.0125), binomial.upper(800, 1000, 0.0125)
    two = (group(950, 1000), group(800, 1000))
    assert word(Groups(two, low - high - 1e-9)) == ["failed"]
    assert word(Groups(two, low - high + 1e-9)) == ["undecided"]


def test_in_a_family_groups_fail_at_its_strictest_level() -> None:
    level = ALPHA / 3 / 4  # three gates, two bounds of two groups
    edge = binomial.lower(950, 1000, level) - binomial.upper(800, 1000, level)
    two, others = (group(950, 1000), group(800, 1000)), [Groups((), 0.5)] * 2
    assert word(Groups(two, edge - 1e-9), *others)[0] == "failed"
    assert word(Groups(two, edge + 1e-9), *others)[0] == "undecided"
    assert word(Groups(two, edge + 1e-3))[0] == "failed"


def test_the_worst_of_many_groups_is_not_hidden_by_the_others() -> None:
    many = (group(950, 1000), group(951, 1000), group(500, 1000), group(949, 1000))
    assert word(Groups(many, 0.1)) == ["failed"]


def test_the_order_of_the_groups_means_nothing() -> None:
    first = (group(900, 1000), group(700, 1000), group(800, 900))
    for most in (0.05, 0.1, 0.17, 0.25, 0.3):
        assert word(Groups(first, most)) == word(Groups(first[::-1], most))


@pytest.mark.parametrize("groups", [(), (group(90, 100),), (group(90, 100), ())])
def test_what_cannot_be_compared_is_never_shown_and_counts_in_the_family(
    groups: tuple[tuple[float, ...], ...],
) -> None:
    gap = Groups(groups, 0.9)
    assert gap.p_value(ALPHA, 3) == 1.0
    assert not gap.shown(ALPHA)
    assert gap.observed is None
    assert gap.interval() is None
    assert gap.about_more() is None


@pytest.mark.parametrize("n", [1, 2])
def test_hardly_any_case_shows_nothing(n: int) -> None:
    assert word(Groups((group(n, n), group(n, n)), 0.5)) == ["undecided"]
    assert word(Groups((group(n, n), group(0, n)), 0.1)) == ["undecided"]


def test_scores_are_compared_by_their_bets() -> None:
    high, low = tuple([0.9, 0.8] * 1000), tuple([0.3, 0.2] * 1000)
    assert word(Groups((high, low), 0.3, binary=False)) == ["failed"]
    assert word(Groups((high, high), 0.1, binary=False)) == ["passed"]
    assert word(Groups((high, low), 0.6, binary=False)) == ["undecided"]


def test_an_undecided_gap_says_about_how_many_more_and_so_many_decide() -> None:
    gap = Groups((group(180, 200), group(178, 200)), 0.05)
    more = gap.about_more()
    assert more is not None
    factor = (400 + more) / 400
    grown = Groups((group(round(180 * factor), round(200 * factor)),
                    group(round(178 * factor), round(200 * factor))), 0.05)  # fmt: skip
    assert word(gap) == ["undecided"]
    assert word(grown) == ["passed"]
    assert Groups((group(180, 200), group(160, 200)), 0.05).about_more() is None


def test_the_interval_of_a_gap_holds_the_observed_one() -> None:
    gap = Groups((group(900, 1000), group(700, 1000), group(800, 1000)), 0.1)
    assert gap.observed is not None
    found = gap.interval()
    assert found is not None
    assert 0.1 < found[0] < gap.observed < found[1] < 0.3


def rate_is_at_most(wrong: int, of: int, nominal: float) -> None:
    """The house's rule for simulations: 99 % lower bound, and 1.2 times the nominal rate."""
    assert binomial.lower(wrong, of, 0.01) <= nominal
    assert wrong / of <= 1.2 * nominal


def drawn(dice: random.Random, share: float, n: int) -> tuple[float, ...]:
    return group(sum(dice.random() < share for _ in range(n)), n)


def test_a_gap_at_its_limit_passes_wrongly_at_most_at_alpha() -> None:
    dice, of = random.Random(4), 800
    for shares in ((0.95, 0.85), (0.95, 0.9, 0.85), (0.55, 0.45)):
        found = [
            Groups(tuple(drawn(dice, s, 300) for s in shares), 0.1).shown(ALPHA) for _ in range(of)
        ]
        rate_is_at_most(sum(found), of, ALPHA)


def test_gaps_at_their_limit_fail_wrongly_at_most_at_alpha() -> None:
    dice, of = random.Random(5), 500
    for shares in ((0.95, 0.85), (0.9, 0.85, 0.85, 0.8, 0.9, 0.8)):
        wrong = 0
        for _ in range(of):
            gap = Groups(tuple(drawn(dice, s, 200) for s in shares), 0.1)
            wrong += word(gap)[0] == "failed"
        rate_is_at_most(wrong, of, ALPHA)


# Variants


def test_the_same_answers_to_both_variants_pass() -> None:
    assert word(Variants(signs(0, 0, 400), 0.05)) == ["passed"]


def test_a_variant_that_is_treated_worse_fails_whichever_it_is() -> None:
    assert word(Variants(signs(0, 200, 1000), 0.05)) == ["failed"]
    assert word(Variants(signs(200, 0, 1000), 0.05)) == ["failed"]


def test_two_sides_are_looked_at_so_p_is_twice_the_smaller() -> None:
    values = signs(40, 20, 600)
    gap = Variants(values, 0.01)
    sides = [
        star.p_value_at_least(xs, -0.01, -1.0, 1.0, ALPHA, 2 * 3)
        for xs in (values, tuple(-v for v in values))
    ]
    assert gap.p_value(ALPHA, 3) == pytest.approx(2 * min(sides))
    assert 0 < gap.p_value(ALPHA, 3) < 1


def test_errors_on_either_side_are_no_gap() -> None:
    assert word(Variants(signs(40, 40, 3000), 0.05)) == ["passed"]


def test_few_pairs_are_undecided_and_say_how_many_more() -> None:
    found = paired.decide([Variants(signs(3, 3, 60), 0.05)], ALPHA)[0]
    assert found.word == "undecided"
    assert found.about_more is not None
    assert found.about_more > 0
    assert Variants(signs(30, 0, 100), 0.05).about_more() is None


def test_no_pair_shows_nothing() -> None:
    assert word(Variants((), 0.05)) == ["undecided"]
    assert Variants((), 0.05).p_value(ALPHA, 2) == 1.0
    assert Variants((), 0.05).about_more() is None


def test_variants_at_the_limit_are_wrongly_passed_or_failed_at_most_at_alpha() -> None:
    dice, of = random.Random(6), 600
    passed = failed = 0
    for _ in range(of):
        values = tuple(
            1.0 if (u := dice.random()) < 0.15 else -1.0 if u < 0.2 else 0.0 for _ in range(300)
        )
        found = word(Variants(values, 0.1))[0]
        passed += found == "passed"
        failed += found == "failed"
    rate_is_at_most(passed, of, ALPHA)
    rate_is_at_most(failed, of, ALPHA)


# Together


def test_gaps_and_regressions_share_one_correction() -> None:
    worse = Difference(signs(0, 12, 300), 0.02)
    assert word(worse) == ["failed"]
    silent = Groups((group(90, 100), group(90, 100)), 0.5)
    assert word(worse, silent, silent, silent)[0] == "undecided"


def test_a_family_of_gaps_without_a_gap_fails_anywhere_at_most_at_alpha() -> None:
    dice, of = random.Random(7), 250
    wrong = 0
    for _ in range(of):
        family = [Groups((drawn(dice, 0.9, 200), drawn(dice, 0.8, 200)), 0.1) for _ in range(5)]
        wrong += "failed" in word(*family)
    rate_is_at_most(wrong, of, ALPHA)
