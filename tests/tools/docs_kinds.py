"""Kinds as Markdown: every field with its form, default, role and one line, from the models."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.jobs.metrics import METRICS, Metric
from llmops.specs import metrics as given_metrics
from llmops.specs import not_yet, owned
from llmops.specs.blocks import PATTERN_WORDS, Metadata
from llmops.specs.fields import Block, RefTo
from llmops.specs.load import KINDS
from llmops.specs.shape import Shape, compile_shape

ROOT = Path(__file__).resolve().parents[2]
Node = Mapping[str, Any]

# What a change of a field costs, by its role.
ROLES: Mapping[str, str] = {
    "curate, train, generate, evaluate, scan": "jobs of these types run again, and what follows",
    "gate": "no job: the kept rows are judged again",
    "static": "no job: the rules that need no evidence are judged again",
    "placement": "no job: only where or how a job runs",
    "descriptive": "nothing",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a kind's table."""

    path: str
    form: str
    default: str
    role: str
    doc: str


def kind_pages() -> str:
    """Each kind: what it is, an example, its fields, what is refused by name."""
    found = ["## metadata, of every kind", block_table(Metadata)]
    for name, model in KINDS.items():
        found += [f"## {name}", (model.__doc__ or "").strip(), *_example(name), block_table(model)]
        refused = list(_refused(name))
        if refused:
            found.append(f"Not built yet, and refused by name: {'; '.join(refused)}.")
    return "\n\n".join(found)


def _example(kind: str) -> Iterator[str]:
    """The first file of the running example that declares the kind, if there is one."""
    files = sorted((ROOT / "specs").glob("*/*.yaml")) + sorted((ROOT / "policies").glob("*.yaml"))
    line = f"kind: {kind}"
    for found in (p for p in files if line in p.read_text("utf-8").splitlines()):
        path = found.relative_to(ROOT).as_posix()
        yield f"Example: [`{path}`](../../{path})"
        return


def _refused(kind: str) -> Iterator[str]:
    for path, feature in not_yet.KEYS.get(kind, {}).items():
        yield f"`{path}` ({feature})"
    for path, words in not_yet.VALUES.get(kind, {}).items():
        for word, feature in words.items():
            shown = "a name" if word == not_yet.TEXT else word.lower() if word == "True" else word
            yield f"`{path}: {shown}` ({feature})"


def block_table(model: type[Block]) -> str:
    """The fields of a block or kind as a table, fields of inner blocks by their path."""
    schema = model.model_json_schema(by_alias=True)
    merged: dict[str, Field] = {}
    for one in _fields(schema, schema.get("$defs", {}), compile_shape(model), ""):
        known = merged.get(one.path)
        merged[one.path] = one if known is None else _both(known, one)
    lines = ["| field | form | default | role | |", "|---|---|---|---|---|"]
    for f in merged.values():
        lines.append(f"| `{f.path}` | {f.form} | {f.default} | {f.role} | {f.doc} |")
    return "\n".join(lines)


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
        yield Field(at, form, default, role, escaped(inner.get("description", "")))


def escaped(text: str) -> str:
    """Text whose `<` is no tag."""
    return text.replace("<", "&lt;")


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
        return PATTERN_WORDS.get(node["pattern"], "text").replace("|", "\\|")
    words = {"string": "text", "integer": "whole number", "number": "number"}
    words["boolean"] = "true or false"
    base = words.get(node.get("type", ""), "value")
    sides = (("minimum", "at least"), ("exclusiveMinimum", "above"))
    sides += (("maximum", "at most"), ("exclusiveMaximum", "below"))
    said = [f"{word} {node[key]:g}" for key, word in sides if key in node]
    return f"{base}, {' and '.join(said)}" if said else base


def _reference(ref: RefTo) -> str:
    """How a reference is written."""
    part = {"never": "", "optional": ", or `name#part`", "required": ", as `name#part`"}[ref.part]
    if len(ref.kinds) == 1:
        return f"name of a {ref.kinds[0]}{part}"
    listed = " or ".join(f"`{kind}/…`" for kind in ref.kinds)
    return f"{listed}; a bare name is a {ref.bare}" if ref.bare else listed


def roles() -> str:
    """What a change costs, by role."""
    lines = ["| role | a change costs |", "|---|---|"]
    return "\n".join([*lines, *(f"| {role} | {costs} |" for role, costs in ROLES.items())])


def metrics() -> str:
    """The metrics with their scale, and how a bound on them is judged."""
    lines = ["| metric | a case's value | better | with | a bound is judged by |"]
    lines.append("|---|---|---|---|---|")
    for name, metric in METRICS.items():
        given = given_metrics.METRICS.get(name, {})
        needs = given_metrics.REQUIRED.get(name, ())
        shown = ", ".join(f"`{p}`{' (needed)' if p in needs else ''}" for p in given)
        lines.append(
            f"| `{name}` | {_values(metric)} | {metric.better} | {shown} | {_by(metric)} |"
        )
    return "\n".join(lines)


def _values(metric: Metric) -> str:
    if metric.kind == "binary":
        return "0 or 1"
    low = "" if metric.lower is None else f"from {metric.lower:g}"
    return f"{low} to {metric.upper:g}" if metric.upper is not None else f"{low} up"


def _by(metric: Metric) -> str:
    return {
        "binary": "exact binomial bounds",
        "score": "STaR-Bets on the mean",
        "unbounded": "nothing: the spec is refused without `pass_at`",
    }[metric.kind]


def tools() -> str:
    """The tools whose words a spec quotes, with the version whose keys are known."""
    lines = ["| block | tool | known keys |", "|---|---|---|"]
    blocks = (("Recipe `lora`", "lora"), ("Recipe `training`", "training"))
    blocks += (("Recipe `deepspeed`", "deepspeed"), ("Model `init.architecture`", "architecture"))
    for block, name in blocks:
        path = ROOT / "llmops" / "specs" / "upstream" / f"{name}.json"
        listing = json.loads(path.read_text("utf-8"))
        size = f"{len(listing['keys'])}{' model types' if name == 'architecture' else ''}"
        lines.append(f"| {block} | {listing['tool']} {listing['version']} | {size} |")
    return "\n".join(lines)


def refused_keys() -> str:
    """Keys of the quoted tools that a spec does not set, and where to say it instead."""
    lines = ["| key | instead |", "|---|---|"]
    given = {
        "lora": owned.LORA,
        "training": {**owned.TRAINING, **{f"{k}…": v for k, v in owned.TRAINING_PREFIXES.items()}},
        "deepspeed": owned.DEEPSPEED,
    }
    for block, keys in given.items():
        for hint in dict.fromkeys(keys.values()):
            names = ", ".join(f"`{block}.{key}`" for key, said in keys.items() if said == hint)
            lines.append(f"| {names} | {hint} |")
    return "\n".join(lines)
