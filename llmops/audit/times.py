"""When entries say that they were made: the times that statements carry, and the log's clock. Dry.

Order is the log's own. Times are what signers wrote, so the clock only goes forward: at each entry
it is the latest time that any entry up to there states, and a key is held against that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from llmops.log.base import (
    APPROVAL,
    EVAL_REPORT,
    LEDGER,
    POLICY_CHANGE,
    PROVENANCE,
    REDACTION,
    REUSE_AUDIT,
    RUN,
    RUN_STARTED,
    VSA,
)

# Where each kind of statement says when: paths below its predicate, the first that is there.
_WHERE: Mapping[str, tuple[tuple[str, ...], ...]] = {
    RUN_STARTED: (("startedAt",),),
    RUN: (("result", "finished_at"),),
    PROVENANCE: (("runDetails", "metadata", "finishedOn"),),
    LEDGER: (("entry", "recorded_at"), ("entry", "judged_at"), ("entry", "granted_at")),
    APPROVAL: (("seen_at",),),
    POLICY_CHANGE: (("seen_at",),),
    EVAL_REPORT: (("given", "judged_at"),),
    VSA: (("timeVerified",),),
    REUSE_AUDIT: (("again", "finished_at"),),
    REDACTION: (("redactedAt",),),
}
START = "1970-01-01T00:00:00.000000Z"  # before any entry says a time


def stated(kind: str, predicate: Mapping[str, Any]) -> str:
    """The time that a statement says it was made at, "" where it says none.

    Raises ValueError for a text that is no time.
    """
    for path in _WHERE.get(kind, ()):
        found: Any = predicate
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        if found is not None:
            return in_utc(found)
    return ""


def in_utc(text: Any) -> str:
    """A time in the one form in which texts order as times do. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f'"{str(text)[:40]}" is no time') from None


def shown(text: str) -> str:
    """The same for people: no fraction where there is none."""
    return text.replace(".000000Z", "Z")
