"""Spec text -> a tree of what was written: values, their style, comments and blank lines. Dry.

In: a text that `source.document.parse` accepts. Out: `Source`. A comment belongs to one place: it
stands `above` an entry, `beside` it on its line, or in the `tail` of a collection, as its column
says. Comments are lines that start with `#`; a blank line between things is "".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from _ruamel_yaml import CParser
from ruamel.yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

BLANK = ""
_BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#.*)?")
_NONE_OPEN = "a text that was parsed closes what it opens"


@dataclass(slots=True)
class Node:
    """One value. `text` and `raw` (as it stands in the file) are of a scalar, `entries` of others.

    `style` is a scalar's sign: "" (plain), `'`, `"`, `|`, `>`. `flow`: in brackets, on one line
    where it fits. `column` is where a collection stood, from 0; -1 for one that stood nowhere.
    """

    kind: Literal["scalar", "map", "list"]
    text: str = ""
    raw: str = ""
    style: str = ""
    entries: list[Entry] = field(default_factory=list)
    flow: bool = False
    column: int = -1
    tail: list[str] = field(default_factory=list)

    def get(self, key: str) -> Node | None:
        """The value under a key of a map."""
        return next((entry.value for entry in self.entries if entry.name == key), None)


@dataclass(slots=True)
class Entry:
    """A key with its value, or an item of a list, and the comments that belong to it."""

    value: Node
    key: Node | None = None
    above: list[str] = field(default_factory=list)
    beside: str = ""
    column: int = -1  # where `beside` stood, -1 for nowhere

    @property
    def name(self) -> str | None:
        """The key's text; None for an item."""
        return self.key.text if self.key is not None else None

    def put_beside(self, comment: str, column: int) -> None:
        """A comment on the entry's line; the one that stood there moves above."""
        if self.beside:
            self.above.append(self.beside)
        self.beside, self.column = comment, column


@dataclass(slots=True)
class Source:
    """A whole file: comments before its first key, and its root."""

    head: list[str]
    root: Node


class _Comment(NamedTuple):
    """A comment, or a blank line (`text` is "")."""

    text: str
    column: int = -1  # -1 too where it only follows its line, by two spaces at most
    same_line: bool = False  # as the token before it


def read(text: str) -> Source:
    """The tree of a text with line feeds alone, that parses."""
    return _Builder(text).build()


def comments(source: Source) -> Counter[str]:
    """Every comment with how often it stands there."""
    found = Counter(line for line in source.head if line)
    for node in walk(source.root):
        found.update(line for line in node.tail if line)
        for entry in node.entries:
            found.update(line for line in (*entry.above, entry.beside) if line)
    return found


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for entry in node.entries:
        yield from walk(entry.value)


class _Builder:
    """One pass over the events; what stands between two events is comments and signs."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0  # the end of the last event
        self.open: list[Node] = []
        self.head: list[str] = []
        self.root: Node | None = None
        self.key: Node | None = None  # whose value comes next
        self.waiting: list[_Comment] = []  # comments whose place is not known yet

    def build(self) -> Source:
        for event in iter(CParser(self.text.encode()).get_event, None):
            kind = event.__class__
            if kind in (DocumentStartEvent, DocumentEndEvent, StreamEndEvent):
                self._between(event.start_mark.index)
                self.at = max(self.at, event.end_mark.index)
            elif kind in (MappingEndEvent, SequenceEndEvent):
                self._end(event)
            elif kind in (ScalarEvent, MappingStartEvent, SequenceStartEvent):
                self._between(event.start_mark.index)
                self._value(event, _node(event, self.text))
        assert self.root is not None, _NONE_OPEN
        self.root.tail += _lines(self.waiting)
        return Source(self.head, self.root)

    def _between(self, end: int) -> None:
        """Read the comments up to an event; one on the line of the last entry is that entry's."""
        found = list(_scan(self.text, self.at, end)) if end > self.at else []
        self.at = max(self.at, end)
        last = self._last()
        for comment in found:
            if comment.same_line and comment.text and last is not None:
                last.put_beside(comment.text, comment.column)
            else:
                self.waiting.append(comment)

    def _last(self) -> Entry | None:
        """The entry whose line this is, if any is there."""
        here = self.open[-1] if self.open else None
        return here.entries[-1] if here is not None and here.entries else None

    def _value(self, event: Any, node: Node) -> None:
        """A scalar, or the start of a collection."""
        if node.kind == "scalar" or node.flow:
            self.at = event.end_mark.index
        if not self.open:
            self.head, self.waiting = _lines(self.waiting), []
            self.root = node
        elif self.open[-1].kind == "map" and self.key is None:
            entry = Entry(Node("scalar"), node, self._above())
            self.open[-1].entries.append(entry)
            self.key = node
            return
        elif self.key is not None:
            entry = self.open[-1].entries[-1]
            entry.value, self.key = node, None
            self._early(entry, node)
        else:
            entry = Entry(node, None, self._above())
            self.open[-1].entries.append(entry)
        if node.kind != "scalar":
            if node.kind == "list" and self.open and self.open[-1].column == node.column:
                node.column += 1  # it stands under its key: a comment there is the next key's
            self.open.append(node)
        elif node.style in ("|", ">"):
            self._after_block(node)

    def _above(self) -> list[str]:
        found, self.waiting = _lines(self.waiting), []
        return found

    def _early(self, entry: Entry, node: Node) -> None:
        """Comments between a key and its value: in an open collection they are its first's."""
        if node.kind == "scalar" or node.flow:
            entry.above += [line for line in self._above() if line]

    def _after_block(self, node: Node) -> None:
        """The comment in the header of a block scalar, and a blank line that ends it."""
        entry = self.open[-1].entries[-1]
        header = _BLOCK_HEADER.match(node.raw)
        if header is not None and header[1]:
            entry.put_beside(header[1].rstrip(), -1)
        if re.search(r"\n *\n *$", node.raw) and not node.text.endswith("\n\n"):
            self.waiting.append(_Comment(BLANK))

    def _end(self, event: Any) -> None:
        """The end of a collection: comments that stand as deep as it does are its tail."""
        self._between(event.start_mark.index)
        node = self.open.pop()
        if node.flow:
            self.at = event.end_mark.index
            self._end_flow(node)
            return
        count = 0
        for number, comment in enumerate(self.waiting, 1):
            if comment.text and comment.column < node.column:
                break
            count = number if comment.text else count
        node.tail += _lines(self.waiting[:count])
        self.waiting = self.waiting[count:]

    def _end_flow(self, node: Node) -> None:
        """What stands before a bracket that closes; in empty brackets it moves above them."""
        found = [line for line in self._above() if line]
        if node.entries or not self.open:
            node.tail += found
        else:
            self.open[-1].entries[-1].above += found


def _node(event: Any, text: str) -> Node:
    """The node of an event, empty where it is a collection."""
    start = event.start_mark
    if event.__class__ is ScalarEvent:
        raw = text[start.index : event.end_mark.index]
        return Node("scalar", event.value, raw, event.style or "")
    kind: Literal["map", "list"] = "map" if event.__class__ is MappingStartEvent else "list"
    return Node(kind, flow=bool(event.flow_style), column=start.column)


def _scan(text: str, start: int, end: int) -> Iterator[_Comment]:
    """Comments and blank lines between two events."""
    same_line = start > 0 and text[start - 1] != "\n"
    at = start
    while at < end:
        stop = text.find("\n", at, end)
        line_ends = stop >= 0
        stop = stop if line_ends else end
        sign = text.find("#", at, stop)
        if sign >= 0:
            before = text[text.rfind("\n", 0, sign) + 1 : sign]
            meant = not same_line or len(before) - len(before.rstrip()) > 2
            yield _Comment(text[sign:stop].rstrip(), len(before) if meant else -1, same_line)
        elif line_ends and not same_line and not text[at:stop].strip():
            yield _Comment(BLANK)
        same_line = False
        at = stop + 1


def _lines(found: list[_Comment]) -> list[str]:
    """Comments as lines, never two blank ones in a row."""
    lines: list[str] = []
    for comment in found:
        if comment.text or (not lines or lines[-1]):
            lines.append(comment.text)
    return lines
