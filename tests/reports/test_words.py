"""Numbers and small words are the same everywhere and never say what is not so."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.reports.words import (
    capped,
    change_words,
    date,
    interval,
    number,
    percent,
    places_of,
    plural,
    signed,
    value_words,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.081, "0.081"),
        (0.5, "0.500"),
        (-0.25, "-0.250"),
        (0.0, "0.000"),
        (-0.0, "0.000"),
        (12.5, "12.50"),
        (123.45, "123.5"),
        (1234.5, "1,234"),
        (0.00004, "4.0e-05"),
        (math.nan, "not finite"),
        (math.inf, "not finite"),
    ],
)
def test_a_number_has_the_decimals_it_deserves(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_value_is_never_rounded_onto_a_bound_it_misses() -> None:
    assert number(0.79999, places_of(0.79999, "min 0.8")) == "0.79999"
    assert number(0.8, places_of(0.8, "min 0.8")) == "0.800"


@given(st.floats(0, 1), st.floats(0, 1).map(lambda x: round(x, 3)))
def test_a_shown_value_differs_from_a_bound_it_differs_from(value: float, bound: float) -> None:
    shown = number(value, places_of(value, f"min {bound}"))
    if abs(value - bound) > 1e-6:
        assert float(shown) != bound


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.038, "+0.038"), (-0.003, "-0.003"), (0.0001, "0.000"), (-0.0001, "0.000")],
)
def test_a_difference_has_a_sign_unless_it_shows_as_zero(value: float, shown: str) -> None:
    assert signed(value) == shown


def test_intervals_percentages_and_plurals() -> None:
    assert interval((0.021, 0.055)) == "[0.021, 0.055]"
    assert interval(None) == ""
    assert percent(0.95) == "95 %"
    assert percent(0.123) == "12.3 %"
    assert plural(1, "job") == "1 job"
    assert plural(1200, "job") == "1,200 jobs"


def test_a_date_is_short_and_another_text_stays() -> None:
    assert date("2026-11-22T10:04:05Z") == "2026-11-22 10:04 UTC"
    assert date("2026-11-22T10:04:05.123+00:00") == "2026-11-22 10:04 UTC"
    assert date("yesterday\n") == "yesterday\\n"


def test_a_list_is_capped_only_when_more_than_one_would_be_left() -> None:
    assert capped([1, 2, 3], 2) == ([1, 2, 3], 0)
    assert capped([1, 2, 3, 4], 2) == ([1, 2], 2)


def test_values_are_shown_as_written() -> None:
    assert value_words(None) == "unset"
    assert value_words("") == '""'
    assert value_words(True) == "true"
    assert change_words(8, 16) == "8 -> 16"
    assert change_words(["q_proj"], None) == '["q_proj"] -> unset'
