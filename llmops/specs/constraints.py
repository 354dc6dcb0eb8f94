"""Constraints of a Prompt: a text for the model, and a test of its answers.

`{{ constraints }}` in a template is all the texts, a line each; `{{ constraints.zh }}` those of one
language. A `test` becomes a gate of every Evaluation whose target uses the Prompt: its id is
`Evaluation/x/<constraint>`, it is measured on the kept answers, and no judge is asked. So it is
protected like a check that the Evaluation declares itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.prompts.constraints import ENOUGH, MEASURED
from llmops.specs.blocks import NonEmpty, Share, Text
from llmops.specs.fields import Block, Name, field, group
from llmops.specs.problem import Loc, Problem, block, duplicates, items, one_of, quoted


class AnswerTest(Block):
    """What is looked for in an answer, and in how large a share of the answers."""

    regex: NonEmpty | None = field(
        None, role=("evaluate",), doc="RE2; found anywhere in the answer."
    )
    max_chars: int | None = field(None, role=("evaluate",), doc="Characters at most.", ge=1)
    max_tokens: int | None = field(None, role=("evaluate",), doc="Tokens at most.", ge=1)
    min_rate: Share | None = field(
        None, role="gate", doc=f"Share of answers at least; {ENOUGH} without any rate."
    )
    max_rate: Share | None = field(None, role="gate", doc="Share of answers at most.")


class Constraint(Block):
    """One thing that answers must keep to."""

    name: Name = field(role=("evaluate",), doc="Its name; the gate's id ends in it.")
    text: Text | None = field(
        None, role=("generate", "scan"), doc="What the model is told, or one text per language."
    )
    test: AnswerTest | None = group(None, doc="How answers are tested; a gate.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """One thing is looked for, in one share; a constraint says or tests something."""
    yield from duplicates(spec, ("spec",), "constraints")
    if told(spec) and "constraints" in block(spec, "inputs"):
        what = 'the input "constraints" hides the texts of the constraints'
        yield Problem(("spec", "inputs", "constraints"), "one-of", what, "rename it", key=True)
    for i, entry in items(spec, "constraints"):
        loc: Loc = ("spec", "constraints", i)
        if not {"text", "test"} & entry.keys():
            what = f"constraint {quoted(entry.get('name'))} has neither text nor test"
            yield Problem(loc, "missing-field", what, "add text, test, or both")
        if isinstance(entry.get("test"), dict):
            yield from _test(block(entry, "test"), (*loc, "test"))


def _test(test: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    if {"topic", "json"} & test.keys():
        return  # told as not built yet
    yield from one_of(dict(test), loc, MEASURED)
    if {"min_rate", "max_rate"} <= test.keys():
        what = "min_rate and max_rate stand together; only one of them may"
        yield Problem((*loc, "max_rate"), "one-of", what, "keep one of them", key=True)
    if "max_rate" in test and "regex" not in test:
        what = "max_rate goes with regex: a length has min_rate, the share that keeps to it"
        yield Problem((*loc, "max_rate"), "one-of", what, "write min_rate", key=True)
    from llmops.guardrails.patterns import unusable  # brings RE2, which few specs need

    pattern = test.get("regex")
    refused = unusable(pattern) if isinstance(pattern, str) and pattern.strip() else None
    if refused is not None:
        yield Problem((*loc, "regex"), "bad-pattern", refused.what, refused.hint)


def told(spec: Mapping[str, Any]) -> bool:
    """Whether any constraint has a text."""
    return any("text" in entry for _, entry in items(spec, "constraints"))
