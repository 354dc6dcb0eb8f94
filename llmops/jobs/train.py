"""Job type `train`: a Recipe's data and base -> weights (full) or an adapter (LoRA).

Reads the Recipe, the curated parts it names and the weights it starts from. Makes `model/` or
`adapter/` as safetensors. `weights` says what a target's weights are for whoever loads them: the
root base (a folder, or an `init` rebuilt deterministically) and adapters in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs import curate
from llmops.jobs.base import Input, Resources
from llmops.jobs.estimate import aside, training
from llmops.jobs.make import HowTo, Made, made_by, make, part_of, remembered, spec_at, use
from llmops.specs.base import Ref, Spec

HOW = HowTo(
    "train",
    revision=1,
    tools=(
        "torch", "transformers", "tokenizers", "safetensors", "peft", "accelerate", "deepspeed",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Weights:
    """How to load a target: `base` for the payload, its inputs, the jobs and specs behind it."""

    base: Mapping[str, Any]
    inputs: tuple[Input, ...]
    before: tuple[Made, ...]
    reads: tuple[Ref, ...]


def weights(graph: Graph, ref: Ref) -> Weights:
    """The weights of a Model or Recipe."""
    spec = graph.specs[ref]
    return _of_model(graph, spec) if ref.kind == "Model" else _of_recipe(graph, spec)


def _of_model(graph: Graph, model: Spec) -> Weights:
    given = model.spec.get("weights")
    if given is not None:
        folder = Input(name="model", uri=given["uri"], digest=given["digest"])
        return Weights({"folder": True}, (folder,), (), (model.ref,))
    init = dict(model.spec["init"])
    trained = init.get("tokenizer", {}).get("train")
    if trained is None:
        return Weights({"init": init}, (), (), (model.ref,))
    reference = use(model, "init", "tokenizer", "train", "data")
    data = curate.job(graph, reference.target)
    how = {k: v for k, v in trained.items() if k != "data"}
    base = {"init": {**init, "tokenizer": {"train": how}, "format": _format(graph, reference)}}
    rows = made_by("tokenizer", data, f"parts/{part_of(reference)}.jsonl")
    return Weights(base, (rows,), (data,), (model.ref,))


def _format(graph: Graph, reference: Any) -> str:
    return str(spec_at(graph, reference).spec["format"])


def _of_recipe(graph: Graph, recipe: Spec) -> Weights:
    made = job(graph, recipe.ref)
    if "lora" not in recipe.spec:
        folder = made_by("model", made, "model")
        return Weights({"folder": True}, (folder,), (made,), ())
    below = weights(graph, use(recipe, "base_model").target)
    adapters = sum(i.name.startswith("adapter/") for i in below.inputs)
    adapter = made_by(f"adapter/{adapters}", made, "adapter")
    return Weights(below.base, (*below.inputs, adapter), (*below.before, made), below.reads)


@remembered
def job(graph: Graph, ref: Ref) -> Made:
    """The training of one Recipe."""
    recipe = graph.specs[ref]
    spec = recipe.spec
    base = weights(graph, use(recipe, "base_model").target)
    uses = [use(recipe, "data", i, "dataset") for i in range(len(spec["data"]))]
    data = [curate.job(graph, u.target) for u in uses]
    payload = {
        "method": spec["method"],
        "base": base.base,
        "data": [
            {"format": _format(graph, u), "weight": entry.get("weight")}
            for u, entry in zip(uses, spec["data"], strict=True)
        ],
        **{k: spec.get(k) for k in ("template", "lora", "full", "training", "deepspeed")},
    }
    rows = [
        made_by(f"data/{i}", made, f"parts/{part_of(u)}.jsonl")
        for i, (u, made) in enumerate(zip(uses, data, strict=True))
    ]
    return make(
        HOW, ref, payload,
        inputs=[*base.inputs, *rows], before=[*base.before, *data],
        reads=[ref, *base.reads], seed=spec.get("seed", 0),
        resources=resources(spec.get("resources", {})),
        aside={"checkpoint": spec.get("checkpoint"), **aside(training(graph, recipe))},
    )  # fmt: skip


def resources(asked: Mapping[str, Any]) -> Resources:
    """The machine a Recipe asks for."""
    return Resources(
        processes=asked.get("processes_per_node", 1),
        cpu=asked.get("cpu", 1),
        memory=asked.get("memory"),
        gpu=asked.get("gpu"),
        timeout_minutes=float(asked.get("timeout_minutes", 60)),
    )
