"""JSON Schema of all kinds, for editors: completion, hover texts and roles, from the models.

In: the table of kinds. Out: one schema (draft 2020-12) of a spec file; `x-llmops-role` says what
a change of a field costs, `examples` how others fill it in. It knows forms, not meanings: a name
that nothing has, or bounds that contradict each other, are for `llmops validate`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.json_schema import models_json_schema

from llmops.specs import schema_forms
from llmops.specs.base import API_VERSION
from llmops.specs.blocks import Metadata
from llmops.specs.fields import Block
from llmops.specs.load import ENVELOPE, KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PATH = f".github/llmops/{API_VERSION.partition('/')[2]}.schema.json"


def schema(kinds: Sequence[str] = tuple(KINDS)) -> dict[str, Any]:
    """The schema of files that declare one of `kinds`. KeyError for a kind that is not known."""
    models: dict[str, type[Block]] = {"Metadata": Metadata, **{kind: KINDS[kind] for kind in kinds}}
    refs, made = models_json_schema(
        [(model, "validation") for model in models.values()],
        by_alias=True,
        ref_template="#/$defs/{model}",
    )
    of = {name: refs[(model, "validation")] for name, model in models.items()}
    defs: dict[str, Any] = {name: _clean(node) for name, node in made["$defs"].items()}
    for kind in models:
        schema_forms.exemplify(kind, of[kind], defs)
    if "Recipe" in kinds:
        schema_forms.quote(defs[of["Recipe"]["$ref"].rpartition("/")[2]]["properties"])
    if "Model" in kinds:
        schema_forms.begin(defs["Init"]["properties"])
    schema_forms.one_branch(defs)
    return {
        "$schema": DIALECT,
        "title": f"A spec of {API_VERSION}",
        "type": "object",
        "required": list(ENVELOPE),
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"enum": list(kinds), "description": "What is declared."},
            "metadata": of["Metadata"],
            "spec": {"type": "object"},
        },
        "allOf": [_when(kind, of[kind]) for kind in kinds],
        "$defs": defs,
    }


def text(made: Mapping[str, Any]) -> str:
    """A schema as it stands in a file."""
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _when(kind: str, ref: Mapping[str, Any]) -> dict[str, Any]:
    """Tells an editor which `spec` belongs to a kind; better heard than a failed `oneOf`."""
    chosen = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    return {"if": chosen, "then": {"properties": {"spec": ref}}}


def _clean(node: Any, *, names: bool = False) -> Any:
    """Without what only repeats: made-up titles, and defaults of nothing. `names`: of fields."""
    if isinstance(node, list):
        return [_clean(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    empty = {"title"} | ({"default"} if node.get("default", 0) is None else set())
    kept = {key: inner for key, inner in node.items() if names or key not in empty}
    return {key: _clean(inner, names=key == "properties") for key, inner in kept.items()}
