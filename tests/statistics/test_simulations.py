"""Simulated error rates against what is promised, and the simulated bets against the real ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import numpy as np
import pytest

from llmops.statistics import holm, star
from tests.benchmarks import errors
from tests.statistics import simulations
from tests.statistics.simulations import Power, Rate

ERRORS: dict[str, Callable[[], Iterable[Rate]]] = {
    "coverage": simulations.coverage,
    "coverage of shares": simulations.coverage_of_shares,
    "detect gates": simulations.detect_gates,
    "detect gates beside bad ones": lambda: [simulations.detect_gates_beside_bad_ones()],
    "twenty edits": simulations.twenty_edits,
    "added cases": simulations.added_cases,
    "borderline scores": simulations.borderline_scores,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ERRORS)
def test_what_is_promised_errs_no_more_often_than_it_says(name: str) -> None:
    found = [rate for rate in ERRORS[name]() if rate.promised]
    assert found
    assert [rate for rate in found if rate.shown_too_high()] == []
    assert [rate for rate in found if rate.far_too_high()] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["detect gates", "twenty edits", "added cases", "borderline scores"]
)
def test_what_is_not_promised_would_be_found_out(name: str) -> None:
    """The same check on the ways not taken: a simulation that could not fail would show nothing."""
    beside = [rate for rate in ERRORS[name]() if not rate.promised]
    assert beside
    assert all(rate.shown_too_high() or rate.far_too_high() for rate in beside)


@pytest.mark.slow
def test_the_t_bound_would_be_found_out() -> None:
    assert simulations.coverage_of_t().shown_too_high()


@pytest.mark.slow
def test_shares_are_shown_as_often_as_planned() -> None:
    for power in simulations.power_of_shares():
        assert power.exact is not None
        assert abs(power.share - power.exact) <= 0.02
        assert power.share >= 0.9 - 0.02


@pytest.mark.slow
@pytest.mark.parametrize("power", [simulations.power_of_margins, simulations.power_of_scores])
def test_margins_and_scores_are_shown_at_least_as_often_as_planned(
    power: Callable[[], Iterable[Power]],
) -> None:
    assert [one for one in power() if one.share < 0.9 - 0.02] == []


# The simulated bets are the real ones


def test_many_samples_at_once_are_judged_like_each_alone() -> None:
    rng, chance = np.random.default_rng(1), random.Random(1)
    for n in (1, 7, 60):
        ys = rng.beta(2, 0.5, (200, n))
        for m in (0.3, chance.uniform(0.5, 0.9)):
            best = simulations.largest_log_wealth(ys, m, 3.0)
            for row, found in zip(ys.tolist(), best, strict=True):
                assert star.star_log_wealth(row, m, 0, 1, 3.0) == pytest.approx(found, abs=1e-9)
            words = simulations.refuted(ys, m, 0.05)
            alone = [star.rejects_at_most(row, m, 0, 1, 0.05) for row in ys.tolist()]
            assert words.tolist() == alone


def test_many_families_at_once_are_corrected_like_each_alone() -> None:
    ps = np.random.default_rng(2).random((300, 31)) ** 6
    found = simulations._holm_rejects(ps)
    for row, rejected in zip(ps.tolist(), found.tolist(), strict=True):
        assert rejected == [p <= simulations.ALPHA for p in holm.adjusted(row)]


def test_differences_of_many_gates_lose_the_margin_on_average() -> None:
    rng = np.random.default_rng(3)
    ys = simulations._differences(rng, 40, 0.5, 0.05)
    assert 2 * ys.mean() - 1 == pytest.approx(-0.05, abs=0.003)


def test_a_rate_is_held_against_what_it_should_be() -> None:
    assert not Rate("fine", 50, 1000).shown_too_high()
    assert not Rate("fine", 60, 1000).far_too_high()
    assert Rate("a little too high", 61, 1000).far_too_high()
    assert not Rate("a little too high", 61, 1000).shown_too_high()
    assert Rate("surely too high", 5200, 100_000).shown_too_high()
    assert not Rate("surely too high", 5200, 100_000).far_too_high()


def test_written_figures_replace_the_earlier_ones_and_nothing_else() -> None:
    first = errors.written("# Measured\n", f"{errors.BEGIN}\none\n{errors.END}")
    assert first == f"# Measured\n\n{errors.BEGIN}\none\n{errors.END}\n"
    kept = first + "\nwhat people wrote\n"
    second = errors.written(kept, f"{errors.BEGIN}\ntwo\n{errors.END}")
    assert second == kept.replace("one", "two")
