"""What an importer gives, and the draft it works on.

`Draft` is the importer's pen: it names specs (every name valid, none twice), puts values where a
kind has them, and notes what is not carried, each with the line of the foreign file. `Imported` is
what stands when the pen is laid down.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.diagnostics import Diagnostic, Span, printable
from llmops.rewrites.write import path_of
from llmops.source.document import Document
from llmops.specs import problem
from llmops.specs.base import API_VERSION, Ref
from llmops.specs.problem import Loc
from llmops.specs.secrets import looks_secret, names_secret, redacted

# In which order specs are written: what others refer to first.
ORDER = ("Model", "Dataset", "Recipe", "Prompt", "Application", "Evaluation")
LARGEST = 2**53
DEEPEST = 40  # maps and lists in each other that one value may have
LONGEST_NAME = 63
LONGEST_WORDS = 300  # of one note


@dataclass(frozen=True, slots=True)
class Found:
    """A file that the foreign one names, and its bytes; None for one too large to be read here.

    `here`: it lies in the repository, and `path` is from the root; else `path` is as it is written.
    """

    path: str
    data: bytes | None
    here: bool = True


Near = Callable[[str], Found | None]  # a path as it is written there -> the file, or None


@dataclass(frozen=True, slots=True)
class Note:
    """One thing of the foreign file that no spec says: where it stands, and why."""

    span: Span
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class Made:
    """One spec: its data, and comments by place.

    A comment at `()` stands above the whole file, others above the key or item that they name.
    """

    ref: Ref
    value: Mapping[str, Any]
    comments: Mapping[Loc, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where it belongs: `specs/recipes/NAME.yaml`."""
        return path_of(self.value)


@dataclass(frozen=True, slots=True)
class Imported:
    """Specs in the order of `ORDER`, rows by their path, and what none of them says.

    `refused`: why nothing of it can be imported; then there is nothing else.
    """

    specs: tuple[Made, ...] = ()
    rows: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    refused: tuple[Diagnostic, ...] = ()


class NotCarriedError(Exception):
    """A value that has no counterpart here; the message says why, fit for a note."""


class Names:
    """Names for specs: valid, readable, none given twice within a kind."""

    def __init__(self) -> None:
        self._given: set[Ref] = set()

    def take(self, kind: str, wanted: str) -> Ref:
        """A reference that nobody has yet: `slug(wanted)`, or that with a number."""
        base, number = slug(wanted, kind.lower()), 1
        ref = Ref(kind, base)
        while ref in self._given:
            number += 1
            ref = Ref(kind, f"{base[: LONGEST_NAME - len(str(number)) - 1]}-{number}")
        self._given.add(ref)
        return ref


def shown_name(text: str) -> str:
    """The last part of a path or a hub's name, without what says the form of a file."""
    last = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    return re.sub(r"\.(jsonl?|csv|parquet|txt|ya?ml)$", "", last, flags=re.IGNORECASE)


def slug(text: str, otherwise: str) -> str:
    """A valid name that a person knows again: the last part of a path, in small ASCII letters.

    Letters that no name may have (客服) are told apart by a digest of the whole text, so that two
    of them never meet in one name, and one always gets the same.
    """
    last = shown_name(text)
    plain = re.sub(r"[^a-z0-9.]+", "-", last.lower()).strip("-.")
    if any(character.isalnum() and not character.isascii() for character in last):
        digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
        plain = f"{plain[: LONGEST_NAME - 9] or otherwise}-{digest}"
    return plain[:LONGEST_NAME].strip("-.") or otherwise


class Draft:
    """The specs of one import while they are made."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.names = Names()
        self.rows: dict[str, bytes] = {}
        self.refused: list[Diagnostic] = []
        self._values: dict[Ref, dict[str, Any]] = {}
        self._comments: dict[Ref, dict[Loc, list[str]]] = {}
        self._origins: dict[tuple[Ref, Loc], Loc] = {}
        self._notes: dict[Note, None] = {}

    def add(self, kind: str, wanted: str) -> Ref:
        """A new spec without a word in it yet."""
        ref = self.names.take(kind, wanted)
        about = {"name": ref.name}
        if not wanted.isascii():
            about["title"] = clean(shown_name(wanted))  # what no name can say
        self._values[ref] = {
            "apiVersion": API_VERSION, "kind": kind, "metadata": about, "spec": {},
        }  # fmt: skip
        return ref

    def put(self, ref: Ref, path: str, value: Any, of: Loc = ()) -> None:
        """A value at a dotted path below `spec`; `of`: where it comes from in the foreign file."""
        *outer, last = path.split(".")
        try:
            value = clean(value)
        except NotCarriedError as error:
            self.note(of, str(error))
            return
        block = self._values[ref]["spec"]
        for step in outer:
            block = block.setdefault(step, {})
        block[last] = value
        self._origins[ref, ("spec", *outer, last)] = of

    def get(self, ref: Ref, path: str) -> Any:
        """The value at a dotted path below `spec`, or None."""
        block: Any = self._values[ref]["spec"]
        for step in path.split("."):
            block = block.get(step) if isinstance(block, dict) else None
        return block

    def leave(self, ref: Ref, key: str) -> None:
        """Nothing at a key of `spec`, after all."""
        self._values[ref]["spec"].pop(key, None)

    def about(self, ref: Ref, title: str) -> None:
        """What people call a spec, where its name cannot say it."""
        self._values[ref]["metadata"]["title"] = clean(title)

    def say(self, ref: Ref, path: str, text: str) -> None:
        """A comment above the key at a dotted path below `spec`; above the file for ""."""
        loc: Loc = ("spec", *_steps(path)) if path else ()
        safe = printable(redacted(text), LONGEST_WORDS)
        self._comments.setdefault(ref, {}).setdefault(loc, []).append(safe)

    def note(self, of: Loc, why: str, what: str = "") -> None:
        """What is not carried, and why; what it is is read from the foreign file unless said."""
        span = self.document.span(of, key=True) if of else Span(self.document.path)
        self.note_in(span, what or self.words(of), why)

    def note_in(self, span: Span, what: str, why: str) -> None:
        """As `note`, of another file than the configuration itself."""
        self._notes[Note(span, redacted(what), redacted(why))] = None

    def refuse(self, of: Loc, hint: str) -> None:
        """Nothing is imported: what stands there has no counterpart, and is the heart of it."""
        what = f"{self.words(of)} has no counterpart in llmops"
        self.refused.append(Diagnostic(self.document.span(of), "not-carried", what, hint))

    def words(self, of: Loc) -> str:
        """A value of the foreign file as people wrote it: `lora_r: 8`; never a secret."""
        value: Any = self.document.value
        for step in of:
            value = value[step]
        return told(problem.path_of(of), value)

    def origin(self, ref: Ref, loc: Loc) -> Loc:
        """Where the value at a place comes from, or what holds it does."""
        while loc and (ref, loc) not in self._origins:
            loc = loc[:-1]
        return self._origins.get((ref, loc), ())

    def made(self) -> tuple[Made, ...]:
        """The specs as they stand, in the order in which they are written."""
        refs = sorted(self._values, key=lambda ref: ORDER.index(ref.kind))
        return tuple(Made(ref, self._values[ref], self._told(ref)) for ref in refs)

    def _told(self, ref: Ref) -> Mapping[Loc, str]:
        found = self._comments.get(ref, {})
        return {loc: "\n".join(lines) for loc, lines in found.items()}

    def notes(self) -> tuple[Note, ...]:
        """All notes, by place."""
        return tuple(sorted(self._notes, key=lambda n: (n.span.path, n.span.line, n.what, n.why)))


def clean(value: Any, depth: int = 0) -> Any:
    """The value as a spec can hold it. NotCarriedError for what no YAML of ours can say."""
    if depth > DEEPEST:
        raise NotCarriedError("it is nested too deep")
    if isinstance(value, dict):
        return {str(clean(key)): clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [clean(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, float) and not math.isfinite(value):
        raise NotCarriedError("it is no finite number")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise NotCarriedError("it is a whole number that JSON readers round")
    return value


def _steps(path: str) -> Iterable[str | int]:
    return (int(step) if step.isdigit() else step for step in path.split("."))


def told(name: str, value: Any) -> str:
    """A key with its value as people wrote it, in one line; never a secret, never very long."""
    key = name.rpartition(".")[2]
    if looks_secret(name) or (isinstance(value, str) and looks_secret(value)):
        return redacted(f"{printable(name, 80)}: …")
    if names_secret(key) and value is not None:
        return f"{printable(name, 80)}: …"
    return f"{printable(name, 80)}: {_value(value)}"


def _masked(value: Any) -> Any:
    """The value with a mark in place of everything that is called a secret."""
    if isinstance(value, dict):
        return {
            key: "…" if names_secret(key) and not isinstance(inner, dict) else _masked(inner)
            for key, inner in value.items()
        }
    return [_masked(inner) for inner in value] if isinstance(value, list) else value


def _value(value: Any) -> str:
    if isinstance(value, dict | list):
        return printable(redacted(json.dumps(_masked(value), ensure_ascii=False)), 60)
    if isinstance(value, str):
        return printable(redacted(value), 60)
    return json.dumps(value, default=str) if value is not None else "null"
