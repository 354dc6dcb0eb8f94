"""Kind `Recipe`: data and a base -> an adapter or weights, by supervised fine-tuning.

`lora`, `training` and `deepspeed` are the tools' own words, verbatim, checked against the key
lists of the pinned versions. What Recipe says itself (seed, output, ranks) is refused there, so
that nothing is said twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.specs import not_yet, upstream
from llmops.specs.blocks import LIST, Resources, Verbatim
from llmops.specs.fields import Block, RefTo, field, group
from llmops.specs.problem import Problem, block, items, one_of

BRANCHES = ("lora", "full")
NOT_BUILT = ("qlora",)


class Data(Block):
    """One dataset of the mixture."""

    dataset: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("train",), doc="name#part of a Dataset."
    )
    weight: float | None = field(
        None, role=("train",), doc="Share of the mixture; without it all rows once.", gt=0, le=1
    )


class Template(Block):
    """How rows become tokens."""

    chat_template: Literal["tokenizer"] = field(
        "tokenizer", role=("train",), doc="The tokenizer's own template."
    )
    train_on: Literal["assistant"] = field(
        "assistant", role=("train",), doc="Whose turns are learned."
    )
    max_length: int | None = field(None, role=("train",), doc="Tokens; longer rows are cut.", ge=2)
    packing: Literal[False] = field(False, role=("train",), doc="Several rows in one sequence.")


class Checkpoint(Block):
    """What is kept so that a killed run goes on."""

    keep: int | None = field(None, role="placement", doc="Newest checkpoints that stay.", ge=1)
    resume: Literal["auto", "never"] = field(
        "auto", role="placement", doc="Go on where it was stopped, or always start over."
    )


class Recipe(Block):
    """How data and a base become an adapter or weights."""

    base_model: Annotated[str, RefTo(("Model", "Recipe"), bare="Model")] = field(
        role=("train",), doc="A Model by name, or Recipe/name to go on from another recipe."
    )
    method: Literal["sft"] = field("sft", role=("train",), doc="Supervised fine-tuning.")
    data: Annotated[tuple[Data, ...], LIST] = group(doc="The mixture.", min_length=1)
    template: Template = group(default_factory=Template, doc="How rows become tokens.")
    lora: Verbatim | None = field(None, role=("train",), doc="PEFT LoraConfig, verbatim.")
    full: dict[str, Any] | None = field(
        None, role=("train",), doc="All weights are trained.", max_length=0
    )
    training: Verbatim = field({}, role=("train",), doc="HF TrainingArguments, verbatim.")
    deepspeed: Verbatim | None = field(None, role=("train",), doc="DeepSpeed config, verbatim.")
    seed: int = field(0, role=("train",), doc="Used as written.", ge=0, le=2**32 - 1)
    resources: Resources = group(default_factory=Resources, doc="The machine it needs.")
    checkpoint: Checkpoint = group(default_factory=Checkpoint, doc="What is kept on the way.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: one branch, keys of the tools, weights of a mixture."""
    yield from one_of(spec, ("spec",), BRANCHES, NOT_BUILT)
    yield from _nodes(block(spec, "resources").get("nodes"))
    for name, keys in (
        ("lora", upstream.lora),
        ("training", upstream.training),
        ("deepspeed", upstream.deepspeed),
    ):
        yield from keys(block(spec, name), ("spec", name))
    yield from _weights(spec)
    yield from _precision(spec)


def _nodes(nodes: Any) -> Iterator[Problem]:
    if isinstance(nodes, int) and nodes > 1:
        what = not_yet.message(f'"resources.nodes: {nodes}"', "several machines")
        yield Problem(("spec", "resources", "nodes"), "not-yet", what, "it can only be 1")


def _weights(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """Either every dataset of a mixture has a weight, or none has."""
    data = list(items(spec, "data"))
    given = [i for i, entry in data if entry.get("weight") is not None]
    if given and len(given) < len(data):
        bare = next(i for i, _ in data if i not in given)
        what = f"data[{bare}] has no weight, but data[{given[0]}] has one"
        hint = "give every dataset a weight, or none"
        yield Problem(("spec", "data", bare), "missing-field", what, hint)


def _precision(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """DeepSpeed and the Trainer must mean the same precision, or the Trainer refuses to start."""
    for name in ("fp16", "bf16"):
        asked = block(spec, "deepspeed", name).get("enabled")
        trained = block(spec, "training").get(name, False)
        if isinstance(asked, bool) and isinstance(trained, bool) and asked != trained:
            what = f"deepspeed.{name}.enabled and training.{name} contradict each other"
            hint = f'write enabled: "auto", or training.{name}: {str(asked).lower()}'
            yield Problem(("spec", "deepspeed", name, "enabled"), "said-twice", what, hint)
