r"""Git objects without git: trees and blobs that somebody handed over, each held to its id. Dry.

In: objects as git hashes them (`<type> <size>\0<content>`) and ids of blobs that were withheld,
with digest and size. Out: `Objects`, which answers as `source.git.Git` does, so that
`source.tree.Tree` stands on either. Ids are computed again (sha1, or sha256 where they have 64
digits), and a tree is read only as git writes it: sorted, each name once and of one segment, modes
of the known few. https://git-scm.com/book/en/v2/Git-Internals-Git-Objects

Git's sha1 names a tree, it does not prove it: what counts is bound by sha256 as well, by the
digests of closures and policies that follow from these bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from llmops.diagnostics import printable
from llmops.digest import of_bytes
from llmops.errors import GitError

TREE = "40000"
_MODES = {TREE: "040000", "100644": "100644", "100755": "100755", "120000": "120000",
          "160000": "160000", "100664": "100664"}  # fmt: skip
DEEPEST = 100  # folders in each other
MOST_FILES = 1_000_000  # in one tree, however few objects it is written with


@dataclass(frozen=True, slots=True)
class Withheld:
    """A blob whose bytes are kept back: what they hash to (`sha256:<hex>`), and how many."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a tree: git's mode, the object's id, the name."""

    mode: str
    oid: str
    name: str


@dataclass(frozen=True)
class Objects:
    """Objects by id. Raises GitError, naming the object, for what is not there or not as git's."""

    found: Mapping[str, bytes]
    withheld: Mapping[str, Withheld] = field(default_factory=dict)

    def entries(self, *arguments: str) -> list[tuple[str, str, int, str]]:
        """Mode, id, size and path of what `git ls-tree` lists: `-r -l TREE`, `-d TREE -- PATH`."""
        options = [one for one in arguments if one in ("-r", "-l", "-d")]
        given = [one for one in arguments if one not in ("-r", "-l", "-d", "--")]
        if options == ["-d"] and len(given) == 2:
            return self._folder(given[0], given[1].split("/"), given[1])
        assert options == ["-r", "-l"], arguments
        found = list(islice(self._below(given[0], "", 0), MOST_FILES + 1))
        if len(found) > MOST_FILES:
            raise GitError(f"tree {given[0]} holds more than {MOST_FILES:,} files")
        return found

    def contents(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Bytes of many blobs by id."""
        return {oid: self._content(oid, b"blob") for oid in oids}

    def digests(self, oids: Iterable[str]) -> dict[str, str]:
        """What the bytes of many blobs hash to, those of withheld ones as they are said to."""
        return {oid: self._digest(oid) for oid in oids}

    def tree(self, oid: str) -> tuple[Entry, ...]:
        """The lines of one tree."""
        try:
            return tuple(_lines(self._content(oid, b"tree"), len(oid) // 2))
        except (ValueError, IndexError) as error:
            raise GitError(f"tree {oid} is not as git writes it: {error}") from None

    def trees(self, oid: str) -> frozenset[str]:
        """The ids of a tree and of all folders below it."""
        found, todo = {oid}, [oid]
        while todo:
            inner = {one.oid for one in self.tree(todo.pop()) if one.mode == TREE} - found
            found |= inner
            todo += inner
        return frozenset(found)

    def _below(self, oid: str, prefix: str, depth: int) -> Iterator[tuple[str, str, int, str]]:
        if depth > DEEPEST:
            raise GitError(f"folders lie more than {DEEPEST} deep below {printable(prefix, 80)}")
        for one in self.tree(oid):
            path = prefix + one.name
            if one.mode == TREE:
                yield from self._below(one.oid, f"{path}/", depth + 1)
            else:
                yield _MODES[one.mode], one.oid, self._size(one), path

    def _folder(self, oid: str, parts: list[str], path: str) -> list[tuple[str, str, int, str]]:
        for part in parts:
            inner = next((e for e in self.tree(oid) if (e.mode, e.name) == (TREE, part)), None)
            if inner is None:
                return []
            oid = inner.oid
        return [(_MODES[TREE], oid, 0, path)]

    def _size(self, one: Entry) -> int:
        """How long a file is; 0 of one that nobody handed over, for nobody reads it."""
        if one.oid in self.withheld:
            return self.withheld[one.oid].size
        return len(self._content(one.oid, b"blob")) if one.oid in self.found else 0

    def _digest(self, oid: str) -> str:
        if oid in self.withheld:
            return self.withheld[oid].digest
        return of_bytes(self._content(oid, b"blob"))

    def _content(self, oid: str, kind: bytes) -> bytes:
        if oid not in self.found:
            what = "withheld" if oid in self.withheld else "missing"
            raise GitError(f"object {oid} is {what}")
        return content(oid, self.found[oid], kind)


def content(oid: str, data: bytes, kind: bytes = b"") -> bytes:
    """What is in an object, once it is the one that its id names. Raises GitError."""
    if id_of(data, len(oid)) != oid:
        raise GitError(f"object {oid} is another one: its bytes are {id_of(data, len(oid))}")
    head, zero, inner = data.partition(b"\0")
    name, _, size = head.partition(b" ")
    if not zero or size != str(len(inner)).encode() or name not in (b"blob", b"tree"):
        raise GitError(f"object {oid} is not as git writes it")
    if kind and name != kind:
        raise GitError(f"object {oid} is a {name.decode()} and not a {kind.decode()}")
    return inner


def id_of(data: bytes, digits: int = 40) -> str:
    """The id of an object in a repository whose ids have so many digits."""
    made = hashlib.sha256(data) if digits == 64 else hashlib.sha1(data, usedforsecurity=False)
    return made.hexdigest()


def packed(kind: str, inner: bytes) -> bytes:
    """An object as git hashes it."""
    return b"%b %d\0%b" % (kind.encode(), len(inner), inner)


def _lines(data: bytes, width: int) -> Iterator[Entry]:
    """The lines of a tree. Raises ValueError for what git does not write."""
    at, last, names = 0, b"", set[bytes]()
    while at < len(data):
        space, zero = data.index(b" ", at), data.index(b"\0", at)
        mode, name = data[at:space].decode("ascii"), data[space + 1 : zero]
        at = zero + 1 + width
        if mode not in _MODES or at > len(data):
            raise ValueError("an entry has no known mode, or is cut short")
        if not name or b"/" in name or name in (b".", b"..") or name.lower() == b".git":
            raise ValueError("an entry has no name of a file")
        key = name + b"/" if mode == TREE else name
        if name in names or key <= last:
            raise ValueError("its entries are not in order, or one stands twice")
        last = key
        names.add(name)
        yield Entry(mode, data[at - width : at].hex(), os.fsdecode(name))
