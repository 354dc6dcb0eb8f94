"""Graphs, Changes, Proofs -> Plan: what runs, what is reused, what is not needed, and why.

A job runs when some gate needs it and no evidence of its closure is kept (or what it made is gone
and somebody needs that). Changes never decide what runs: they explain it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.diff import job_types
from llmops.jobs.base import Job, NotNeeded, Plan, Proof, Selection, Step, TreeName
from llmops.jobs.evaluate import ANCHORS
from llmops.jobs.exam import Exam, exams, made_of
from llmops.jobs.gates import gates
from llmops.jobs.make import Made

Proven = Mapping[str, Proof]


@dataclass(frozen=True, slots=True)
class Trees:
    """Which two trees a plan is for, and where base's policy stands."""

    base: TreeName | None
    head: TreeName
    policy_tree: str | None = None


def plan(
    base: Graph | None,
    head: Graph,
    changes: tuple[Change, ...],
    proven: Proven,
    trees: Trees,
    *,
    asked: tuple[Exam, ...] | None = None,
    selected: Selection | None = None,
    environment: str = "",
    tool_version: str = "",
) -> Plan:
    """The plan of a change. Pure: the same values give the same plan.

    `asked` are the exams, where the caller made them already.
    """
    asked = exams(base, head, selected) if asked is None else asked
    made = _all(asked)
    known = {m.job.closure for m in _of_base(base, selected)}
    blocked = _blocked(made, proven, _to_run(made, proven, asked, {}))
    run = _to_run(made, proven, asked, blocked)
    reasons = _Reasons(made, known, changes, run, proven, first=base is None)
    steps = [
        _step(m.job, run, reasons, proven)
        for m in made.values()
        if m.job.closure in run or m.job.closure in proven
    ]
    return Plan(
        base=trees.base,
        head=trees.head,
        policy_tree=trees.policy_tree,
        changes=changes,
        steps=tuple(steps),
        gates=gates(asked, proven),
        not_needed=(*_skipped(made, run, blocked, proven), *_idle(head, made)),
        selected=selected,
        environment=environment,
        tool_version=tool_version,
    )


def _all(asked: tuple[Exam, ...]) -> dict[str, Made]:
    """Every job of the exams by closure, dependencies first; head's side wins a shared one."""
    found = {m.job.closure: m for m in made_of(asked, "head")}
    for m in made_of(asked, "base"):
        if m.job.closure not in found:
            found[m.job.closure] = replace(m, job=replace(m.job, side="base"))
    return found


def _of_base(base: Graph | None, selected: Selection | None) -> Iterable[Made]:
    """What base needed for itself."""
    return made_of(exams(None, base, selected), "head") if base else ()


def _to_run(
    made: Mapping[str, Made],
    proven: Proven,
    asked: tuple[Exam, ...],
    blocked: Mapping[str, str],
) -> dict[str, str]:
    """Closure -> "" or the artifact that is gone, for every job that must and can run."""
    run: dict[str, str] = {}
    decide = [m.job for e in asked for m in (e.head, e.base) if m]
    todo = [(job.closure, name) for job in decide for name in _read_of(job)]
    todo += _digests(made, proven)
    seen: set[tuple[str, str]] = set()
    while todo:
        closure, artifact = todo.pop()
        if (closure, artifact) in seen:
            continue
        seen.add((closure, artifact))
        proof = proven.get(closure)
        gone = proof is not None and proof.status == "ok" and artifact in proof.missing
        if closure in blocked or (proof is not None and not gone):
            continue
        if closure not in run or gone:
            run[closure] = artifact if gone else ""
        job = made[closure].job
        todo += [(i.job, i.artifact or "") for i in job.inputs if i.job is not None]
    return {closure: run[closure] for closure in made if closure in run}


def _read_of(job: Job) -> tuple[str, ...]:
    """The artifacts of a deciding job that rules read."""
    rated = any(given.name == ANCHORS for given in job.inputs)
    return ("rows.jsonl", f"{ANCHORS}.jsonl") if rated else ("rows.jsonl",)


def _digests(made: Mapping[str, Made], proven: Proven) -> Iterator[tuple[str, str]]:
    """What no job reads and the verdict does: digests of curated rows that are gone."""
    for closure, m in made.items():
        proof = proven.get(closure) if m.job.type == "curate" else None
        for name in sorted(proof.missing if proof is not None else ()):
            if name.startswith("digests/"):
                yield closure, name


def _blocked(made: Mapping[str, Made], proven: Proven, run: Mapping[str, str]) -> dict[str, str]:
    """Jobs that cannot run because something they need failed for reasons of its own."""
    found: dict[str, str] = {}
    for closure, m in made.items():
        for need in m.job.needs:
            proof = proven.get(need)
            if closure in run and proof is not None and proof.status != "ok":
                found[closure] = f"{made[need].job.id} failed: {proof.reason}"
            elif closure in run and need in found:
                found[closure] = found[need]
    return found


def _step(job: Job, run: Mapping[str, str], reasons: _Reasons, proven: Proven) -> Step:
    if job.closure in run:
        return Step(job, "run", reasons.of(job.closure))
    return Step(job, "reuse", reasons.kept(job.closure), proven[job.closure].evidence)


def _skipped(
    made: Mapping[str, Made], run: Mapping[str, str], blocked: Mapping[str, str], proven: Proven
) -> Iterable[NotNeeded]:
    for closure, m in made.items():
        if closure in blocked:
            yield NotNeeded(m.job.type, m.job.subject, f"cannot run: {blocked[closure]}")
        elif closure not in run and closure not in proven:
            yield NotNeeded(m.job.type, m.job.subject, "what follows from it has evidence")


def _idle(head: Graph, made: Mapping[str, Made]) -> Iterable[NotNeeded]:
    """Datasets and Recipes of head that no gate reaches."""
    reached = {m.job.subject for m in made.values()}
    for ref in sorted(head.specs):
        if ref.kind == "Recipe" and ref not in reached:
            yield NotNeeded("train", ref, "no gate needs it")
        elif ref.kind == "Dataset" and ref not in reached:
            yield NotNeeded("curate", ref, "no gate needs it")


@dataclass(frozen=True, slots=True)
class _Reasons:
    """Why a job runs: the fields that changed in what it reads, and the jobs it follows."""

    made: Mapping[str, Made]
    known: set[str]  # closures that base needed
    changes: tuple[Change, ...]
    run: Mapping[str, str]
    proven: Proven
    first: bool

    def of(self, closure: str) -> str:
        """The path of change, in words."""
        if self.run[closure]:
            return f"{self.run[closure]} is gone from the store"
        if self.first or closure in self.known:
            return "no evidence yet"
        return self._causes(closure) or "no evidence yet"

    def kept(self, closure: str) -> str:
        """Why a job need not run: it failed, nothing it reads changed, or its change has run."""
        if self.proven[closure].status != "ok":
            return f"failed already: {self.proven[closure].reason}"
        if closure in self.known:
            return "no input changed"
        causes = "" if self.first else self._causes(closure)
        return f"has evidence ({causes})" if causes else "has evidence"

    def _causes(self, closure: str) -> str:
        made = self.made[closure]
        causes = [*self._fields(made), *self._needs(made)]
        if made.job.side == "base":
            causes = ["base's target, to compare with", *causes]
        return ", ".join(causes)

    def _fields(self, made: Made) -> list[str]:
        found: list[str] = []
        for change in self.changes:
            if change.ref not in made.reads:
                continue
            prefix = "" if change.ref == made.job.subject else f"{change.ref} "
            if change.action in ("added", "removed"):
                found.append(f"{change.ref} {change.action}")
            found += [
                f"{prefix}{field.path}"
                for field in change.fields
                if made.job.type in job_types(field.role)
            ]
        return found

    def _needs(self, made: Made) -> list[str]:
        numbers = {closure: i for i, closure in enumerate(self.run, start=1)}
        new = [need for need in made.job.needs if need not in self.known]
        return [
            f"follows {self.made[need].job.id}"
            + (f" (job {numbers[need]})" if need in numbers else "")
            for need in new
        ]
