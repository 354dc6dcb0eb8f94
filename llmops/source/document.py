"""Bytes of one YAML file -> plain values with their places. Dry.

Flows in: a path and bytes. Flows out: `Parsed`, a `Document` or every mistake found. The parser's
*events* are read without recursion and without ever building an alias, so no input is a bomb; the
values come from one pass, the places from a second one that runs only when a place is asked for.
Strict on purpose (YAML 1.2 core, see `scalars`): one document, no anchors, aliases, tags, merge
keys, duplicate keys, tabs for indentation, nor invisible characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from _ruamel_yaml import CParser
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from llmops.diagnostics import Diagnostic, Span
from llmops.source.places import AWAITED, Places, spot_of
from llmops.source.scalars import STARTS, Refused, resolve
from llmops.source.text import inside, place, unreadable
from llmops.source.trouble import explain

MAX_DEPTH = 64
MAX_MISTAKES = 100

_TAB = re.compile(r" *\t *[^\s]")
_CONFLICT = re.compile(r"^<{7}(?: |$)", re.MULTILINE)
_WRITE = "write the value out in each place"


@dataclass(frozen=True, slots=True)
class Document(Places):
    """One file's values (`str`, `int`, `float`, `bool`, None, list, dict) and their places."""

    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document, or why there is none.

    `kept` is what could be read in spite of mistakes, so that a reference to a spec whose file
    has a mistake need not be called dangling as well. `text` is what places refer to.
    """

    document: Document | None
    diagnostics: tuple[Diagnostic, ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""


def parse(path: str, data: bytes) -> Parsed:
    """The one document in `data`, or all mistakes that can be told at once; never raises."""
    text, mistakes = unreadable(path, data)
    if mistakes:
        return Parsed(None, mistakes, text=text)
    reader = _Reader(path, text, data)
    value = reader.read()
    if reader.mistakes or not isinstance(value, dict):
        kept = value if isinstance(value, dict) else {}
        return Parsed(None, tuple(reader.mistakes), kept, text)
    return Parsed(Document(path, text, value), text=text)


class _EnoughError(Exception):
    """Nothing more of this file is read."""


class _Reader:
    """One pass over the events of one file; `mistakes` grows as it goes."""

    def __init__(self, path: str, text: str, data: bytes) -> None:
        self.path = path
        self.text = text
        self.data = data
        self.mistakes: list[Diagnostic] = []

    def read(self) -> Any:
        """The root value, as far as it could be read."""
        roots: list[Any] = []
        try:
            self._compose(roots, decorated=any(sign in self.data for sign in b"&*!%"))
            self._judge_root(roots)
            if b"\t" in self.data:
                self._refuse_tabs()
        except YAMLError as error:
            self._syntax(error)
        except _EnoughError:
            pass  # what was found is in `mistakes`
        return roots[0] if roots else None

    def _compose(self, roots: list[Any], *, decorated: bool) -> None:
        """Fill `roots` from the events. The hot loop: half a microsecond an event."""
        here: Any = roots  # the open list or dict
        key: Any = None  # None in a list; in a dict `AWAITED`, or the key of the next value
        outer: list[tuple[Any, Any]] = []
        value: Any
        for event in iter(CParser(self.data).get_event, None):
            kind = event.__class__
            if kind is ScalarEvent:
                if decorated:
                    self._refuse_decoration(event)
                value = event.value
                if event.style == "" and value[:1] in STARTS:
                    value = resolve(value)
                    if value.__class__ is Refused:
                        value = self._refuse_scalar(event, value, is_key=key is AWAITED)
                if key is None:
                    here.append(value)
                elif key is not AWAITED:
                    here[key] = value
                    key = AWAITED
                elif value.__class__ is str and value not in here:
                    key = value
                else:
                    key = self._refuse_key(event, value, here)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                value = {} if kind is MappingStartEvent else []
                self._refuse_start(event, len(outer), decorated=decorated)
                outer.append((here, self._attach(event, here, key, value)))
                here, key = value, (AWAITED if kind is MappingStartEvent else None)
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                here, key = outer.pop()
            elif kind is DocumentStartEvent:
                self._refuse_document(event, roots)
            elif kind is AliasEvent:
                self._note(event, "yaml-alias", f'alias "*{event.anchor}" is not allowed', _WRITE)
                key = self._attach(event, here, key, None)

    def _attach(self, event: Any, here: Any, key: Any, value: Any) -> Any:
        """Put a value that is no scalar into `here`; the state of `here` after it."""
        if key is None:
            here.append(value)
            return None
        if key is AWAITED:
            return self._refuse_key(event, value, here)
        here[key] = value
        return AWAITED

    def _refuse_key(self, event: Any, value: Any, here: dict[str, Any]) -> str:
        """Note what is wrong with a key; a key for its value that hides no other."""
        if isinstance(value, str):
            message = f'key "{value}" is written twice'
            self._note(event, "duplicate-key", message, "keep one of the two")
        elif event.__class__ is ScalarEvent and event.value:
            message = f"key {event.value} is not text"
            self._note(event, "text-key", message, f'quote it: "{event.value}"')
        elif event.__class__ is ScalarEvent:
            self._note(event, "text-key", "a key is missing", 'write one before the ":"')
        elif event.__class__ is not AliasEvent:
            self._note(event, "text-key", "a key must be a text", "write lists and maps as values")
        return f"\0{len(here)}"

    def _refuse_scalar(self, event: Any, refused: Refused, *, is_key: bool) -> str:
        hint = refused.hint if is_key else refused.value_hint or refused.hint
        self._note(event, refused.rule, refused.message, hint)
        return str(event.value)

    def _refuse_start(self, event: Any, depth: int, *, decorated: bool) -> None:
        if decorated:
            self._refuse_decoration(event)
        if depth >= MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            self._note(event, "too-deep", message, "a spec needs far fewer; check the brackets")
            raise _EnoughError

    def _refuse_decoration(self, event: Any) -> None:
        if event.anchor:
            self._note(event, "yaml-alias", f'anchor "&{event.anchor}" is not allowed', _WRITE)
        if event.ctag is not None:
            shown = str(event.ctag).replace("tag:yaml.org,2002:", "!!")
            message = f'tag "{shown}" is not allowed'
            self._note(event, "yaml-tag", message, "remove it; quotes make any value a text")

    def _refuse_document(self, event: Any, roots: list[Any]) -> None:
        if roots:
            message = "a second document starts here"
            self._note(event, "one-document", message, "write each spec into a file of its own")
            raise _EnoughError
        if event.version or event.tags:
            self._note(
                event, "yaml-syntax", "YAML directives are not allowed", 'remove the "%" line'
            )

    def _judge_root(self, roots: list[Any]) -> None:
        if not roots or roots[0] is None:
            message = "the file has no content"
            self._add(
                Span(self.path), "empty-document", message, "write a spec, or remove the file"
            )
        elif not isinstance(roots[0], dict):
            message = "the file must be a map of keys such as apiVersion, kind, metadata and spec"
            self._add(Span(self.path), "not-a-map", message, 'write "key: value" lines')

    def _refuse_tabs(self) -> None:
        starts = {n for n, line in enumerate(self.text.split("\n"), 1) if _TAB.match(line)}
        for event in iter(CParser(self.data).get_event, None) if starts else ():
            if event.__class__ is ScalarEvent and event.style != "":
                first, last = event.start_mark.line + 1, event.end_mark.line + 1
                starts.difference_update(range(first + 1, last + 1))
        for line in sorted(starts):
            span = Span(self.path, line)
            self._add(span, "yaml-syntax", "a tab where spaces are expected", "indent with spaces")

    def _syntax(self, error: Any) -> None:
        conflict = _CONFLICT.search(self.text)
        if conflict:
            span = place(self.path, self.text, conflict.start())
            message = "a merge conflict is not resolved"
            self._add(span, "yaml-syntax", message, "choose one side and remove the marks")
            return
        problem, context = (
            str(getattr(error, name, None) or "") for name in ("problem", "context")
        )
        stopped, began = (getattr(error, f"{name}_mark", None) for name in ("problem", "context"))
        mark = began if began and "unexpected end of stream" in problem else stopped
        span = Span(self.path, mark.line + 1, mark.column + 1) if mark else Span(self.path)
        span = inside(span, self.text)
        character = self.text.split("\n")[span.line - 1][span.column - 1 : span.column]
        opened = began.line + 1 if began else span.line
        self._add(span, "yaml-syntax", *explain(problem, context, character, opened))

    def _note(self, event: Any, rule: str, message: str, hint: str) -> None:
        self._add(Span(self.path, *spot_of(event)), rule, message, hint)

    def _add(self, span: Span, rule: str, message: str, hint: str) -> None:
        self.mistakes.append(Diagnostic(span, rule, message, hint))
        if len(self.mistakes) >= MAX_MISTAKES:
            raise _EnoughError
