"""Logs in memory, made entry by entry: for the checks that need no repository."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llmops import merkle
from llmops.attest import ledger
from llmops.audit.base import Answer, Flaw
from llmops.audit.verify import Asked, verify
from llmops.digest import canonical, of_bytes
from llmops.evidence import ledger as chains
from llmops.evidence import started
from llmops.evidence.entry import Kept
from llmops.evidence.public import public
from llmops.evidence.statement import Links, statement
from llmops.jobs.attempts import Entry, Judged
from llmops.jobs.base import Artifact, Job, Measurement, Result
from llmops.log import checkpoint
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from llmops.signing.keys import PemSigner
from llmops.signing.root import Root
from llmops.source.objects import Withheld
from llmops.source.tree import Tree
from llmops.specs.base import Ref
from tests import keyring

GATE = keyring.person("gate")
ROOT = keyring.root_of(GATE)
NOW = "2026-12-01T00:00:00Z"
ORIGIN = "llmops.dev/test"
STATEMENT = "https://in-toto.io/Statement/v1"


@dataclass(frozen=True)
class Held:
    """A log that somebody holds in memory."""

    listed: tuple[bytes, ...]
    note: bytes | None
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    strange: tuple[str, ...] = ()
    whole: bool = True
    name: str = "held"
    opened: None = None

    def checkpoint(self) -> bytes | None:
        return self.note

    def entries(self) -> Iterator[bytes]:
        return iter(self.listed)

    def blob(self, digest: str) -> bytes | None:
        return self.blobs.get(digest)

    @property
    def digests(self) -> frozenset[str]:
        return frozenset(self.blobs)

    def many(self, digests: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        return ((digest, self.blob(digest)) for digest in digests)

    def flaws(self) -> Iterable[Flaw]:
        return ()

    def tree(self, oid: str, label: str, commit: str | None) -> Tree | None:
        return None

    def withheld(self) -> Mapping[str, Withheld]:
        return {}

    def left_over(self, trees: Any, cache: Any = None) -> Iterator[Flaw]:
        return iter(())

    def pages(self) -> Mapping[str, bytes]:
        return {}


class Maker:
    """Makes a log. Times go on by a second with each statement unless they are said."""

    def __init__(self, *roots: bytes) -> None:
        self.entries: list[bytes] = list(roots or (keyring.signed(ROOT, GATE),))
        self.blobs: dict[str, bytes] = {}
        self.ledger: list[Kept] = []

    def say(
        self, kind: str, predicate: Mapping[str, Any], subject: Any = (), by: PemSigner = GATE
    ) -> int:
        """The number of a new statement."""
        said = {
            "_type": STATEMENT,
            "subject": list(subject) or [{"name": "x", "digest": {"sha256": "0" * 64}}],
            "predicateType": kind,
            "predicate": dict(predicate),
        }
        return self.put(canonical(said), by)

    def put(self, payload: bytes, by: PemSigner = GATE) -> int:
        """The number of a new entry with these bytes, signed."""
        self.entries.append(dsse.encode(dsse.sign(IN_TOTO, payload, [by])))
        return len(self.entries) - 1

    def run(
        self,
        name: str = "a",
        at: str = "2026-11-22T08:01:00Z",
        *,
        start: str = "",
        by: PemSigner = GATE,
        value: float = 1.0,
        more: Mapping[str, Any] | None = None,
    ) -> int:
        """A run with one row. `start`: the digest of its start's statement."""
        row = {
            "id": name, "case": of_bytes(name.encode()), "input": "q", "expected": "r",
            "response": "r", "columns": {}, "cells": {"c": {"value": value, "valid": True,
            "reason": ""}},
        }  # fmt: skip
        rows = canonical(row) + b"\n"
        form = public("rows.jsonl", rows)
        self.blobs[form.digest] = form.data
        made = replace(result_of(name, at), artifacts=(Artifact("rows.jsonl", of_bytes(rows), 1),))
        links = Links(started=start, disclosed={"rows.jsonl": form.digest})
        said = {**statement(made, job_of(name), {}, links), **(more or {})}
        return self.put(canonical(said), by)

    def start(
        self, name: str = "a", nonce: str = "a" * 32, at: str = "2026-11-22T08:00:00Z",
        by: PemSigner = GATE,
    ) -> str:  # fmt: skip
        """The digest of a start's statement, which stands in the log now."""
        payload = canonical(started.started(job_of(name), {}, nonce, at))
        self.put(payload, by)
        return of_bytes(payload)

    def count(self, entry: Entry | None = None) -> int:
        """The next entry of the ledger."""
        self.ledger.append(chains.after(self.ledger, entry or judged(str(len(self.ledger)))))
        return self.put(ledger.made(self.ledger[-1]).payload)

    def held(self, by: PemSigner = GATE, **changes: Any) -> Held:
        """The log, sealed."""
        root = merkle.root(map(merkle.leaf, self.entries))
        note = checkpoint.sign(ORIGIN, len(self.entries), root, by)
        return replace(Held(tuple(self.entries), note, dict(self.blobs)), **changes)


def job_of(name: str) -> Job:
    closure = of_bytes(name.encode())
    return Job("evaluate", Ref("Evaluation", name), closure, {"checks": [], "name": name})


def result_of(name: str, at: str, artifacts: tuple[Artifact, ...] = ()) -> Result:
    return Result(
        closure=of_bytes(name.encode()), type="evaluate", status="ok",
        started_at="2026-11-22T08:00:30Z", finished_at=at,
        measurements=(Measurement("c", 1.0, 1),), artifacts=artifacts, environment={},
    )  # fmt: skip


def judged(tree: str) -> Judged:
    return Judged(tree, None, None, "passed", "#1", "2026-11-22T09:00:00Z")


def looked_at(held: Any, *, root: Root | None = ROOT, **asked: Any) -> Answer:
    """What an audit says that knows the root, unless there is none to know."""
    pins = {root.digest: "--root"} if root is not None else {}
    return verify(held, Asked(asked.pop("now", NOW), pins, **asked))


def told(answer: Answer) -> list[tuple[str, int | None]]:
    """Reason and entry of each flaw."""
    return [(flaw.reason, flaw.entry) for flaw in answer.flaws]


def payload(entry: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(dsse.decode(entry).payload)
    return found
