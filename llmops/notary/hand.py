"""Whose signature a statement gets: that of whoever ran it, or the gate's own.

In: statements, the envelopes that are kept of them, base's newest trust root. Out: files of the
log. What a runner signed is taken as it is while its key counts. For the rest the gate speaks,
where the root lets it: some key has both roles, or the runner's word counted when it was given.
"""

from __future__ import annotations

from llmops.errors import StoreError
from llmops.evidence.signed import Envelopes
from llmops.evidence.statement import Evidence
from llmops.log.base import ALLOWED, REUSE_AUDIT
from llmops.notary.base import Pen, text
from llmops.notary.runs import Stated
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, Envelope
from llmops.signing.root import Root


def signed(payload: bytes, pen: Pen) -> bytes:
    """A statement in the gate's own envelope."""
    return dsse.encode(dsse.sign(IN_TOTO, payload, [pen.signer]))


def of_run(one: Stated, kept: Envelopes, pen: Pen) -> bytes:
    """The envelope of a statement about a run. Raises StoreError: nobody may speak for it."""
    root, own = pen.chain.newest, kept.get(one.digest)
    if own is not None and _counts(root, own, one.kind, pen):
        return dsse.encode(own)
    if speaks(root) or _counted(root, kept.get(one.evidence.digest), one.evidence):
        return signed(one.payload, pen)
    what = f"nobody answers for the run of {one.evidence.type}/{one.evidence.subject.name}"
    why = f"trust root {root.version} has runners' keys of their own, and none of them signed it"
    raise StoreError(f"{what}: {why}", hint="run it where a key of role runner is")


def of_audit(payload: bytes, kept: Envelope | None, pen: Pen) -> bytes:
    """The envelope of a statement about a job that was run once more."""
    if kept is not None and _counts(pen.chain.newest, kept, REUSE_AUDIT, pen):
        return dsse.encode(kept)
    return signed(payload, pen)


def speaks(root: Root) -> bool:
    """Whether a gate may speak for runners: some key has both roles."""
    both = [set(root.roles[role].keys) for role in ("gate", "runner") if role in root.roles]
    return len(both) == 2 and bool(both[0] & both[1])


def _counts(root: Root, envelope: Envelope, kind: str, pen: Pen) -> bool:
    """Whether an envelope is one that may stand in the log from now on."""
    return not root.allows(ALLOWED[kind], envelope, text(pen.clock()))


def _counted(root: Root, own: Envelope | None, run: Evidence) -> bool:
    """Whether a runner's word on a run counted when the run ended."""
    at = run.result.finished_at
    return own is not None and not root.allows(("runner", "gate"), own, at)
