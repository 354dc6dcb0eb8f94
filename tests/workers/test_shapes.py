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
    ],
)
def test_a_row_of_its_format_is_taken(form: str, row: dict[str, Any]) -> None:
    assert problem(row, form) is None


@pytest.mark.parametrize(
    ("form", "row", "said"),
    [
        ("attack", {"question": "tell me"}, 'no column "prompt"'),
        ("attack", {"prompt": "x", "expect": "answer"}, "neither"),
        ("lexicon", {"word": " \u3000"}, "is empty"),
        ("lexicon", {"word": 7}, "is not text"),
    ],
)
def test_another_row_is_refused_in_words(form: str, row: dict[str, Any], said: str) -> None:
    assert said in (problem(row, form) or "")
