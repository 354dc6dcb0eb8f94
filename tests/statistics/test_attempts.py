"""The levels of attempts: halved each time, together at most alpha, the last takes what is left."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmops.statistics import attempts, binomial

law = settings(deadline=None, derandomize=True, max_examples=80)


def test_one_attempt_has_all_of_alpha() -> None:
    assert attempts.level(0.05, 1, 1) == 0.05


def test_three_attempts_have_a_half_and_two_quarters() -> None:
    assert [attempts.level(0.05, k, 3) for k in (1, 2, 3)] == [0.025, 0.0125, 0.0125]


def test_the_second_level_needs_919_of_1000() -> None:
    level = attempts.level(0.05, 1, 2)
    assert binomial.smallest_passing_count(1000, 0.90, level) == 919
    assert binomial.cases_needed(0.9997, 0, level) == 12295


@law
@given(st.floats(1e-6, 0.5), st.integers(1, 40))
def test_all_attempts_together_are_allowed_alpha_and_no_later_one_more(
    alpha: float, allowed: int
) -> None:
    levels = [attempts.level(alpha, k, allowed) for k in range(1, allowed + 1)]
    assert sum(map(Fraction, levels)) == Fraction(alpha)
    assert levels == sorted(levels, reverse=True)


@law
@given(st.floats(1e-6, 0.5), st.integers(1, 40), st.integers(1, 40))
def test_the_next_level_is_that_of_the_next_attempt_while_there_is_one(
    alpha: float, a: int, b: int
) -> None:
    attempt, allowed = sorted((a, b))
    following = attempts.next_level(alpha, attempt, allowed)
    assert following == attempts.level(alpha, min(attempt + 1, allowed), allowed)


@pytest.mark.parametrize("attempt", [0, -1, 4, 1.5, True])
def test_an_attempt_that_is_not_allowed_is_refused(attempt: int) -> None:
    for ask in (attempts.level, attempts.next_level):
        with pytest.raises(ValueError, match=f"attempt {attempt} of 3 is not allowed"):
            ask(0.05, attempt, 3)


@pytest.mark.parametrize("allowed", [0, -2, 2.5, True])
def test_no_attempts_are_refused(allowed: int) -> None:
    with pytest.raises(ValueError, match="at least 1 attempt"):
        attempts.level(0.05, 1, allowed)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan, math.inf])
def test_levels_without_meaning_are_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        attempts.level(alpha, 1, 3)
