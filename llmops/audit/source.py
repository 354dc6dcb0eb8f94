"""What somebody hands us -> `Material` that checks can read: a bundle, or a clone. Wet.

In: a path. Out: `Bundle`, whose every byte is accounted for (`flaws` names what is not as the
writer writes it), or `Clone`. Neither believes anything: entries, blobs, trees and pages are given
as they are, each tree over objects whose ids are computed again.

Only what nobody can look at at all is an error: no file, no bundle, one of a newer llmops, a folder
without a repository.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from llmops.audit import container, index, opened
from llmops.audit.base import Flaw
from llmops.audit.container import Contents
from llmops.audit.opened import Openings
from llmops.audit.trees import reads
from llmops.diagnostics import printable
from llmops.errors import GitError, LogError, UsageError
from llmops.log import layout
from llmops.log.files import Files
from llmops.source.objects import Objects, Withheld
from llmops.source.tree import Repository, Tree

_HINT = "llmops bundle makes one; llmops verify reads it, or a clone that has the branch llmops-log"


class Unreadable(LogError):
    """What was handed over cannot be looked at: it is missing, no bundle, or of a newer llmops."""


@dataclass(frozen=True)
class Bundle:
    """A bundle's files, with the first damage of the file that holds them."""

    name: str
    contents: Contents
    whole: bool = field(default=True, init=False)

    @classmethod
    def at(cls, path: Path) -> Bundle:
        """The bundle at a path. Raises Unreadable."""
        return cls.of(printable(path.name, 200), _file(path))

    @classmethod
    def of(cls, name: str, data: bytes) -> Bundle:
        """The bundle that bytes are. Raises Unreadable."""
        try:
            made = cls(name, container.read(data))
        except ValueError as error:
            raise Unreadable(f"{name} is no bundle: {error}", hint=_HINT) from None
        listed = made.contents.get(index.NAME, b"") if made.contents.damage is None else b""
        if (version := index.newer(listed)) is not None:
            what = f"{name} has format_version {version}, this llmops reads {index.FORMAT_VERSION}"
            raise Unreadable(what, hint="install the llmops that wrote it, or a newer one")
        return made

    def checkpoint(self) -> bytes | None:
        """The checkpoint of the log, None where the bundle has none."""
        return self.contents.get(index.CHECKPOINT)

    def entries(self) -> Iterator[bytes]:
        """The entries from 0 on, to the first that is missing."""
        for number in range(len(self.contents)):
            data = self.contents.get(index.entry(number))
            if data is None:
                return
            yield data

    def blob(self, digest: str) -> bytes | None:
        """The bytes that the log keeps under a digest, as they are here."""
        return self.contents.get(index.blob(digest))

    def many(self, digests: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Many blobs, in the order asked for."""
        return ((digest, self.blob(digest)) for digest in digests)

    @cached_property
    def digests(self) -> frozenset[str]:
        """The blobs that are here."""
        found = (index.blob_at(name) for name in self.contents)
        return frozenset(one for one in found if one is not None)

    @cached_property
    def strange(self) -> tuple[str, ...]:
        """Names of files that no bundle has."""
        return tuple(name for name in self.contents if not index.is_ours(name))

    @cached_property
    def objects(self) -> Objects:
        """The git objects that were handed over, and what is said of those that were not."""
        names = {oid: name for name in self.contents if (oid := index.object_at(name)) is not None}
        return Objects(_Named(self.contents, names), self.withheld())

    def tree(self, oid: str, label: str, commit: str | None) -> Tree | None:
        """A judged tree, None where it is not here."""
        if oid not in self.objects.found:
            return None
        return Tree(label, oid, commit, False, self.objects)

    def withheld(self) -> Mapping[str, Withheld]:
        """What is said of files that are not here."""
        return self._withheld[0]

    @property
    def opened(self) -> Openings | None:
        """What was asked to be shown, and what was; None where nothing was asked."""
        return self._opened[0]

    def pages(self) -> Mapping[str, bytes]:
        """The rendered pages."""
        return {n: self.contents[n] for n in self.contents if n.startswith(index.PAGES)}

    def flaws(self) -> Iterable[Flaw]:
        """The first damage of the file, and files that are not what follows from the others."""
        damage = self.contents.damage
        if damage is not None:
            hint = "no file behind it was read" if damage.ends else ""
            yield Flaw("tampered", damage.what, hint, file=damage.name, offset=damage.offset)
            return  # what else could be said of the list of files follows from it
        yield from index.problems(self.contents)
        for flaw in (self._withheld[1], self._opened[1]):
            if flaw is not None:
                yield flaw

    def left_over(
        self, trees: Iterable[Tree], cache: MutableMapping[str, Any] | None = None
    ) -> Iterator[Flaw]:
        """Objects that no judged tree needs. `trees`: all that verdicts name and that are here."""
        if self.contents.damage is not None:
            return
        needed: set[str] = set()
        for tree in {one.oid: one for one in trees}.values():
            try:
                needed |= self.objects.trees(tree.oid) | reads(tree, cache).given
            except GitError as error:
                yield Flaw("tampered", error.message, error.hint)
                return
        for oid in self.objects.found:
            if oid not in needed:
                yield Flaw(
                    "tampered", "no judged tree has this object", file=index.object_path(oid)
                )

    @cached_property
    def _opened(self) -> tuple[Openings | None, Flaw | None]:
        data = self.contents.get(index.OPENINGS)
        if data is None:
            return None, None
        try:
            return opened.decode(data), None
        except ValueError as error:
            return None, Flaw("tampered", str(error), file=index.OPENINGS)

    @cached_property
    def _withheld(self) -> tuple[Mapping[str, Withheld], Flaw | None]:
        data = self.contents.get(index.WITHHELD)
        if data is None:
            return {}, None
        try:
            return index.withheld(data), None
        except ValueError as error:
            return {}, Flaw("tampered", str(error), file=index.WITHHELD)


@dataclass(frozen=True)
class Clone:
    """A repository with the branch of its log. What it has not, it may have elsewhere."""

    repository: Repository
    log: Files
    whole: bool = field(default=False, init=False)

    @property
    def name(self) -> str:
        """The folder of the repository."""
        return printable(self.repository.root.name, 200)

    @property
    def strange(self) -> Sequence[str]:
        """Paths of the branch that no log has."""
        return self.log.strange

    @property
    def digests(self) -> frozenset[str]:
        """The blobs of the branch."""
        return self.log.digests

    def checkpoint(self) -> bytes | None:
        """The checkpoint of the branch."""
        return self.log.checkpoint()

    def entries(self) -> Iterator[bytes]:
        """The entries of the branch."""
        return self.log.entries()

    def blob(self, digest: str) -> bytes | None:
        """A blob of the branch."""
        return self.log.blob(digest)

    def many(self, digests: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Many blobs, some hundred with one git process."""
        for start in range(0, len(digests), 200):
            yield from self._some(digests[start : start + 200])

    def _some(self, digests: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        paths = {d: layout.blob_path(d) for d in digests if d in self.digests}
        data = self.log.tree.read_many(paths.values()) if self.log.tree is not None else {}
        return ((d, data[paths[d]] if d in paths else None) for d in digests)

    def flaws(self) -> Iterable[Flaw]:
        """Nothing holds the files of a clone but git."""
        return ()

    def left_over(
        self, trees: Iterable[Tree], cache: MutableMapping[str, Any] | None = None
    ) -> Iterator[Flaw]:
        """A repository has whatever else it has."""
        return iter(())

    def tree(self, oid: str, label: str, commit: str | None) -> Tree | None:
        """A judged tree by its id, None where the clone has it not; a name is no id."""
        try:
            found = self.repository.tree(oid)
        except (UsageError, GitError):
            return None
        return replace(found, label=label, commit=commit) if found.oid == oid else None

    def withheld(self) -> Mapping[str, Withheld]:
        """Nothing: a clone has its files."""
        return {}

    @property
    def opened(self) -> Openings | None:
        """Nothing is shown beside the files."""
        return None

    def pages(self) -> Mapping[str, bytes]:
        """None: pages are made where they are wanted."""
        return {}


class _Named(Mapping[str, bytes]):
    """The objects of a bundle by id."""

    def __init__(self, contents: Contents, names: Mapping[str, str]) -> None:
        self._contents, self._names = contents, names

    def __getitem__(self, oid: str) -> bytes:
        return self._contents[self._names[oid]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, oid: object) -> bool:
        return oid in self._names


def _file(path: Path) -> bytes:
    """The bytes of a plain file of a size that a bundle can have. Raises Unreadable."""
    shown = printable(str(path), 300)
    try:
        with open(path, "rb", opener=_plain) as file:
            size = os.fstat(file.fileno()).st_size
            if size > container.MOST_BYTES:
                what = f"{shown} has {size:,} bytes, a bundle at most {container.MOST_BYTES:,}"
                raise Unreadable(what, hint=_HINT)
            return file.read(container.MOST_BYTES + 1)
    except OSError as error:
        raise Unreadable(
            f"{shown} cannot be read: {error.strerror or error}", hint=_HINT
        ) from error


def _plain(path: str, flags: int) -> int:
    """Opens a plain file; a pipe that nobody writes to, or a device, would never end."""
    handle = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "it is no plain file")
    return handle
