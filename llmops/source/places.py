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
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from llmops.diagnostics import Span

Loc = tuple[str | int, ...]
AWAITED: Any = object()  # in place of a mapping's key: the next event is the key


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands, where its key stands, and a scalar's own text."""

    value: Span
    key: Span | None = None
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """The places in the text of one file that `parse` accepted."""

    path: str
    text: str
    _found: dict[Loc, _Place] = field(default_factory=dict, init=False, repr=False, compare=False)

    def span(self, loc: Loc, *, key: bool = False) -> Span:
        """Place of the value at `loc`, or with `key` of the key (or list item) that holds it.

        A `loc` that does not exist gives the key of its nearest parent that does, since that is
        the line where something is missing.
        """
        places = self._located()
        if loc not in places:
            return self.span(loc[:-1], key=True)
        place = places[loc]
        return place.key if key and place.key else place.value

    def raw(self, loc: Loc) -> str | None:
        """A scalar's own text, so that `1.10` stays "1.10"; None where no scalar stands."""
        place = self._located().get(loc)
        return place.raw if place else None

    def _located(self) -> dict[Loc, _Place]:
        if not self._found:
            self._found.update(_locate(self.path, self.text))
        return self._found


def span_of(path: str, event: Any) -> Span:
    """From the event's first character; its width where it ends on the same line."""
    start, end = event.start_mark, event.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Span(path, start.line + 1, start.column + 1, max(1, width))


def _locate(path: str, text: str) -> dict[Loc, _Place]:
    """Places of all values of the text, by their path from the root."""
    places: dict[Loc, _Place] = {}
    loc: Loc = ()
    state: Any = None  # None at the root, in a list the next index, in a dict `AWAITED` or the key
    key: Span | None = None
    outer: list[tuple[Loc, Any]] = []
    for event in iter(CParser(text.encode()).get_event, None):
        kind = event.__class__
        if kind is ScalarEvent and state is AWAITED:
            state, key = event.value, span_of(path, event)
        elif kind in (ScalarEvent, MappingStartEvent, SequenceStartEvent):
            inner = loc if state is None else (*loc, state)
            raw = event.value if kind is ScalarEvent else None
            places[inner] = _Place(span_of(path, event), key, raw)
            after = state + 1 if isinstance(state, int) else AWAITED
            if kind is ScalarEvent:
                state = after
            else:
                outer.append((loc, after))
                loc, state = inner, (AWAITED if kind is MappingStartEvent else 0)
            key = None
        elif kind in (MappingEndEvent, SequenceEndEvent):
            loc, state = outer.pop()
    return places
