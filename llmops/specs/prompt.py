"""Kind `Prompt`: messages with typed inputs, few-shot examples and the form of the answer.

Templates are Jinja2; inputs are JSON Schema, in the subset that the worker checks rows with.
Syntax and unknown variables are found here, so that no job starts with a broken template.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from llmops.diagnostics import nearest
from llmops.specs import constraints, prompt_lint, render_tests
from llmops.specs.blocks import LIST, Column, NonEmpty, Verbatim, form
from llmops.specs.constraints import Constraint
from llmops.specs.fields import Block, IsFile, RefTo, field, group
from llmops.specs.problem import Loc, Problem, block, items, listed, quoted, shown
from llmops.specs.render_tests import RenderTest
from llmops.specs.templates import needs

Variable = Annotated[str, form(r"^[A-Za-z_][A-Za-z0-9_]*$", "letters, digits and _")]

# The JSON Schema words that the worker checks inputs with; `untrusted` is ours (UX of attacks).
SCHEMA_WORDS: Mapping[str, tuple[type, ...]] = {
    "type": (str, list), "enum": (list,), "const": (object,), "default": (object,),
    "minLength": (int,), "maxLength": (int,), "minimum": (int, float), "maximum": (int, float),
    "minItems": (int,), "maxItems": (int,), "items": (dict,), "properties": (dict,),
    "required": (list,), "additionalProperties": (bool,), "description": (str,), "title": (str,),
    "examples": (list,), "untrusted": (bool,),
}  # fmt: skip
SCHEMA_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")


class Shot(Block):
    """One example turn, in place."""

    user: NonEmpty = field(role=("generate", "scan"), doc="What the user says.")
    assistant: NonEmpty = field(role=("generate", "scan"), doc="What the assistant answers.")


class ShotFile(Block):
    """Example turns in a file of this repository."""

    file: Annotated[str, IsFile()] = field(
        role=("generate", "scan"), doc="JSONL of user and assistant."
    )


def _kind_of_shot(value: Any) -> str:
    in_file = "file" in value if isinstance(value, dict) else isinstance(value, ShotFile)
    return "from file" if in_file else "in place"


class Message(Block):
    """One message of the conversation."""

    role: Literal["system", "user", "assistant"] = field(
        role=("generate", "scan"), doc="Who speaks."
    )
    content: str = field(role=("generate", "scan"), doc="A template.")


class TextOutput(Block):
    """Any text."""

    format: Literal["text"] = field("text", role=("generate", "scan"), doc="Any text.")


class Labels(Block):
    """The labels to choose from: the distinct values of a column."""

    dataset: Annotated[str, RefTo(("Dataset",))] = field(
        role=("generate", "scan"), doc="The Dataset."
    )
    column: Column = field(role=("generate", "scan"), doc="Its column.")


class ChoiceOutput(Block):
    """One of a dataset's labels, by constrained decoding."""

    format: Literal["choice"] = field(role=("generate", "scan"), doc="One of the labels.")
    labels: Labels = group(doc="Which labels.")


class Parameters(Block):
    """How answers are decoded."""

    temperature: float | None = field(
        None, role=("generate", "scan"), doc="0 takes the most probable token.", ge=0, le=10
    )
    top_p: float | None = field(
        None, role=("generate", "scan"), doc="Share of probability drawn from.", gt=0, le=1
    )
    max_tokens: int | None = field(None, role=("generate", "scan"), doc="Longest answer.", ge=1)
    batch_size: int | None = field(None, role=("generate", "scan"), doc="Cases at once.", ge=1)


class Decoding(Block):
    """How answers are decoded for one Evaluation; its scans are no business of it."""

    temperature: float | None = field(
        None, role=("generate",), doc="0 takes the most probable token.", ge=0, le=10
    )
    top_p: float | None = field(
        None, role=("generate",), doc="Share of probability drawn from.", gt=0, le=1
    )
    max_tokens: int | None = field(None, role=("generate",), doc="Longest answer.", ge=1)
    batch_size: int | None = field(None, role=("generate",), doc="Cases at once.", ge=1)


class Prompt(Block):
    """Messages with typed inputs."""

    template: Literal["jinja2"] = field("jinja2", role=("generate", "scan"), doc="Template engine.")
    inputs: dict[Variable, Verbatim] = field(
        {}, role=("generate", "scan"), doc="JSON Schema by name."
    )
    system: str | None = field(
        None, role=("generate", "scan"), doc="The system message, a template."
    )
    few_shot: Annotated[
        tuple[
            Annotated[
                Annotated[Shot, Tag("in place")] | Annotated[ShotFile, Tag("from file")],
                Discriminator(_kind_of_shot),
            ],
            ...,
        ],
        LIST,
    ] = group((), doc="Examples, in order.")
    messages: Annotated[tuple[Message, ...], LIST] = group(doc="In order.", min_length=1)
    constraints: Annotated[tuple[Constraint, ...], LIST] | None = group(
        None, doc="What answers must keep to."
    )
    output: Annotated[TextOutput | ChoiceOutput, Field(discriminator="format")] = group(
        default_factory=TextOutput, doc="The form of the answer."
    )
    parameters: Parameters | None = group(None, doc="How answers are decoded.")
    tests: Annotated[tuple[RenderTest, ...], LIST] | None = group(None, doc="What it renders to.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: schemas of inputs, templates, constraints, tests; then warnings."""
    found = [*_wrong(spec), *constraints.check(spec), *render_tests.check(spec)]
    yield from found
    if not found:
        yield from prompt_lint.lint(spec)


def _wrong(spec: Mapping[str, Any]) -> Iterator[Problem]:
    inputs = block(spec, "inputs")
    for name, schema in inputs.items():
        yield from _schema(schema, ("spec", "inputs", name))
    known = [*inputs, *(["constraints"] if constraints.told(spec) else [])]
    yield from _template(spec.get("system"), ("spec", "system"), known)
    for i, message in items(spec, "messages"):
        yield from _template(message.get("content"), ("spec", "messages", i, "content"), known)


def _schema(schema: Any, loc: Loc) -> Iterator[Problem]:
    stack: list[tuple[Any, Loc]] = [(schema, loc)]
    while stack:
        at, place = stack.pop()
        for word, value in at.items() if isinstance(at, dict) else ():
            yield from _word(word, value, (*place, word))
        stack += _below(at, place)


def _below(schema: Any, loc: Loc) -> Iterator[tuple[Any, Loc]]:
    for name, inner in block(schema, "properties").items():
        yield inner, (*loc, "properties", name)
    if block(schema, "items"):
        yield schema["items"], (*loc, "items")


def _word(word: str, value: Any, loc: Loc) -> Iterator[Problem]:
    kinds = SCHEMA_WORDS.get(word)
    if kinds is None:
        near = nearest(word, SCHEMA_WORDS)
        hint = f'did you mean "{near}"?' if near else f"known are {listed(SCHEMA_WORDS, 20)}"
        what = f"inputs know no JSON Schema word {quoted(word)}"
        yield Problem(loc, "unknown-field", what, hint, key=True)
    elif not _fits(value, kinds):
        yield Problem(loc, "wrong-type", f'"{word}" cannot be {shown(value)} in JSON Schema')
    elif word == "type":
        for name in value if isinstance(value, list) else [value]:
            if name not in SCHEMA_TYPES:
                hint = f"known are {listed(SCHEMA_TYPES, 9)}"
                yield Problem(loc, "wrong-value", f"there is no type {quoted(name)}", hint)


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in kinds or object in kinds
    return isinstance(value, kinds)


_DECLARE = {"constraints": "give a constraint a text, or remove it here"}


def _template(text: Any, loc: Loc, known: Collection[str]) -> Iterator[Problem]:
    if not isinstance(text, str) or "{" not in text:
        return
    found = needs(text)
    if found.wrong:
        yield Problem(loc, "template-syntax", f"no Jinja2 template: {found.wrong}")
    for name in sorted(found.names - set(known)):
        near = nearest(name, known)
        hint = f'did you mean "{near}"?' if near else _DECLARE.get(name, "declare it under inputs")
        yield Problem(loc, "unknown-input", f"the template uses {quoted(name)}, no input", hint)
