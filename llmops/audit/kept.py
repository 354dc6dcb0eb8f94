"""Each blob of a log: named by an entry, there, and the bytes that its name says. Dry.

In: the history, the blobs. Out: flaws, and which public forms were taken away by whose word. A
blob that is gone is gone by a redaction that the log has, or it was removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmops.audit.base import Entry, Flaw, History, Material
from llmops.diagnostics import printable
from llmops.log.base import REDACTION, RUN
from llmops.log.layout import blob_path


@dataclass(frozen=True, slots=True)
class Blobs:
    """What was found of the blobs. `redacted`: digest -> the entry that took it away."""

    flaws: tuple[Flaw, ...]
    count: int
    rows: int  # lines of rows in them
    redacted: Mapping[str, Entry]


def check(history: History, material: Material, *, whole: bool = True) -> Blobs:
    """Every blob that an entry names, and no other.

    Of a history that is not `whole`, an entry that was refused may have named the others.
    """
    named = dict(_named(history))
    redacted = {digest: entry for entry in history.of(REDACTION) for digest in _subjects(entry)}
    wanted = [digest for digest in named if digest not in redacted]
    flaws, count, rows = [], 0, 0
    for digest, data in material.many(wanted):
        entry, name = named[digest]
        flaw = _wrong(digest, data, entry)
        if flaw is not None:
            flaws.append(flaw)
        count += data is not None
        rows += data.count(b"\n") - 1 if data is not None and name == "rows.jsonl" else 0
    if whole:
        flaws += _others(frozenset(material.digests), frozenset(wanted), redacted)
    flaws += (
        Flaw("tampered", "no log has a file of that name", file=printable(path, 300))
        for path in material.strange
    )
    return Blobs(tuple(flaws), count, rows, redacted)


def _named(history: History) -> Iterator[tuple[str, tuple[int, str]]]:
    """The digests that runs disclose, each with the first entry that names it, and as what."""
    seen: set[str] = set()
    for entry in history.of(RUN):
        disclosed = entry.predicate.get("disclosed")
        for name, digest in disclosed.items() if isinstance(disclosed, dict) else ():
            if isinstance(digest, str) and digest not in seen:
                seen.add(digest)
                yield digest, (entry.number, name)


def _subjects(entry: Entry) -> Iterator[str]:
    """The digests that a redaction takes away."""
    for subject in entry.statement["subject"]:
        digest = subject.get("digest") if isinstance(subject, dict) else None
        named = digest.get("sha256") if isinstance(digest, dict) else None
        if isinstance(named, str):
            yield f"sha256:{named}"


def _wrong(digest: str, data: bytes | None, entry: int) -> Flaw | None:
    path = blob_path(digest)
    if data is None:
        what = f"entry {entry} names this blob, and it is not there"
        return Flaw("incomplete", what, "no redaction took it away", entry=entry, file=path)
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if found == digest:
        return None
    return Flaw("tampered", f"its bytes have the digest {found}", entry=entry, file=path)


def _others(
    there: frozenset[str], wanted: frozenset[str], redacted: Mapping[str, Entry]
) -> Iterator[Flaw]:
    """Blobs that should not be there."""
    for digest in sorted(there - wanted):
        path = blob_path(digest)
        if digest in redacted:
            number = redacted[digest].number
            what = f"entry {number} took this blob away, and it is still there"
            yield Flaw("tampered", what, entry=number, file=path)
        else:
            yield Flaw("tampered", "no entry names this blob", file=path)
