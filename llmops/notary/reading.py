"""What a log says already: its ledger, its runs, and how a change was judged last. Dry.

In: the entries of a log that was checked. Out: values of ours. What a statement says is believed
as far as its key may say it, which is for whoever verifies: the gate reads its own log here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llmops.digest import canonical, of_bytes
from llmops.errors import LogError
from llmops.evidence.audits import parse as parse_audit
from llmops.evidence.entry import Kept
from llmops.evidence.ledger import Damaged, chain
from llmops.evidence.statement import Evidence, parse
from llmops.jobs.audits import Audit
from llmops.log.base import EVAL_REPORT, LEDGER, REDACTION, REUSE_AUDIT, RUN, Known
from llmops.signing.base import IN_TOTO, ROOT
from llmops.signing.root import Root, of_envelope

_RESTS = (RUN, REUSE_AUDIT, LEDGER, REDACTION)  # kinds of entries that a verdict rests on


def of_kind(
    known: Known, *kinds: str, start: int = 0, naming: str = ""
) -> Iterator[tuple[int, bytes, Any]]:
    """Number, payload and value of each statement of some kinds, from `start` on.

    `naming`: text without quotes that stands in it.
    """
    marks = [f'"predicateType":"{kind}"'.encode() for kind in kinds]
    named = naming.encode()
    for number in range(start, known.size):
        envelope = known.envelopes[number]
        if envelope.payload_type != IN_TOTO or named not in envelope.payload:
            continue
        if not any(mark in envelope.payload for mark in marks):
            continue
        said = json.loads(envelope.payload)
        if said.get("predicateType") in kinds:
            yield number, envelope.payload, said


def naming(known: Known, kind: str, closure: str) -> Iterator[bytes]:
    """The payloads of a kind that name a closure, the newest first."""
    marks = f'"predicateType":"{kind}"'.encode(), closure.removeprefix("sha256:").encode()
    for envelope in reversed(known.envelopes):
        if all(mark in envelope.payload for mark in marks):
            yield envelope.payload


def root(known: Known) -> Root | None:
    """The newest trust root that a log has, None without one."""
    found = (one for one in reversed(known.envelopes) if one.payload_type == ROOT)
    newest = next(found, None)
    return of_envelope(newest) if newest is not None else None


def ledger(known: Known) -> tuple[Kept, ...]:
    """The ledger of attempts as the log has it. Raises LogError where that is no chain."""
    files = [canonical(said["predicate"]) for _, _, said in of_kind(known, LEDGER)]
    try:
        return chain(files, "the log's ledger: ")
    except Damaged as damage:
        raise LogError(damage.why) from damage


def runs(known: Known) -> tuple[Evidence, ...]:
    """The runs that the log has. Raises LogError where a statement is none of ours."""
    try:
        return tuple(parse(said, of_bytes(raw)) for _, raw, said in of_kind(known, RUN))
    except ValueError as error:
        raise LogError(f"a run in the log is no statement of ours: {error}") from error


def audits(known: Known) -> tuple[Audit, ...]:
    """The jobs that were run once more. Raises LogError where a statement is none of ours."""
    try:
        return tuple(
            parse_audit(said, of_bytes(raw)) for _, raw, said in of_kind(known, REUSE_AUDIT)
        )
    except ValueError as error:
        raise LogError(f"an audit in the log is no statement of ours: {error}") from error


def reports(known: Known, tree: str) -> Iterator[tuple[int, bytes, Any]]:
    """The eval reports of a log that name a git tree."""
    return of_kind(known, EVAL_REPORT, naming=tree)


def moved(known: Known, size: int) -> bool:
    """Whether what a verdict rests on came into the log after so many entries."""
    return next(of_kind(known, *_RESTS, start=size), None) is not None


def predicate(payload: bytes) -> Any:
    """The predicate of a statement of ours."""
    return json.loads(payload)["predicate"]
