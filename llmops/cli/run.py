"""`llmops run`: the jobs of a plan, for real; evidence stays."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmops.cli import common
from llmops.cli.output import complain, harmless
from llmops.cli.progress import printer
from llmops.errors import UsageError
from llmops.executors.base import Failure, RunReport
from llmops.executors.run import EXECUTORS
from llmops.jobs.base import Plan
from llmops.pipeline import Prepared, RunOptions, execute, make_plan, prepare, saved_plan
from llmops.project import Project

EXAMPLES = """\
  llmops run
  llmops run plan.json --jobs 1"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `run`."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="a plan that `plan --out` wrote")
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    parser.add_argument(
        "--executor", choices=tuple(EXECUTORS), default="local", help="where jobs run"
    )
    parser.add_argument("--jobs", type=int, metavar="N", help="at most N jobs at once")
    parser.add_argument("--dry-run", action="store_true", help="print what would run, run nothing")
    parser.add_argument(
        "--keep-going", action="store_true", help="go on with what does not need a failed job"
    )
    parser.add_argument(
        "--accept-undecidable", action="store_true",
        help="run although a gate cannot be decided on the planned rows",
    )  # fmt: skip
    parser.add_argument("--no-progress", action="store_true", help="only starts and ends")


def main(args: argparse.Namespace) -> int:
    """0 evidence for all, 1 a job ended for reasons of its own, 3 the world failed."""
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be at least 1")
    found = common.project(args)
    prepared = _plan(found, args)
    planned = prepared.plan
    if not _decidable(planned, args):
        return 1
    steps = [step for step in planned.steps if step.state == "run"]
    if args.dry_run:
        for step in steps:
            common.say(f"{step.job.id}  {step.job.closure}  {step.why}")
        return 0
    if not steps:
        common.say(_nothing(planned))
        return 0
    options = RunOptions(
        args.executor, args.jobs, args.keep_going, prepared.egress, prepared.secrets
    )
    with printer(args, [step.job for step in steps]) as on_event:
        report = execute(found, planned.steps, prepared.trees, on_event, options)
    common.say(_ending(report))
    return report.exit_code


def _plan(found: Project, args: argparse.Namespace) -> Prepared:
    if args.plan is not None:
        if args.base or args.head or args.select or args.env:
            what = "a saved plan names its trees: leave out --base, --head, --select and --env"
            raise UsageError(what)
        return saved_plan(found, _read(Path(args.plan)))
    both = common.both(found, args)
    return prepare(make_plan(found, both, args.select, environment=args.env))


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise UsageError(f'no plan "{path}"', hint=f"llmops plan --out {path}") from error
    except OSError as error:
        raise UsageError(f'"{path}" cannot be read: {error.strerror}') from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f'"{path}" is no JSON', hint=f"llmops plan --out {path}") from error


def _decidable(planned: Plan, args: argparse.Namespace) -> bool:
    """A claim that no result could show is refused, unless it is said to be meant."""
    hopeless = [gate for gate in planned.gates if gate.decidable is False]
    for gate in hopeless:
        where = f"{gate.place}: " if gate.place else ""
        complain(f"{where}error[undecidable]: {gate.id}: {gate.note}")
    if hopeless and not args.accept_undecidable:
        complain("  hint: enlarge the sample, lower the claim, or say --accept-undecidable")
    return args.accept_undecidable or not hopeless


def _nothing(planned: Plan) -> str:
    if planned.not_needed:
        blocked = [n for n in planned.not_needed if n.why.startswith("cannot run")]
        if blocked:
            return f"Nothing to run: {blocked[0].type}/{blocked[0].subject.name} {blocked[0].why}."
    return f"Nothing to run: {len(planned.steps)} of {len(planned.steps)} jobs have evidence."


def _ending(report: RunReport) -> str:
    """What became of everything, in one line, and each failure with its last words."""
    lines: list[str] = []
    for failure in report.world_failed:
        lines += _failed(failure)
    counts = [
        (len(report.ran), "ran"), (len(report.reused), "reused"),
        (len(report.quality_failed), "of them failed for reasons of their own"),
        (len(report.blocked), "could not run"), (len(report.world_failed), "not judged"),
        (len(report.not_started), "not started"),
    ]  # fmt: skip
    words = ", ".join(f"{count} {word}" for count, word in counts if count)
    return "\n".join([*lines, f"Run: {words}."])


def _failed(failure: Failure) -> Iterator[str]:
    """A failure, after the end of its log where a worker died without a word."""
    error = failure.error
    yield from (f"  {harmless(line)}" for line in failure.log[-6:])
    yield harmless(f"{failure.job.id}: not judged: {error.message}")
    if error.hint:
        yield f"  hint: {harmless(error.hint)}"
