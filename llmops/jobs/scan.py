"""Job type `scan`: giskard over a target, which is loaded as `generate` loads it and asked itself.

Reads a giskard suite of a SafetyTest and the metrics of its checks. Bounds and `fail_on` reach no
job. A bank needs no scan: it is asked like an Evaluation, by `generate` and `evaluate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs import target as targets
from llmops.jobs.estimate import answering, aside
from llmops.jobs.evaluate import EXPECTED
from llmops.jobs.generate import Cases
from llmops.jobs.make import HowTo, Made, make
from llmops.specs.base import Ref, Spec

HOW = HowTo(
    "scan",
    revision=4,
    tools=(*targets.TOOLS, "giskard", "numpy", "pandas", "scikit-learn", "scipy"),
)


def checks(safety: Spec, suite: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The checks of one suite, by name."""
    own = [c for c in safety.spec.get("checks", ()) if c["suite"] == suite["name"]]
    return sorted(own, key=lambda c: str(c["name"]))


def job(graph: Graph, target: Ref, asked: Cases, safety: Spec, suite: Mapping[str, Any]) -> Made:
    """The scan of one target by one giskard suite, with the checks of that suite."""
    told = targets.target(graph, target, safety)
    payload = {
        **told.payload,
        "format": asked.format,
        "expected": EXPECTED.get(asked.format),
        "dataset": asked.dataset,
        "split": asked.part,
        "rows": asked.rows,
        "languages": safety.spec["languages"],
        "detectors": suite["giskard"].get("detectors", []),
        "transformations": suite["giskard"].get("transformations", []),
        "checks": [{"name": c["name"], "metric": c["metric"]} for c in checks(safety, suite)],
    }
    return make(
        HOW.using(told.tools), safety.ref, payload,
        inputs=[asked.input, *told.inputs],
        before=[*told.before, asked.made],
        reads=[*told.reads, *([asked.asker] if asked.asker else [])],
        aside=aside(answering(graph, target, told.payload["generation"])),
    )  # fmt: skip
