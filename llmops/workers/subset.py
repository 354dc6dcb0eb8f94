"""Which cases of a part a target is asked: the first `rows` by their digests, for every target."""

from __future__ import annotations

from llmops.statistics.order import subset_key
from llmops.workers import models
from llmops.workers.chat import Row
from llmops.workers.contract import RunFolder, WorkerError


def subset(run: RunFolder) -> list[Row]:
    """The first `rows` cases by their digest, the same for every target. Raises WorkerError."""
    spec = run.spec
    cases = models.read_rows(run.input("cases"))
    ordered = sorted(cases, key=lambda c: subset_key(spec["dataset"], spec["split"], c["case"]))
    if not ordered:
        raise WorkerError(f"{spec['dataset']}#{spec['split']} has no case")
    return list(ordered[: spec.get("rows") or len(ordered)])
