"""`llmops policy diff`: what a change asks more, less or otherwise of those who come after it."""

from __future__ import annotations

import argparse

from llmops.cli import common
from llmops.reports.render import render_directions
from llmops.static import directions

EXAMPLES = """\
  llmops policy diff main my-branch
  llmops policy diff --against origin/main --exit-code"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `policy diff`."""
    parser.add_argument("base", nargs="?", metavar="BASE", help="default: the target branch")
    parser.add_argument("head", nargs="?", metavar="HEAD", help="default: the work tree")
    parser.add_argument("--against", metavar="REV", help="the same as BASE")
    parser.add_argument(
        "--format", choices=("text", "json", "md"), default="text", help="output format"
    )
    parser.add_argument("--exit-code", action="store_true", help="exit 1 when a thing is looser")


def main(args: argparse.Namespace) -> int:
    """0; 1 with `--exit-code` and something looser (unknown counts as looser)."""
    args.base = args.base or args.against
    found = directions(common.both(common.project(args), args))
    fmt = "markdown" if args.format == "md" else args.format
    width, colour = common.width(args), common.colour(args)
    common.say(render_directions(found, fmt, width=width, colour=colour))
    return 1 if args.exit_code and any(one.direction == "looser" for one in found) else 0
