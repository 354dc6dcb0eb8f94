"""A verdict once more, from what a log makes public: trees, run statements, public rows, ledger.

In: what a verdict takes as given, its trees by git object, what the log says before it. Out: the
verdict with its statements and pages, the same bytes on every machine. The gate signs what this
makes and nothing else; whoever checks a bundle makes it again with the same function and compares.
No process is started, nothing is read from a disk, no host is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llmops import counted
from llmops.attest.base import Statement
from llmops.attest.given import Estimated, Given, Named
from llmops.attest.statements import statements
from llmops.errors import StoreError
from llmops.evidence.disclosed import Disclosed, Known, Rests
from llmops.jobs.attempts import Decided, Granted
from llmops.jobs.base import Estimate, Step
from llmops.pipeline import Planned, make_plan, report, verdict
from llmops.project import Project, pair_of
from llmops.rules.base import Verdict
from llmops.rules.facts import Approval
from llmops.source.cache import BlobCache
from llmops.source.git import Git
from llmops.source.sides import Sides
from llmops.source.tree import Repository, Tree

if TYPE_CHECKING:
    from llmops.evidence.store import Store
    from llmops.reports.report import Seal

LEFT_OUT = "approvals_left_out"  # in a verdict's extra: whose yes is none, and why
PAGES = ("html", "json")
_NOWHERE = Path("/nowhere")
ReadTree = Callable[[Named], Tree]  # raises LlmopsError where a tree cannot be had


@dataclass(frozen=True)
class Parsed:
    """What was parsed by object id, so that many verdicts read a file once."""

    blobs: BlobCache

    @classmethod
    def new(cls) -> Parsed:
        """Nothing parsed yet; kept in memory only."""
        return cls(BlobCache(None, ""))


@dataclass(frozen=True)
class Derived:
    """A verdict that was derived from a log, with what it was made from."""

    project: Project
    planned: Planned
    judged: Verdict
    given: Given

    def statements(self) -> tuple[Statement, ...]:
        """What the log has of it, in its order."""
        return statements(self.judged, self.given)

    def outcomes(self) -> Iterator[Decided | Granted]:
        """What the ledger has to say of its claims before the verdict stands in the log."""
        if self.planned.claims is not None:
            yield from counted.outcomes(self.planned.claims, self.judged)

    def pages(self, seal: Seal | None) -> Mapping[str, bytes]:
        """Its pages in both languages, by name: from public rows, so that all can make them."""
        from llmops.reports.render import render_report

        made = replace(report(self.project, self.planned, self.judged), seal=seal)
        files = render_report(made, PAGES, ("en", "zh"))
        return {name: text.encode() for name, text in files}


def derived(
    given: Given,
    known: Known,
    read_tree: ReadTree,
    parsed: Parsed | None = None,
    *,
    lots: bool = True,
) -> Derived:
    """The verdict that follows. Raises LlmopsError where none does, naming what is missing.

    `known`: the first `given.log_size` entries of the log, nothing after them. `lots`: whether
    reused jobs are drawn to be run once more; where nothing can be run none are.
    """
    project, store = _project(given, known, parsed or Parsed.new())
    base = read_tree(given.base) if given.base is not None else None
    both = pair_of(project, Sides(base, read_tree(given.head)))
    planned = make_plan(
        project, both, environment=given.environment or None, change=given.change, lots=lots
    )
    planned = replace(planned, plan=replace(planned.plan, steps=_expected(planned, given)))
    assert planned.claims is not None
    judged = verdict(
        project, planned,
        now=datetime.fromisoformat(given.judged_at),
        approvals=tuple(Approval(one.team, one.by, one.source) for one in given.approvals),
        counting=counted.read(store, planned.claims),
        authors=frozenset(given.authors),
    )  # fmt: skip
    said = {LEFT_OUT: list(given.left_out)} if given.left_out else {}
    judged = replace(judged, extra={**judged.extra, **said}, tool_version=given.tool_version)
    return Derived(project, planned, judged, given)


@dataclass(frozen=True)
class _Public(Project):
    """A project without a repository or a folder: what is public, and nothing else."""

    kept: Store | None = None
    parsed: Parsed | None = None

    def blobs(self) -> BlobCache:
        """What was parsed before, in this process."""
        assert self.parsed is not None
        return self.parsed.blobs

    @property
    def store(self) -> Store:
        """What the log discloses."""
        assert self.kept is not None
        return self.kept


def _project(given: Given, known: Known, parsed: Parsed) -> tuple[Project, Store]:
    used = {closure: f"sha256:{run.sha256}" for closure, run in given.runs.items()}
    missing = {closure: frozenset(names) for closure, names in given.missing.items()}
    store = Disclosed(known, Rests(used, missing))
    if store.unknown:
        raise StoreError(f"no run before it in the log has the statement {store.unknown[0]}")
    nobody = Repository(_NOWHERE, Git(_NOWHERE))
    return _Public(nobody, _NOWHERE, kept=store, parsed=parsed), store


def _expected(planned: Planned, given: Given) -> tuple[Step, ...]:
    """The steps, each job to run with what the gate expected of it: that rests on its history."""
    return tuple(
        replace(step, estimate=_estimate(given.to_run.get(step.job.closure)))
        if step.state == "run"
        else step
        for step in planned.plan.steps
    )


def _estimate(told: Estimated | None) -> Estimate | None:
    if told is None:
        return None
    return Estimate(usd=told.usd, gpu_hours=told.gpu_hours, cpu_hours=told.cpu_hours)
