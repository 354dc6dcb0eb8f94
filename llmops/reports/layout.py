"""A terminal's columns: tables and wrapping on a page.

A table that is too wide shrinks from its right: the last column first, down to a few characters,
then the one before it; where even that is too wide, the last column is left out. What is cut ends
with `…`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from llmops.columns import clip as clip
from llmops.columns import width_of as width_of
from llmops.columns import wrapped
from llmops.reports.base import Page, Tone

_GAP = 2
_LEAST = 8  # columns below which no column shrinks while another can
_NAMES, _NAME = 2, 26  # the leading columns say what a row is about: so wide they stay at first
_GIVEN = 16  # likewise of those of them that shrink before the rightmost
_FEWEST = 3  # columns of a table that are never left out


class Cell(NamedTuple):
    """One cell of a table: plain visible text, the tone it is printed in, which end is kept."""

    text: str
    tone: Tone = ""
    keep: Literal["start", "end"] = "start"


Row = Sequence[Cell | str]


def _clipped(cell: Cell, columns: int) -> str:
    return (
        clip(cell.text, columns) if cell.keep == "start" else clip(cell.text[::-1], columns)[::-1]
    )


def table(
    rows: Sequence[Row], page: Page, indent: int = 2, giving: Sequence[int] = ()
) -> list[str]:
    """Rows as aligned lines that fit the page; `giving` columns shrink before the rightmost.

    A short row ends early; its last cell may run on to the edge of the page.
    """
    cells = [[c if isinstance(c, Cell) else Cell(c) for c in row] for row in rows]
    widths = _fitted(_natural(cells), page.columns - indent, giving)
    return [_line(row, widths, page, indent) for row in cells]


def _natural(rows: Sequence[Sequence[Cell]]) -> list[int]:
    count = max((len(row) for row in rows), default=0)
    full = [row for row in rows if len(row) == count]
    short = [row[:-1] for row in rows if len(row) < count]
    return [
        max((width_of(row[i].text) for row in (*full, *short) if i < len(row)), default=0)
        for i in range(count)
    ]


def _fitted(widths: list[int], room: int, giving: Sequence[int]) -> list[int]:
    fitted = list(widths)
    others = [i for i in reversed(range(len(fitted))) if i not in giving]
    for named, least in ((_NAME, _LEAST), (_LEAST, _LEAST), (1, 1)):
        for i in (*giving, *others):
            excess = _excess(fitted, room)
            if excess <= 0:
                return fitted
            kept = least if i >= _NAMES else min(named, _GIVEN) if i in giving else named
            fitted[i] = max(min(kept, fitted[i]), fitted[i] - excess)
        if len(widths) > _FEWEST and _excess(fitted, room) > 0:
            return _fitted(widths[:-1], room, giving)
    return fitted


def _excess(widths: Sequence[int], room: int) -> int:
    return sum(widths) + _GAP * (len(widths) - 1) - room


def _line(row: Sequence[Cell], widths: Sequence[int], page: Page, indent: int) -> str:
    parts = []
    room = page.columns - indent
    row = row[: len(widths)]
    for i, cell in enumerate(row):
        free = i == len(row) - 1 and len(row) < len(widths)
        shown = _clipped(cell, room if free else widths[i])
        fill = "" if i == len(row) - 1 else " " * (widths[i] - width_of(shown))
        parts.append(page.style.paint(shown, cell.tone) + fill)
        room -= widths[i] + _GAP
    return (" " * indent + (" " * _GAP).join(parts)).rstrip()


def wrap(text: str, page: Page, indent: int = 0, hang: int = 4) -> list[str]:
    """The text in lines that fit the page; lines after the first are indented by `hang`."""
    return wrapped(text, page.columns, indent, hang)


def titled(title: str, rows: Iterable[str], page: Page) -> list[str]:
    """A block: its title in bold and its lines; nothing when there are no lines."""
    lines = list(rows)
    return [page.style.paint(title, "strong"), *lines] if lines else []
