"""`llmops ls`: the specs of a tree, chosen by selectors, as lines, a table, JSON or a graph."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.cli import common
from llmops.cli.output import as_data, complain
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.methods import SelectorError
from llmops.graph.select import select
from llmops.jobs.selection import scene_of
from llmops.reports.base import Page
from llmops.reports.layout import table
from llmops.specs.base import Ref
from llmops.static import changes_of

EXAMPLES = """\
  llmops ls Recipe state:modified+
  llmops ls +Application/support -o graph"""
SIGNS = {"added": "+", "changed": "~", "follows": ">"}


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `ls`."""
    parser.add_argument(
        "selectors", nargs="*", metavar="SELECTOR",
        help="Kind, name, Kind/name, state:modified, label:k=v, owner:t, path:p; "
        "+x adds what x needs, x+ what follows from it; a,b both",
    )  # fmt: skip
    parser.add_argument(
        "-s", "--select", action="extend", nargs="+", default=[], metavar="SELECTOR",
        help="likewise, as other commands have it",
    )  # fmt: skip
    parser.add_argument(
        "--exclude", action="extend", nargs="+", default=[], metavar="SELECTOR",
        help="leave these out",
    )  # fmt: skip
    common.add_trees(parser)
    parser.add_argument(
        "-o", "--output", choices=("name", "wide", "json", "graph"), default="name",
        help="names, a table, JSON, or a Mermaid graph",
    )  # fmt: skip


def main(args: argparse.Namespace) -> int:
    """0; 2 for a selector that names nothing there is."""
    args.select = [*args.selectors, *args.select]
    found = common.project(args)
    both = common.both(found, args)
    graph = both.head.graph
    assert graph is not None
    base = both.base.graph if both.base is not None else None
    said = (args.select, args.exclude)
    try:
        results = common.results(found, both, args)
        scene = replace(scene_of(base, graph, changes_of(both), said, results), graphs=(graph,))
        chosen = select(scene, *said)
    except SelectorError as error:
        raise UsageError(printable(str(error)), hint=printable(error.hint)) from error
    if not chosen and (args.select or args.exclude):
        complain("llmops: nothing is selected")
    if args.output in ("json", "graph"):
        as_data()
    shown = {"name": _names, "wide": _wide, "json": _json, "graph": _graph}[args.output]
    if text := shown(View(graph, scene.changes, common.width(args)), chosen):
        common.say(text)
    return 0


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of the specs: their graph, and what changed."""

    graph: Graph
    changes: Sequence[Change]
    width: int


def _names(view: View, chosen: Sequence[Ref]) -> str:
    return "\n".join(sorted(map(str, chosen)))


def _wide(view: View, chosen: Sequence[Ref]) -> str:
    rows = [_row(view, ref) for ref in sorted(chosen)]
    if not rows:
        return ""
    heads = (" ", "spec", "owner", "labels", "used by", "file")
    return "\n".join(table([heads, *rows], Page(view.width), 0))


def _row(view: View, ref: Ref) -> tuple[str, ...]:
    spec = view.graph.specs[ref]
    labels = ",".join(f"{k}={v}" for k, v in sorted(spec.labels.items()))
    owner = str(spec.value["metadata"].get("owner", ""))
    users = str(len(view.graph.dependents[ref]) or "")
    cells = (_sign(view.changes, ref), str(ref), owner, labels, users, spec.path)
    return tuple(printable(cell, 60) for cell in cells)


def _sign(changes: Sequence[Change], ref: Ref) -> str:
    return next((SIGNS[c.action] for c in changes if c.ref == ref and c.action in SIGNS), " ")


def _json(view: View, chosen: Sequence[Ref]) -> str:
    rows = [_object(view, ref) for ref in sorted(chosen)]
    return json.dumps({"format_version": 1, "specs": rows}, ensure_ascii=False, indent=2)


def _object(view: View, ref: Ref) -> Mapping[str, Any]:
    spec = view.graph.specs[ref]
    change = next((c.action for c in view.changes if c.ref == ref), None)
    return {
        "kind": ref.kind,
        "name": ref.name,
        "path": spec.path,
        "owner": spec.value["metadata"].get("owner"),
        "labels": dict(spec.labels),
        "change": change,
        "needs": sorted({str(use.target) for use in spec.references}),
        "used_by": sorted(map(str, view.graph.dependents[ref])),
    }


def _graph(view: View, chosen: Sequence[Ref]) -> str:
    """Mermaid, as GitHub draws it: an arrow goes from what is used to who uses it."""
    return "\n".join(["graph LR", *_edges(view, chosen)])


def _edges(view: View, chosen: Sequence[Ref]) -> Iterator[str]:
    number = {ref: f"n{i}" for i, ref in enumerate(sorted(chosen))}
    for ref, node in number.items():
        yield f'  {node}["{ref}"]'
    for ref, node in number.items():
        needs = {use.target for use in view.graph.specs[ref].references} & number.keys()
        for target in sorted(needs):
            yield f"  {number[target]} --> {node}"
