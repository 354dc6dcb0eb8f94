"""Job type `evaluate`: kept responses -> the complete case x metric matrix, as rows.

Reads the metrics of the checks, never its bounds: a moved bound makes no job.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmops.jobs.generate import Cases
from llmops.jobs.make import HowTo, Made, made_by, make
from llmops.specs.base import Spec

REVISION = 1
EXPECTED = {"qa": "answer", "alpaca": "output", "completion": "completion", "attack": "expect"}


def job(asker: Spec, asked: Cases, answered: Made, given: Iterable[Mapping[str, Any]]) -> Made:
    """The measuring of one target's responses by the given checks of who asked."""
    checks = [
        {"name": c["name"], "metric": c["metric"], "with": c.get("with", {})}
        for c in sorted(given, key=lambda c: str(c["name"]))
    ]
    engines = {str(c["metric"]).partition("/")[0] for c in checks}
    payload = {
        "format": asked.format,
        "expected": EXPECTED.get(asked.format),
        "asked": {"dataset": asked.dataset, "split": asked.part, "rows": asked.rows},
        "engine": asker.spec.get("engine"),
        "checks": checks,
    }
    return make(
        HowTo("evaluate", REVISION, ("deepeval",) if "deepeval" in engines else ()),
        asker.ref,
        payload,
        inputs=[asked.input, made_by("responses", answered, "responses.jsonl")],
        before=[answered, asked.made],
        reads=[asked.asker] if asked.asker else [],
    )
