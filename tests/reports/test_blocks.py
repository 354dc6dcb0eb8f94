"""A comment fits its limit by whole rows; head and foot are always there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llmops.reports.blocks import Section, details, fit, grid
from llmops.reports.escape import size


@given(st.lists(st.lists(st.text(max_size=300), max_size=30), max_size=5), st.integers(400, 3000))
def test_what_does_not_fit_is_left_out_and_head_and_foot_stay(
    blocks: list[list[str]], limit: int
) -> None:
    text = fit("head", [Section(rows=tuple(rows)) for rows in blocks], "foot", limit)
    assert size(text) <= limit
    assert text.startswith("head")
    assert text.endswith("foot")


def test_a_long_list_says_how_much_more_there_is() -> None:
    section = grid("a | b", [f"| {i} | x |" for i in range(30)], most=2)
    assert section.within(1000) == "\n".join(
        ("| a | b |", "|---|---|", "| 0 | x |", "| 1 | x |", "| … 28 more | |")
    )


def test_rows_give_way_to_the_limit_one_by_one() -> None:
    section = Section(("open",), ("a" * 50, "b" * 50, "c" * 50), ("close",))
    assert section.within(100) == "\n".join(("open", "a" * 50, "… 2 more", "close"))
    assert section.within(30) is None


def test_an_empty_section_is_no_section() -> None:
    assert (
        fit("head", [Section(), grid("a", []), details("x", Section())], "foot") == "head\n\nfoot"
    )


def test_a_section_that_does_not_fit_is_counted() -> None:
    text = fit("head", [Section(rows=("x" * 500,)), Section(rows=("y",))], "foot", 300)
    assert "x" not in text.split("\n")[2]
    assert "_1 more left out here" in text
    assert "\ny\n" in text
