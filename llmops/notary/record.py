"""The verb of the room: what a verdict rests on goes into the log, then the verdict.

In: a pen, a store, a plan; later the verdict. Out: `Begun`, what the log says now; `Seal`, where
the verdict stands. Both parts append what is not there yet and nothing else, so a gate that was
killed anywhere in between is gone on with by the next look, and a second look appends nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from llmops import merkle
from llmops.attest import ledger as ledger_statement
from llmops.attest.base import Statement
from llmops.attest.given import Given, Run
from llmops.attest.mark import about, mark
from llmops.attest.statements import statements
from llmops.digest import of_bytes
from llmops.errors import GitError
from llmops.evidence.entry import Kept
from llmops.evidence.ledger import Ledger, merged
from llmops.evidence.store import Store
from llmops.log.base import EVAL_REPORT, Known
from llmops.log.branch import Appended
from llmops.log.checkpoint import decode
from llmops.notary import reading, runs
from llmops.notary.base import Pen
from llmops.notary.given import Reach, Said, given
from llmops.notary.runs import Brought, signed
from llmops.pipeline import Planned, jobs_of
from llmops.reports.report import Seal
from llmops.rules.base import Verdict
from llmops.signing import dsse

_TRIES = 20  # how often others may write between what a verdict rests on and the verdict


class _Moved(Exception):
    """What a verdict rests on is not the end of the log any more: judge again."""


@dataclass(frozen=True)
class Begun:
    """The log as it stands with all that a verdict may rest on."""

    known: Known
    brought: Brought

    @property
    def reach(self) -> Reach:
        """How far that is."""
        places = self.known.payloads
        used = {
            closure: Run(one.digest.removeprefix("sha256:"), places[one.digest[7:]])
            for closure, one in self.brought.used.items()
        }
        top = merkle.root(map(merkle.leaf, self.known.entries))
        return Reach(self.known.size, top.hex(), reading.ledger(self.known), used)


def begin(pen: Pen, store: Store, planned: Planned) -> Begun:
    """Have in the log all that a verdict on a plan may rest on. Raises LogError, GitError."""
    found, own = runs.brought(store, jobs_of(planned)), Ledger(store.root).kept()
    after: list[Known] = []

    def build(known: Known) -> Sequence[bytes]:
        new = _grounds(pen, store, (found, own), known)
        after[:] = [Known((*known.entries, *new))]
        return new

    pen.log.append(build, (), pen.signer)
    return Begun(after[0], found)


def finish(
    pen: Pen, begun: Begun, store: Store, planned: Planned, said: Said, judged: Verdict
) -> Seal:
    """Have a verdict in the log, and where it stands. Raises LogError, GitError."""
    at = datetime.fromisoformat(judged.judged_at)
    for _ in range(_TRIES):
        told = given(pen, planned, said, begun.reach, at)
        try:
            return _told(pen, begun, Ledger(store.root).kept(), told, judged)
        except _Moved:
            begun = begin(pen, store, planned)
    what = f"others wrote what verdicts rest on {_TRIES} times in between"
    raise GitError(what, hint="try again; nothing of this verdict is in the log")


def _grounds(
    pen: Pen, store: Store, grounds: tuple[Brought, Sequence[Kept]], known: Known
) -> tuple[bytes, ...]:
    """Roots, runs, audits and entries of the ledger that the log has not, in their order."""
    found, own = grounds
    roots = (
        dsse.encode(root.envelope)
        for root in pen.chain.roots
        if root.digest[7:] not in known.payloads
    )
    new = (one for one in found.all().values() if one.digest[7:] not in known.payloads)
    told = (signed(found.statement(one), pen.signer) for one in new)
    return (*roots, *told, *_audited(pen, store, known), *_counted(pen, own, known))


def _audited(pen: Pen, store: Store, known: Known) -> tuple[bytes, ...]:
    """The audits of reuse that the log has not: as a runner signed them, else by the gate."""
    new = (one for one in store.audits.all() if one.digest[7:] not in known.payloads)
    return tuple(
        store.signed.raw(one.digest) or signed(store.audits.bytes(one), pen.signer) for one in new
    )


def _counted(pen: Pen, own: Sequence[Kept], known: Known) -> tuple[bytes, ...]:
    """The entries of the ledger that the log has not, after those that it has."""
    there = reading.ledger(known)
    new = merged(there, own)[len(there) :]
    return tuple(signed(ledger_statement.made(one).payload, pen.signer) for one in new)


def _told(pen: Pen, begun: Begun, own: Sequence[Kept], told: Given, judged: Verdict) -> Seal:
    """Append the ledger's new entries and the verdict's statements. Raises _Moved."""
    made = statements(judged, told)
    report = next(one for one in made if one.kind == EVAL_REPORT)
    place: list[tuple[int, str]] = []

    def build(known: Known) -> Sequence[bytes]:
        if reading.moved(known, begun.known.size):
            raise _Moved
        entries = _counted(pen, own, known)
        stands = _stands(known, report)
        if stands is not None:
            place[:] = [stands]
            return entries
        place[:] = [(known.size + len(entries) + made.index(report), of_bytes(report.payload))]
        return (*entries, *(signed(one.payload, pen.signer) for one in made))

    done = pen.log.append(build, (), pen.signer)
    return _seal(pen, done, *place[0])


def _stands(known: Known, report: Statement) -> tuple[int, str] | None:
    """Number and digest of the last report on the same, where it says the same."""
    own = reading.predicate(report.payload)
    last = None
    for number, payload, said in reading.reports(known):
        if about(said["predicate"]) == about(own):
            last = number, payload, said["predicate"]
    if last is None or mark(last[2]) != mark(own):
        return None
    return last[0], of_bytes(last[1])


def _seal(pen: Pen, done: Appended, entry: int, statement: str) -> Seal:
    root = base64.b64encode(done.root).decode()
    return Seal(decode(done.note).origin, done.size, root, entry, statement, pen.root)
