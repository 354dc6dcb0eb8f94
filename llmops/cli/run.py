"""`llmops run`: the jobs of a plan, for real; evidence stays."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.cli import common
from llmops.cli.output import complain, harmless
from llmops.cli.progress import printer
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError
from llmops.executors.base import Failure, RunReport
from llmops.executors.run import EXECUTORS
from llmops.executors.signing import speaker
from llmops.jobs.audits import Audit
from llmops.jobs.base import Plan, PlannedGate
from llmops.jobs.shards import part
from llmops.pipeline import Prepared, RunOptions, execute, make_plan, prepare
from llmops.project import Project
from llmops.reports.plan_estimates import exceeds, needs
from llmops.saved import saved_plan

if TYPE_CHECKING:
    from llmops.counted import Claims
    from llmops.signing.base import Signer

EXAMPLES = """\
  llmops run
  llmops run plan.json --jobs 1
  llmops run plan.json --shard evaluate-quality-3f9c0d1e"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `run`."""
    parser.add_argument("plan", nargs="?", metavar="PLAN", help="a plan that `plan --out` wrote")
    parser.add_argument(
        "--shard", metavar="ID", help="of a saved plan only the jobs of one shard, with their order"
    )
    common.add_trees(parser)
    common.add_select(parser)
    common.add_environment(parser)
    common.add_counted(parser)
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
    parser.add_argument(
        "--over-budget", action="store_true",
        help="run although it is estimated to take more than the policy allows",
    )  # fmt: skip
    parser.add_argument(
        "--refresh", action="store_true",
        help="measure again what is older than the policy's max_evidence_age_days",
    )  # fmt: skip
    parser.add_argument("--no-progress", action="store_true", help="only starts and ends")


def main(args: argparse.Namespace) -> int:
    """0 evidence for all, 1 a job ended for reasons of its own, 3 the world failed."""
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be at least 1")
    found = common.project(args)
    prepared = _plan(found, args)
    planned = prepared.plan
    if not _decidable(planned, args) or not _affordable(planned, args):
        return 1
    if args.shard is not None:
        planned = part(planned, args.shard)
    if not _fits(planned):
        return 1
    steps = [step for step in planned.steps if step.state == "run" or step.audit]
    if args.dry_run:
        for step in steps:
            common.say(f"{step.job.id}  {step.job.closure}  {step.why}")
        return 0
    signer = _signer(prepared) if steps else None
    if prepared.claims is not None:
        _record(found, prepared.claims)
    if not steps:
        common.say(_nothing(planned))
        return 0
    options = RunOptions(
        args.executor, args.jobs, args.keep_going, prepared.egress, prepared.secrets,
        over_budget=args.over_budget,
        accept_undecidable=args.accept_undecidable and _hopeless(planned) != [],
        again=prepared.again, store=prepared.store, columns=prepared.columns,
        signer=signer,
    )  # fmt: skip
    with printer(args, [step.job for step in steps]) as on_event:
        report = execute(found, planned.steps, prepared.trees, on_event, options)
    common.say(_ending(report))
    return report.exit_code


def _plan(found: Project, args: argparse.Namespace) -> Prepared:
    if args.shard is not None and args.plan is None:
        what = "--shard is of a saved plan: name its file before it"
        raise UsageError(what, hint="llmops plan --out plan.json makes one")
    if args.plan is not None:
        chosen = args.select or args.exclude
        if args.base or args.head or chosen or args.env or args.refresh:
            options = "--base, --head, --select, --exclude, --env, --refresh"
            raise UsageError(f"a saved plan is run as it is: leave out {options}")
        return saved_plan(found, _read(Path(args.directory, args.plan)), common.change(args))
    both = common.both(found, args)
    change, now = common.change(args), common.moment(None).isoformat() if args.refresh else ""
    made = make_plan(
        found, both, args.select, exclude=args.exclude,
        results=common.results(found, both, args, args.env), environment=args.env, change=change,
        refresh=now,
    )  # fmt: skip
    return prepare(made)


def _signer(prepared: Prepared) -> Signer | None:
    """Who answers for what runs here; a key that may not is told of, and left alone."""
    now = common.moment(None).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = speaker(prepared.base, os.environ, now)
    if found.note:
        complain(f"warning[key]: {printable(found.note, 400)}")
        complain("  hint: llmops keys show lists who may; a root of base counts, not of the change")
    return found.signer


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        beside = [one.name for one in path.parent.glob("*.json")]
        hint = did_you_mean(path.name, beside, otherwise="llmops plan --out plan.json makes one")
        raise UsageError(f'no plan "{printable(str(path))}"', hint=hint) from error
    except OSError as error:
        what = f'"{printable(str(path))}" cannot be read: {error.strerror}'
        raise UsageError(what) from error
    except (ValueError, RecursionError) as error:
        hint = "llmops plan --out plan.json makes one"
        raise UsageError(f'"{printable(str(path))}" is no plan', hint=hint) from error


def _decidable(planned: Plan, args: argparse.Namespace) -> bool:
    """A claim that no result could show is refused, unless it is said to be meant."""
    hopeless = _hopeless(planned)
    level = "warning" if args.accept_undecidable else "error"
    for gate in hopeless:
        where = f"{gate.place}: " if gate.place else ""
        complain(f"{where}{level}[undecidable]: {gate.id}: {gate.note}")
    if hopeless and not args.accept_undecidable:
        how = "enlarge the sample, lower the claim, or say --accept-undecidable"
        complain(f"  hint: {how} (the verdict shows it)")
    return args.accept_undecidable or not hopeless


def _hopeless(planned: Plan) -> list[PlannedGate]:
    return [gate for gate in planned.gates if gate.decidable is False]


def _affordable(planned: Plan, args: argparse.Namespace) -> bool:
    """Above a budget nothing starts, unless that is said; what is not known is said too."""
    if not planned.budgets:
        return True
    from llmops.rules.budget import held

    found = held(planned)
    for one in found:
        where = f"{one.budget.place}: " if one.budget.place else ""
        if one.over:
            complain(f"{where}{'warning' if args.over_budget else 'error'}[budget]: {one.words}")
        elif one.unknown:
            complain(f"{where}warning[budget]: {one.words}")
    over = any(one.over for one in found)
    if over and not args.over_budget:
        complain("  hint: make the jobs smaller, or say --over-budget (the verdict shows it)")
    return args.over_budget or not over


def _fits(planned: Plan) -> bool:
    """Whether no job is estimated to need more than its own Recipe allows.

    Rows that may be shorter than `max_length`, or a small machine, are a warning only.
    """
    machine, fits = _machine_bytes(), True
    for step in planned.steps:
        if step.state != "run" or step.estimate is None:
            continue
        if exceeds(step):
            certain = step.estimate.bound != "most"
            fits &= not certain
            level, words = "error" if certain else "warning", needs(step).removesuffix(" !")
            complain(f"{level}[memory]: {step.job.id} needs {words}, its resources.memory")
        taken = (step.estimate.memory_mb or 0.0) * step.job.resources.processes * 2**20
        if machine and step.estimate.memory_of == "process" and taken > machine:
            has = f"{machine / 2**30:.0f} GiB"
            complain(f"warning[memory]: {step.job.id} needs {needs(step)}, this machine has {has}")
    return fits


def _machine_bytes() -> int:
    """Memory of this machine; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _record(found: Project, claims: Claims) -> None:
    """Attempts stand in the ledger before the first job starts; one too many is told."""
    from llmops.counted import record

    made = record(found.store, claims, common.moment(None))
    numbers: dict[tuple[int, int], int] = {}
    for one in made:
        key = (one.attempt, one.attempts)
        numbers[key] = numbers.get(key, 0) + 1
    for (number, most), count in sorted(numbers.items()):
        at = "1 claim" if count == 1 else f"{count} claims"
        if number > most:
            complain(f"warning[attempts]: attempt {number} at {at}, {most} are allowed")
            complain("  hint: its verdict is inconclusive unless one more is approved")
        else:
            common.say(f"Attempt {number} of {most} at {at}.")


def _nothing(planned: Plan) -> str:
    if planned.not_needed:
        blocked = [n for n in planned.not_needed if n.why.startswith("cannot run")]
        if blocked:
            return f"Nothing to run: {blocked[0].type}/{blocked[0].subject.name} {blocked[0].why}."
    if planned.selected is not None and not planned.selected.askers:
        return f"Nothing to run: {planned.selected.words} selects nothing that is judged."
    if not planned.steps:
        return "Nothing to run: no gate needs a job."
    return f"Nothing to run: {len(planned.steps)} of {len(planned.steps)} jobs have evidence."


def _ending(report: RunReport) -> str:
    """What became of everything, in one line, and each failure with its last words."""
    lines: list[str] = []
    for failure in report.world_failed:
        lines += _failed(failure)
    lines += map(_odd, (audit for audit in report.audits if not audit.same))
    counts = [
        (len(report.ran), "ran"), (len(report.reused), "reused"),
        (len(report.quality_failed), "of them failed for reasons of their own"),
        (len(report.blocked), "could not run"), (len(report.world_failed), "not judged"),
        (len(report.not_started), "not started"),
        (len(report.audits), "run once more"),
        (sum(not audit.same for audit in report.audits), "of them with another result"),
    ]  # fmt: skip
    words = ", ".join(f"{count} {word}" for count, word in counts if count)
    return "\n".join([*lines, f"Run: {words}."])


def _odd(audit: Audit) -> str:
    """A job that does not repeat, and the first difference."""
    why = audit.differences[0] if audit.differences else "another result"
    return harmless(f"{audit.job}: does not repeat: {why} (expected to the {audit.promised})")


def _failed(failure: Failure) -> Iterator[str]:
    """A failure, after the end of its log where a worker died without a word."""
    error = failure.error
    yield from (f"  {harmless(line)}" for line in failure.log[-6:])
    yield harmless(f"{failure.job.id}: not judged: {error.message}")
    if error.hint:
        yield f"  hint: {harmless(error.hint)}"
