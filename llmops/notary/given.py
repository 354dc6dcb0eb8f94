"""Planned + what was said -> `Given`: all that a verdict takes as given, as a stranger gets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from llmops import __version__
from llmops.attest.given import Approved, Estimated, File, Given, LedgerEnd, Named, Run
from llmops.evidence.entry import Kept
from llmops.jobs.base import TreeName
from llmops.notary.base import Pen, text
from llmops.pipeline import Planned, jobs_of
from llmops.project import State
from llmops.rules.approvals import machines
from llmops.rules.facts import Approval


@dataclass(frozen=True, slots=True)
class Said:
    """What people say of a change: approvals that count, who wrote it, whose yes is none."""

    approvals: tuple[Approval, ...] = ()
    authors: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the log reached when it was judged: entries, Merkle root, ledger, runs' places."""

    size: int
    root: str
    ledger: Sequence[Kept]
    runs: Mapping[str, Run]


def given(pen: Pen, planned: Planned, said: Said, reach: Reach, now: datetime) -> Given:
    """What a verdict on a plan takes as given at a time."""
    plan = planned.plan
    last = reach.ledger[-1].digest if reach.ledger else ""
    return Given(
        root=pen.root,
        log_size=reach.size,
        log_root=reach.root,
        repository=pen.repository,
        judged_at=text(now),
        tool_version=__version__,
        environment=plan.environment,
        change=planned.claims.change if planned.claims is not None else "",
        base=_named(plan.base) if plan.base is not None else None,
        head=_named(plan.head),
        ledger=LedgerEnd(len(reach.ledger), last),
        approvals=tuple(Approved(one.team, one.by, one.source) for one in said.approvals),
        authors=_authors(said),
        left_out=said.left_out,
        runs=dict(sorted(reach.runs.items())),
        missing=dict(_missing(planned)),
        to_run=dict(_to_run(planned)),
        files=dict(_files(planned)),
    )


def _named(tree: TreeName) -> Named:
    return Named(tree.label, tree.tree, tree.commit)


def _authors(said: Said) -> tuple[str, ...]:
    """Of those who wrote the change the ones whose name matters: approvers, and machines."""
    wrote = {author.casefold() for author in said.authors}
    approved = {one.by for one in said.approvals if one.by.casefold() in wrote}
    return tuple(sorted({*approved, *machines(said.authors)}))


def _missing(planned: Planned) -> Iterator[tuple[str, tuple[str, ...]]]:
    for closure in sorted(jobs_of(planned)):
        proof = planned.proven.get(closure)
        if proof is not None and proof.missing:
            yield closure, tuple(sorted(proof.missing))


def _to_run(planned: Planned) -> Iterator[tuple[str, Estimated]]:
    """Estimates of what has not run, which count where a policy budgets."""
    for step in planned.plan.steps if planned.plan.budgets else ():
        told = step.estimate
        if step.state == "run" and told is not None:
            yield step.job.closure, Estimated(told.usd, told.gpu_hours, told.cpu_hours)


def _files(planned: Planned) -> Iterator[tuple[str, File]]:
    """The files of both trees' Datasets, by git object."""
    found: dict[str, File] = {}
    for state in (planned.both.base, planned.both.head):
        if state is not None:
            found |= _of_tree(state)
    yield from sorted(found.items())


def _of_tree(state: State) -> Mapping[str, File]:
    blobs = state.tree.blobs()
    datasets = (spec for ref, spec in state.loaded.specs.items() if ref.kind == "Dataset")
    paths = sorted({use.path for spec in datasets for use in spec.files} & blobs.keys())
    digests = state.tree.digests(paths)
    return {
        blobs[path].oid: File(digests[path].removeprefix("sha256:"), blobs[path].size)
        for path in paths
    }
