"""A comment within its byte limit: head and foot always, sections in order while there is room.

A section is cut between rows, never inside one, so what is shown is always whole Markdown and
whole characters; what is left out is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llmops.reports.escape import size

LIMIT_BYTES = 60_000  # a GitHub comment holds 65,536 characters
_SHARE_BYTES = 20_000  # no section takes more, so a long one does not push out the next
_LEFT_OUT = "_{n} more left out here for its size; `llmops gate` shows all._"


@dataclass(frozen=True, slots=True)
class Section:
    """A block of lines: `rows` may be cut, `opening` and `closing` are kept or dropped together.

    With neither opening nor rows it is empty. `more` is the row that counts what was cut.
    """

    opening: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()
    more: str = "… {n} more"
    most: int = 20

    def within(self, limit_bytes: int) -> str | None:
        """The section in at most that many bytes; None when not even one row fits."""
        shown = self._likely(limit_bytes)
        while shown or not self.rows:
            left = len(self.rows) - shown
            rest = (self.more.format(n=left),) if left else ()
            text = "\n".join((*self.opening, *self.rows[:shown], *rest, *self.closing))
            if size(text) <= limit_bytes:
                return text
            if not shown:
                break
            shown -= 1
        return None

    def _likely(self, limit_bytes: int) -> int:
        """How many rows may fit by their sizes alone, so that few texts are tried."""
        shown = len(self.rows) if len(self.rows) <= self.most + 1 else self.most
        taken = sum(size(row) + 1 for row in self.rows[:shown])
        while shown > 1 and taken - 1 > limit_bytes:
            shown -= 1
            taken -= size(self.rows[shown]) + 1
        return shown


def grid(header: str, rows: Sequence[str], most: int = 20) -> Section:
    """A table: `header` is `a | b | c`; empty when there are no rows."""
    columns = header.count("|") + 1
    opening = (f"| {header} |", "|" + "---|" * columns)
    more = "| … {n} more |" + " |" * (columns - 1)
    return Section(opening, tuple(rows), more=more, most=most) if rows else Section()


def details(summary: str, section: Section) -> Section:
    """The section folded under a summary of our own words; an empty one stays empty."""
    if not (section.rows or section.opening):
        return section
    return Section(
        opening=(f"<details><summary>{summary}</summary>", "", *section.opening),
        rows=section.rows,
        closing=(*section.closing, "", "</details>"),
        more=section.more,
        most=section.most,
    )


def fit(head: str, sections: Iterable[Section], foot: str, limit_bytes: int = LIMIT_BYTES) -> str:
    """Head, as many sections as fit, foot; a blank line between."""
    room = limit_bytes - size(head) - size(foot) - size(_LEFT_OUT) - 20
    parts, left_out = [head], 0
    for section in sections:
        if not (section.rows or section.opening):
            continue
        text = section.within(min(room - 2, _SHARE_BYTES))
        if text is None:
            left_out += 1
            continue
        parts.append(text)
        room -= size(text) + 2
    parts += [_LEFT_OUT.format(n=left_out)] if left_out else []
    return "\n\n".join([*parts, foot] if foot else parts)
