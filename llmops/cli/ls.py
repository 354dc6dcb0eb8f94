"""`llmops ls`: the specs of a tree, chosen by selectors, as lines, a table, JSON or a graph."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmops.cli import common
from llmops.cli.output import as_data, columns, complain
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError
from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.select import Scene, SelectorError, select
from llmops.specs.base import Ref
from llmops.static import changes_of

EXAMPLES = """\
  llmops ls Recipe state:modified+
  llmops ls +Application/support -o graph"""
SIGNS = {"added": "+", "changed": "~", "follows": ">"}


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `ls`."""
    parser.add_argument(
        "select", nargs="*", metavar="SELECT",
        help="Kind, name, Kind/name, state:modified, label:k=v, owner:t, path:p; "
        "+x adds what x needs, x+ what follows from it; a,b both",
    )  # fmt: skip
    common.add_trees(parser)
    parser.add_argument(
        "-o", "--output", choices=("name", "wide", "json", "graph"), default="name",
        help="names, a table, JSON, or a Mermaid graph",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """0; 2 for a selector that names nothing there is."""
    both = common.both(common.project(args), args)
    graph = both.head.graph
    assert graph is not None
    scene = Scene(graph, changes_of(both))
    chosen = _chosen(scene, args.select)
    if args.output in ("json", "graph"):
        as_data()
    shown = {"name": _names, "wide": _wide, "json": _json, "graph": _graph}[args.output]
    if text := shown(scene, chosen):
        common.say(text)
    return 0


def _chosen(scene: Scene, selectors: Sequence[str]) -> tuple[Ref, ...]:
    try:
        for text in selectors:
            if not select(scene, [text]):
                _nothing(scene.graph, text)
        return select(scene, selectors)
    except SelectorError as error:
        hint = "write Kind, name, Kind/name, state:modified, label:k=v; + before or after it"
        raise UsageError(printable(str(error)), hint=hint) from error


def _nothing(graph: Graph, text: str) -> None:
    """A name that nothing has is a mistake; a state or label that nothing has is an answer."""
    if ":" in text:
        complain(f'llmops: nothing is selected by "{printable(text)}"')
        return
    word = text.strip("+0123456789")
    known = [*map(str, graph.specs), *(ref.name for ref in graph.specs)]
    raise UsageError(
        f'nothing is called "{printable(text)}"',
        hint=did_you_mean(word, known, otherwise="llmops ls shows all there is"),
    )


def _names(scene: Scene, chosen: Sequence[Ref]) -> str:
    return "\n".join(sorted(map(str, chosen)))


def _wide(scene: Scene, chosen: Sequence[Ref]) -> str:
    rows = [_row(scene, ref) for ref in sorted(chosen)]
    if not rows:
        return ""
    return "\n".join(columns([(" ", "spec", "owner", "labels", "used by", "file"), *rows]))


def _row(scene: Scene, ref: Ref) -> tuple[str, ...]:
    spec = scene.graph.specs[ref]
    labels = ",".join(f"{k}={v}" for k, v in sorted(spec.labels.items()))
    owner = str(spec.value["metadata"].get("owner", ""))
    users = str(len(scene.graph.dependents[ref]) or "")
    cells = (_sign(scene.changes, ref), str(ref), owner, labels, users, spec.path)
    return tuple(printable(cell, 60) for cell in cells)


def _sign(changes: Sequence[Change], ref: Ref) -> str:
    return next((SIGNS[c.action] for c in changes if c.ref == ref and c.action in SIGNS), " ")


def _json(scene: Scene, chosen: Sequence[Ref]) -> str:
    rows = [_object(scene, ref) for ref in sorted(chosen)]
    return json.dumps({"format_version": 1, "specs": rows}, ensure_ascii=False, indent=2)


def _object(scene: Scene, ref: Ref) -> Mapping[str, Any]:
    spec = scene.graph.specs[ref]
    change = next((c.action for c in scene.changes if c.ref == ref), None)
    return {
        "kind": ref.kind,
        "name": ref.name,
        "path": spec.path,
        "owner": spec.value["metadata"].get("owner"),
        "labels": dict(spec.labels),
        "change": change,
        "needs": sorted({str(use.target) for use in spec.references}),
        "used_by": sorted(map(str, scene.graph.dependents[ref])),
    }


def _graph(scene: Scene, chosen: Sequence[Ref]) -> str:
    """Mermaid, as GitHub draws it: an arrow goes from what is used to who uses it."""
    return "\n".join(["graph LR", *_edges(scene, chosen)])


def _edges(scene: Scene, chosen: Sequence[Ref]) -> Iterator[str]:
    number = {ref: f"n{i}" for i, ref in enumerate(sorted(chosen))}
    for ref, node in number.items():
        yield f'  {node}["{ref}"]'
    for ref, node in number.items():
        needs = {use.target for use in scene.graph.specs[ref].references} & number.keys()
        for target in sorted(needs):
            yield f"  {number[target]} --> {node}"
