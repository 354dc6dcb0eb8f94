"""`llmops gate`: kept evidence -> verdict. Runs nothing."""

from __future__ import annotations

import argparse

from llmops import counted
from llmops.cli import common, gate_github
from llmops.cli.output import command, complain
from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.pipeline import Planned, make_plan, verdict
from llmops.project import Project
from llmops.reports.render import VERDICTS, render_verdict
from llmops.rules.base import Outcome, Verdict
from llmops.rules.facts import Approval

EXAMPLES = """\
  llmops gate
  llmops gate --base origin/main --head my-branch --format markdown
  llmops gate --publish github --pull 12"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `gate`."""
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    parser.add_argument("--format", choices=tuple(VERDICTS), default="text", help="output format")
    add_judging(parser)
    parser.add_argument(
        "--key", metavar="FILE",
        help="the private key that signs what is counted (default: llmops/key.pem in your"
        " configuration)",
    )  # fmt: skip
    gate_github.add(parser)


def add_judging(parser: argparse.ArgumentParser) -> None:
    """`--approved`, `--now`, `--counted` and `--change`."""
    common.add_counted(parser)
    parser.add_argument(
        "--approved", action="append", default=[], metavar="TEAM:PERSON",
        help="an approval, as you assert it (the verdict says that you did)",
    )  # fmt: skip
    parser.add_argument("--now", metavar="TIME", help="RFC 3339 time to judge at (for tests)")


def main(args: argparse.Namespace) -> int:
    """0 passed or warned, 1 failed or inconclusive; published: 3 not judged, or not yet."""
    if args.publish:
        return gate_github.main(args)
    found, planned = _planned(args)
    judged = _counted(args, found, planned) if planned.claims else _judged(args, found, planned)
    width, colour = common.width(args), common.colour(args)
    shown = render_verdict(judged, args.format, width=width, colour=colour)
    (command if args.format == "github" else common.say)(shown)
    return 0 if judged.outcome <= Outcome.WARNED else 1


def judge(args: argparse.Namespace) -> tuple[Project, Planned, Verdict]:
    """The verdict that the options ask for, with what it was made from; nothing is written."""
    found, planned = _planned(args)
    return found, planned, _judged(args, found, planned)


def _planned(args: argparse.Namespace) -> tuple[Project, Planned]:
    """The plan that the options ask for, with what is kept; damage is told."""
    found = common.project(args)
    both = common.both(found, args)
    planned = make_plan(
        found, both, args.select, exclude=args.exclude,
        results=common.results(found, both, args, args.env), environment=args.env,
        change=common.change(args),
    )  # fmt: skip
    for note in planned.damaged:
        complain(f"llmops: warning: {printable(note, 600)}")
    return found, planned


def _judged(args: argparse.Namespace, found: Project, planned: Planned) -> Verdict:
    counting = counted.read(found.store, planned.claims) if planned.claims else None
    return verdict(
        found, planned, now=common.moment(args.now), approvals=_approvals(args.approved),
        counting=counting,
    )  # fmt: skip


def _counted(args: argparse.Namespace, found: Project, planned: Planned) -> Verdict:
    """The verdict, its attempts closed; where base has a trust root, in the log as well."""
    from llmops.notary import local

    approvals = _approvals(args.approved)
    return local.judged(found, planned, common.moment(args.now), approvals, common.key(args))


def _approvals(given: list[str]) -> tuple[Approval, ...]:
    found = []
    for text in given:
        team, colon, person = text.partition(":")
        if not colon or not team or not person:
            raise UsageError(f'--approved "{text}" is not TEAM:PERSON')
        found.append(Approval(team, person))
    return tuple(found)
