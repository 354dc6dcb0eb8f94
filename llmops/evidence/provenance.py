"""Where weights are from: SLSA provenance v1 of a training, as others' tools read it. Dry.

In: a `train` job, its result, the digests of what it was given. Out: an in-toto Statement v1 with
predicate https://slsa.dev/provenance/v1 (specification v1.1): the files it made, the resolved
Recipe (external parameters), and base model, data and tools (resolved dependencies). It follows
from the job and its result alone, so whoever plans the same can make it again, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from llmops.evidence.statement import TYPE, hex_of, plain
from llmops.jobs.base import Input, Job, Result

PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://llmops.dev/train/v1"
BUILDER = "https://llmops.dev/worker/v1"


def provenance(
    job: Job, result: Result, inputs: Mapping[str, str], started: str = ""
) -> dict[str, Any] | None:
    """The statement about what a training made; None where it made nothing, or is none.

    `inputs`: name -> digest of the bytes that were given; `started`: digest of the start's.
    """
    if job.type != "train" or not result.artifacts:
        return None
    return {
        "_type": TYPE,
        "subject": [
            {"name": f"artifacts/{one.name}", "digest": {"sha256": hex_of(one.digest)}}
            for one in result.artifacts
        ],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "recipe": str(job.subject), "spec": plain(job), "seed": job.seed,
                },
                "internalParameters": {
                    "closure": job.closure, "environment": dict(result.environment),
                },
                "resolvedDependencies": [*_given(job, inputs), *_tools(job)],
            },
            "runDetails": {
                "builder": {"id": BUILDER},
                "metadata": {
                    "invocationId": started or job.closure,
                    "startedOn": result.started_at,
                    "finishedOn": result.finished_at,
                },
            },
        },
    }  # fmt: skip


def _given(job: Job, inputs: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Base model and data, by the bytes that were read."""
    for one in job.inputs:
        digest = inputs.get(one.name, one.digest)
        if digest:
            named = {"name": one.name, "digest": {"sha256": hex_of(digest)}}
            yield {**named, **_from(one)}


def _from(one: Input) -> dict[str, Any]:
    """Where an input is from, as far as a plan says it."""
    if one.job is not None:
        return {"annotations": {"closure": one.job, "artifact": one.artifact or ""}}
    if one.file is not None:
        return {"annotations": {"file": one.file}}
    return {"uri": one.uri} if one.uri else {}


def _tools(job: Job) -> Iterator[dict[str, Any]]:
    """The pinned packages, as package URLs (purl): the worker refuses any other version."""
    for name, version in sorted(job.tools.items()):
        yield {"name": name, "uri": f"pkg:pypi/{quote(name)}@{quote(version)}"}
