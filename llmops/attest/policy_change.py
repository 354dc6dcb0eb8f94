"""That a change edits what must hold, and what of it becomes looser: `policy-change/v1`. Dry.

Such a change is judged by base's policies; that it was there, who agreed to it, and how its verdict
ended stays in the log for ever.
"""

from __future__ import annotations

from typing import Any

from llmops.attest.given import Given
from llmops.attest.plain import plain
from llmops.attest.subject import statement
from llmops.log.base import POLICY_CHANGE
from llmops.rules.base import Verdict


def made(verdict: Verdict, given: Given) -> tuple[dict[str, Any], ...]:
    """The one statement; none where no policy changed and nothing was loosened."""
    changed = [change for change in verdict.changes if change.ref.kind == "Policy"]
    if not changed and not verdict.loosened:
        return ()
    predicate = {
        "before": verdict.policy_tree,
        "policies": [{"ref": str(one.ref), "action": one.action} for one in changed],
        "label": "looser" if verdict.loosened else "not looser",
        "loosened": plain(verdict.loosened),
        "outcome": verdict.outcome.word,
        "change": given.change,
        "seen_at": given.judged_at,
    }
    return (statement(verdict, POLICY_CHANGE, predicate),)
