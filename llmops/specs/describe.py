"""What a kind's fields are, in words: path, form, default, role, one line each.

In: a pydantic model. Out: `Field`s in the order of the model, those of inner blocks by their path
as in YAML (`checks[].require.min`). The manual's tables and `llmops explain` show the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from llmops.specs.blocks import PATTERN_WORDS
from llmops.specs.fields import Block, RefTo
from llmops.specs.shape import Shape, compile_shape, leaves

Node = Mapping[str, Any]
_SIDES = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


class Field(NamedTuple):
    """One field. `default`: "" for none, "needed" where it must be given."""

    path: str
    form: str
    default: str
    role: str
    doc: str


def fields(model: type[Block]) -> tuple[Field, ...]:
    """The fields of a block or kind; one that several branches of a union have is told once."""
    schema = model.model_json_schema(by_alias=True)
    merged: dict[str, Field] = {}
    shape = compile_shape(model)
    for one in _fields(schema, schema.get("$defs", {}), shape, ""):
        known = merged.get(one.path)
        merged[one.path] = one if known is None else _both(known, one)
    return tuple(merged[path] for path, _ in leaves(shape))


def _both(one: Field, two: Field) -> Field:
    """A field that several branches of a union have."""
    form = one.form if two.form in one.form else f"{one.form}, or {two.form}"
    doc = one.doc if two.doc in one.doc else f"{one.doc} {two.doc}"
    return Field(one.path, form, one.default, one.role, doc)


def _fields(node: Node, defs: Node, shape: Shape, path: str) -> Iterator[Field]:
    for name, inner in node["properties"].items():
        at = f"{path}.{name}" if path else name
        below = shape.fields[name]
        if not below.leaf:
            for block in _blocks(inner, defs):
                yield from _fields(block, defs, below, f"{at}[]" if below.many else at)
            continue
        form = _reference(below.ref) if below.ref else _form(inner, defs)
        form = "path of a file, from the repository's root" if below.file else form
        needed = name in node.get("required", [])
        default = "needed" if needed else _default(inner.get("default"))
        role = below.role.removeprefix("job: [").rstrip("]")
        yield Field(at, form, default, role, inner.get("description", ""))


def _default(value: Any) -> str:
    return "" if value in (None, [], {}) else f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _blocks(node: Node, defs: Node) -> Iterator[Node]:
    """The blocks that a place may hold."""
    if "$ref" in node:
        yield from _blocks(_resolved(node, defs), defs)
    elif "properties" in node:
        yield node
    elif "items" in node:
        yield from _blocks(node["items"], defs)
    for inner in (*node.get("anyOf", ()), *node.get("oneOf", ())):
        yield from _blocks(inner, defs)


def _resolved(node: Node, defs: Node) -> Node:
    found: Node = defs[node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return found


def _form(node: Node, defs: Node) -> str:
    node = _resolved(node, defs)
    branches = [n for n in node.get("anyOf", node.get("oneOf", ())) if n.get("type") != "null"]
    if branches:
        return " or ".join(dict.fromkeys(_form(n, defs) for n in branches))
    if "const" in node:
        return f"`{_yaml(node['const'])}`"
    if "enum" in node:
        return ", ".join(f"`{_yaml(word)}`" for word in node["enum"])
    makers = {"array": _list, "object": _map}
    if node.get("type") in makers:
        return makers[node["type"]](node, defs)
    return _scalar(node)


def _list(node: Node, defs: Node) -> str:
    inner = _form(node.get("items", {}), defs)
    return f"list: {inner}"


def _map(node: Node, defs: Node) -> str:
    if node.get("maxProperties") == 0:
        return "`{}`"
    if "properties" in node:
        return "{" + ", ".join(node["properties"]) + "}"
    inner = node.get("additionalProperties")
    inner = next(iter(node.get("patternProperties", {}).values()), inner)
    form = _form(inner, defs) if isinstance(inner, Mapping) else "value"
    return "map" if form in ("value", "map") else f"map to {form}"


def _scalar(node: Node) -> str:
    if "pattern" in node:
        return PATTERN_WORDS.get(node["pattern"], "text")
    words = {"string": "text", "integer": "whole number", "number": "number"}
    words["boolean"] = "true or false"
    base = words.get(node.get("type", ""), "value")
    said = [f"{word} {node[key]:g}" for key, word in _SIDES.items() if key in node]
    return f"{base}, {' and '.join(said)}" if said else base


def _reference(ref: RefTo) -> str:
    """How a reference is written."""
    part = {"never": "", "optional": ", or `name#part`", "required": ", as `name#part`"}[ref.part]
    if len(ref.kinds) == 1:
        return f"name of a {ref.kinds[0]}{part}"
    listed = " or ".join(f"`{kind}/…`" for kind in ref.kinds)
    return f"{listed}; a bare name is a {ref.bare}" if ref.bare else listed
