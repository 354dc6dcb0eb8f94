"""Differences of the same cases: decisions, sample sizes, error rates, printed intervals."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_oracle

from llmops.statistics import binomial, paired, star
from llmops.statistics.paired import Difference

law = settings(deadline=None, derandomize=True, max_examples=80)
differences = st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=200).map(tuple)


def mixed(better: int, worse: int, n: int, seed: int = 1) -> tuple[float, ...]:
    values = [1.0] * better + [-1.0] * worse + [0.0] * (n - better - worse)
    random.Random(seed).shuffle(values)
    return tuple(values)


# Decisions


def test_unchanged_answers_are_not_worse() -> None:
    (found,) = paired.decide([Difference(mixed(0, 0, 500), 0.02)])
    assert (found.word, found.about_more) == ("passed", None)


def test_a_clear_loss_fails() -> None:
    (found,) = paired.decide([Difference(mixed(5, 300, 1000), 0.02)])
    assert found.word == "failed"
    assert found.adjusted_p <= 0.05


def test_few_cases_are_undecided_and_say_about_how_many_are_missing() -> None:
    (found,) = paired.decide([Difference(mixed(10, 10, 200), 0.02)])
    assert found.word == "undecided"
    assert found.about_more == 2500 - 200


def test_a_mean_at_the_margin_is_undecided_for_ever() -> None:
    (found,) = paired.decide([Difference(mixed(10, 30, 1000), 0.02)])
    assert (found.word, found.about_more) == ("undecided", None)


def test_a_small_loss_within_the_margin_needs_more_than_none() -> None:
    none, loss = paired.decide(
        [Difference(mixed(10, 10, 200), 0.02), Difference(mixed(9, 11, 200), 0.02)]
    )
    assert none.about_more is not None
    assert loss.about_more is not None
    assert loss.about_more > none.about_more


def test_no_data_is_undecided_and_counts_in_the_family() -> None:
    loss = Difference(mixed(20, 36, 400), 0.0)
    alone = paired.decide([loss])[0]
    beside = paired.decide([loss, *[Difference((), 0.02)] * 30])
    assert alone.word == "failed"
    assert (beside[0].word, beside[0].adjusted_p > 0.05) == ("undecided", True)
    assert {(d.word, d.p, d.adjusted_p, d.about_more) for d in beside[1:]} == {
        ("undecided", 1.0, 1.0, None)
    }
    assert paired.decide([]) == ()


def test_what_is_shown_both_ways_is_undecided() -> None:
    (found,) = paired.decide([Difference((1.0,) * 18 + (-1.0,) * 282, 0.0)])
    assert found.adjusted_p <= 0.05
    assert star.rejects_at_most((1.0,) * 18 + (-1.0,) * 282, 0.0, -1, 1)
    assert found.word == "undecided"


def test_passing_is_not_corrected() -> None:
    gate = Difference(mixed(0, 0, 200), 0.02)
    assert {d.word for d in paired.decide([gate] * 31)} == {"passed"}


def test_scores_are_judged_in_their_own_width() -> None:
    chance = random.Random(2)
    values = tuple(chance.uniform(-0.5, 0.5) for _ in range(4000))
    wide = Difference(tuple(10 * v for v in values), 0.5, 10.0)
    narrow = Difference(values, 0.05, 1.0)
    assert [d.word for d in paired.decide([wide, narrow])] == ["passed", "passed"]


@law
@given(differences, st.floats(0, 0.5))
def test_words_follow_from_the_two_tests(values: tuple[float, ...], margin: float) -> None:
    (found,) = paired.decide([Difference(values, margin)])
    shown = star.rejects_at_most(values, -margin, -1, 1, 0.05)
    refuted = star.rejects_at_least(values, -margin, -1, 1, 0.05)
    expected = {(True, False): "passed", (False, True): "failed"}.get((shown, refuted), "undecided")
    assert found.word == expected


@law
@given(differences, st.floats(0, 0.3), st.integers(1, 30))
def test_a_larger_family_fails_no_more(
    values: tuple[float, ...], margin: float, others: int
) -> None:
    gate = Difference(values, margin)
    (alone,) = paired.decide([gate])
    beside = paired.decide([gate, *[Difference((), 0.02)] * others])[0]
    assert beside.p == star.p_value_at_least(values, -margin, -1, 1, 0.05, others + 1)
    assert beside.adjusted_p == min(1, beside.p * (others + 1))
    assert beside.word != "failed" or alone.word == "failed"


# Sample sizes


def test_ten_percent_discordant_needs_2500_for_two_points() -> None:
    assert paired.cases_for_margin(0.1, 0.02) == 2500
    assert paired.cases_for_margin(0.1, 0.01) == pytest.approx(9800, rel=0.03)
    assert paired.cases_for_margin(0.1, 0.0) is None
    assert paired.cases_for_margin(0.0, 1e-300) is None


@pytest.mark.parametrize(("discordance", "margin"), [(0.1, 0.02), (0.3, 0.05), (0.0, 0.05)])
def test_so_many_cases_pass_an_unchanged_system_about_nine_times_in_ten(
    discordance: float, margin: float
) -> None:
    chance, n = random.Random(3), paired.cases_for_margin(discordance, margin)
    assert n is not None
    passed = 0
    for _ in range(120):
        values = tuple(
            chance.choice((-1.0, 1.0)) if chance.random() < discordance else 0.0 for _ in range(n)
        )
        passed += paired.decide([Difference(values, margin)])[0].word == "passed"
    assert binomial.upper(passed, 120, 0.001) >= 0.9
    assert passed / 120 > 0.8


def test_a_stricter_level_needs_more_pairs() -> None:
    assert paired.cases_for_margin(0.1, 0.02, alpha=0.0125) == 3583
    assert paired.cases_for_margin(0.02, 0.02, alpha=0.0125) == 977
    assert paired.cases_for_margin(0.02, 0.02) == 675


def test_without_a_margin_a_gain_must_be_shown_from_half_of_what_was_seen() -> None:
    (found,) = paired.decide([Difference(mixed(12, 8, 200), 0.0)])
    assert (found.word, found.about_more) == ("undecided", 10_000 - 200)


# Error rates


def failed_families(gates: int, n: int, runs: int, seed: int) -> int:
    """Runs in which any gate fails though each is worse by its margin exactly, all correlated."""
    chance, failed = random.Random(seed), 0
    for _ in range(runs):
        family: list[list[float]] = [[] for _ in range(gates)]
        for _ in range(n):
            common = chance.random()
            for values in family:
                u = common if chance.random() < 0.5 else chance.random()
                values.append(-1.0 if u < 0.10 else 1.0 if u > 0.95 else 0.0)
        found = paired.decide([Difference(tuple(v), 0.05) for v in family])
        failed += any(d.word == "failed" for d in found)
    return failed


def test_a_change_at_its_margins_fails_anywhere_with_at_most_alpha() -> None:
    failed = failed_families(8, 60, 500, 4)
    assert binomial.lower(failed, 500, 0.01) <= 0.05
    assert failed / 500 <= 1.2 * 0.05


@pytest.mark.slow
def test_31_gates_at_their_margins_fail_anywhere_with_at_most_alpha() -> None:
    failed = failed_families(31, 300, 1500, 5)
    assert binomial.lower(failed, 1500, 0.01) <= 0.05
    assert failed / 1500 <= 1.2 * 0.05


# Printed only


def oracle_statistic(better: int, worse: int, n: int, delta: float) -> float:
    """The score statistic, its nuisance parameter found by maximising the likelihood."""

    def loss(share_worse: float) -> float:
        cells = (share_worse + delta, share_worse, 1 - 2 * share_worse - delta)
        counts = (better, worse, n - better - worse)
        return -sum(c * math.log(max(p, 1e-300)) for c, p in zip(counts, cells, strict=True) if c)

    low, high = max(0.0, -delta), (1 - delta) / 2
    best = optimize.minimize_scalar(
        loss, bounds=(low, high), method="bounded", options={"xatol": 1e-13}
    ).x
    variance = (2 * best + delta - delta**2) / n
    return ((better - worse) / n - delta) / math.sqrt(variance)


def test_tango_agrees_with_a_numerical_likelihood() -> None:
    chance = random.Random(6)
    for _ in range(60):
        n = chance.randint(10, 400)
        better = chance.randint(1, n // 3)
        worse = chance.randint(1, n // 3)
        low, high = paired.tango(better, worse, n, 0.9)
        z = stats.norm.isf(0.05)
        assert oracle_statistic(better, worse, n, low) == pytest.approx(z, abs=2e-4)
        assert oracle_statistic(better, worse, n, high) == pytest.approx(-z, abs=2e-4)


def test_tango_at_its_edges() -> None:
    z2 = stats.norm.isf(0.025) ** 2
    assert paired.tango(0, 0, 44) == pytest.approx((-z2 / (44 + z2), z2 / (44 + z2)), abs=1e-9)
    assert paired.tango(44, 0, 44)[1] == 1
    assert paired.tango(0, 0, 0) == (-1, 1)


@law
@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 300))
def test_tango_holds_the_difference_and_mirrors(better: int, worse: int, same: int) -> None:
    n = better + worse + same
    low, high = paired.tango(better, worse, n)
    assert -1 <= low <= (better - worse) / n <= high <= 1
    assert paired.tango(worse, better, n) == (-high, -low)
    wide = paired.tango(better, worse, n, 0.99)
    assert wide[0] <= low
    assert high <= wide[1]


def test_mcnemar_agrees_with_statsmodels_on_2000_random_inputs() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        better, worse = int(10 ** chance.uniform(0, 4)) - 1, int(10 ** chance.uniform(0, 4)) - 1
        expected = mcnemar_oracle([[0, better], [worse, 0]], exact=True).pvalue
        if better == worse:
            expected = 1.0
        assert paired.mcnemar(better, worse) == pytest.approx(expected, abs=1e-9)
    assert paired.mcnemar(0, 0) == 1


# Edges


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.5])
def test_values_without_meaning_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="value 1 is"):
        paired.decide([Difference((0.0, bad), 0.02)])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.01])
def test_margins_and_widths_without_meaning_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        paired.decide([Difference((0.0,), bad)])
    with pytest.raises(ValueError, match="width"):
        paired.decide([Difference((0.0,), 0.02, bad)])
    with pytest.raises(ValueError, match="margin"):
        paired.cases_for_margin(0.1, bad)
    with pytest.raises(ValueError, match="discordance"):
        paired.cases_for_margin(bad, 0.02)


def test_levels_and_counts_without_meaning_are_refused() -> None:
    for alpha in (0.0, 1.0, math.nan):
        with pytest.raises(ValueError, match="alpha"):
            paired.decide([Difference((0.0,), 0.02)], alpha)
        with pytest.raises(ValueError, match="confidence"):
            paired.tango(1, 1, 5, alpha)
    for better, worse, n in [(-1, 0, 5), (0, -1, 5), (3, 3, 5)]:
        with pytest.raises(ValueError, match="no counts"):
            paired.tango(better, worse, n)
    with pytest.raises(ValueError, match="no counts"):
        paired.mcnemar(-1, 0)
