"""A verdict -> where it stands in the log: the seal of its pages.

In: a log (a branch or a bundle), a verdict. Out: `Seal`, or None where no entry says the same of
the same trees. A seal points; whether what it points at is signed and follows is for `verify`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from llmops.log.base import EVAL_REPORT, Source
from llmops.log.checkpoint import decode
from llmops.reports.report import Seal
from llmops.rules.base import Verdict
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO


def seal_of(source: Source, verdict: Verdict) -> Seal | None:
    """The seal by the newest entry that judged the same trees by the same policies to the same end.

    Raises LogError where the log cannot be read; an entry that is none of ours is passed over.
    """
    note = source.checkpoint()
    if note is None:
        return None
    found: tuple[int, str, str] | None = None
    for number, entry in enumerate(source.entries()):
        report = _report(entry)
        if report is not None and _same(report[1], verdict):
            found = number, report[0], str(report[1]["given"]["root"])
    if found is None:
        return None
    try:
        said = decode(note)
    except ValueError:
        return None
    return Seal(said.origin, said.size, base64.b64encode(said.root).decode(), *found)


def _report(entry: bytes) -> tuple[str, dict[str, Any]] | None:
    """Digest and predicate of an eval report; None for every other entry."""
    try:
        envelope = dsse.decode(entry)
        if envelope.payload_type != IN_TOTO:
            return None
        said = json.loads(envelope.payload)
        if said["predicateType"] != EVAL_REPORT:
            return None
        predicate = said["predicate"]
        trees = predicate["given"]["head"]["tree"], predicate["given"]["root"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    digest = f"sha256:{hashlib.sha256(envelope.payload).hexdigest()}"
    return (digest, predicate) if all(type(one) is str for one in trees) else None


def _same(predicate: dict[str, Any], verdict: Verdict) -> bool:
    """Whether a report is about the verdict's trees and policies, and ended alike."""
    given = predicate["given"]
    base = given.get("base")
    told = (
        given["head"]["tree"],
        base["tree"] if type(base) is dict else None,
        predicate.get("policy_tree"),
        predicate.get("outcome"),
    )
    below = verdict.base.tree if verdict.base is not None else None
    return told == (verdict.head.tree, below, verdict.policy_tree, verdict.outcome.word)
