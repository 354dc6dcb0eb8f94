"""Job type `generate`: a target answers the cases of an asking spec once; everything is kept.

The target (weights, prompt) comes from one graph, the cases (dataset, part, sample) from the graph
whose spec asks, so base's questions can be put to head's target. Makes `responses.jsonl`.
"""

from __future__ import annotations

from dataclasses import dataclass

from llmops.graph.build import Graph
from llmops.jobs import curate
from llmops.jobs import target as targets
from llmops.jobs.base import Input
from llmops.jobs.estimate import answering, aside
from llmops.jobs.make import HowTo, Made, made_by, make, part_of, spec_at
from llmops.specs.base import Ref, Reference, Spec

HOW = HowTo("generate", revision=2, tools=targets.TOOLS)


@dataclass(frozen=True, slots=True)
class Cases:
    """The questions of one asking spec: a curated part and how many of its rows.

    `asker` is that spec where it stands in head's tree: only then can a change of it be the
    reason of a job.
    """

    made: Made
    dataset: str
    part: str
    format: str
    rows: int | None
    asker: Ref | None = None

    @property
    def input(self) -> Input:
        """The rows as a job's input."""
        return made_by("cases", self.made, f"parts/{self.part}.jsonl")


def cases(graph: Graph, part: Reference, rows: int | None, asker: Ref | None = None) -> Cases:
    """The cases of a dataset's part, as one spec of the same graph refers to it."""
    dataset = spec_at(graph, part)
    made = curate.job(graph, dataset.ref)
    return Cases(made, dataset.ref.name, part_of(part), dataset.spec["format"], rows, asker)


def job(graph: Graph, target: Ref, asked: Cases, asker: Spec) -> Made:
    """A target of `graph` answering `asked`, with the decoding that prompt and asker set."""
    told = targets.target(graph, target, asker)
    payload = {
        **told.payload,
        "format": asked.format,
        "dataset": asked.dataset,
        "split": asked.part,
        "rows": asked.rows,
    }
    return make(
        HOW.using(told.tools), target, payload,
        inputs=[asked.input, *told.inputs],
        before=[*told.before, asked.made],
        reads=[*told.reads, *([asked.asker] if asked.asker else [])],
        aside=aside(answering(graph, target, told.payload["generation"])),
    )  # fmt: skip
