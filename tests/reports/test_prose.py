"""Two texts, word by word: what differs is marked, what stays is cut, and it ends in time."""

from __future__ import annotations

import time

import pytest

from llmops.reports.prose import difference, is_prose


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("You help customers.", "You serve customers.", "You [-help-]{+serve+} customers."),
        ("Be brief.", "Be brief. Be kind.", "Be brief.{+ Be kind.+}"),
        (
            "1 2 3 a b c d e f g h i j k l m",
            "1 2 3 a b c d e x g h i j k l m",
            "…c d e [-f-]{+x+} g h i…",
        ),
        ("Q: {{ question }}", "A: {{ question }}", "[-Q-]{+A+}: {{ question }}"),
        ("one\n\ntwo three", "one\n\ntwo 3", "one⏎⏎two [-three-]{+3+}"),
        ("只依据文档作答", "只依据资料作答", "只依据[-文档-]{+资料+}作答"),
        ("", "all is new", "{+all is new+}"),
        ("all is gone", "", "[-all is gone-]"),
    ],
)
def test_what_differs_is_marked_among_the_words_around_it(
    before: str, after: str, told: str
) -> None:
    assert difference(before, after, 200) == told


def test_two_places_that_differ_are_both_told() -> None:
    before = "Answer in English. " + "Keep to what is asked here. " * 9 + "Never guess."
    after = before.replace("English", "Chinese").replace("Never", "Do not")
    told = difference(before, after, 200)
    assert told.startswith("Answer in [-English-]{+Chinese+}. ")
    assert told.endswith("[-Never-]{+Do not+} guess.")
    assert len(told) < 120


def test_a_difference_far_down_a_long_text_is_found_in_time() -> None:
    before = "word " * 200_000 + "the end"
    started = time.process_time()
    told = difference(before, before.replace("the end", "an end"), 200)
    assert told == "…word word word [-the-]{+an+} end"
    hostile = difference("a b " * 100_000, "b a " * 100_000, 200)
    assert time.process_time() - started < 5
    assert len(hostile) <= 200


def test_values_that_are_no_prose_are_told_whole() -> None:
    assert is_prose("You help all of our customers.", "x")
    assert is_prose("依据文档作答", "")
    assert not is_prose("card_lost", "card_found")
    assert not is_prose("Apache-2.0", "GPL-3.0-only")
    assert not is_prose("https://a.example/b/c-d.jsonl", "https://a.example/b/c-e.jsonl")
    assert not is_prose(8, 16)
    assert not is_prose(None, "You help all of our customers.")
