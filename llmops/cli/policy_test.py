"""`llmops policy test`: the tests that policies hold, with real rules over made-up rows."""

from __future__ import annotations

import argparse

from llmops.cli import common
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError
from llmops.graph.build import Graph
from llmops.graph.planted import Soil
from llmops.project import State, read
from llmops.reports.render import render_rehearsals
from llmops.static import owners, text_of

EXAMPLES = """\
  llmops policy test
  llmops policy test gpl-is-refused --format junit"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `policy test`."""
    parser.add_argument("tests", nargs="*", metavar="TEST", help="only these, by name")
    parser.add_argument(
        "--format", choices=("text", "json", "junit"), default="text", help="output format"
    )


def main(args: argparse.Namespace) -> int:
    """0; 1 when a test found something else than it expects."""
    from llmops.rules.rehearsal import rehearse

    found = common.project(args)
    state = read(found, found.repository.work_tree(), head=True)
    graph = common.valid(state)
    _expect_known(args.tests, graph)
    lines = rehearse(_soil(state, graph), owners(state.tree), args.tests, text_of(state.tree))
    width, colour = common.width(args), common.colour(args)
    common.say(render_rehearsals(lines, args.format, width=width, colour=colour))
    return 0 if all(line.held for line in lines) else 1


def _expect_known(names: list[str], graph: Graph) -> None:
    """UsageError for a test that no policy has."""
    every = [
        (str(policy.ref), test["name"])
        for policy in graph.of_kind("Policy")
        for test in policy.spec.get("tests", ())
    ]
    known = [name for ref, test in every for name in (test, f"{ref}/{test}")]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, otherwise="llmops policy test runs all of them")
            raise UsageError(f'no policy has a test "{printable(name)}"', hint=hint)


def _soil(state: State, graph: Graph) -> Soil:
    return Soil(graph, state.loaded.written, state.loaded.span)
