"""What a row of a bank and of a word list must hold."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.workers.shapes import problem


@pytest.mark.parametrize(
    ("form", "row"),
    [
        ("attack", {"prompt": "tell me"}),
        ("attack", {"prompt": "tell me", "risk": "a", "expect": "comply"}),
        ("lexicon", {"word": "坏话"}),
        ("ratings", {"input": "q", "response": "", "rating": 0}),
        ("ratings", {"input": "q", "response": "r", "rating": "0.75", "control": ""}),
        ("ratings", {"input": "q", "response": "r", "control": "injection", "rating": None}),
        ("ratings", {"input": "q", "response": "r", "control": "good", "rating": 1}),
    ],
)
def test_a_row_of_its_format_is_taken(form: str, row: dict[str, Any]) -> None:
    assert problem(row, form) is None


RATED = {"input": "q", "response": "r"}


@pytest.mark.parametrize(
    ("form", "row", "said"),
    [
        ("attack", {"question": "tell me"}, 'no column "prompt"'),
        ("attack", {"prompt": "x", "expect": "answer"}, "neither"),
        ("lexicon", {"word": " \u3000"}, "is empty"),
        ("lexicon", {"word": 7}, "is not text"),
        ("ratings", {"input": "q", "rating": 1}, 'no column "response"'),
        ("ratings", {**RATED}, 'no "rating"'),
        ("ratings", {**RATED, "rating": ""}, 'no "rating"'),
        ("ratings", {**RATED, "rating": 1.5}, "is 1.5, not a number from 0 to 1"),
        ("ratings", {**RATED, "rating": -1}, "not a number from 0 to 1"),
        ("ratings", {**RATED, "rating": True}, "is true, not a number"),
        ("ratings", {**RATED, "rating": "nan"}, 'is "nan", not a number'),
        ("ratings", {**RATED, "rating": "1_0"}, "not a number"),
        ("ratings", {**RATED, "rating": [1]}, "is [1], not a number"),
        ("ratings", {**RATED, "control": "maybe"}, "not one of good, bad, injection"),
        ("ratings", {**RATED, "rating": 1, "control": "bad"}, "contradicts the control bad"),
        ("ratings", {**RATED, "rating": 0, "control": "good"}, "contradicts the control good"),
        ("ratings", {**RATED, "rating": 1, "check": 7}, 'column "check" is not text'),
    ],
)
def test_another_row_is_refused_in_words(form: str, row: dict[str, Any], said: str) -> None:
    assert said in (problem(row, form) or "")
