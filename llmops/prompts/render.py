"""A Prompt and values -> messages, rendered in a sandbox: the same code in tests and in workers.

Jinja2 with StrictUndefined in an immutable sandbox: no attribute of Python objects, no change of
its inputs, nothing random, and nothing printed that is no data (a function would print an address
of memory, another one each time). Values are data: a template inside a value is never rendered.
Inputs are checked against their JSON Schema before they are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmops.prompts.constraints import Texts, texts
from llmops.prompts.schema import mismatch

Message = dict[str, str]
Row = Mapping[str, Any]
Shots = Mapping[int, Sequence[Mapping[str, Any]]]  # turns of each few-shot file, by its place
# What a template may make of any values before it is stopped: all of them one text.
_REFUSED = (
    TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError,
    RecursionError, MemoryError,
)  # fmt: skip
_DATA = (str, int, float, type(None), list, tuple, Mapping, Undefined)


class BrokenPrompt(ValueError):
    """The prompt itself cannot be used; the text says which part of it."""


class Unrendered(ValueError):
    """One row's values cannot be rendered; the text names the input or the complaint."""


def environment() -> ImmutableSandboxedEnvironment:
    """The sandbox: strict about missing names, without anything random, printing data only."""
    env = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, keep_trailing_newline=True, finalize=_data
    )
    env.globals.pop("lipsum", None)
    env.filters.pop("random", None)
    return env


def _data(value: Any) -> Any:
    if not isinstance(value, _DATA):
        raise TypeError(f"a {type(value).__name__} is no data to print")
    return value


@dataclass(frozen=True, slots=True)
class Prompt:
    """Compiled templates of a Prompt spec with the schemas of its inputs."""

    inputs: Mapping[str, Mapping[str, Any]]
    turns: tuple[tuple[str, Template | str], ...]
    constraints: Texts | None = None

    @classmethod
    def compile(cls, spec: Mapping[str, Any], shots: Shots | None = None) -> Prompt:
        """From the `prompt` block of a job, with the turns of its few-shot files.

        Raises BrokenPrompt for a bad template, or for a few-shot file that nobody read.
        """
        env = environment()
        turns: list[tuple[str, Template | str]] = []
        if spec.get("system"):
            turns.append(("system", _compiled(env, "system", spec["system"])))
        for i, shot in enumerate(spec.get("few_shot") or ()):
            for one in _shown(i, shot, shots or {}):
                turns += [("user", str(one["user"])), ("assistant", str(one["assistant"]))]
        for message in spec["messages"]:
            turns.append((message["role"], _compiled(env, message["role"], message["content"])))
        told = spec.get("constraints")
        return cls(spec.get("inputs") or {}, tuple(turns), texts(told) if told else None)

    def messages(self, row: Row, form: str = "") -> list[Message]:
        """The row's messages. Raises Unrendered naming the input or the template's complaint."""
        row = {**self._attacked(row), **row} if form == "attack" else row
        values = {name: _value(row, name, schema) for name, schema in self.inputs.items()}
        values |= {"constraints": self.constraints} if self.constraints is not None else {}
        return [{"role": role, "content": _rendered(turn, values)} for role, turn in self.turns]

    def _attacked(self, row: Row) -> dict[str, Any]:
        """A bank knows no prompt's inputs: its text goes where the user's own would, if clear."""
        open_ = [
            name
            for name, schema in self.inputs.items()
            if name not in row and "default" not in schema and schema.get("type") == "string"
        ]
        return {open_[0]: row.get("prompt")} if len(open_) == 1 else {}


def _shown(i: int, shot: Mapping[str, Any], shots: Shots) -> Sequence[Mapping[str, Any]]:
    """The turns of one entry of `few_shot`: its own, or those of its file."""
    if "file" not in shot:
        return (shot,)
    if i not in shots:
        raise BrokenPrompt(f"few_shot[{i}]: the file {shot['file']} is not at hand")
    return shots[i]


def _compiled(env: ImmutableSandboxedEnvironment, role: str, text: str) -> Template:
    try:
        return env.from_string(text)
    except _REFUSED as error:
        raise BrokenPrompt(f"the prompt's {role} template is no Jinja2: {error}") from error


def _rendered(turn: Template | str, values: Mapping[str, Any]) -> str:
    if isinstance(turn, str):
        return turn
    try:
        return turn.render(values)
    except _REFUSED as error:
        said = str(error) or type(error).__name__
        raise Unrendered(f"the prompt cannot be rendered: {said}") from error


def _value(row: Row, name: str, schema: Mapping[str, Any]) -> Any:
    if name in row:
        value = row[name]
    elif "default" in schema:
        value = schema["default"]
    else:
        raise Unrendered(f'input "{name}" is missing from the row')
    if wrong := mismatch(value, schema, name):
        raise Unrendered(f"input {wrong}")
    return value
