"""`llmops why Kind/name`: the path of change to a spec's jobs, or the evidence they reuse."""

from __future__ import annotations

import argparse

from llmops.cli import common
from llmops.cli.output import fitted
from llmops.pipeline import make_plan
from llmops.reports.why import lines

EXAMPLES = """\
  llmops why Evaluation/support-quality
  llmops why Recipe/support-lora --base main"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `why`."""
    parser.add_argument("subject", metavar="KIND/NAME", help="a spec")
    common.add_trees(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 for a spec that neither tree has."""
    found = common.project(args)
    both = common.both(found, args)
    planned = make_plan(found, both).plan
    graphs = [s.graph for s in (both.head, both.base) if s is not None and s.graph is not None]
    subject = common.spec_named(args.subject, (ref for graph in graphs for ref in graph.specs))
    common.say(fitted(lines(planned, subject), common.width(args)))
    return 0
