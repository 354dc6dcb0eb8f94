"""Job type `generate`: a target answers the cases of an Evaluation once; everything is kept.

The target (weights, prompt) comes from one graph, the cases (dataset, part, sample) from the graph
whose Evaluation asks, so base's questions can be put to head's target. Makes `responses.jsonl`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.graph.build import Graph, parts_of
from llmops.jobs import curate, train
from llmops.jobs.base import Input
from llmops.jobs.make import HowTo, Made, made_by, make, part_of, spec_at, use, without_none
from llmops.specs.base import Ref, Spec

HOW = HowTo(
    "generate",
    revision=1,
    tools=("torch", "transformers", "tokenizers", "safetensors", "peft"),
)


@dataclass(frozen=True, slots=True)
class Cases:
    """The questions of one Evaluation: a curated part and how many of its rows.

    `asker` is that Evaluation where it stands in head's tree: only then can a change of it be the
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


def cases(graph: Graph, evaluation: Spec, asker: Ref | None = None) -> Cases:
    """What an Evaluation asks, in its own graph."""
    reference = use(evaluation, "dataset")
    dataset = spec_at(graph, reference)
    rows = evaluation.spec.get("sample", {}).get("rows")
    made = curate.job(graph, dataset.ref)
    return Cases(made, dataset.ref.name, part_of(reference), dataset.spec["format"], rows, asker)


def job(graph: Graph, target: Ref, asked: Cases, evaluation: Spec) -> Made:
    """A target of `graph` answering `asked`, with the decoding that prompt and Evaluation set."""
    prompt = _prompt(graph, target)
    model = use(graph.specs[target], "model").target if target.kind == "Application" else target
    loaded = train.weights(graph, model)
    labels, label_jobs = _labels(graph, prompt)
    parameters = {**(prompt.spec.get("parameters", {}) if prompt else {})}
    payload = {
        "base": loaded.base,
        "prompt": _template(graph, prompt) if prompt else None,
        "format": asked.format,
        "output": _output(prompt),
        "generation": {**parameters, **evaluation.spec.get("generation", {})},
        "dataset": asked.dataset,
        "split": asked.part,
        "rows": asked.rows,
    }
    reads = [
        target,
        *([prompt.ref] if prompt else []),
        *loaded.reads,
        *([asked.asker] if asked.asker else []),
    ]
    return make(
        HOW, target, payload,
        inputs=[asked.input, *loaded.inputs, *labels, *_shots(graph, prompt)],
        before=[*loaded.before, asked.made, *label_jobs],
        reads=reads,
    )  # fmt: skip


def _prompt(graph: Graph, target: Ref) -> Spec | None:
    if target.kind != "Application" or "prompt" not in graph.specs[target].spec:
        return None
    return spec_at(graph, use(graph.specs[target], "prompt"))


def _template(graph: Graph, prompt: Spec) -> dict[str, Any]:
    kept = {k: prompt.spec.get(k) for k in ("template", "system", "messages", "inputs")}
    return without_none({**kept, "few_shot": prompt.spec.get("few_shot")})


def _shots(graph: Graph, prompt: Spec | None) -> list[Input]:
    """Few-shot files, as inputs named by their place."""
    if prompt is None:
        return []
    files = [f for f in prompt.files if "few_shot" in f.loc]
    return [
        Input(name=f"few_shot/{f.loc[2]}", file=f.path, digest=graph.files[f.path]) for f in files
    ]


def _output(prompt: Spec | None) -> dict[str, Any]:
    output: Mapping[str, Any] = prompt.spec.get("output", {}) if prompt else {}
    if output.get("format") == "choice":
        return {"format": "choice", "labels_column": output["labels"]["column"]}
    return {"format": output.get("format", "text")}


def _labels(graph: Graph, prompt: Spec | None) -> tuple[list[Input], list[Made]]:
    if prompt is None or prompt.spec.get("output", {}).get("format") != "choice":
        return [], []
    dataset = spec_at(graph, use(prompt, "output", "labels", "dataset"))
    made = curate.job(graph, dataset.ref)
    parts = sorted(parts_of(dataset))
    found = [made_by(f"labels/{i}", made, f"parts/{p}.jsonl") for i, p in enumerate(parts)]
    return found, [made]
