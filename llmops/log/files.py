"""The log's files in a tree: read as they are (`Files`), or held against each other (`checked`).

In: the tree of a commit of the branch. Out: its entries, blobs and checkpoint. `Files` believes
nothing and hides nothing; `checked` is what an append starts from: exactly the files of a log,
numbered without a gap, with the root that somebody signed whose key may sign for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from llmops import merkle
from llmops.diagnostics import printable
from llmops.errors import LogError
from llmops.log import layout
from llmops.log.base import BRANCH, CHECKPOINT, Checkpoint, Known
from llmops.log.checkpoint import by_one_of, decode
from llmops.source.tree import Blob, Tree

MOST_BYTES = 16 * 2**20  # of one entry
_AT_ONCE = 1000
_WHOLE = "the branch was edited by hand: bring back the tip that llmops made (git reflog, a clone)"
_AFTER = (
    "where this very state was seen before, llmops log append policies/trust/N.root.json goes on "
    "with the new key; elsewhere nobody can tell it from a thief's"
)
_WHO = "name the key that signed it in the trust root (role log), or see who pushed there"


@dataclass(frozen=True)
class Files:
    """A log in the tree of a commit; without a tree there is none."""

    tree: Tree | None
    name: str  # of the branch, for people

    def checkpoint(self) -> bytes | None:
        """The bytes of the checkpoint, None where there is none."""
        if self.tree is None or CHECKPOINT not in self.tree.blobs():
            return None
        return self.tree.read(CHECKPOINT)

    def entries(self) -> Iterator[bytes]:
        """The bytes of every entry in order. Raises LogError at the first that is missing."""
        for start in range(0, self.size, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, self.size))
            yield from self.some(numbers)

    def some(self, numbers: Sequence[int]) -> list[bytes]:
        """Some entries. Raises LogError where one is missing or too large to be one."""
        if self.tree is None:
            return []
        paths = [self.at(number).path for number in numbers]
        data = self.tree.read_many(paths)
        return [data[path] for path in paths]

    def blob(self, digest: str) -> bytes | None:
        """The bytes that `sha256:<hex>` names as the branch has them, None where it has not."""
        path = layout.blob_path(digest)
        if self.tree is None or path not in self.tree.blobs():
            return None
        return self.tree.read(path)

    @property
    def size(self) -> int:
        """One more than the highest number of an entry."""
        return max(self.numbers, default=-1) + 1

    @cached_property
    def numbers(self) -> Mapping[int, Blob]:
        """The files of entries by their numbers."""
        listed = {} if self.tree is None else self.tree.blobs()
        found = ((layout.entry_at(path), blob) for path, blob in listed.items())
        return {number: blob for number, blob in found if number is not None}

    @cached_property
    def digests(self) -> frozenset[str]:
        """What blobs there are, by digest."""
        listed = {} if self.tree is None else self.tree.blobs()
        return frozenset(d for path in listed if (d := layout.blob_at(path)) is not None)

    @cached_property
    def strange(self) -> tuple[str, ...]:
        """Paths that no log has."""
        if self.tree is None:
            return ()
        own = len(self.numbers) + len(self.digests) + (CHECKPOINT in self.tree.blobs())
        refused = tuple(blob.path for blob in self.tree.refused())
        if own == len(self.tree.blobs()):
            return refused
        return (*(path for path in self.tree.blobs() if not _is_ours(path)), *refused)

    def at(self, number: int) -> Blob:
        """The file of an entry. Raises LogError where there is none, or none of an entry's size."""
        path = layout.entry_path(number)
        if number not in self.numbers:
            raise LogError(f"{path} of {self.name} is gone", hint=_WHOLE)
        if (size := self.numbers[number].size) > MOST_BYTES:
            what = f"{path} of {self.name} has {size:,} bytes, an entry at most {MOST_BYTES:,}"
            raise LogError(what, hint=_WHOLE)
        return self.numbers[number]


@dataclass(frozen=True, slots=True)
class Seen:
    """A log that holds together. `tip` and `checkpoint` are None where there is none yet."""

    tip: str | None = None
    checkpoint: Checkpoint | None = None
    known: Known = field(default_factory=Known)
    leaves: tuple[bytes, ...] = ()
    blobs: frozenset[str] = frozenset()

    def begins_with(self, other: Checkpoint | None) -> bool:
        """Whether the first entries are those of a checkpoint."""
        if other is None:
            return True
        return other.size <= len(self.leaves) and merkle.root(self.leaves[: other.size]) == (
            other.root
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads logs, each entry once: their files are known by git's ids."""

    name: str = BRANCH
    _entries: dict[str, tuple[bytes, bytes]] = field(default_factory=dict, repr=False)

    def checked(self, tree: Tree, publics: Sequence[bytes], revoked: Sequence[bytes] = ()) -> Seen:
        """The log of a tree. Raises LogError saying what of it is not as llmops left it.

        A checkpoint of a `revoked` key counts no more than a stranger's, and is called by its name.
        """
        files = Files(tree, self.name)
        if files.strange:
            what = f"{printable(files.strange[0], 120)} on {self.name} is no part of a log"
            raise LogError(what, hint=_WHOLE)
        found = self._read(files)
        leaves = tuple(leaf for _, leaf in found)
        said = _signed(files, publics, revoked)
        if (said.size, said.root) != (len(leaves), merkle.root(leaves)):
            raise LogError(_differs(self.name, said, leaves), hint=_WHOLE)
        known = Known(tuple(data for data, _ in found))
        return Seen(tree.commit, said, known, leaves, files.digests)

    def _read(self, files: Files) -> list[tuple[bytes, bytes]]:
        """Every entry with its leaf hash."""
        new = [n for n, blob in files.numbers.items() if blob.oid not in self._entries]
        for number, data in zip(new, files.some(new), strict=True):
            self._entries[files.numbers[number].oid] = (data, merkle.leaf(data))
        return [self._entries[files.at(number).oid] for number in range(files.size)]


def signed_at(tree: Tree, name: str) -> Checkpoint:
    """What the checkpoint of a tree says, whoever signed it. Raises LogError."""
    return _decoded(Files(tree, name))[1]


def _decoded(files: Files) -> tuple[bytes, Checkpoint]:
    data = files.checkpoint()
    if data is None:
        raise LogError(f"{files.name} has no checkpoint", hint=_WHOLE)
    try:
        return data, decode(data)
    except ValueError as error:
        raise LogError(f"the checkpoint of {files.name} is none: {error}", hint=_WHOLE) from None


def _signed(files: Files, publics: Sequence[bytes], revoked: Sequence[bytes]) -> Checkpoint:
    data, _ = _decoded(files)
    try:
        return by_one_of(data, publics)
    except ValueError as error:
        if _is_by(data, revoked):
            what = f"the checkpoint of {files.name} is signed by a key that was revoked"
            raise LogError(what, hint=_AFTER) from None
        raise LogError(f"the checkpoint of {files.name}: {error}", hint=_WHO) from None


def _is_by(data: bytes, publics: Sequence[bytes]) -> bool:
    try:
        by_one_of(data, publics)
    except ValueError:
        return False
    return True


def _differs(name: str, said: Checkpoint, leaves: Sequence[bytes]) -> str:
    if said.size != len(leaves):
        return f"{name} has {len(leaves):,} entries, and its checkpoint says {said.size:,}"
    there = merkle.root(leaves).hex()[:12]
    return (
        f"the entries of {name} have the root {there}, its checkpoint says {said.root.hex()[:12]}"
    )


def _is_ours(path: str) -> bool:
    named = layout.entry_at(path) is not None or layout.blob_at(path) is not None
    return named or path == CHECKPOINT


def digest(data: bytes) -> str:
    """The name of a blob."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
