"""Audits that somebody hands over -> taken in as far as they hold.

In: the pieces of a parcel, the jobs that this machine plans, base's trust root. Out: reasons why
some are refused; the others are kept. Taken is an audit of a planned job whose kept statement is
here, whose class is what the two machines promise, and of whose agreement to the bit the digests
say the same. What rows alone could show rests on who ran it, as the run itself does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmops.digest import of_bytes
from llmops.evidence import layout
from llmops.evidence.audits import parse
from llmops.evidence.offered import strict_json
from llmops.evidence.parcel import Piece
from llmops.evidence.repeats import TABLES, is_time, promised
from llmops.evidence.signed import expect
from llmops.evidence.statement import encode
from llmops.evidence.store import Store
from llmops.evidence.trusted import SPEAKERS, Trust
from llmops.jobs.audits import Audit
from llmops.jobs.base import Job, Result
from llmops.jobs.wire import result_from_json


def apart(pieces: Mapping[str, Piece]) -> tuple[Mapping[str, Piece], Mapping[str, Piece]]:
    """The pieces of audits with their envelopes, and all others."""
    digests = {at[1] for name in pieces if (at := layout.audit_at(name)) is not None}
    own = {
        name: piece
        for name, piece in pieces.items()
        if layout.audit_at(name) is not None or layout.signed_at(name) in digests
    }
    return own, {name: piece for name, piece in pieces.items() if name not in own}


def take(
    store: Store, pieces: Mapping[str, Piece], expected: Mapping[str, Job], trust: Trust | None
) -> Iterator[str]:
    """Keep the audits that hold; why the others are not taken. `pieces` as `apart` gives them."""
    for name, piece in sorted(pieces.items()):
        if layout.audit_at(name) is None:
            continue
        try:
            _take(store, name, piece, pieces, (expected, trust))
        except ValueError as error:
            yield f"{name[:32]}…: {str(error)[:300]}"


def _take(
    store: Store,
    name: str,
    piece: Piece,
    pieces: Mapping[str, Piece],
    asked: tuple[Mapping[str, Job], Trust | None],
) -> None:
    data = piece.path.read_bytes()
    value = strict_json(data)
    audit = parse(value, of_bytes(data))
    if name != layout.audit_in_pack(audit.closure, audit.digest) or encode(value)[0] != data:
        raise ValueError("an audit holds other bytes than its name says, or is not canonical")
    job = asked[0].get(audit.closure)
    if job is None or job.id != audit.job:
        raise ValueError("an audit of a job that was not planned")
    _expect_kept(store, job, audit, result_from_json(value["predicate"]["again"]))
    paper = pieces.get(layout.signed_path(audit.digest[7:]))
    envelope = expect(paper.path.read_bytes(), audit.digest) if paper is not None else None
    trust = asked[1]
    if trust is not None and envelope is not None:
        why = trust.root.allows(SPEAKERS, envelope, trust.at)
        if why:
            raise ValueError(f"the signature on an audit does not count: {why}")
    elif trust is not None and not trust.vouches:
        raise ValueError("nobody signed an audit, and base's trust root lets no gate speak for it")
    store.audits.keep(value)
    if envelope is not None:
        store.signed.keep(envelope)


def _expect_kept(store: Store, job: Job, audit: Audit, again: Result) -> None:
    """Raises ValueError where an audit does not say what its own results say."""
    kept = store.told(audit.closure, audit.kept)
    if kept is None:
        raise ValueError("an audit holds its run against a statement that is not known here")
    if audit.promised != promised(job, kept.result.environment, again.environment):
        raise ValueError("an audit says another class than its machines promise")
    if audit.repeats == "bit" and _bits(kept.result) != _bits(again):
        raise ValueError("an audit says that results agree to the bit, which do not")


def _bits(result: Result) -> tuple[object, ...]:
    """What two results that agree to the bit have in common, whatever stands in their tables."""
    files = {a.name: a.digest if a.name not in TABLES else "" for a in result.artifacts}
    numbers = {m.metric: 0.0 if is_time(m.metric) else m.value for m in result.measurements}
    return result.status, files, numbers
