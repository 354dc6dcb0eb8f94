"""How a target answers: its weights, prompt, labels and decoding, for every job that asks it.

`generate` asks a target and keeps what it says; `scan` asks it while it looks for weaknesses. Both
are told the same, so that what is scanned is what is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.graph.build import Graph, parts_of
from llmops.jobs import curate, guarded, train
from llmops.jobs.base import Input
from llmops.jobs.make import Made, made_by, spec_at, use, without_none
from llmops.specs.base import Ref, Spec

TOOLS = ("torch", "transformers", "tokenizers", "safetensors", "peft")


@dataclass(frozen=True, slots=True)
class Target:
    """What a worker is told of a target; its inputs; the jobs and specs behind it."""

    payload: Mapping[str, Any]
    inputs: tuple[Input, ...]
    before: tuple[Made, ...]
    reads: tuple[Ref, ...]
    tools: tuple[str, ...] = ()  # beside TOOLS: only a target with guardrails needs the filter


def target(graph: Graph, ref: Ref, asker: Spec) -> Target:
    """A target of `graph`, with the decoding that its prompt and whoever asks set."""
    prompt = _prompt(graph, ref)
    model = use(graph.specs[ref], "model").target if ref.kind == "Application" else ref
    loaded = train.weights(graph, model)
    labels, label_jobs = _labels(graph, prompt)
    guards = _guards(graph, ref)
    parameters = {**(prompt.spec.get("parameters", {}) if prompt else {})}
    payload = {
        "base": loaded.base,
        "prompt": template_of(prompt) if prompt else None,
        "output": _output(prompt),
        "generation": {**parameters, **asker.spec.get("generation", {})},
        "guardrails": [guard.payload for guard in guards] or None,
    }
    words = [i for guard in guards for i in guard.inputs]
    word_jobs = [made for guard in guards for made in guard.before]
    read = [name for guard in guards for name in guard.reads]
    return Target(
        payload=payload,
        inputs=(*loaded.inputs, *labels, *_shots(graph, prompt), *words),
        before=(*loaded.before, *label_jobs, *word_jobs),
        reads=(ref, *([prompt.ref] if prompt else []), *loaded.reads, *read),
        tools=guarded.TOOLS if guards else (),
    )


def chooses(graph: Graph, ref: Ref) -> bool:
    """Whether a target chooses one of some labels, rather than write free text."""
    return bool(_output(_prompt(graph, ref))["format"] == "choice")


def _prompt(graph: Graph, target: Ref) -> Spec | None:
    if target.kind != "Application" or "prompt" not in graph.specs[target].spec:
        return None
    return spec_at(graph, use(graph.specs[target], "prompt"))


def _guards(graph: Graph, target: Ref) -> list[guarded.Guarded]:
    """The guardrails of an Application, in its order; words of lexicons are inputs."""
    spec = graph.specs[target]
    names = spec.spec.get("guardrails", ()) if target.kind == "Application" else ()
    uses = (use(spec, "guardrails", i) for i in range(len(names)))
    return [guarded.layers(graph, used.target) for used in uses]


def template_of(prompt: Spec) -> dict[str, Any]:
    """What a worker is told of a prompt, beside the form of its answers."""
    kept = {k: prompt.spec.get(k) for k in ("template", "system", "messages", "inputs")}
    told = [c["text"] for c in prompt.spec.get("constraints", ()) if "text" in c]
    shots = prompt.spec.get("few_shot")
    return without_none({**kept, "few_shot": shots, "constraints": told or None})


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
