"""`llmops plan`: what a change makes necessary, and why; nothing runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from llmops.cli import common
from llmops.cli.output import complain
from llmops.diagnostics import printable
from llmops.evidence.files import give
from llmops.jobs.wire import to_json
from llmops.pipeline import Planned, make_plan, verdict
from llmops.project import Project
from llmops.reports.render import render_plan

EXAMPLES = """\
  llmops plan
  llmops plan --base origin/main --out plan.json"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `plan`."""
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    common.add_counted(parser)
    parser.add_argument("--out", metavar="FILE", help="write the plan, for `llmops run FILE`")
    parser.add_argument("--no-reuse", action="store_true", help="plan as if nothing had evidence")
    parser.add_argument(
        "--fail-on", choices=("undecidable", "gate", "budget"), action="append", default=[],
        help="exit 1 when a gate cannot be decided, fails already, or a budget is exceeded",
    )  # fmt: skip
    parser.add_argument(
        "--format", choices=("text", "json", "markdown"), default="text", help="output format"
    )


def main(args: argparse.Namespace) -> int:
    """0 a plan was made; 1 with `--fail-on` only."""
    found = common.project(args)
    both = common.both(found, args)
    planned = make_plan(
        found, both, args.select, exclude=args.exclude,
        results=common.results(found, both, args, args.env), reuse=not args.no_reuse,
        environment=args.env, change=common.change(args),
    )  # fmt: skip
    for note in planned.damaged:
        complain(f"llmops: warning: {printable(note, 600)}")
    width, colour = common.width(args), common.colour(args)
    common.say(render_plan(planned.plan, args.format, width=width, colour=colour))
    if planned.not_moved and args.format == "text":
        common.say(printable(planned.not_moved, 600))
    if args.out:
        text = json.dumps(to_json(planned.plan), ensure_ascii=False, indent=1) + "\n"
        give(Path(args.out), text.encode("utf-8"))
        if args.format == "text":
            common.say(f"Saved to {args.out} · run it: llmops run {args.out}")
    return 1 if any(_FAILS[what](found, planned) for what in args.fail_on) else 0


def _undecidable(found: Project, planned: Planned) -> bool:
    return any(gate.decidable is False for gate in planned.plan.gates)


def _fails_already(found: Project, planned: Planned) -> bool:
    """Whether kept evidence, or a rule that needs none, fails this tree before anything runs."""
    from llmops.rules.base import Outcome

    judged = verdict(found, planned, now=common.moment(None))
    return any(finding.outcome is Outcome.FAILED for finding in judged.findings)


def _over_budget(found: Project, planned: Planned) -> bool:
    from llmops.rules.budget import held

    return any(one.over for one in held(planned.plan))


_FAILS = {"undecidable": _undecidable, "gate": _fails_already, "budget": _over_budget}
