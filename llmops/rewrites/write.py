"""Plain values and comments by path -> the canonical text of a new spec: importers, `init`. Dry.

In: what a spec says, as `yaml` would read it, and comments for places in it. Out: a text that was
read back: it parses to the same values. What is short stands on one line, as in a spec that was
written with care; the verbatim blocks of tools and all that holds a comment are open.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from llmops.diagnostics import Diagnostic, render
from llmops.errors import UsageError
from llmops.rewrites import layout, order, quoting, style
from llmops.rewrites.syntax import Entry, Node, Source
from llmops.source.document import Document, parse
from llmops.specs.base import API_VERSION

Path = tuple[str | int, ...]

SCHEMA = f".github/llmops/{API_VERSION.partition('/')[2]}.schema.json"
# Kind -> the folder of its specs (a habit, not a rule).
FOLDERS: Mapping[str, str] = {
    "Model": "specs/models",
    "Dataset": "specs/datasets",
    "Recipe": "specs/recipes",
    "Prompt": "specs/prompts",
    "Evaluation": "specs/evaluations",
    "SafetyTest": "specs/safety",
    "Guardrail": "specs/guardrails",
    "Application": "specs/applications",
    "Environment": "specs/environments",
    "Release": "specs/releases",
    "Policy": "policies",
}
VERBATIM = frozenset({"training", "lora", "deepspeed", "architecture"})
FEW = 4  # values of a map behind a key that stands on one line
SOME = 7  # the same for an item of a list


def modeline(path: str) -> str:
    """The comment by which editors find the schema, seen from a file of the repository."""
    up = "../" * (len(PurePosixPath(path).parts) - 1)
    return f"# yaml-language-server: $schema={up}{SCHEMA}"


def path_of(value: Mapping[str, Any]) -> str:
    """Where the spec of these values belongs: `specs/recipes/NAME.yaml`."""
    return f"{FOLDERS[value['kind']]}/{value['metadata']['name']}.yaml"


def spec_text(
    value: Mapping[str, Any], comments: Mapping[Path, str] | None = None, path: str = ""
) -> str:
    """The text of a spec with these values; `path` is where it will stand (`path_of` without it).

    `comments` are texts without `#` by the path of what they are about: beside it where they are
    short, above it where they are not; `()` is the head of the file, and a path that is not there
    stands at the end of what is. Values are str, int, float, bool, None, lists and maps.

    Raises UsageError for values that no spec file can hold: a number that is not finite, a text
    that is not Unicode, a map nested too deep, a date that is no text.
    """
    path = path or path_of(value)
    root = _node(value, ())
    root.flow = False
    source = Source([modeline(path)], root)
    for loc, comment in (comments or {}).items():
        _annotate(source, loc, comment.splitlines())
    order.sort(root)
    _open(root)
    text = layout.text(source)
    _expect_kept(path, text, value)
    return text


def _expect_kept(path: str, text: str, value: Mapping[str, Any]) -> None:
    """UsageError unless the text says what was meant."""
    parsed = parse(path, style.data(text))
    if parsed.document is None:
        first: Sequence[Diagnostic] = parsed.diagnostics[:1]
        what = render(first).splitlines()[0].partition(": error")[2]
        raise UsageError(f"{path} cannot be written: error{what}")
    if not style.same(parsed.document, Document(path, text, dict(value))):
        raise UsageError(f"{path} cannot be written: it would be read back otherwise")


def _node(value: Any, loc: Path) -> Node:
    """The tree of a value, on one line wherever that could be."""
    if isinstance(value, Mapping):
        entries = [
            Entry(_node(inner, (*loc, key)), _text(str(key))) for key, inner in value.items()
        ]
        return Node("map", entries=entries, flow=True)
    if isinstance(value, list | tuple):
        items = [Entry(_node(inner, (*loc, i))) for i, inner in enumerate(value)]
        return Node("list", entries=items, flow=True)
    if isinstance(value, str):
        return _text(value)
    return Node("scalar", _number(value))


def _text(value: str) -> Node:
    """A text: of several lines as a block, else as it needs quotes."""
    if "\n" in value.strip("\n") and not quoting.is_hidden(value) and "\t" not in value:
        return Node("scalar", value, style="|")
    plain = quoting.is_plain(value, flow=True)
    return Node("scalar", value, style="" if plain else '"')


def _number(value: object) -> str:
    if not isinstance(value, bool | int | float | None):
        what = f"a spec cannot hold a {type(value).__name__}"
        raise UsageError(what, hint="write it as text")
    if isinstance(value, float) and math.isfinite(value):
        return _float(value)
    return json.dumps(value)


def _float(value: float) -> str:
    """A number with a point and a signed exponent, as a reader of YAML 1.1 wants it: `2.0e-05`."""
    shown = repr(value)
    mantissa, exponent, power = shown.partition("e")
    if exponent and "." not in mantissa:
        return f"{mantissa}.0e{power}"
    return shown


def _annotate(source: Source, loc: Path, lines: Sequence[str]) -> None:
    """Puts a comment where it belongs."""
    comment = [f"# {line}".rstrip() for line in lines]
    node, entry = source.root, None
    for step in loc:
        found = _step(node, step)
        if found is None:
            node.tail += comment
            return
        node, entry = found.value, found
    if entry is None:
        source.head += comment
    elif len(comment) == 1 and not entry.beside and _is_short(entry, comment[0]):
        entry.beside = comment[0]
    else:
        entry.above += comment


def _step(node: Node, step: str | int) -> Entry | None:
    if isinstance(step, int):
        inside = node.kind == "list" and 0 <= step < len(node.entries)
        return node.entries[step] if inside else None
    return next((entry for entry in node.entries if entry.name == step), None)


def _is_short(entry: Entry, comment: str) -> bool:
    """Whether a comment has room beside a value that stands on one line."""
    value = entry.value
    shown = value.text if value.kind == "scalar" and "\n" not in value.text else ""
    return len(entry.name or "") + layout.width(shown) + layout.width(comment) < layout.WIDTH // 2


def _open(root: Node) -> None:
    """Opens what a careful author would: the spec's own blocks, long maps, what has comments."""
    for top in ("metadata", "spec"):
        node = root.get(top)
        if node is not None:
            node.flow = False
    for node, key, is_item in list(_collections(root, "", is_item=False)):
        most = SOME if is_item else FEW
        leaves = sum(1 for _ in _scalars(node))
        many = node.kind == "map" and (leaves > most or (key in VERBATIM and leaves > 1))
        nested = node.kind == "list" and any(_is_map(entry.value) for entry in node.entries)
        if many or nested or _is_broken(node):
            node.flow = False
    _open_around(root)


def _open_around(node: Node) -> bool:
    """Opens whatever holds something open; whether the node is open itself."""
    inner = [_open_around(entry.value) for entry in node.entries]
    if any(inner):
        node.flow = False
    return node.kind != "scalar" and bool(node.entries) and not node.flow


def _is_map(node: Node) -> bool:
    return node.kind == "map" and bool(node.entries)


def _is_broken(node: Node) -> bool:
    """Whether a text of several lines stands right inside."""
    return any(entry.value.style == "|" for entry in node.entries)


def _collections(node: Node, key: str, *, is_item: bool) -> Iterator[tuple[Node, str, bool]]:
    if node.kind == "scalar":
        return
    yield node, key, is_item
    for entry in node.entries:
        yield from _collections(entry.value, entry.name or "", is_item=node.kind == "list")


def _scalars(node: Node) -> Iterator[Node]:
    if node.kind == "scalar" or not node.entries:
        yield node
    for entry in node.entries:
        yield from _scalars(entry.value)
