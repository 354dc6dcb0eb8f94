"""Job type `scan`: giskard over a target, and the banks of a SafetyTest, which need no scan.

A giskard suite is one `scan` job, which loads the target as `generate` does and asks it itself. A
bank is asked like an Evaluation: `generate`, then `evaluate` with the checks of that suite. Bounds
and `fail_on` reach no job.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs import evaluate, generate
from llmops.jobs import target as targets
from llmops.jobs.evaluate import EXPECTED
from llmops.jobs.generate import Cases
from llmops.jobs.make import HowTo, Made, make, use
from llmops.specs.base import Ref, Spec

HOW = HowTo(
    "scan",
    revision=1,
    tools=(*targets.TOOLS, "giskard", "numpy", "pandas", "scikit-learn", "scipy"),
)


def engine(suite: Mapping[str, Any]) -> str:
    """What runs a suite: `giskard` or `bank`."""
    return "giskard" if "giskard" in suite else "bank"


def cases(graph: Graph, safety: Spec, suite: Mapping[str, Any], asker: Ref | None = None) -> Cases:
    """What a suite asks, in the graph of its SafetyTest."""
    place = next(i for i, s in enumerate(safety.spec["suites"]) if s["name"] == suite["name"])
    key = engine(suite)
    part = use(safety, "suites", place, key, "dataset")
    return generate.of_part(graph, part, suite[key].get("rows"), asker)


def checks(safety: Spec, suite: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The checks of one suite, by name."""
    own = [c for c in safety.spec.get("checks", ()) if c["suite"] == suite["name"]]
    return sorted(own, key=lambda c: str(c["name"]))


def put(graph: Graph, target: Ref, asked: Cases, safety: Spec, suite: Mapping[str, Any]) -> Made:
    """The job whose rows decide a suite: `scan` for giskard, `evaluate` for a bank."""
    if engine(suite) == "giskard":
        return job(graph, target, asked, safety, suite)
    answered = generate.job(graph, target, asked, safety)
    return evaluate.measured(safety, asked, answered, checks(safety, suite))


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
        HOW, safety.ref, payload,
        inputs=[asked.input, *told.inputs],
        before=[*told.before, asked.made],
        reads=[*told.reads, *([asked.asker] if asked.asker else [])],
    )  # fmt: skip
