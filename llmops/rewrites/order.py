"""Keys in the order in which the kinds declare them. Dry.

In: a tree. Out: the same tree, sorted: apiVersion, kind, metadata, spec, and below them the order
of the fields of the kind's model. What the author named keeps the author's order: items of lists,
keys of verbatim blocks (`training`), of maps by name (`labels`, `parts`) and of languages. A map
with a key that its kind does not know keeps its order whole, so that a typing error does not move.
"""

from __future__ import annotations

from llmops.rewrites.syntax import Node
from llmops.specs.load import ENVELOPE, KINDS, metadata_shape, shape_of
from llmops.specs.shape import Shape


def sort(root: Node) -> None:
    """Sorts a spec's tree in place."""
    _arrange(root, ENVELOPE)
    kind = root.get("kind")
    metadata, spec = root.get("metadata"), root.get("spec")
    if metadata is not None:
        _sort(metadata, metadata_shape())
    if spec is not None and kind is not None and kind.text in KINDS:
        _sort(spec, shape_of(kind.text))


def _sort(node: Node, shape: Shape) -> None:
    """A place of a spec and all below it."""
    if node.kind == "list":
        for item in node.entries:
            _sort(item.value, shape)
    elif shape.each is not None:
        for entry in node.entries:
            _sort(entry.value, shape.each)
    elif node.kind == "map" and not shape.leaf:
        _arrange(node, tuple(shape.fields))
        for entry in node.entries:
            if below := shape.fields.get(entry.name or ""):
                _sort(entry.value, below)


def _arrange(node: Node, known: tuple[str, ...]) -> None:
    """The entries of a map in the given order, unless one of them is not in it."""
    place = {name: number for number, name in enumerate(known)}
    if all(entry.name in place for entry in node.entries):
        node.entries.sort(key=lambda entry: place[entry.name or ""])
