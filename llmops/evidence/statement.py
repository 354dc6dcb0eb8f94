"""A run's result as an in-toto Statement v1, and back.

In: `Result`, `Job`, digests of the job's inputs. Out: the statement as plain JSON whose canonical
bytes name it (sha256); `parse` gives `Evidence`, the reader's view. Predicate `run/v1` is ours:
measurements without a verdict (https://github.com/in-toto/attestation, spec v1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.digest import PATTERN, canonical, of_bytes, of_value
from llmops.jobs.base import Job, Proof, Result
from llmops.jobs.wire import result_from_json, to_json
from llmops.specs.base import Ref

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://llmops.dev/run/v1"
# Segments between single slashes, none of them "." or "..": a path below a folder, written one way.
_SEGMENT = r"(?!\.{1,2}(?:/|\Z))[^/\\\0]+"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
SAID = ("over_budget", "accept_undecidable")  # options of `run` that a job keeps
_STATEMENT_KEYS = {"_type", "subject", "predicateType", "predicate"}
_JOB_KEYS = {"id", "type", "subject", "spec", "seed", "inputs", "tools"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one closure. `digest` names the statement; `inputs` are name -> digest."""

    closure: str
    type: str
    subject: Ref
    status: str
    result: Result
    digest: str
    inputs: Mapping[str, str]

    def proof(self, missing: frozenset[str] = frozenset()) -> Proof:
        """As much of it as planning needs; `missing` names artifacts that cannot be had."""
        result = self.result
        measured = {m.metric: m.value for m in result.measurements}
        cases = max((m.sample_size for m in result.measurements), default=0)
        used = result.resources_used
        return Proof(
            self.digest, self.status, result.reason, missing, measured, cases, used,
            result.finished_at,
        )  # fmt: skip


def statement(result: Result, job: Job, inputs: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The statement about one run. `inputs`: name -> digest of the bytes that were given.

    Raises ValueError if the result is of another job or names what no artifact may be called.
    """
    if (result.closure, result.type) != (job.closure, job.type):
        raise ValueError(f"result of {result.type} {result.closure} is not of {job.id}")
    _check_names(result)
    return {
        "_type": TYPE,
        "subject": _subjects(result),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "job": {
                "id": job.id,
                "type": job.type,
                "subject": str(job.subject),
                "spec": of_value(_told(job)),
                "seed": job.seed,
                "inputs": dict(inputs or {}),
                "tools": dict(job.tools),
            },
            "result": to_json(result),
        },
    }


def _told(job: Job) -> dict[str, Any]:
    """What the worker was told, but for the estimate: it rests on what else had run by then."""
    return {name: value for name, value in job.spec.items() if name != "estimate"}


def encode(value: Mapping[str, Any]) -> tuple[bytes, str]:
    """A statement's canonical bytes and their digest. Raises ValueError for what JSON has not."""
    data = canonical(value)
    return data, of_bytes(data)


def parse(data: Any, digest: str) -> Evidence:
    """The evidence that a statement holds; `digest` is that of its bytes, checked by the caller.

    Raises ValueError naming the first thing that is not as `statement` writes it.
    """
    _expect_keys(data, _STATEMENT_KEYS, "statement")
    if (data["_type"], data["predicateType"]) != (TYPE, PREDICATE_TYPE):
        raise ValueError(f"a statement of another type: {data['_type']}, {data['predicateType']}")
    predicate = _expect_keys(data["predicate"], {"job", "result"}, "predicate")
    job = _expect_keys(predicate["job"], _JOB_KEYS, "predicate.job")
    result = result_from_json(predicate["result"])
    _check_names(result)
    if data["subject"] != _subjects(result):
        raise ValueError("its subjects are not those of its result")
    if job["type"] != result.type:
        raise ValueError(f"a result of {result.type} for a job of {job['type']}")
    return Evidence(
        closure=result.closure,
        type=result.type,
        subject=Ref.parse(_text(job["subject"])),
        status=result.status,
        result=result,
        digest=digest,
        inputs=_digests(job["inputs"]),
    )


def is_name(text: str) -> bool:
    """Whether an artifact may be called so: a path below a folder, written one way."""
    return _NAME.fullmatch(text) is not None


def told_digests(job: Job) -> frozenset[str]:
    """The digests of what a worker may have been told of a job.

    Beside the job itself: with what a person said on the command line, which results keep.
    """
    spec = _told(job)
    plain = {name: value for name, value in spec.items() if name not in SAID}
    said: tuple[dict[str, bool], ...] = (
        {},
        {SAID[0]: True},
        {SAID[1]: True},
        dict.fromkeys(SAID, True),
    )
    return frozenset(of_value({**plain, **more}) for more in said)


def hex_of(digest: str) -> str:
    """The 64 hex digits of `sha256:<hex>`. Raises ValueError for anything else."""
    if not PATTERN.fullmatch(digest):
        raise ValueError(f'"{digest}" is not sha256:<64 hex digits>')
    return digest[7:]


def _subjects(result: Result) -> list[dict[str, Any]]:
    named = [("closure", result.closure)]
    named += [(f"artifacts/{a.name}", a.digest) for a in result.artifacts]
    return [{"name": name, "digest": {"sha256": hex_of(digest)}} for name, digest in named]


def _check_names(result: Result) -> None:
    """Artifact names are paths below `artifacts/`, each once, never out of it."""
    seen: set[str] = set()
    for artifact in result.artifacts:
        name = artifact.name
        if not _NAME.fullmatch(name):
            raise ValueError(f'"{name}" is not a path below artifacts/')
        if name in seen:
            raise ValueError(f'artifact "{name}" is listed twice')
        seen.add(name)


def _expect_keys(data: Any, keys: set[str], what: str) -> dict[str, Any]:
    if type(data) is not dict or data.keys() != keys:
        raise ValueError(f"{what} has not exactly the keys {', '.join(sorted(keys))}")
    return data


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"expected text, got {value!r}")
    return value


def _digests(value: Any) -> dict[str, str]:
    if type(value) is not dict:
        raise ValueError("predicate.job.inputs is not an object")
    for digest in value.values():
        hex_of(_text(digest))
    return value
