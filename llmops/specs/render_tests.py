"""Render tests of a Prompt: values of its inputs, and what their text must be. No model is asked.

A test without `expect` has a golden text beside the spec (`golden/<prompt>/<test>.txt`), which
`llmops prompt test --update` writes. Here the values are held against the types of the inputs;
nothing is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from llmops.diagnostics import nearest
from llmops.prompts.schema import mismatch
from llmops.specs.blocks import LIST, NonEmpty, Verbatim
from llmops.specs.fields import Block, Name, field, group
from llmops.specs.problem import Loc, Problem, block, duplicates, items, listed, quoted


class Expect(Block):
    """What a test's text must have and must not have, instead of one golden text."""

    contains: Annotated[tuple[NonEmpty, ...], LIST] | None = field(
        None, role="static", doc="Texts that some message holds.", min_length=1
    )
    absent: Annotated[tuple[NonEmpty, ...], LIST] | None = field(
        None, role="static", doc="Texts that no message holds.", min_length=1
    )
    error: NonEmpty | None = field(
        None, role="static", doc="A part of the complaint: these values must be refused."
    )


class RenderTest(Block):
    """Values of the inputs, and the text that they make."""

    name: Name = field(role="static", doc="Name of the test, and of its golden text.")
    inputs: Verbatim = field(role="static", doc="A value for each input without a default.")
    expect: Expect | None = group(None, doc="What its text must have; a golden text without it.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """Values of inputs that there are, of their types; one sort of expectation."""
    yield from duplicates(spec, ("spec",), "tests")
    schemas = block(spec, "inputs")
    for i, test in items(spec, "tests"):
        loc: Loc = ("spec", "tests", i)
        expected = block(test, "expect")
        yield from _expected(expected, test, (*loc, "expect"))
        refused = "error" in expected
        if isinstance(test.get("inputs"), dict):
            yield from _values(test["inputs"], schemas, (*loc, "inputs"), refused=refused)


def _expected(expected: Mapping[str, Any], test: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    if "error" in expected and len(expected) > 1:
        what = "values that are refused make no text to look into"
        yield Problem((*loc, "error"), "one-of", what, "keep error, or the others", key=True)
    if "expect" in test and isinstance(test["expect"], dict) and not expected:
        hint = "write contains, absent or error; without expect a golden text is kept"
        yield Problem(loc, "missing-field", "expect says nothing", hint, key=True)


def _values(
    values: Mapping[str, Any], schemas: Mapping[str, Any], loc: Loc, *, refused: bool
) -> Iterator[Problem]:
    for name, value in values.items():
        if name not in schemas:
            near = nearest(name, schemas)
            hint = f'did you mean "{near}"?' if near else f"known are {listed(schemas) or 'none'}"
            yield Problem((*loc, name), "unknown-input", f"there is no input {quoted(name)}", hint,
                          key=True)  # fmt: skip
        elif not refused and (wrong := _mismatch(value, schemas[name], name)):
            yield Problem((*loc, name), "wrong-value", f"input {wrong}", _REFUSED)
    for name, schema in schemas.items():
        if not refused and name not in values and "default" not in block(schema):
            what = f"input {quoted(name)} has no value and no default"
            yield Problem(loc, "missing-field", what, "give it one, or a default in inputs")


_REFUSED = "mend the value; that it is refused can be tested with expect: {error: …}"


def _mismatch(value: Any, schema: Any, name: str) -> str:
    """As rendering would say it; a schema that is none is told elsewhere."""
    try:
        return mismatch(value, block(schema), name)
    except (TypeError, AttributeError):
        return ""
