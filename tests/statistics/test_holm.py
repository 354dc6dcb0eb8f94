"""Holm's correction: statsmodels as oracle, and its laws."""

from __future__ import annotations

import gc
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats import multitest

from llmops.statistics import holm

law = settings(deadline=None, derandomize=True, max_examples=200)
families = st.lists(st.floats(0, 1), max_size=40)


def test_adjusted_agrees_with_statsmodels_on_2000_random_families(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The oracle collects garbage at each call, which takes most of a minute for 2,000 of them.
    monkeypatch.setattr(gc, "collect", int)
    chance = random.Random(1)
    for _ in range(2000):
        ps = [chance.random() ** chance.choice([1, 4]) for _ in range(chance.randint(1, 30))]
        ps += chance.choices(ps, k=chance.randint(0, 3))  # ties
        expected = multitest.multipletests(ps, method="holm")[1]
        assert holm.adjusted(ps) == pytest.approx(list(expected), abs=1e-12)


def test_an_example_by_hand() -> None:
    assert holm.adjusted([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))


@law
@given(families)
def test_an_adjusted_p_is_at_least_the_raw_one_and_at_most_1(ps: list[float]) -> None:
    assert all(raw <= p <= 1 for raw, p in zip(ps, holm.adjusted(ps), strict=True))


@law
@given(families)
def test_the_order_of_p_values_is_kept(ps: list[float]) -> None:
    found = holm.adjusted(ps)
    for i, a in enumerate(ps):
        for j, b in enumerate(ps):
            assert found[i] <= found[j] or a > b


@law
@given(families, st.randoms(use_true_random=False))
def test_each_p_value_keeps_its_place(ps: list[float], dice: random.Random) -> None:
    places = list(range(len(ps)))
    dice.shuffle(places)
    shuffled = holm.adjusted([ps[i] for i in places])
    assert shuffled == tuple(holm.adjusted(ps)[i] for i in places)


@law
@given(families)
def test_a_member_without_data_never_helps(ps: list[float]) -> None:
    more = holm.adjusted([*ps, 1.0])
    assert all(a <= b for a, b in zip(holm.adjusted(ps), more, strict=False))


def test_one_test_needs_no_correction_and_none_gives_none() -> None:
    assert holm.adjusted([0.03]) == (0.03,)
    assert holm.adjusted([]) == ()


@pytest.mark.parametrize("p", [-0.1, 1.01, math.nan, math.inf])
def test_p_values_without_meaning_are_refused(p: float) -> None:
    with pytest.raises(ValueError, match="p value 1"):
        holm.adjusted([0.5, p])
