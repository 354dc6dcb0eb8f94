"""What a schema can say beyond the models: tools' keys with their types, one branch of several.

In: nodes of a JSON Schema made from the models. Out: the same nodes, stricter, and never stricter
than `llmops validate`: whatever it accepts fits the schema. `examples.json` has values of real
specs by the path of their field; editors offer them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from llmops.specs import dataset, guardrail, model, recipe, upstream
from llmops.specs.owned import DEEPSPEED_FROM, LORA_ONLY

Node = dict[str, Any]
QUOTED = ("lora", "training", "deepspeed")
# Of these keys exactly one has a value (`specs.problem.one_of`).
ONE_OF: Mapping[str, Sequence[str]] = {
    "Recipe": recipe.BRANCHES,
    "Model": model.BRANCHES,
    "Layer": guardrail.LAYERS,
    "Source": dataset.BRANCHES,
    "Suite": ("giskard", "bank"),
    "Bound": ("min", "max"),
}
MOST_EXAMPLES = 3
_TYPES = {
    "bool": "boolean", "integer": "integer", "whole": "integer", "number": "number",
    "text": "string", "list": "array", "map": "object", "null": "null",
}  # fmt: skip

_TYPE = {
    bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object",
}  # fmt: skip


def one_branch(defs: Mapping[str, Node]) -> None:
    """Says of each block in `ONE_OF` that one key names the branch."""
    for name, keys in ONE_OF.items():
        if name in defs:
            defs[name]["oneOf"] = [_given(key) for key in keys]


def _given(key: str) -> Node:
    return {"required": [key], "properties": {key: {"not": {"type": "null"}}}}


def quote(properties: Node) -> None:
    """The keys of the tools that a Recipe quotes, with their types: others are refused."""
    for block in QUOTED:
        made = {key: _key(block, key, upstream.form(block, key)) for key in upstream.keys(block)}
        properties[block] = {
            **properties[block], "properties": made, "additionalProperties": False,
        }  # fmt: skip


def begin(init: Node) -> None:
    """The architectures that a Model may start from."""
    types = {"model_type": {"enum": list(upstream.model_types())}}
    init["architecture"] = {
        **init["architecture"], "properties": types, "required": ["model_type"],
    }  # fmt: skip


def _key(block: str, path: str, said: Mapping[str, Any]) -> Node:
    """The schema of one quoted key."""
    if block == "lora" and path in LORA_ONLY:
        return {"const": LORA_ONLY[path]}
    if block == "deepspeed" and path in DEEPSPEED_FROM:
        return {"enum": ["auto", None]}
    forms: list[Node] = []
    if words := said.get("one_of", ()):
        forms.append({"enum": list(words)})
    if types := [_TYPES[word] for word in said.get("is", ())]:
        forms.append({"type": types if len(types) > 1 else types[0]})
    if upstream.may_be_auto(block, path):
        forms.append({"const": "auto"})
    node: Node = {} if not said else forms[0] if len(forms) == 1 else {"anyOf": forms}
    if "keys" in said:
        inner = {key: _key(block, f"{path}.{key}", one) for key, one in said["keys"].items()}
        node |= {"properties": inner, "additionalProperties": False}
    return node


@cache
def _examples() -> Mapping[str, Mapping[str, Any]]:
    text = (files("llmops.specs") / "examples.json").read_text(encoding="utf-8")
    found: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return found


def exemplify(kind: str, start: Node, defs: Mapping[str, Node]) -> None:
    """Puts the examples of a kind's fields where the fields are declared."""
    for path, value in _examples().get(kind, {}).items():
        for node in _places(start, defs, path.replace("[]", "").split(".")):
            if "const" in node or "enum" in node or not _takes(node, value):
                continue  # editors know what may stand there; or it is of another branch
            known = node.setdefault("examples", [])
            if value not in known and len(known) < MOST_EXAMPLES:
                known.append(value)


def _takes(node: Node, value: Any) -> bool:
    """Whether a value is of the type of a field, and those in a map of the type of its values."""
    known = (_TYPE[type(value)], "number" if isinstance(value, int) else None, None)
    forms = [form for form in node.get("anyOf", [node]) if form.get("type") in known]
    if not isinstance(value, dict):
        return bool(forms)
    inner: list[Node] = [
        next(iter(form.get("patternProperties", {}).values()), {}) for form in forms
    ]
    return any(all(_takes(one, part) for part in value.values()) for one in inner)


def _places(node: Node, defs: Mapping[str, Node], steps: Sequence[str]) -> Iterator[Node]:
    """The nodes of a field by its path, in every branch of a union."""
    if not steps:
        yield node
        return
    for block in _blocks(node, defs):
        if below := block["properties"].get(steps[0]):
            yield from _places(below, defs, steps[1:])


def _blocks(node: Node, defs: Mapping[str, Node]) -> Iterator[Node]:
    """The blocks of fields that a place may hold."""
    if "$ref" in node:
        yield from _blocks(defs[node["$ref"].rpartition("/")[2]], defs)
    elif "properties" in node:
        yield node
        return
    for inner in (*node.get("anyOf", ()), *node.get("oneOf", ()), node.get("items")):
        if isinstance(inner, dict):
            yield from _blocks(inner, defs)
