"""A run's result as an in-toto Statement v1, and back.

In: `Result`, `Job`, digests of the job's inputs. Out: the statement as plain JSON whose canonical
bytes name it (sha256); `parse` gives `Evidence`, the reader's view. Predicate `run/v1` is ours:
measurements without a verdict (https://github.com/in-toto/attestation, spec v1). It names, by
digest, the statements that were made of the same run: that it started, where the weights are from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
JOB_KEYS = {"id", "type", "subject", "spec", "seed", "inputs", "tools"}
_LINKS = ("started", "provenance")  # optional keys of the predicate that name other statements


@dataclass(frozen=True, slots=True)
class Links:
    """What a statement names beside its result, by digest; what it does not name is empty.

    `started`, `provenance`: payloads of other statements. `disclosed`: artifact -> public form,
    which shows `columns` of rows (names, in order) beside those that it always shows.
    """

    started: str = ""
    provenance: str = ""
    disclosed: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()


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
    links: Links = field(default_factory=Links)

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


def statement(
    result: Result,
    job: Job,
    inputs: Mapping[str, str] | None = None,
    links: Links | None = None,
) -> dict[str, Any]:
    """The statement about one run. `inputs`: name -> digest of the bytes that were given.

    Raises ValueError if the result is of another job or names what no artifact may be called.
    """
    if (result.closure, result.type) != (job.closure, job.type):
        raise ValueError(f"result of {result.type} {result.closure} is not of {job.id}")
    expect_names(result)
    return {
        "_type": TYPE,
        "subject": _subjects(result),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "job": told(job, inputs or {}),
            "result": to_json(result),
            **_said(links or Links()),
        },
    }


def told(job: Job, inputs: Mapping[str, str]) -> dict[str, Any]:
    """What a job was told and given, as statements have it."""
    return {
        "id": job.id,
        "type": job.type,
        "subject": str(job.subject),
        "spec": of_value(_told(job)),
        "seed": job.seed,
        "inputs": dict(inputs),
        "tools": dict(job.tools),
    }


def _said(links: Links) -> dict[str, Any]:
    named = {name: getattr(links, name) for name in _LINKS}
    return {
        **{name: digest for name, digest in named.items() if digest},
        **({"disclosed": dict(links.disclosed)} if links.disclosed else {}),
        **({"columns": list(links.columns)} if links.columns else {}),
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
    expect_keys(data, _STATEMENT_KEYS, "statement")
    if (data["_type"], data["predicateType"]) != (TYPE, PREDICATE_TYPE):
        raise ValueError(f"a statement of another type: {data['_type']}, {data['predicateType']}")
    predicate = data["predicate"]
    links = _links(predicate)
    expect_keys(predicate, {"job", "result", *_said(links)}, "predicate")
    job = expect_keys(predicate["job"], JOB_KEYS, "predicate.job")
    result = result_from_json(predicate["result"])
    expect_names(result)
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
        inputs=_digests(job["inputs"], "predicate.job.inputs"),
        links=_of(result, links),
    )


def is_name(text: str) -> bool:
    """Whether an artifact may be called so: a path below a folder, written one way."""
    return _NAME.fullmatch(text) is not None


def plain(job: Job) -> dict[str, Any]:
    """The job's spec as any plan tells it: nothing of an estimate, or of what a person said."""
    return {name: value for name, value in _told(job).items() if name not in SAID}


def told_digests(job: Job) -> frozenset[str]:
    """The digests of what a worker may have been told of a job.

    Beside the job itself: with what a person said on the command line, which results keep.
    """
    spec = plain(job)
    said: tuple[dict[str, bool], ...] = (
        {},
        {SAID[0]: True},
        {SAID[1]: True},
        dict.fromkeys(SAID, True),
    )
    return frozenset(of_value({**spec, **more}) for more in said)


def hex_of(digest: str) -> str:
    """The 64 hex digits of `sha256:<hex>`. Raises ValueError for anything else."""
    if not PATTERN.fullmatch(digest):
        raise ValueError(f'"{digest}" is not sha256:<64 hex digits>')
    return digest[7:]


def _subjects(result: Result) -> list[dict[str, Any]]:
    named = [("closure", result.closure)]
    named += [(f"artifacts/{a.name}", a.digest) for a in result.artifacts]
    return [{"name": name, "digest": {"sha256": hex_of(digest)}} for name, digest in named]


def expect_names(result: Result) -> None:
    """Artifact names are paths below `artifacts/`, each once, never out of it."""
    seen: set[str] = set()
    for artifact in result.artifacts:
        name = artifact.name
        if not _NAME.fullmatch(name):
            raise ValueError(f'"{name}" is not a path below artifacts/')
        if name in seen:
            raise ValueError(f'artifact "{name}" is listed twice')
        seen.add(name)


def expect_keys(data: Any, keys: set[str], what: str) -> dict[str, Any]:
    """The object with exactly these keys. Raises ValueError, naming `what` it is."""
    if type(data) is not dict or data.keys() != keys:
        raise ValueError(f"{what} has not exactly the keys {', '.join(sorted(keys))}")
    return data


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError(f"expected text, got {value!r}")
    return value


def _links(predicate: Any) -> Links:
    """What a predicate names beside its job and result; absent is what is not named."""
    if type(predicate) is not dict:
        raise ValueError("predicate is not an object")
    named = {name: predicate[name] for name in _LINKS if name in predicate}
    for digest in named.values():
        hex_of(_text(digest))
    disclosed, columns = predicate.get("disclosed", {}), predicate.get("columns", [])
    if type(columns) is not list or not all(type(one) is str for one in columns):
        raise ValueError("predicate.columns is no list of texts")
    if columns != sorted(set(columns)):
        raise ValueError("predicate.columns are not each there once, in order")
    return Links(
        **named, disclosed=_digests(disclosed, "predicate.disclosed"), columns=tuple(columns)
    )


def _of(result: Result, links: Links) -> Links:
    """The links, if every public form is one of an artifact of this result."""
    unknown = sorted(links.disclosed.keys() - {one.name for one in result.artifacts})
    if unknown:
        raise ValueError(f'it discloses "{unknown[0]}", which is no artifact of it')
    return links


def _digests(value: Any, what: str) -> dict[str, str]:
    if type(value) is not dict:
        raise ValueError(f"{what} is not an object")
    for digest in value.values():
        hex_of(_text(digest))
    return value
