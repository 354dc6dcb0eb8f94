"""An entry in a few words, for people: what kind, about what, when by its own word. Dry.

In: an envelope, which nobody needs to believe. Out: text, empty where the entry does not say.
To add a kind: a line in `_ABOUT`, with the path in its predicate that says most.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
    TEST_RESULT,
    VSA,
)
from llmops.signing.base import IN_TOTO, ROOT, Envelope

# kind: its name, and paths in the predicate whose values tell it
_ABOUT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    RUN_STARTED: ("run-started", ("job.type", "job.subject")),
    RUN: ("run", ("job.type", "job.subject", "result.status")),
    PROVENANCE: ("provenance", ("buildDefinition.internalParameters.subject",)),
    LEDGER: ("ledger", ("kind", "entry.claim.gate", "entry.outcome", "entry.subject")),
    APPROVAL: ("approval", ("team", "by")),
    POLICY_CHANGE: ("policy-change", ("effect",)),
    EVAL_REPORT: ("eval-report", ("outcome", "given.change")),
    TEST_RESULT: ("test-result", ("result",)),
    VSA: ("summary", ("verificationResult",)),
    REUSE_AUDIT: ("reuse-audit", ("job.type", "job.subject")),
    REDACTION: ("redaction", ("reason",)),
}
_TIMES = (
    "result.finished_at", "startedAt", "timeVerified", "seen_at", "given.judged_at", "redactedAt",
    "entry.recorded_at", "entry.judged_at", "runDetails.metadata.finishedOn",
)  # fmt: skip


_SECONDS = re.compile(r"(?:\.\d+)?(?:Z|\+00:00)\Z")  # what a line of a list leaves out


@dataclass(frozen=True, slots=True)
class Told:
    """What an entry is; `at` is the time that it names itself."""

    kind: str
    about: str
    at: str


def told(envelope: Envelope) -> Told:
    """An envelope in a few words."""
    said = statement(envelope)
    if envelope.payload_type == ROOT:
        return Told("root", f"version {said.get('version', '?')}", "")
    if envelope.payload_type != IN_TOTO:
        return Told(envelope.payload_type, "", "")
    kind = str(said.get("predicateType", "unknown"))
    name, paths = _ABOUT.get(kind, (kind, ()))
    predicate = said.get("predicate")
    found = [text for path in paths if (text := _at(predicate, path))]
    when = next((text for path in _TIMES if (text := _at(predicate, path))), "")
    when = _SECONDS.sub("Z", when)
    found += [tree[:12]] if (tree := _tree(said)) else []
    return Told(name, " ".join(found) or _subject(said), when)


def statement(envelope: Envelope) -> Mapping[str, Any]:
    """The payload as JSON, empty where it is no object."""
    try:
        found = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        return {}
    return found if type(found) is dict else {}


def _at(value: Any, path: str) -> str:
    for part in path.split("."):
        value = value.get(part) if type(value) is dict else None
    return str(value) if type(value) in (str, int) else ""


def _tree(said: Mapping[str, Any]) -> str:
    """The git tree that a statement is about, "" for none."""
    listed = said.get("subject")
    trees = (_at(one, "digest.gitTree") for one in listed) if type(listed) is list else ()
    return next(filter(None, trees), "")


def _subject(said: Mapping[str, Any]) -> str:
    listed = said.get("subject")
    first = listed[0] if type(listed) is list and listed else None
    return _at(first, "name")
