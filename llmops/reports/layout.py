"""A terminal's columns: display width (a Chinese character takes two), tables, wrapping.

A table that is too wide shrinks from its right: the last column first, down to a few characters,
then the one before it; where even that is too wide, the last column is left out. What is cut ends
with `…`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from llmops.reports.base import Page, Tone

_GAP = 2
_LEAST = 8  # columns below which no column shrinks while another can
_FEWEST = 3  # columns of a table that are never left out


class Cell(NamedTuple):
    """One cell of a table: plain visible text, the tone it is printed in, which end is kept."""

    text: str
    tone: Tone = ""
    keep: Literal["start", "end"] = "start"


Row = Sequence[Cell | str]


def width_of(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clip(text: str, columns: int) -> str:
    """The text in at most `columns` columns; a cut one ends with `…`."""
    if width_of(text) <= columns:
        return text
    kept, used = "", 0
    for char in text:
        used += _width(char)
        if used > columns - 1:
            break
        kept += char
    return kept + "…"


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
    for least in (_LEAST, 1):
        for i in (*giving, *others):
            excess = _excess(fitted, room)
            if excess <= 0:
                return fitted
            fitted[i] = max(min(least, fitted[i]), fitted[i] - excess)
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
    lines: list[str] = []
    line, start = "", " " * indent
    for word in _words(text, page.columns - max(indent, hang)):
        joined = f"{line} {word}" if line else word
        if line and width_of(start + joined) > page.columns:
            lines.append(start + line)
            line, start = word, " " * hang
        else:
            line = joined
    return [*lines, (start + line).rstrip()]


def _words(text: str, room: int) -> Iterator[str]:
    """Words; one that is wider than a line is taken apart."""
    for word in text.split(" "):
        rest = word
        while width_of(rest) > room:
            head = clip(rest, room + 1)[:-1] or rest[0]
            yield head
            rest = rest[len(head) :]
        yield rest


def titled(title: str, rows: Iterable[str], page: Page) -> list[str]:
    """A block: its title in bold and its lines; nothing when there are no lines."""
    lines = list(rows)
    return [page.style.paint(title, "strong"), *lines] if lines else []
