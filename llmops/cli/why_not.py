"""`llmops why-not Kind/name`: the equal digests by which a job need not run, or is not needed.

A closure covers what can change a result. Shown is what the kept evidence stands on, what changed
beside it and counts for nothing, and what would make the job run.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from llmops.cli import common
from llmops.cli.output import fitted
from llmops.diagnostics import printable
from llmops.digest import short
from llmops.graph.build import Graph
from llmops.graph.diff import job_types
from llmops.jobs.base import Input, Job, Plan
from llmops.jobs.exam import made_of
from llmops.pipeline import Planned, make_plan
from llmops.specs.base import Ref

EXAMPLES = """\
  llmops why-not Recipe/support-base
  llmops why-not Dataset/bank-support --base main"""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of `why-not`."""
    parser.add_argument("subject", metavar="KIND/NAME", help="a spec")
    common.add_trees(parser)


def main(args: argparse.Namespace) -> int:
    """0; 2 for a spec that head does not have."""
    found = common.project(args)
    planned = make_plan(found, common.both(found, args))
    graph = planned.both.head.graph
    assert graph is not None
    subject = Ref.parse(common.spec_named(args.subject, graph.specs))
    common.say(fitted(lines(planned, graph, subject), common.width(args)))
    return 0


def lines(planned: Planned, graph: Graph, subject: Ref) -> Iterator[str]:
    """Each job of a spec: what it stands on where it is reused, or why nobody needs it."""
    plan = planned.plan
    own = [step for step in plan.steps if step.job.subject == subject]
    left = [one for one in plan.not_needed if one.subject == subject]
    for step in own:
        job = step.job
        base = " (base's side)" if job.side == "base" else ""
        if step.state == "run":
            yield f"+ {job.type} {subject}{base} does run: {step.why}"
            yield f"  see: llmops why {subject}"
            continue
        yield f"= {job.type} {subject}{base} need not run: {step.why}"
        yield f"  evidence  {short(step.evidence or '')} is about closure {short(job.closure)}"
        yield "  closure   the same digest as that of this tree, made of"
        yield from (f"            {line}" for line in _parts(job, plan))
    for one in left:
        yield f"- {one.type} {subject} is not needed: {one.why}"
    if not own and not left:
        yield f"{subject} has no job of its own{_readers(planned, subject)}"
    yield from _beside(planned, graph, subject, {step.job.type for step in own})


def _readers(planned: Planned, subject: Ref) -> str:
    """Whose jobs read a spec that has none, in words."""
    states = {step.job.closure: step.state for step in planned.plan.steps}
    made = {m.job.closure: m for m in made_of(planned.exams, "head") if subject in m.reads}
    words = {"run": "runs", "reuse": "reused"}
    told = [f"{m.job.id} ({words[states[c]]})" for c, m in made.items() if c in states]
    return f"; read by {', '.join(told)}" if told else ": nothing that runs reads it"


def _parts(job: Job, plan: Plan) -> Iterator[str]:
    """What a closure covers, each with its digest."""
    names = {step.job.closure: step.job.id for step in plan.steps}
    yield f"fields of {job.subject} and of what it reads, with role {job.type}"
    for given in job.inputs:
        yield f"{printable(given.name, 60)}: {_input(given, names)}"
    tools = ", ".join(f"{name} {version}" for name, version in job.tools.items())
    yield f"seed {job.seed}, {job.resources.processes} process(es)" + (
        f", {tools}" if tools else ""
    )


def _input(given: Input, names: dict[str, str]) -> str:
    if given.job is not None:
        made_by = names.get(given.job, "a job")
        return f"{given.artifact} of {made_by}, closure {short(given.job)}"
    where = given.file or given.uri or "content"
    return f"{printable(where, 80)}, {short(given.digest or '')}"


def _beside(planned: Planned, graph: Graph, subject: Ref, types: set[str]) -> Iterator[str]:
    """Changes of the spec, or of what it reads, that no closure of its jobs covers."""
    reached = set(graph.reach(subject))
    for change in planned.plan.changes:
        for field in change.fields if change.ref in reached else ():
            if not types & set(job_types(field.role)):
                path = printable(field.path, 80)
                yield f"  beside it {change.ref} {path} changed; its role is {field.role}"
