"""The nouns of an audit: `Material`, `Entry`, `Flaw`, `Answer`. Dry.

In: what somebody hands us, as `Material`: a log that can be read, trees by git object id, pages.
Out: `Answer`. Nothing of the material is believed before a check has said why.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from llmops.log.base import Source
from llmops.source.objects import Withheld
from llmops.source.tree import Tree

if TYPE_CHECKING:
    from llmops.audit.opened import Openings

Reason = Literal[
    "tampered", "key", "fork", "incomplete", "order", "attempts", "verdict", "report", "git",
    "unreadable", "unanchored",
]  # fmt: skip
REASONS: tuple[Reason, ...] = get_args(Reason)  # the worst first
_LARGE = 4096  # bytes from which a payload is kept compressed


@dataclass(frozen=True, slots=True)
class Flaw:
    """One way in which something is not as it must be.

    `entry`: number of the log's entry. `file`: path inside the bundle or on the branch; `offset`:
    byte in it. `number`: where a figure stands (`findings/3/value`), with what it says and what
    follows from the rows.
    """

    reason: Reason
    what: str
    hint: str = ""
    entry: int | None = None
    file: str = ""
    offset: int | None = None
    number: str = ""

    @property
    def sort_key(self) -> tuple[int, int, str, int, str]:
        """The worst first, then by place."""
        entry = -1 if self.entry is None else self.entry
        offset = -1 if self.offset is None else self.offset
        return REASONS.index(self.reason), entry, self.file, offset, self.what


@dataclass(frozen=True)
class Entry:
    """An entry of the log whose envelope is canonical and signed by somebody who may.

    `kind`: its predicate type, or the payload type of a trust root. `digest`: sha256 of its payload
    (64 hex). `clock`: the latest time that any entry up to this one states.
    """

    number: int
    kind: str
    digest: str
    keys: tuple[str, ...]
    clock: str
    _payload: bytes
    _packed: bool = False

    @classmethod
    def of(
        cls, number: int, kind: str, digest: str, keys: tuple[str, ...], clock: str, payload: bytes
    ) -> Entry:
        """An entry that keeps its payload in few bytes."""
        packed = len(payload) > _LARGE
        kept = zlib.compress(payload, 1) if packed else payload
        return cls(number, kind, digest, keys, clock, kept, packed)

    @property
    def payload(self) -> bytes:
        """The signed bytes."""
        return zlib.decompress(self._payload) if self._packed else self._payload

    @property
    def statement(self) -> Mapping[str, Any]:
        """The in-toto Statement, parsed anew."""
        found: Mapping[str, Any] = json.loads(self.payload)
        return found

    @property
    def predicate(self) -> Mapping[str, Any]:
        """What the statement says of its subjects."""
        found: Mapping[str, Any] = self.statement["predicate"]
        return found


@dataclass(frozen=True)
class History:
    """The entries of a log in their order, as far as they are what they must be."""

    entries: tuple[Entry, ...] = ()

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[Entry, ...]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.kind, []).append(entry)
        return {kind: tuple(listed) for kind, listed in found.items()}

    @cached_property
    def by_digest(self) -> Mapping[str, Entry]:
        """The first entry with each payload."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            found.setdefault(entry.digest, entry)
        return found

    def of(self, *kinds: str) -> Iterator[Entry]:
        """The entries of some kinds; of one kind in the order of the log."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())


class Material(Source, Protocol):
    """A log with what its verdicts rest on: a bundle, or a clone with the log's branch."""

    @property
    def name(self) -> str:
        """What people call it: the bundle's file, the repository's folder."""
        ...

    @property
    def whole(self) -> bool:
        """Whether everything that verdicts rest on must be in it, as in a bundle."""
        ...

    @property
    def strange(self) -> Sequence[str]:
        """Paths that no log has."""
        ...

    @property
    def digests(self) -> Collection[str]:
        """The blobs that are there, each `sha256:<hex>`."""
        ...

    def flaws(self) -> Iterable[Flaw]:
        """What is wrong with the container itself; nothing where there is none."""
        ...

    def many(self, digests: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Many blobs, in the order asked for, without holding all of them at once."""
        ...

    def tree(self, oid: str, label: str, commit: str | None) -> Tree | None:
        """The files of a judged tree by git object id, None where they are not here."""
        ...

    def withheld(self) -> Mapping[str, Withheld]:
        """Digest and size of files that are not here, by git object; nobody signed for these."""
        ...

    @property
    def opened(self) -> Openings | None:
        """The lines that are shown, None where nobody asked for some."""
        ...

    def left_over(
        self, trees: Iterable[Tree], cache: MutableMapping[str, Any] | None = None
    ) -> Iterator[Flaw]:
        """Objects that none of these trees needs, where the container must hold no others."""
        ...

    def pages(self) -> Mapping[str, bytes]:
        """The rendered pages that came with it, by path."""
        ...


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict of the log, in the words of its summary."""

    entry: int
    outcome: str
    tree: str
    change: str
    judged_at: str
    derived: bool  # whether it follows from its rows, policies and trees


LandedState = Literal["judged", "derived", "unchanged", "unjudged"]


@dataclass(frozen=True, slots=True)
class Landed:
    """A step of a branch. `at`: when it was written, as its author says; `entry`: its verdict."""

    commit: str
    tree: str
    at: str
    state: LandedState
    why: str = ""  # of one that nothing shows to have been judged
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Unshown:
    """Something that an audit does not show, whatever its answer: a word for it, how many."""

    kind: str
    count: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """A log as somebody saw it: how many entries, under which Merkle root (hex), whose."""

    origin: str
    size: int
    root: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an audit says. `anchor`: by what the trust root is known, "" where it is not."""

    name: str
    anchor: str
    trust_root: str
    log: Seen | None
    flaws: tuple[Flaw, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    verdicts: Sequence[Judged] = ()
    landed: Sequence[Landed] = ()  # the steps of a branch, where one was looked at
    not_shown: tuple[Unshown, ...] = ()

    @property
    def verified(self) -> bool:
        """Whether all of it is what it must be, by a root that whoever asks knows."""
        return bool(self.anchor) and self.log is not None and not self.flaws
