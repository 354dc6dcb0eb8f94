"""`llmops gate`: kept evidence -> verdict. Runs nothing."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from llmops.cli import common
from llmops.cli.output import complain
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.pipeline import make_plan, verdict
from llmops.reports.render import render_verdict
from llmops.rules.base import Outcome
from llmops.rules.facts import Approval

EXAMPLES = """\
  llmops gate
  llmops gate --base origin/main --head my-branch --format markdown"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `gate`."""
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    parser.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="output format"
    )
    parser.add_argument(
        "--approved", action="append", default=[], metavar="TEAM:PERSON",
        help="an approval, as you assert it (the verdict says that you did)",
    )  # fmt: skip
    parser.add_argument("--now", metavar="TIME", help="RFC 3339 time to judge at (for tests)")


def main(args: argparse.Namespace) -> int:
    """0 passed or warned, 1 failed or inconclusive."""
    found = common.project(args)
    planned = make_plan(found, common.both(found, args), args.select, environment=args.env)
    for note in planned.damaged:
        complain(f"llmops: warning: {printable(note, 600)}")
    judged = verdict(found, planned, now=_now(args.now), approvals=_approvals(args.approved))
    width, colour = common.width(args), common.colour(args)
    common.say(render_verdict(judged, args.format, width=width, colour=colour))
    return 0 if judged.outcome <= Outcome.WARNED else 1


def _now(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f'--now "{text}" is no RFC 3339 time') from error


def _approvals(given: list[str]) -> tuple[Approval, ...]:
    found = []
    for text in given:
        team, colon, person = text.partition(":")
        if not colon or not team or not person:
            raise UsageError(f'--approved "{text}" is not TEAM:PERSON')
        found.append(Approval(team, person))
    return tuple(found)
