"""A run's result -> the statements about it: what it found, and where weights are from.

In: a job, its result, what it was given, its artifacts on disk. Out: the canonical bytes of both.
All of it follows from these: made again from the same artifacts it is the same, byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmops.digest import canonical, of_bytes
from llmops.evidence.provenance import provenance
from llmops.evidence.public import discloses, public
from llmops.evidence.statement import Links, encode, statement
from llmops.jobs.base import Job, Result


@dataclass(frozen=True, slots=True)
class Made:
    """The statement about a run with its digest, and the one about its weights, "" if none."""

    statement: bytes
    digest: str
    provenance: bytes


def make(
    job: Job,
    result: Result,
    inputs: Mapping[str, str],
    artifacts: Path,
    started: str = "",
    columns: Collection[str] = (),
) -> Made:
    """The statements about a run. `started`: the digest of its start's; `columns`: to disclose.

    Raises ValueError if the result is of another job or names what no artifact may be called.
    """
    origin = provenance(job, result, inputs, started)
    weights = canonical(origin) if origin is not None else b""
    named = of_bytes(weights) if weights else ""
    shown = dict(disclosed(result, artifacts, columns))
    links = Links(started, named, shown, tuple(sorted(set(columns))) if shown else ())
    data, digest = encode(statement(result, job, inputs, links))
    return Made(data, digest, weights)


def disclosed(
    result: Result, artifacts: Path, columns: Collection[str]
) -> Iterator[tuple[str, str]]:
    """The digest of the public form of each artifact that has one and is there.

    What is not of its shape has none. Raises ValueError for what the result does not name.
    """
    for one in result.artifacts:
        path = artifacts / one.name
        if discloses(one.name) and path.is_file():
            data = path.read_bytes()
            if of_bytes(data) != one.digest:
                raise ValueError(f"artifact {one.name} changed meanwhile")
            with suppress(ValueError):
                yield one.name, public(one.name, data, columns).digest
