"""`llmops plan`: what a change makes necessary, and why; nothing runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from llmops.cli import again, common
from llmops.cli.output import complain
from llmops.diagnostics import printable
from llmops.evidence.files import failed
from llmops.source.sides import sides

if TYPE_CHECKING:
    from llmops.pipeline import Planned
    from llmops.project import Project

EXAMPLES = """\
  llmops plan
  llmops plan --base origin/main --out plan.json --outputs outputs.txt"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `plan`."""
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    common.add_counted(parser)
    parser.add_argument("--out", metavar="FILE", help="write the plan, for `llmops run FILE`")
    parser.add_argument(
        "--outputs", metavar="FILE",
        help="append has_jobs and jobs (names of shards, a JSON list), as in $GITHUB_OUTPUT",
    )  # fmt: skip
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
    repository = common.repository(args)
    two = sides(repository, args.base, args.head)
    asked = again.question(args, repository, two)
    said = again.answer(asked)
    if said is not None:
        return _say(said)
    from llmops.pipeline import make_plan

    found = common.project_of(repository)
    both = common.both_of(found, two)
    planned = make_plan(
        found, both, args.select, exclude=args.exclude,
        results=common.results(found, both, args, args.env), reuse=not args.no_reuse,
        environment=args.env, change=common.change(args),
    )  # fmt: skip
    said = _said(planned, args)
    code = _say(said)
    if (
        asked and not planned.looked and asked == again.question(args, repository, two)
    ):  # no run ended in between
        again.keep(asked, said)
    if args.out:
        _write(planned, args)
    if args.outputs:
        _tell(planned, args)
    return 1 if any(_FAILS[what](found, planned) for what in args.fail_on) else code


def _said(planned: Planned, args: argparse.Namespace) -> again.Said:
    from llmops.reports.render import render_plan

    width, colour = common.width(args), common.colour(args)
    lines = [render_plan(planned.plan, args.format, width=width, colour=colour)]
    if planned.not_moved and args.format == "text":
        lines.append(printable(planned.not_moved, 600))
    notes = (*common.no_specs(planned.both), *planned.damaged)
    return again.Said(tuple(printable(note, 600) for note in notes), "\n".join(lines))


def _say(said: again.Said) -> int:
    for note in said.warnings:
        complain(f"llmops: warning: {note}")
    common.say(said.text)
    return 0


def _write(planned: Planned, args: argparse.Namespace) -> None:
    from llmops.evidence.files import give
    from llmops.jobs.wire import to_json

    text = json.dumps(to_json(planned.plan), ensure_ascii=False) + "\n"  # indents cost a second
    give(Path(args.directory, args.out), text.encode("utf-8"))
    if args.format == "text":
        common.say(f"Saved to {args.out} · run it: llmops run {args.out}")


def _tell(planned: Planned, args: argparse.Namespace) -> None:
    """What a CI's next jobs are made from, at the end of its file."""
    import secrets

    from llmops.jobs.estimate import known
    from llmops.jobs.shards import shards
    from llmops.reports.github_outputs import outputs

    names = [shard.id for shard in shards(planned.plan)]
    cost, unknown = known(planned.plan.steps, "usd")
    values = {"has_jobs": "true" if names else "false", "jobs": json.dumps(names)}
    values |= {} if unknown else {"cost_usd": f"{cost:.2f}"}
    path = Path(args.directory, args.outputs)
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(outputs(values, secrets.token_hex(16)))
    except OSError as error:
        raise failed("write", path, error) from error


def _undecidable(found: Project, planned: Planned) -> bool:
    return any(gate.decidable is False for gate in planned.plan.gates)


def _fails_already(found: Project, planned: Planned) -> bool:
    """Whether kept evidence, or a rule that needs none, fails this tree before anything runs."""
    from llmops.pipeline import verdict
    from llmops.rules.base import Outcome

    judged = verdict(found, planned, now=common.moment(None))
    return any(finding.outcome is Outcome.FAILED for finding in judged.findings)


def _over_budget(found: Project, planned: Planned) -> bool:
    from llmops.rules.budget import held

    return any(one.over for one in held(planned.plan))


_FAILS = {"undecidable": _undecidable, "gate": _fails_already, "budget": _over_budget}
