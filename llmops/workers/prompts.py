"""A Prompt spec and a row -> messages, rendered in a sandbox.

Jinja2 with StrictUndefined in an immutable sandbox: no attribute of Python objects, no change of
its inputs, nothing random. Values are data: a template inside a value is never rendered. Inputs
are checked against their JSON Schema (the subset in `mismatch`) before they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmops.workers.chat import Message, Row, RowError
from llmops.workers.contract import WorkerError

_NOTES = {"description", "title", "default", "examples", "untrusted"}
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (Mapping,),
    "null": (type(None),),
}


def environment() -> ImmutableSandboxedEnvironment:
    """The sandbox: strict about missing names, without anything random."""
    env = ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)
    env.globals.pop("lipsum", None)
    env.filters.pop("random", None)
    return env


@dataclass(frozen=True, slots=True)
class Prompt:
    """Compiled templates of a Prompt spec with the schemas of its inputs."""

    inputs: Mapping[str, Mapping[str, Any]]
    turns: tuple[tuple[str, Template | str], ...]

    @classmethod
    def compile(cls, spec: Mapping[str, Any]) -> Prompt:
        """From the `prompt` block of a generate job. Raises WorkerError for a bad template."""
        env = environment()
        turns: list[tuple[str, Template | str]] = []
        if spec.get("system"):
            turns.append(("system", _compiled(env, "system", spec["system"])))
        for shot in spec.get("few_shot") or ():
            turns += [("user", str(shot["user"])), ("assistant", str(shot["assistant"]))]
        for message in spec["messages"]:
            turns.append((message["role"], _compiled(env, message["role"], message["content"])))
        return cls(spec.get("inputs") or {}, tuple(turns))

    def messages(self, row: Row, form: str = "") -> list[Message]:
        """The row's messages. Raises RowError naming the input or the template's complaint."""
        row = {**self._attacked(row), **row} if form == "attack" else row
        values = {name: _value(row, name, schema) for name, schema in self.inputs.items()}
        return [{"role": role, "content": _rendered(turn, values)} for role, turn in self.turns]

    def _attacked(self, row: Row) -> dict[str, Any]:
        """A bank knows no prompt's inputs: its text goes where the user's own would, if clear."""
        open_ = [
            name
            for name, schema in self.inputs.items()
            if name not in row and "default" not in schema and schema.get("type") == "string"
        ]
        return {open_[0]: row.get("prompt")} if len(open_) == 1 else {}


def _compiled(env: ImmutableSandboxedEnvironment, role: str, text: str) -> Template:
    try:
        return env.from_string(text)
    except TemplateError as error:
        raise WorkerError(
            f"the prompt's {role} template is no Jinja2: {error}", hint="mend it in the Prompt"
        ) from error


def _rendered(turn: Template | str, values: Mapping[str, Any]) -> str:
    if isinstance(turn, str):
        return turn
    try:
        return turn.render(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise RowError(f"the prompt cannot be rendered: {error}") from error


def _value(row: Row, name: str, schema: Mapping[str, Any]) -> Any:
    if name in row:
        value = row[name]
    elif "default" in schema:
        value = schema["default"]
    else:
        raise RowError(f'input "{name}" is missing from the row')
    if wrong := mismatch(value, schema, name):
        raise RowError(f"input {wrong}")
    return value


def mismatch(value: Any, schema: Mapping[str, Any], path: str) -> str:
    """What is wrong with a value under a JSON Schema, or "" if nothing is.

    Known: type, enum, const, minLength, maxLength, minimum, maximum, minItems, maxItems, items,
    properties, required, additionalProperties (false); notes are passed over. A keyword outside
    this subset is itself a mismatch, so that no constraint is ever silently ignored.
    """
    if unknown := sorted(set(schema) - _KNOWN):
        return f'"{path}": its schema has the unsupported keyword "{unknown[0]}"'
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return f'"{path}" is not of type {" or ".join(kinds)}'
    if "enum" in schema and value not in schema["enum"]:
        return f'"{path}" is none of {", ".join(map(str, schema["enum"]))}'
    if "const" in schema and value != schema["const"]:
        return f'"{path}" is not {schema["const"]}'
    return _bounds(value, schema, path) or _inner(value, schema, path)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _TYPES.get(kind, ()))


def _bounds(value: Any, schema: Mapping[str, Any], path: str) -> str:
    for kind, unit, low, high in _BOUNDS:
        if isinstance(value, bool) or not isinstance(value, kind):
            continue
        size: Any = len(value) if unit else value
        if low in schema and size < schema[low]:
            return f'"{path}" has {size}{unit}, below the minimum {schema[low]}'
        if high in schema and size > schema[high]:
            return f'"{path}" has {size}{unit}, above the maximum {schema[high]}'
    return ""


_BOUNDS: tuple[tuple[Any, str, str, str], ...] = (
    (str, " characters", "minLength", "maxLength"),
    ((int, float), "", "minimum", "maximum"),
    (list, " items", "minItems", "maxItems"),
)
_KNOWN = {
    *_NOTES,
    *(keyword for _, _, low, high in _BOUNDS for keyword in (low, high)),
    *("type", "enum", "const", "items", "properties", "required", "additionalProperties"),
}


def _inner(value: Any, schema: Mapping[str, Any], path: str) -> str:
    if isinstance(value, list) and "items" in schema:
        found = (mismatch(v, schema["items"], f"{path}[{i}]") for i, v in enumerate(value))
        return next(filter(None, found), "")
    if not isinstance(value, Mapping):
        return ""
    for name in schema.get("required", ()):
        if name not in value:
            return f'"{path}.{name}" is missing'
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is False and (more := set(value) - set(properties)):
        return f'"{path}.{min(more)}" is not declared'
    inner = (mismatch(value[k], s, f"{path}.{k}") for k, s in properties.items() if k in value)
    return next(filter(None, inner), "")
