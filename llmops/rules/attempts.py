"""Which attempt of its claim a gate is judged at, and at which error rate.

The ledger says how many there were (`llmops/jobs/attempts.py`), base's policies how many there may
be. One more than that is granted by the people whom base's `approvals` name for `when: attempts`,
all of them; it is judged at the level of the last attempt.
"""

from __future__ import annotations

from dataclasses import replace

from llmops.jobs.attempts import ClaimName, Refusal, Standing
from llmops.rules import approvals
from llmops.rules.base import Counted
from llmops.rules.facts import Facts

WHEN = "attempts"
_NOBODY = (
    "raise `attempts` on the target branch, or let a policy there name who may grant one more"
    " (approvals with when: attempts)"
)


def standing(facts: Facts, claim: ClaimName, closure: str, alpha: float) -> Standing | None:
    """Where a closure stands among the attempts at its claim; None where nothing is counted."""
    if facts.counting is None:
        return None
    found = facts.counting.standing(claim, closure, alpha)
    if not found.used_up or found.refused is None:
        return found
    asked = approvals.asked(facts, WHEN)
    if asked and all(one.given for one in asked):
        return replace(found, refused=None)
    words = " and ".join(one.words for one in asked)
    hint = f"one more has {words}; say what changed" if asked else _NOBODY
    return replace(found, refused=Refusal(found.refused.why, hint))


def counted(facts: Facts) -> Counted | None:
    """How attempts were counted, for the verdict; None where nothing was."""
    counting = facts.counting
    if counting is None:
        return None
    note = f"the ledger is damaged: {counting.problem}" if counting.problem else ""
    if not note and counting.by != counting.allowed.by:
        note = "count: pull_request needs --change NAME, so attempts count over all changes"
    asked = approvals.asked(facts, WHEN)
    given = bool(asked) and all(one.given for one in asked)
    return Counted(
        by=counting.by,
        change=counting.change,
        entries=len(counting.entries),
        last=counting.last,
        note=note,
        approval=", ".join(one.name for one in asked) if given else "",
        approved_by=tuple(sorted({who for one in asked for who in one.by})) if given else (),
    )
