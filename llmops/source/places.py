"""A text that was accepted -> where each of its values stands. Dry.

Flows in: the text of one file. Flows out: the place of any value, key or list item, by its path
from the root. The places are found by a pass of their own over the parser's events, which runs only
when the first one is asked for: most files are read and never shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from _ruamel_yaml import CParser
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from llmops.diagnostics import Span

Loc = tuple[str | int, ...]
AWAITED: Any = object()  # in place of a mapping's key: the next event is the key


Spot = tuple[int, int, int]  # line and column from 1, width


@dataclass(slots=True)
class _Place:
    """Where a value stands, where its key stands, a scalar's own text, what is inside."""

    value: Spot
    key: Spot | None
    raw: str | None
    inner: dict[str | int, _Place]


@dataclass(frozen=True, slots=True)
class Places:
    """The places in the text of one file that `parse` accepted, or of which it kept the values."""

    path: str
    text: str
    _root: list[_Place] = field(default_factory=list, init=False, repr=False, compare=False)

    def span(self, loc: Loc, *, key: bool = False) -> Span:
        """Place of the value at `loc`, or with `key` of the key (or list item) that holds it.

        A `loc` that does not exist gives the key of its nearest parent that does, since that is
        the line where something is missing.
        """
        place, found = self._at(loc)
        at_key = (key or found < len(loc)) and place.key is not None
        return Span(self.path, *(place.key if at_key and place.key else place.value))

    def raw(self, loc: Loc) -> str | None:
        """A scalar's own text, so that `1.10` stays "1.10"; None where no scalar stands."""
        place, found = self._at(loc)
        return place.raw if found == len(loc) else None

    def _at(self, loc: Loc) -> tuple[_Place, int]:
        """The place at `loc` or its nearest parent, and how many steps lead there."""
        if not self._root:
            self._root.append(_locate(self.text))
        place = self._root[0]
        for found, step in enumerate(loc):
            if step not in place.inner:
                return place, found
            place = place.inner[step]
        return place, len(loc)


def spot_of(event: Any) -> Spot:
    """The event's first character; its width where it ends on the same line."""
    start, end = event.start_mark, event.end_mark
    line, column = start.line, start.column
    width = end.column - column if end.line == line else 1
    return line + 1, column + 1, width if width > 0 else 1


def _locate(text: str) -> _Place:
    """The places of all values of the text, below that of the root."""
    nothing: dict[str | int, _Place] = {}
    top: dict[str | int, _Place] = {}
    here, state = top, 0  # what is open: in a list the next index, in a dict `AWAITED` or the key
    key: Spot | None = None
    outer: list[tuple[dict[str | int, _Place], Any]] = []
    for event in iter(CParser(text.encode()).get_event, None):
        kind = event.__class__
        if kind is ScalarEvent and state is AWAITED:
            state, key = event.value, spot_of(event)
        elif kind is ScalarEvent or kind is AliasEvent:
            raw = event.value if kind is ScalarEvent else None
            here[state] = _Place(spot_of(event), key, raw, nothing)
            state, key = (AWAITED if key else state + 1), None
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            inside: dict[str | int, _Place] = {}
            here[state] = _Place(spot_of(event), key, None, inside)
            outer.append((here, AWAITED if key else state + 1))
            here, state, key = inside, (AWAITED if kind is MappingStartEvent else 0), None
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            here, state = outer.pop()
    return top[0]
