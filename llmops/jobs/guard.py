"""Job type `guard`: a Guardrail's layers over a dataset, as one of its tests declares it.

Reads the layers of the stage that is tested (of the graph whose rules are tried) and the cases (of
the graph whose test asks), never a test's bounds: a moved bound makes no job. Makes `rows.jsonl`,
one cell a case: 1 when the case was treated as the test expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs.generate import Cases
from llmops.jobs.guarded import TOOLS, Guarded, layers
from llmops.jobs.make import HowTo, Made, make
from llmops.specs.base import Ref

REVISION = 1
HOW = HowTo("guard", REVISION, TOOLS)
__all__ = ["HOW", "REVISION", "Guarded", "job", "layers"]


def job(graph: Graph, ref: Ref, asked: Cases, test: Mapping[str, Any]) -> Made:
    """One test put to the layers that a Guardrail has in `graph`."""
    guarded = layers(graph, ref, (test["stage"],))
    payload = {
        "guardrail": {"name": ref.name, test["stage"]: guarded.payload[test["stage"]]},
        "test": {key: test[key] for key in ("name", "stage", "expect")},
        "format": asked.format,
        "asked": {"dataset": asked.dataset, "split": asked.part, "rows": asked.rows},
    }
    return make(
        HOW, ref, payload,
        inputs=[asked.input, *guarded.inputs],
        before=[*guarded.before, asked.made],
        reads=[*guarded.reads, *([asked.asker] if asked.asker else [])],
    )  # fmt: skip
