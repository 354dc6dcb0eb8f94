"""A plan that was saved, read back: ready to run where its trees still make it, else refused.

In: what `plan --out` wrote. Out: `Prepared`, as a plan just made is. A plan is somebody's file: it
runs no job, hides no gate and sets no budget that its own trees do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmops import __version__
from llmops.errors import UsageError
from llmops.evidence.public import columns_of
from llmops.graph.build import Graph
from llmops.graph.environment import placed
from llmops.jobs.base import Job, Plan
from llmops.jobs.exam import Exam, exams
from llmops.jobs.gates import nowhere
from llmops.jobs.wire import plan_from_json, to_json
from llmops.pipeline import (
    Prepared,
    budgets,
    claimed,
    egress_of,
    environment_of,
    gates_of,
    lent,
    secrets_of,
    store_of,
)
from llmops.project import FOLDERS, InvalidSpecs, Project, read
from llmops.source.tree import Blob, Tree


def saved_plan(project: Project, data: Any, change: str | None = None) -> Prepared:
    """A plan that `plan --out` wrote, ready to run. UsageError when it cannot be run verbatim.

    `change`: as `make_plan` has it.
    """
    try:
        planned = plan_from_json(data)
    except ValueError as error:
        raise UsageError(
            f"not a plan that this llmops reads: {error}", hint="plan again"
        ) from error
    if planned.tool_version != __version__:
        made = planned.tool_version
        raise UsageError(f"made by llmops {made}, this is {__version__}", hint="plan again")
    named = [name for name in (planned.head, planned.base) if name is not None]
    found = [project.repository.tree(name.tree) for name in named]
    if planned.head.dirty and _moved(planned, found[0], project.repository.work_tree()):
        raise UsageError("the plan is stale: the work tree changed since", hint="plan again")
    graphs, asked = _expect_own_jobs(project, planned, found)
    deciding = graphs[1:] if planned.base is not None else graphs[:1]
    project = replace(lent(project, deciding, planned.environment), looking=True)
    _expect_budgets(planned, *graphs)
    claims = claimed((planned.head, planned.base), graphs, asked, project.store.proofs(), change)
    _expect_gates(project, planned, asked, graphs)
    _expect_evidence(project, planned)
    egress, secrets = egress_of(planned, *graphs), secrets_of(planned, *graphs)
    store = store_of(deciding, planned.environment)
    columns = columns_of(*graphs)
    return Prepared(
        planned, tuple(found), egress, secrets, claims=claims, store=store, columns=columns
    )


def _expect_budgets(planned: Plan, head: Graph | None, base: Graph | None = None) -> None:
    """Raises UsageError for limits that its trees do not set."""
    assert head is not None
    own = {(b.name, b.limit) for b in budgets(base, head)}
    if own != {(b.name, b.limit) for b in planned.budgets}:
        what = "the plan was edited: its trees set other budgets"
        raise UsageError(what, hint="plan again")


def _expect_gates(
    project: Project, planned: Plan, asked: tuple[Exam, ...], graphs: tuple[Graph, Graph | None]
) -> None:
    """Raises UsageError for a gate that cannot be decided and of which the plan does not say so."""
    head, base = graphs
    said = {(gate.id, gate.claim) for gate in planned.gates if gate.decidable is False}
    for gate in gates_of(project, asked, project.store.proofs(), base, head, nowhere):
        if gate.decidable is False and (gate.id, gate.claim) not in said:
            what = f"the plan is stale: {gate.id} cannot be decided: {gate.note}"
            raise UsageError(what, hint="plan again")


def _expect_evidence(project: Project, planned: Plan) -> None:
    """Raises UsageError for a job that is to be reused and of which nothing is kept here."""
    proofs = project.store.proofs()
    for step in planned.steps:
        if step.state != "run" and step.job.closure not in proofs:
            what = f"the plan is stale: nothing is kept here of {step.job.id}, which it reuses"
            raise UsageError(what, hint="plan again")


def _expect_own_jobs(
    project: Project, planned: Plan, found: Sequence[Tree]
) -> tuple[tuple[Graph, Graph | None], tuple[Exam, ...]]:
    """The graphs of a plan's trees, head first, and their exams.

    Raises UsageError for a job that its trees do not make: its evidence would be believed.
    """
    head, *rest = (read(project, tree, head=tree is found[0]) for tree in found)
    if head.graph is None:
        raise InvalidSpecs(head)
    where = environment_of(head.graph, planned.environment or None)
    base = rest[0].graph if rest else None
    graphs = placed(head.graph, where), placed(base, where) if base else None
    asked = exams(graphs[1], graphs[0], planned.selected)
    made = [side for exam in asked for side in (exam.head, exam.base) if side is not None]
    own = {m.job.closure: m.job for one in made for m in one.all()}
    for step in planned.steps:
        job = own.get(step.job.closure)
        if job is None or to_json(_called_as(job, step.job)) != to_json(step.job):
            what = f"the plan was edited: its trees make no such {step.job.id}"
            raise UsageError(what, hint="plan again")
    return graphs, asked


def _called_as(job: Job, other: Job) -> Job:
    """A job under the names that another has for people; what it does stays its own."""
    return replace(job, side=other.side, part=other.part)


def _moved(planned: Plan, then: Tree, now: Tree) -> bool:
    """Whether specs, or files that jobs read, changed; others (the plan itself) do not count."""
    files = {i.file for step in planned.steps for i in step.job.inputs if i.file is not None}
    before, after = then.blobs(), now.blobs()
    read_by_us = {p for p in (*before, *after) if p.startswith(FOLDERS)} | files
    return any(_oid(before, path) != _oid(after, path) for path in read_by_us)


def _oid(blobs: Mapping[str, Blob], path: str) -> str | None:
    found = blobs.get(path)
    return found.oid if found else None
