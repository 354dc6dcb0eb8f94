"""The verb of the room: what a verdict rests on goes into the log, then the verdict.

In: a pen, a project, a plan; later the verdict. Out: `Begun`, what the log says now; `Seal`, where
the verdict stands. Both parts append what is not there yet and nothing else, so a gate that was
killed anywhere in between is gone on with by the next look, and a second look appends nothing.

What is signed is the verdict as it follows from the log alone (`derived`), over the public forms of
rows: whoever has no more than that gets the same, byte for byte. Should it end otherwise than the
verdict over the rows themselves, nothing is signed.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from llmops import merkle
from llmops.attest import ledger as ledger_statement
from llmops.attest.base import Statement
from llmops.attest.given import Named, Run
from llmops.attest.mark import about, mark
from llmops.derived import Derived, Parsed, ReadTree, derived
from llmops.digest import of_bytes
from llmops.errors import GitError, StoreError
from llmops.evidence.disclosed import Known as Public
from llmops.evidence.entry import Kept
from llmops.evidence.ledger import Ledger, merged
from llmops.evidence.store import Store
from llmops.log.base import EVAL_REPORT, Known
from llmops.log.branch import Appended, Log
from llmops.log.checkpoint import decode
from llmops.notary import reading
from llmops.notary.base import ROLES, Pen, text
from llmops.notary.given import Reach, Said, given
from llmops.notary.hand import of_audit, of_run, signed
from llmops.notary.runs import Runs, Stated
from llmops.pipeline import Planned, both_graphs, lent
from llmops.project import Project
from llmops.reports.report import Seal
from llmops.rules.base import Verdict
from llmops.signing import dsse
from llmops.signing.root import Root
from llmops.source.tree import Tree

_TRIES = 20  # how often others may write between what a verdict rests on and the verdict


class _Moved(Exception):
    """What a verdict rests on is not the end of the log any more: judge again."""


@dataclass(frozen=True)
class Begun:
    """The log as it stands with all that a verdict may rest on. `forms`: blobs that it brought."""

    known: Known
    runs: Mapping[str, Stated]  # by closure, those that the plan uses
    forms: Mapping[str, bytes]

    def reach(self) -> Reach:
        """How far that is."""
        places = self.known.payloads
        used = {
            closure: Run(one.digest[7:], places[one.digest[7:]])
            for closure, one in self.runs.items()
        }
        top = merkle.root(map(merkle.leaf, self.known.entries))
        return Reach(self.known.size, top.hex(), reading.ledger(self.known), used)


def begin(pen: Pen, project: Project, planned: Planned) -> Begun:
    """Have in the log all that a verdict on a plan may rest on.

    Raises LogError, GitError; StoreError where nobody answers for a run.
    """
    store = lent(project, both_graphs(planned.both), planned.plan.environment).store
    runs, own = Runs.of(store, planned), Ledger(store.root).kept()
    after: list[tuple[Known, Mapping[str, tuple[Stated, ...]]]] = []

    def build(known: Known) -> Sequence[bytes]:
        stated = runs.stated(known)
        new = (
            *_roots(pen, known),
            *_runs(pen, store, stated, known),
            *_audited(pen, store, known),
            *_counted(pen, own, known),
        )
        after[:] = [(Known((*known.entries, *new)) if new else known, stated)]
        return new

    pen.append(build, runs.forms.values())
    known, stated = after[0]
    return Begun(known, {closure: stated[closure][-1] for closure in runs.used}, runs.forms)


def finish(
    pen: Pen, begun: Begun, project: Project, planned: Planned, said: Said, judged: Verdict
) -> Seal:
    """Have a verdict in the log, and where it stands.

    Raises LogError, GitError; StoreError where it does not follow from what is public.
    """
    at = datetime.fromisoformat(judged.judged_at)
    for _ in range(_TRIES):
        told = given(pen, planned, said, begun.reach(), at)
        public = derived(told, _public(pen, begun), _trees(planned), Parsed(project.blobs()))
        _expect_same(judged, public.judged)
        try:
            return _told(pen, begun, Ledger(project.reports).kept(), public)
        except _Moved:
            begun = begin(pen, project, planned)
    what = f"others wrote what verdicts rest on {_TRIES} times in between"
    raise GitError(what, hint="try again; nothing of this verdict is in the log")


def looked(pen: Pen) -> Known:
    """The log as it is, checked. Raises LogError, GitError."""
    seen: list[Known] = []
    pen.append(seen.append)
    return seen[-1]


# ---- what it rests on ----------------------------------------------------------------------------


def _roots(pen: Pen, known: Known) -> Sequence[bytes]:
    """The trust roots that the log has not. Raises StoreError where base is behind the log's."""
    there = reading.root(known)
    if there is not None and there.version > pen.chain.newest.version and _ended(pen, there):
        what = f"the log knows trust root {there.version}, and base has {pen.chain.newest.version}"
        why = "by which this key does not count any more"
        raise StoreError(f"{what}, {why}", hint="judge against the tip of the target branch")
    new = (root for root in pen.chain.roots if root.digest[7:] not in known.payloads)
    return [dsse.encode(root.envelope) for root in new]


def _ended(pen: Pen, root: Root) -> bool:
    """Whether a root does not let the pen write any more."""
    at = text(pen.clock())
    return any(pen.signer.key not in {k.id for k in root.holders(r, at)} for r in ROLES)


def _runs(
    pen: Pen, store: Store, stated: Mapping[str, tuple[Stated, ...]], known: Known
) -> Sequence[bytes]:
    """The statements about runs that the log has not, each once."""
    wanted = {one.digest: one for papers in stated.values() for one in papers}
    new = (one for digest, one in wanted.items() if digest[7:] not in known.payloads)
    return [of_run(one, store.signed, pen) for one in new]


def _audited(pen: Pen, store: Store, known: Known) -> Sequence[bytes]:
    """The audits of reuse that the log has not."""
    new = [one for one in store.audits.all() if one.digest[7:] not in known.payloads]
    return [of_audit(store.audits.bytes(one), store.signed.get(one.digest), pen) for one in new]


def _counted(pen: Pen, own: Sequence[Kept], known: Known) -> Sequence[bytes]:
    """The entries of the ledger that the log has not, after those that it has."""
    there = reading.ledger(known)
    new = merged(there, own)[len(there) :]
    return [signed(ledger_statement.made(one).payload, pen) for one in new]


# ---- the verdict ---------------------------------------------------------------------------------


def _public(pen: Pen, begun: Begun) -> Public:
    """What the log says, to whoever has no more."""
    here = Log(pen.log.repository).source()

    def blob(digest: str) -> bytes | None:
        found = begun.forms.get(digest) or here.blob(digest)
        return found if found is not None else pen.log.source().blob(digest)

    known = begun.known
    return Public(reading.runs(known), reading.ledger(known), blob, reading.audits(known))


def _trees(planned: Planned) -> ReadTree:
    """Both trees, as the plan read them."""
    both = planned.both
    here = {state.tree.oid: state.tree for state in (both.base, both.head) if state is not None}

    def read(named: Named) -> Tree:
        return here[named.tree]

    return read


def _expect_same(private: Verdict, public: Verdict) -> None:
    """Raises StoreError unless both come to the same, gate by gate."""
    if _outcomes(private) == _outcomes(public):
        return
    what = (
        f"over the public forms of its rows the verdict is {public.outcome.word}, over the rows "
        f"themselves {private.outcome.word}: nothing is signed"
    )
    raise StoreError(what, hint="was a blob redacted that it rests on? run those jobs again")


def _outcomes(verdict: Verdict) -> Sequence[tuple[object, ...]]:
    found = ((one.gate, one.rule, one.judged_by, one.outcome) for one in verdict.findings)
    return [(verdict.outcome,), *sorted(found)]


def _told(pen: Pen, begun: Begun, own: Sequence[Kept], public: Derived) -> Seal:
    """Append the ledger's new entries and the verdict's statements. Raises _Moved."""
    made = public.statements()
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
        new = [one for one in made if of_bytes(one.payload)[7:] not in known.payloads]
        at = known.size + len(entries) + new.index(report)
        place[:] = [(at, of_bytes(report.payload))]
        return (*entries, *(signed(one.payload, pen) for one in new))

    done = pen.append(build)
    return _seal(pen, done, *place[0])


def _stands(known: Known, report: Statement) -> tuple[int, str] | None:
    """Number and digest of the last report on the same, where it says the same."""
    own = reading.predicate(report.payload)
    last = None
    for number, payload, said in reading.reports(known, own["given"]["head"]["tree"]):
        if about(said["predicate"]) == about(own):
            last = number, payload, said["predicate"]
    if last is None or mark(last[2]) != mark(own):
        return None
    return last[0], of_bytes(last[1])


def _seal(pen: Pen, done: Appended, entry: int, statement: str) -> Seal:
    root = base64.b64encode(done.root).decode()
    return Seal(decode(done.note).origin, done.size, root, entry, statement, pen.root)
