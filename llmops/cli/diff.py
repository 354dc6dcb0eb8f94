"""`llmops diff`: what a change means, field by field."""

from __future__ import annotations

import argparse

from llmops.cli import common
from llmops.reports.render import render_changes
from llmops.static import changes_of

EXAMPLES = """\
  llmops diff
  llmops diff main my-branch --format md"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `diff`."""
    parser.add_argument("base", nargs="?", metavar="BASE", help="default: the target branch")
    parser.add_argument("head", nargs="?", metavar="HEAD", help="default: the work tree")
    parser.add_argument(
        "--format", choices=("text", "json", "md"), default="text", help="output format"
    )
    parser.add_argument("--exit-code", action="store_true", help="exit 1 when there is a change")


def main(args: argparse.Namespace) -> int:
    """0; 1 with `--exit-code` and a change."""
    changes = changes_of(common.both(common.project(args), args))
    width, colour = common.width(args), common.colour(args)
    fmt = "markdown" if args.format == "md" else args.format
    common.say(render_changes(changes, fmt, width=width, colour=colour))
    return 1 if changes and args.exit_code else 0
