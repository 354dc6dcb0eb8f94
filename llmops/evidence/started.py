"""That a run was started: an in-toto Statement of our own predicate, signed before the worker. Dry.

In: a job, the digests of what it is given, a nonce, the time. Out: the statement as plain JSON;
`parse` reads it strictly. A run's result names it by digest, so whoever measured has said before
what was to be measured: a result that pleases cannot be chosen among several that were not told of.
The nonce makes each start another one, and counts once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from llmops.digest import canonical, of_bytes
from llmops.evidence.statement import JOB_KEYS, TYPE, expect_keys, hex_of, told
from llmops.jobs.base import Job

PREDICATE_TYPE = "https://llmops.dev/run-started/v1"
_NONCE = re.compile(r"[0-9a-f]{32}")
_KEYS = {"_type", "subject", "predicateType", "predicate"}


@dataclass(frozen=True, slots=True)
class Started:
    """A start as its statement has it. `job`: what was told and given, as in the run's own."""

    closure: str
    job: Mapping[str, Any]
    nonce: str  # 32 hex digits
    started_at: str  # UTC, RFC 3339
    digest: str  # of the statement


def started(job: Job, inputs: Mapping[str, str], nonce: str, started_at: str) -> dict[str, Any]:
    """The statement that a job is about to run. `inputs`: name -> digest of what it is given."""
    return {
        "_type": TYPE,
        "subject": [{"name": "closure", "digest": {"sha256": hex_of(job.closure)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {"job": told(job, inputs), "nonce": nonce, "startedAt": started_at},
    }


def parse(payload: bytes) -> Started:
    """The start that a statement tells of. Raises ValueError naming what is not as it is written.

    Only canonical JSON is one: the digest of these bytes is what a run names.
    """
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    expect_keys(data, _KEYS, "it")
    if (data["_type"], data["predicateType"]) != (TYPE, PREDICATE_TYPE):
        raise ValueError(f"it is of another type: {data['predicateType']!r}")
    predicate = expect_keys(data["predicate"], {"job", "nonce", "startedAt"}, "its predicate")
    job = expect_keys(predicate["job"], JOB_KEYS, "its job")
    nonce, at = predicate["nonce"], predicate["startedAt"]
    if type(nonce) is not str or not _NONCE.fullmatch(nonce):
        raise ValueError("its nonce is not 32 hex digits")
    _expect_time(at)
    closure = _closure(data["subject"])
    if canonical(data) != payload:
        raise ValueError("it is not written as canonical JSON")
    return Started(closure, job, nonce, at, of_bytes(payload))


def _closure(subject: Any) -> str:
    try:
        hexed = subject[0]["digest"]["sha256"]
        closure = f"sha256:{hexed}"
        hex_of(closure)
    except (TypeError, KeyError, IndexError, ValueError):
        raise ValueError("its subject is no closure") from None
    if subject != [{"name": "closure", "digest": {"sha256": hexed}}]:
        raise ValueError("its subject is not one closure")
    return closure


def _expect_time(text: Any) -> None:
    try:
        if datetime.fromisoformat(text).tzinfo is None:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError("it does not say when it started") from None
