"""`llmops verify` of a large log: every signature, leaf, blob, start and ledger entry of it.

In: a bundle of so many entries and as many blobs, made in memory: runs that were announced, each
with its rows and two more public forms, an entry of the ledger after each; as many openings as
nobody asked for, no verdict (what deriving one takes depends on its rows). Each round is a process
of its own; beside it, reading and hashing the same bytes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from llmops.audit import container, index
from llmops.digest import canonical, of_bytes
from llmops.evidence.public import public
from llmops.evidence.statement import Links, statement
from llmops.jobs.base import Artifact
from tests.audit.logs import NOW, ROOT, Maker, job_of, judged, result_of
from tests.benchmarks.process import Took, median

FORMS = ("rows.jsonl", "anchors.jsonl", "findings.jsonl")


def per_audit(entries: int, runs: int = 3) -> tuple[Took, Took, int]:
    """An audit, hashing the bundle, and the bundle's size in bytes."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "bundle.zip"
        path.write_bytes(bundle(entries))
        line = [sys.executable, "-m", "llmops", "verify", str(path), "--now", NOW]
        hashing = "import hashlib, sys; hashlib.sha256(open(sys.argv[1], 'rb').read())"
        floor = [sys.executable, "-c", hashing, str(path)]
        took = median([*line, "--root", ROOT.digest], runs=runs)
        return took, median(floor, runs=runs), path.stat().st_size


def bundle(entries: int) -> bytes:
    """The bytes of a bundle with so many entries and as many blobs."""
    made = Maker()
    while len(made.entries) < entries:
        _one(made, len(made.entries))
    held = made.held()
    files = {index.entry(number): data for number, data in enumerate(held.listed)}
    files |= {index.blob(digest): data for digest, data in held.blobs.items()}
    files |= {index.CHECKPOINT: held.note or b"", index.WITHHELD: index.encode_withheld({})}
    files[index.NAME] = index.made(files)
    return container.encode(files)


def _one(made: Maker, number: int) -> None:
    """A start, its run, what the ledger says."""
    name = f"job-{number}"
    start = made.start(name, f"{number:032x}")
    links, artifacts = {}, []
    for form in FORMS:
        rows = b"".join(_row(form, f"{name}-{row}") for row in range(10))
        shown = public(form, rows)
        made.blobs[shown.digest] = shown.data
        links[form] = shown.digest
        artifacts.append(Artifact(form, of_bytes(rows), len(rows)))
    result = result_of(name, "2026-11-22T08:01:00Z", tuple(artifacts))
    made.put(canonical(statement(result, job_of(name), {}, Links(started=start, disclosed=links))))
    made.count(judged(name))


def _row(form: str, name: str) -> bytes:
    if form == "findings.jsonl":
        return canonical({"detector": name, "status": "ran", "cases": 3, "errors": 0,
                          "findings": []}) + b"\n"  # fmt: skip
    row = {
        "id": name, "case": of_bytes(name.encode()), "input": "q", "expected": "r",
        "response": "r", "columns": {}, "cells": {"c": {"value": 1, "valid": True, "reason": ""}},
    }  # fmt: skip
    rated = {"rating": 1, "control": None} if form == "anchors.jsonl" else {}
    return canonical({**row, **rated}) + b"\n"
