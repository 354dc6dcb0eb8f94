"""A Guardrail as a job carries it: its layers as JSON, the words of its lexicons as inputs.

The job types that apply guardrails (`generate` for an Application's, `guard` for a test) put this
into their payload, so a changed word, pattern or action changes exactly their closures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs import curate
from llmops.jobs.base import Input
from llmops.jobs.make import Made, made_by, part_of, spec_at, use, without_none
from llmops.specs.base import STAGES, Ref, Spec

TOOLS = ("ahocorasick_rs", "google-re2")


@dataclass(frozen=True, slots=True)
class Guarded:
    """What of a guardrail goes into a job: payload, inputs, the jobs and specs behind it."""

    payload: Mapping[str, Any]
    inputs: tuple[Input, ...]
    before: tuple[Made, ...]
    reads: tuple[Ref, ...]


def layers(graph: Graph, ref: Ref, stages: tuple[str, ...] = STAGES) -> Guarded:
    """The layers of some stages of one Guardrail, and what the user reads when it blocks."""
    guardrail = graph.specs[ref]
    found = [_stage(graph, guardrail, stage) for stage in stages]
    message = guardrail.spec.get("on_block", {}).get("message")
    configs = {stage: one.payload for stage, one in zip(stages, found, strict=True)}
    return Guarded(
        without_none({"name": ref.name, **configs, "message": message}),
        tuple(i for one in found for i in one.inputs),
        tuple(made for one in found for made in one.before),
        (ref,),
    )


def _stage(graph: Graph, guardrail: Spec, stage: str) -> Guarded:
    """The layers of one stage, by name: their order means nothing."""
    given = list(enumerate(guardrail.spec.get(stage, ())))
    parts: list[dict[str, Any]] = []
    inputs: list[Input] = []
    before: list[Made] = []
    for i, layer in sorted(given, key=lambda entry: str(entry[1]["name"])):
        part = dict(layer)
        if "lexicon" in layer:
            name = f"lexicon/{guardrail.ref.name}/{stage}/{layer['name']}"
            used = use(guardrail, stage, i, "lexicon", "dataset")
            words = curate.job(graph, spec_at(graph, used).ref)
            inputs.append(made_by(name, words, f"parts/{part_of(used)}.jsonl"))
            before.append(words)
            how = {k: v for k, v in layer["lexicon"].items() if k != "dataset"}
            part["lexicon"] = {**how, "words": name}
        parts.append(part)
    config = {"on_error": guardrail.spec["on_error"], "layers": parts}
    return Guarded(config, tuple(inputs), tuple(before), ())
