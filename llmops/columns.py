"""Columns of a terminal: how wide a text is there, cut or broken to fit.

A Chinese character takes two columns, a combining mark none. Pure functions on text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


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
    if columns < 1:
        return ""
    kept, used = "", 0
    for char in text:
        used += _width(char)
        if used > columns - 1:
            break
        kept += char
    return kept + "…"


def wrapped(text: str, columns: int, indent: int = 0, hang: int = 4) -> list[str]:
    """The text in lines that fit; those after the first are indented by `hang`."""
    lines: list[str] = []
    line, start = "", " " * indent
    for word in _words(text, columns - max(indent, hang)):
        joined = f"{line} {word}" if line else word
        if line and width_of(start + joined) > columns:
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


def around(text: str, at: int, columns: int) -> tuple[str, int]:
    """The part of a line around one of its characters, and how many columns stand before that.

    What is cut ends, or begins, with `…`.
    """
    before, behind = text[:at], text[at:]
    if width_of(text) <= columns:
        return text, width_of(before)
    left = clip(before[::-1], max(columns // 2, columns - width_of(behind)))[::-1]
    return left + clip(behind, columns - width_of(left)), width_of(left)
