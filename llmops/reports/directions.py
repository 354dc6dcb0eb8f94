"""What a change asks more, less or otherwise -> text, Markdown, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from llmops.jobs.base import FORMAT_VERSION
from llmops.reports.base import Page, Tone
from llmops.reports.blocks import Section, fit, grid
from llmops.reports.data import dumps, plain
from llmops.reports.escape import code_cell, visible
from llmops.reports.escape import text as escaped
from llmops.reports.layout import Cell, Row, table, titled
from llmops.reports.words import capped
from llmops.rules.directions import Direction, Moved

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
TONES: dict[Direction, Tone] = {"looser": "warn", "tighter": "good", "neutral": "dim"}
NOTHING = "Nothing that judges changed."
_MOST = 60


def text(found: Sequence[Moved], page: Page) -> str:
    """For a terminal: looser first."""
    return "\n".join(line for name in DIRECTIONS for line in _block(name, found, page)) or NOTHING


def _block(name: Direction, found: Sequence[Moved], page: Page) -> list[str]:
    own = [one for one in found if one.direction == name]
    shown, left = capped(own, _MOST)
    rows: list[Row] = [
        (
            Cell(visible(one.what, 120), TONES[name]),
            f"{visible(one.before, 100)} -> {visible(one.after, 100)}",
            Cell(visible(one.place, 160), "dim"),
        )
        for one in shown
    ]
    rows += [(f"… {left} more",)] if left else []
    return titled(f"{name.capitalize()} ({len(own)})", table(rows, page), page)


def markdown(found: Sequence[Moved], page: Page) -> str:
    """For a pull request: one table."""
    counts = {name: sum(one.direction == name for one in found) for name in DIRECTIONS}
    head = f"### llmops policy: {', '.join(f'{n} {name}' for name, n in counts.items())}"
    return fit(head, _sections(found), "")


def _sections(found: Sequence[Moved]) -> Iterator[Section]:
    rows = [
        f"| {one.direction} | {code_cell(one.what, 160)} | {escaped(one.before, 120)} "
        f"| {escaped(one.after, 120)} | {code_cell(one.place, 160) if one.place else ''} |"
        for one in found
    ]
    yield grid("direction | what | base | head | where", rows, most=_MOST)


def json_text(found: Sequence[Moved], page: Page) -> str:
    """One JSON object for tools."""
    return dumps({"format_version": FORMAT_VERSION, "moved": [plain(one) for one in found]})
