"""What a page consists of, before any format: sections of tables, drawings and sentences.

In: nothing but words that `front.py`, `judged.py`, `measured.py` and `grounds.py` chose in one
language. Out: `Content`, which `html.py`, `md.py` and `csv.py` write down. A number names the
digests of the evidence it rests on, so a format can link each one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from llmops.reports.charts import Drawing
from llmops.rules.base import Outcome

Kind = Literal["", "number", "code", "case", "short"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of one cell. `refs` are digests of evidence; `mark` is an outcome's sign before it."""

    text: str
    kind: Kind = ""
    refs: tuple[str, ...] = ()
    mark: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head.

    `shape`: `cases` wraps long text in equal columns, `pairs` has no head, `slim` is as wide as its
    text, `rules` gives its first column room.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    shape: Literal["", "cases", "pairs", "slim", "rules"] = ""
    numbered: bool = True  # whether its numbers stand in the list of all numbers
    left: str = ""  # how many rows were left out, in words


@dataclass(frozen=True, slots=True)
class Para:
    """A paragraph; a `heading` is a small one above what follows."""

    text: str
    tone: Literal["", "heading", "note"] = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """What was not measured, and why: a row, never a gap."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing; its table follows as a block of its own."""

    drawing: Drawing


Block = Table | Para | Absent | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """One section: `name` is its anchor, `title` has no number yet."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Front:
    """The first page: the verdict, five numbers, what is not measured, who approved."""

    outcome: Outcome
    word: str
    headline: str
    seal: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, Cell], ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """A whole page in one language. `marks`: digest of evidence -> its short name, as in `E3`."""

    lang: str
    title: str
    front: Front
    sections: tuple[Section, ...]
    marks: Mapping[str, str]


def gaps(blocks: Iterable[Block]) -> tuple[Absent, ...]:
    """What some blocks say was not measured."""
    return tuple(block for block in blocks if isinstance(block, Absent))
