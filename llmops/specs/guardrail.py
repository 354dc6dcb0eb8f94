"""Kind `Guardrail`: what may go in and out at run time, by layers, and the tests of it.

Layers find words of a lexicon, RE2 patterns or personal data, and block or mask. All layers of a
stage look at the original text, so their order means nothing: one block blocks, masks add up. Tests
hold the guardrail as a component, in both directions: what it must stop and what it must let by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.guardrails.patterns import refusal
from llmops.specs.base import STAGES
from llmops.specs.blocks import LIST, SET, Bound, Text
from llmops.specs.fields import Block, Name, RefTo, field, group
from llmops.specs.problem import Loc, Problem, block, duplicates, items, one_of, one_sided

LAYERS = ("lexicon", "regex", "pii")
NOT_BUILT_LAYERS = ("classifier", "topic", "acl", "grounded", "ai_label")
ENTITIES = ("BANK_CARD", "CN_ID_CARD", "CN_MOBILE", "EMAIL_ADDRESS")
Entity = Literal["BANK_CARD", "CN_ID_CARD", "CN_MOBILE", "EMAIL_ADDRESS"]
Step = Literal["casefold", "nfkc", "strip_separators"]
STEPS: tuple[Step, ...] = ("casefold", "nfkc", "strip_separators")


class Lexicon(Block):
    """Words of a dataset of format lexicon."""

    dataset: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("generate", "scan", "guard"), doc="The words: name or name#part of a Dataset."
    )
    normalize: Annotated[tuple[Step, ...], SET] = field(
        STEPS,
        role=("generate", "scan", "guard"),
        doc="How words and texts are read before comparing.",
    )
    min_length: int = field(
        1,
        role=("generate", "scan", "guard"),
        doc="Words with fewer characters, read so, are not used.",
        ge=1,
    )


class Regex(Block):
    """One pattern."""

    pattern: str = field(role=("generate", "scan", "guard"), doc="RE2 syntax.")


class Pii(Block):
    """Personal data, by its form and checksum."""

    entities: Annotated[tuple[Entity, ...], SET] = field(
        role=("generate", "scan", "guard"), doc="What is looked for.", min_length=1
    )


class Layer(Block):
    """One thing that is looked for, and what happens when it is found; one key names which."""

    name: Name = field(
        role=("generate", "scan", "guard"), doc="Name of the layer, told with each hit."
    )
    lexicon: Lexicon | None = group(None, doc="Words.")
    regex: Regex | None = group(None, doc="A regular expression.")
    pii: Pii | None = group(None, doc="Personal data.")
    action: Literal["block", "mask"] = field(
        role=("generate", "scan", "guard"), doc="block stops the text, mask covers what was found."
    )


class OnBlock(Block):
    """What happens when a text is blocked."""

    message: Text | None = field(
        None,
        role=("generate", "scan"),
        doc="What the user reads instead: text, or one per language.",
    )
    log: Literal["digest_only"] = field(
        "digest_only", role="static", doc="Blocked text is never kept, only its digest."
    )


class Sample(Block):
    """How many cases; which ones follows from hashes of the cases."""

    rows: int = field(role=("guard",), doc="Cases at most.", ge=1)


class Test(Block):
    """A dataset that one stage must treat in one way."""

    name: Name = field(role=("guard",), doc="Name of the test; the gate's id ends in it.")
    dataset: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("guard",), doc="The cases: name#part of a Dataset."
    )
    stage: Literal["input", "output"] = field(
        "input", role=("guard",), doc="input reads the user's turn, output the answer."
    )
    expect: Literal["block", "mask", "allow"] = field(
        role=("guard",), doc="block: it blocks. mask: it only masks. allow: it does not block."
    )
    sample: Sample | None = group(None, doc="How many cases; all without it.")
    require: Bound = group(doc="Share of cases treated so that must be shown.")
    alpha: float | None = field(
        None, role="gate", doc="Error rate allowed to the claim.", gt=0, lt=0.5
    )


class Guardrail(Block):
    """Layers for what goes in and out, and their tests."""

    input: Annotated[tuple[Layer, ...], LIST] = group((), doc="Layers over what the user sends.")
    output: Annotated[tuple[Layer, ...], LIST] = group(
        (), doc="Layers over what the model answers."
    )
    on_block: OnBlock | None = group(None, doc="What happens when a text is blocked.")
    on_error: Literal["block"] = field(
        "block", role=("generate", "scan", "guard"), doc="A layer that fails blocks."
    )
    tests: Annotated[tuple[Test, ...], LIST] = group((), doc="What must be stopped, and let by.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: one branch a layer, patterns that RE2 has, stages with layers."""
    for stage in STAGES:
        yield from duplicates(spec, ("spec",), stage)
        for i, layer in items(spec, stage):
            yield from _layer(layer, ("spec", stage, i))
    yield from duplicates(spec, ("spec",), "tests")
    for i, test in items(spec, "tests"):
        yield from _test(test, spec, ("spec", "tests", i))
    if not any(spec.get(stage) for stage in (*STAGES, "retrieval")):
        what = "the guardrail has no layers, so it lets everything by"
        yield Problem(
            ("spec",), "missing-field", what, "add layers under input or output", key=True
        )


def _layer(layer: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    yield from one_of(layer, loc, LAYERS, NOT_BUILT_LAYERS)
    pattern = block(layer, "regex").get("pattern")
    if isinstance(pattern, str) and (refused := refusal(pattern)):
        yield Problem((*loc, "regex", "pattern"), "bad-pattern", refused.what, refused.hint)


def _test(test: Mapping[str, Any], spec: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    yield from one_sided(test, loc)
    stage = test.get("stage", "input")
    if stage in STAGES and not spec.get(stage):
        what = f"the test looks at {stage}, which has no layers"
        yield Problem((*loc, "stage" if "stage" in test else "name"), "wrong-value", what,
                      f"add layers under {stage}, or name the other stage")  # fmt: skip
