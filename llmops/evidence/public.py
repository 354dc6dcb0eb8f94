"""An artifact -> what of it a stranger may see, and proof of a line that was shown later. Dry.

In: the name and bytes of an artifact, and the columns that specs slice by. Out: its public form:
a header, then for each line what rules and reports need of it, and no text of a case: allow-lists,
so that a new key is hidden until somebody adds it here. Where only the equality of texts matters
(answers before and after, the group of a finding) a token `sha256:…` stands for the text.

The header's `hidden` is the root of an RFC 6962 tree. Leaf i is over a salt and the whole line as
the artifact has it; salts follow from the artifact's own bytes, so whoever has these makes the
same form again, and the root tells nobody else more than the artifact's digest does. An `Opening`
shows one line: it is that line, and its public line follows from it.

What this does not hide: how many cases there are, how they scored, which are equal; the words of a
column that specs slice by (a verdict names them). The digest of a case is not salted, it is the
same in every run: whoever guesses a whole case can tell that it is there. An answer's token is
keyed by what was asked: whoever guesses both can tell. What is short is guessable.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops import merkle
from llmops.digest import PATTERN, canonical, of_bytes
from llmops.evidence import shown
from llmops.evidence.shown import Given, Tokens
from llmops.graph.build import Graph

FORMAT = "llmops.public/1"
OWN_COLUMNS = frozenset({"pair", "variant", "risk"})  # those that rules read by their own names
_HEADER = {"format", "name", "of", "lines", "columns", "hidden"}


@dataclass(frozen=True, slots=True)
class Public:
    """A public form: its bytes, the artifact's digest, the root over its hidden lines."""

    data: bytes
    of: str
    root: bytes

    @property
    def digest(self) -> str:
        """What names these bytes: `disclosed` of a run statement."""
        return of_bytes(self.data)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a public form."""

    name: str
    of: str
    lines: int
    columns: tuple[str, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """One line of an artifact, shown: `nonces` are those of its tokens, in their order."""

    of: str
    line: int
    text: str
    salt: bytes
    nonces: tuple[bytes, ...]
    path: tuple[bytes, ...]


def discloses(name: str) -> bool:
    """Whether an artifact of that name has a public form."""
    return name in shown.ROWS or name in shown.SHAPES or shown.is_asked(name)


def columns_of(*graphs: Graph | None) -> frozenset[str]:
    """The columns that the specs of some trees slice by."""
    return frozenset(
        str(one["column"])
        for graph in graphs
        if graph is not None
        for spec in graph.specs.values()
        for one in spec.spec.get("slices", ())
        if isinstance(one, Mapping) and "column" in one
    )


def public(name: str, data: bytes, columns: Collection[str] = ()) -> Public:
    """The public form. Raises ValueError: no artifact of that name has one, or this is none."""
    made = _Made.of(name, data, columns)
    root = merkle.root(made.leaves())
    first = {
        "format": FORMAT, "name": name, "of": of_bytes(data), "lines": len(made.texts),
        "columns": list(made.columns), "hidden": root.hex(),
    }  # fmt: skip
    lines = [canonical(first), *(canonical(made.shown(i)[0]) for i in range(len(made.texts)))]
    return Public(b"".join(line + b"\n" for line in lines), of_bytes(data), root)


def header(data: bytes) -> Header:
    """The header of a public form. Raises ValueError for one that `public` does not write."""
    first, end, _ = data.partition(b"\n")
    said = _value(first)
    if not end or type(said) is not dict or said.keys() != _HEADER or said["format"] != FORMAT:
        raise ValueError(f"it is no {FORMAT}")
    name, of, lines, columns = said["name"], said["of"], said["lines"], said["columns"]
    if type(name) is not str or not discloses(name):
        raise ValueError("its artifact has no public form")
    if type(of) is not str or not PATTERN.fullmatch(of):
        raise ValueError("its header names no artifact")
    if type(lines) is not int or data.count(b"\n") != lines + 1:
        raise ValueError("it has not as many lines as its header says")
    if type(columns) is not list or not all(type(one) is str for one in columns):
        raise ValueError("its columns are no list of texts")
    if type(said["hidden"]) is not str or not re.fullmatch(r"[0-9a-f]{64}", said["hidden"]):
        raise ValueError("its root is none")
    if columns != sorted(set(columns)) or canonical(said) != first:
        raise ValueError("its header is not written as canonical JSON")
    return Header(name, of, lines, tuple(columns), bytes.fromhex(said["hidden"]))


def read(data: bytes) -> list[Any]:
    """The lines of a public form, as rules take the artifact's own. Raises ValueError."""
    header(data)
    lines = data.split(b"\n")
    if lines.pop() != b"":
        raise ValueError("its last line is cut short")
    rows = [_value(line) for line in lines[1:]]
    for number, (row, line) in enumerate(zip(rows, lines[1:], strict=True), start=2):
        if canonical(row) != line:
            raise ValueError(f"line {number} is not written as canonical JSON")
    return rows


def as_artifact(data: bytes) -> bytes:
    """A public form as bytes of the artifact's own kind: what reads the one reads the other."""
    rows = b"".join(canonical(row) + b"\n" for row in read(data))
    return rows if header(data).name.endswith(".jsonl") else rows.rstrip(b"\n")


def opened(
    name: str, data: bytes, columns: Collection[str], lines: Iterable[int]
) -> Iterator[Opening]:
    """Some lines of an artifact (from 0), shown. Raises ValueError, or IndexError for no line."""
    made = _Made.of(name, data, columns)
    leaves, of = made.leaves(), of_bytes(data)
    for line in lines:
        if not 0 <= line < len(made.texts):
            raise IndexError(f"no line {line} in {len(made.texts)}")
        path, text = merkle.inclusion(leaves, line), made.texts[line].decode("utf-8")
        yield Opening(of, line, text, made.secret.salt(line), made.shown(line)[1], path)


def problem(one: Opening, data: bytes) -> str:
    """Why an opening does not show a line of this public form; "" where it does."""
    try:
        found = header(data)
    except ValueError as error:
        return str(error)
    if one.of != found.of or not 0 <= one.line < found.lines:
        return f"it is of another artifact, or of no line of {found.name}"
    leaf = merkle.leaf(one.salt + one.text.encode("utf-8", "replace"))
    if not merkle.included(leaf, one.line, found.lines, one.path, found.root):
        return f"it is not line {one.line + 1} of {found.name}"
    given = Given(list(one.nonces))
    try:
        said = _value(data.split(b"\n")[one.line + 1])
        (row,) = _lines(found.name, one.text.encode())[1]
        words = shown.as_shown(said, row)
        made = shown.shower(found.name, found.columns, words)(row, given)
    except (ValueError, KeyError, TypeError) as error:
        return f"line {one.line + 1} of {found.name} is none: {error}"
    if given.left or made != said:
        return f"the public line {one.line + 1} of {found.name} does not follow from it"
    return ""


@dataclass(frozen=True, slots=True)
class _Made:
    """An artifact's lines, as they are and as values, with all that makes its public form."""

    texts: list[bytes]
    rows: list[Any]
    columns: tuple[str, ...]
    show: shown.Show
    secret: _Secret

    @classmethod
    def of(cls, name: str, data: bytes, columns: Collection[str]) -> _Made:
        """The lines of an artifact. Raises ValueError."""
        texts, rows = _lines(name, data)
        wanted = tuple(sorted(OWN_COLUMNS | set(columns)))
        show = shown.shower(name, wanted, shown.words_of(rows, wanted))
        return cls(texts, rows, wanted, show, _Secret(data))

    def leaves(self) -> list[bytes]:
        """The hash of each hidden line."""
        return [self.secret.leaf(i, text) for i, text in enumerate(self.texts)]

    def shown(self, line: int) -> tuple[Any, tuple[bytes, ...]]:
        """The public line, and the nonces of its tokens. Raises ValueError."""
        tokens = Tokens(self.secret.key())
        try:
            return self.show(self.rows[line], tokens), tuple(tokens.used)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"line {line + 1} is none of such an artifact: {error}") from None


class _Secret:
    """What only those know who have the artifact: salts of its lines, keys of its texts."""

    def __init__(self, data: bytes) -> None:
        self._key = hashlib.sha256(b"llmops/blind/v1" + data).digest()

    def salt(self, line: int) -> bytes:
        """The salt of a line."""
        return hmac.digest(self._key, line.to_bytes(8, "big"), "sha256")

    def leaf(self, line: int, text: bytes) -> bytes:
        """The leaf of a line."""
        return merkle.leaf(self.salt(line) + text)

    def key(self) -> bytes:
        """What keys the texts that are equal within the artifact only."""
        return hmac.digest(self._key, b"tokens", "sha256")


def _lines(name: str, data: bytes) -> tuple[list[bytes], list[Any]]:
    """The lines of an artifact as they are, and as values; JSON that is no JSON Lines is one."""
    if not discloses(name):
        raise ValueError(f"{name} has no public form")
    if name.endswith(".jsonl"):
        texts = [line for line in data.splitlines() if line.strip()]
    else:
        texts = [data]
    rows = [_value(text) for text in texts]
    wanted = list if shown.is_asked(name) or name == "funnel.json" else dict
    if not all(type(row) is wanted for row in rows):
        raise ValueError(f"a line of {name} is not of its shape")
    return texts, rows


def _value(text: bytes) -> Any:
    try:
        return json.loads(text.decode("utf-8"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a number")
