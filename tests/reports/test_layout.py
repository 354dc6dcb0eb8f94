"""A terminal's columns: width, clipping, shrinking from the right, wrapping."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from llmops.reports.base import Page, Style
from llmops.reports.layout import Cell, clip, table, width_of, wrap

LINE = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=80)
ROWS = st.lists(st.lists(LINE, min_size=1, max_size=5), max_size=5)


def test_chinese_takes_two_columns_and_an_accent_none() -> None:
    assert width_of("中文ab") == 6
    assert width_of("e\u0301") == 1
    assert width_of("\uff21\uff22\uff23") == 6


def test_clipping_never_splits_a_wide_character() -> None:
    assert clip("中文字", 5) == "中文…"
    assert clip("中文字", 4) == "中…"
    assert clip("中文字", 6) == "中文字"


def test_the_last_column_shrinks_first() -> None:
    rows = [("subject" * 3, "reason " * 10)]
    assert table(rows, Page(50)) == ["  " + "subject" * 3 + "  " + ("reason " * 10)[:24] + "…"]


def test_a_giving_column_shrinks_before_the_last_and_may_keep_its_end() -> None:
    rows = [(Cell("support-quality/accuracy/regression", "", "end"), "0.612 [0.592, 0.632]")]
    assert table(rows, Page(40), 0, giving=(0,)) == ["…curacy/regression  0.612 [0.592, 0.632]"]


def test_where_it_is_too_narrow_the_last_columns_are_left_out_and_the_name_stays() -> None:
    name = Cell("by-language[en] min 0.7", "", "end")
    rows = [("!", name, "failed", "0.612 [0.592, 0.632]", "0.700", "-0.088 [-0.1, -0.07]")]
    rows += [("", "… 3 more")]
    assert table(rows, Page(40), 0, giving=(1,)) == [
        "!  …age[en] min 0.7  failed  0.612 [0.5…", "   … 3 more",
    ]  # fmt: skip


def test_names_are_told_apart_where_columns_of_numbers_do_not_fit() -> None:
    rows = [(sign, f"Recipe/support-{n}", "2 ranks cpu", "<870 MiB", "no evidence yet")
            for sign, n in (("1 + train", "base"), ("2 + train", "lora"))]  # fmt: skip
    assert table(rows, Page(40), 0) == [
        "1 + train  Recipe/support-base  2 ranks…",
        "2 + train  Recipe/support-lora  2 ranks…",
    ]


def test_the_last_cell_of_a_short_row_runs_on() -> None:
    found = table([("a", "b", "c"), ("a", "long " * 5)], Page(40))
    assert found == ["  a  b  c", "  a  long long long long long"]


def test_colour_does_not_move_a_column() -> None:
    rows = [(Cell("a", "bad"), "b"), (Cell("long", "good"), "b")]
    painted = table(rows, Page(40, Style(colour=True)))
    assert painted == ["  \x1b[31ma\x1b[0m     b", "  \x1b[32mlong\x1b[0m  b"]
    assert table(rows, Page(40)) == ["  a     b", "  long  b"]


@given(ROWS, st.integers(0, 120))
@example([["", "", "0"], ["", "0" * 14, "", ""]], 0)
def test_no_line_of_a_table_is_wider_than_the_page(rows: list[list[str]], width: int) -> None:
    page = Page(width)
    assert all(width_of(line) <= page.columns for line in table(rows, page))


@given(LINE, st.integers(0, 120), st.integers(0, 6))
@example("x" * 200, 40, 4)
@example("a " + "文" * 100, 41, 4)
def test_wrapping_keeps_every_word_within_the_page(text: str, width: int, hang: int) -> None:
    page = Page(width)
    lines = wrap(text, page, 0, hang)
    assert all(width_of(line) <= page.columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())
