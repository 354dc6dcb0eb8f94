"""Who said yes to what a verdict is about: predicate `approval/v1`, one for each approval. Dry."""

from __future__ import annotations

from typing import Any

from llmops.attest.given import Approved, Given
from llmops.attest.subject import statement
from llmops.log.base import APPROVAL
from llmops.rules.base import Verdict


def made(verdict: Verdict, given: Given) -> tuple[dict[str, Any], ...]:
    """The statements, in the order of teams and people."""
    ordered = sorted(given.approvals, key=lambda one: (one.team, one.by, one.source))
    return tuple(_one(verdict, given, one) for one in ordered)


def _one(verdict: Verdict, given: Given, one: Approved) -> dict[str, Any]:
    written = one.by.casefold() in {author.casefold() for author in given.authors}
    predicate = {
        "team": one.team,
        "by": one.by,
        "source": one.source,
        "author": written,
        "change": given.change,
        "policy_tree": verdict.policy_tree,
        "seen_at": given.judged_at,
    }
    return statement(verdict, APPROVAL, predicate)
