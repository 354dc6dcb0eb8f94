"""What an audit does not show, whatever its answer, so that nobody reads more into it. Dry.

In: what was asked, what the checks found. Out: each gap with a count; `words.py` says it for
people. A green line with these unsaid would be quoted for more than it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from llmops.audit.attempts import Ledger
from llmops.audit.base import Unshown
from llmops.audit.lines import Shown
from llmops.audit.ordered import Runs
from llmops.audit.rederived import Again
from llmops.jobs.attempts import Judged as Told

KINDS = (
    "hidden", "unfinished", "several", "untold", "unannounced", "given", "history", "landed",
    "rewritten", "witnesses", "closed", "answers",
)  # fmt: skip


def gaps(
    runs: Runs, ledger: Ledger, again: Sequence[Again], shown: Shown, unknown_lines: int
) -> Iterator[Unshown]:
    """What follows from the log; what was not asked for is for the caller to say."""
    hidden = [one for one in again if one.hidden]
    if hidden:
        yield Unshown("hidden", len(hidden), hidden[0].hidden)
    if runs.unfinished:
        yield Unshown("unfinished", runs.unfinished)
    several = _several(runs)
    if several:
        yield Unshown("several", len(several), several[0])
    untold = _untold(ledger, again)
    if untold:
        yield Unshown("untold", untold)
    if runs.unstarted:
        yield Unshown("unannounced", runs.unstarted)
    approved = sum(bool(one.stated.given.approvals) for one in again)
    if approved:
        yield Unshown("given", approved)
    if unknown_lines:
        yield Unshown("witnesses", unknown_lines)
    if shown.lines == 0 and again:
        yield Unshown("closed")
    if again:
        yield Unshown("answers")


def _several(runs: Runs) -> tuple[str, ...]:
    """Closures whose rows were made more than once and came out otherwise."""
    found: dict[str, set[str]] = defaultdict(set)
    for run in runs.runs:
        rows = (one for one in run.evidence.result.artifacts if one.name == "rows.jsonl")
        found[run.evidence.closure].update(one.digest for one in rows)
    return tuple(sorted(closure for closure, digests in found.items() if len(digests) > 1))


def _untold(ledger: Ledger, again: Sequence[Again]) -> int:
    """Verdicts of the ledger, since the first one that was signed, that no statement tells."""
    told = {(one.stated.given.head.tree, one.stated.outcome) for one in again}
    first = min((one.stated.given.log_size for one in again), default=0)
    return sum(
        (one.kept.entry.tree, one.kept.entry.outcome) not in told
        for one in ledger.placed
        if one.entry >= first and isinstance(one.kept.entry, Told)
    )
