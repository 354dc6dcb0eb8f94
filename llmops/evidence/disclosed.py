"""A store of what was made public: run statements of a log, and public forms of their artifacts.

In: the runs that a log has, which of them a verdict rests on, blobs by digest. Out: the same
`Store` that planning and judging read, so that whoever has no more than the log judges by it, and
the gate that signs a verdict judges by nothing else. Nothing is read from a disk or written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.errors import StoreError
from llmops.evidence import public
from llmops.evidence.audits import Audits
from llmops.evidence.entry import Kept
from llmops.evidence.statement import Evidence
from llmops.evidence.store import Store
from llmops.jobs.audits import Audit
from llmops.jobs.base import Proof

if TYPE_CHECKING:
    from llmops.jobs.attempts import Entry

Blob = Callable[[str], bytes | None]  # `sha256:<hex>` -> bytes, None where they are not there


@dataclass(frozen=True, slots=True)
class Known:
    """What a log says before a verdict: runs, ledger, jobs that were run again, and its blobs."""

    runs: Sequence[Evidence]
    ledger: Sequence[Kept]
    blob: Blob
    audits: Sequence[Audit] = ()
    whole: set[str] = field(default_factory=set, compare=False)  # blobs that were checked before


@dataclass(frozen=True, slots=True)
class Rests:
    """What a verdict rests on: closure -> digest of the run statement; what of it was missing."""

    used: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Disclosed(Store):
    """Public forms by closure. A run that a verdict does not rest on is a look, and no proof."""

    def __init__(self, known: Known, rests: Rests) -> None:
        super().__init__(Path("disclosed"))
        self._known = known
        self._rests = rests
        self._all = {run.closure: run for run in sorted(known.runs, key=_age)}
        named = {run.digest: run for run in known.runs}
        self.unknown = tuple(d for d in rests.used.values() if d not in named)
        self._all |= {c: named[d] for c, d in rests.used.items() if d in named}

    def evidence(self, closure: str) -> Evidence | None:
        """The statement that the verdict names, else the newest one of the log."""
        return self._all.get(closure)

    def missing(self, closure: str, names: Iterable[str] | None = None) -> frozenset[str]:
        """Names of artifacts that could not be had when it was judged (of `names`, if given)."""
        gone = self._rests.missing.get(closure, frozenset())
        return gone if names is None else gone & frozenset(names)

    def read(self, closure: str, name: str) -> bytes:
        """The lines of an artifact as far as they are public. Raises StoreError."""
        run = self._all.get(closure)
        digest = run.links.disclosed.get(name) if run is not None else None
        if digest is None or name in self.missing(closure):
            raise StoreError(f'artifact "{name}" of {closure} is not disclosed')
        data = self._known.blob(digest)
        if data is None:
            raise StoreError(f'the public form of "{name}" of {closure}, {digest}, is not there')
        if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            raise StoreError(f'the public form of "{name}" of {closure} is not {digest}')
        try:
            return self._artifact(digest, name, data)
        except ValueError as error:
            raise StoreError(f'the public form of "{name}" of {closure} is none: {error}') from None

    def _artifact(self, digest: str, name: str, data: bytes) -> bytes:
        """The public lines, which are checked once: their digest names them. Raises ValueError."""
        if digest not in self._known.whole:
            public.read(data)
            self._known.whole.add(digest)
        rows = data.partition(b"\n")[2]
        return rows if name.endswith(".jsonl") else rows.rstrip(b"\n")

    def artifact(self, closure: str, name: str) -> Path:
        """Nothing lies on a disk. Raises StoreError."""
        raise StoreError(f'artifact "{name}" of {closure} is known by its public form only')

    def counted(self) -> tuple[tuple[Entry, ...], str]:
        """The entries of the ledger that the log has, and the last one's digest."""
        kept = self._known.ledger
        return tuple(one.entry for one in kept), kept[-1].digest if kept else ""

    @property
    def audits(self) -> Audits:
        """The reused jobs that were run once more, by the log."""
        return _Audits(self._known.audits)

    def _proof(self, closure: str) -> Proof | None:
        run = self._all.get(closure)
        if run is None or closure not in self._rests.used:
            return None
        return run.proof(self.missing(closure))

    def _closures(self) -> list[str]:
        return sorted(self._all)

    def _statements(self, closure: str) -> Iterator[Evidence]:
        return (run for run in self._known.runs if run.closure == closure)


class _Audits(Audits):
    """What a log says of jobs that were run once more."""

    def __init__(self, known: Sequence[Audit]) -> None:
        super().__init__(Path("disclosed"))
        self._known = known

    def all(self) -> tuple[Audit, ...]:
        """Every audit, in the order in which they were made."""
        return tuple(sorted(self._known, key=lambda one: (one.finished_at, one.digest)))


def _age(run: Evidence) -> tuple[str, str]:
    return run.result.finished_at, run.digest
