"""Kept evidence -> a plan, what is still to run, and a verdict that counts.

An attempt stands in the ledger, and the ledger at the forge, before its rows are judged: a gate
that was killed in between judges the same attempt again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from llmops import counted
from llmops.gating.base import Desk
from llmops.gating.scenes import Scene
from llmops.graph.build import Graph
from llmops.jobs.base import Job
from llmops.pipeline import Planned, make_plan, verdict
from llmops.project import Pair, pair_of
from llmops.rules.base import Verdict
from llmops.rules.facts import Approval

LEFT_OUT = "approvals_left_out"  # in a verdict's extra: whose yes is none, and why


@dataclass(frozen=True, slots=True)
class Given:
    """What people say of a change: approvals that count, and who else wrote it, by login."""

    approvals: tuple[Approval, ...] = ()
    authors: frozenset[str] = frozenset()
    left_out: tuple[str, ...] = ()  # whose yes is none, and why


def read(desk: Desk, scene: Scene) -> Pair:
    """Both trees, read. Raises InvalidSpecs where head's specs are wrong."""
    return pair_of(desk.project, scene.sides)


def graph(desk: Desk, scene: Scene) -> Graph:
    """What head's specs say. Raises InvalidSpecs where they are wrong."""
    found = read(desk, scene).head.graph
    assert found is not None
    return found


def planned(desk: Desk, scene: Scene, both: Pair) -> Planned:
    """The plan with what is kept by now; attempts are counted."""
    return make_plan(desk.project, both, environment=desk.settings.environment, change=scene.change)


def missing(made: Planned) -> Mapping[str, Job]:
    """Closure -> job of what has no evidence yet."""
    return {step.job.closure: step.job for step in made.plan.steps if step.state == "run"}


def record(desk: Desk, made: Planned) -> None:
    """Write down the attempts whose rows are here; what never ran was no attempt."""
    assert made.claims is not None
    tested = tuple(one for one in made.claims.deciding if one.closure in made.proven)
    counted.record(
        desk.project.store, replace(made.claims, deciding=tested), desk.forge.clock.now()
    )


def judge(desk: Desk, made: Planned, given: Given) -> Verdict:
    """The verdict as the ledger counts it; nothing is written."""
    assert made.claims is not None
    judged = verdict(
        desk.project, made, now=desk.forge.clock.now(), approvals=given.approvals,
        counting=counted.read(desk.project.store, made.claims), authors=given.authors,
    )  # fmt: skip
    if not given.left_out:
        return judged
    return replace(judged, extra={**judged.extra, LEFT_OUT: list(given.left_out)})


def close(desk: Desk, scene: Scene, made: Planned, judged: Verdict) -> None:
    """Write down what became of each attempt, and which tree was judged."""
    assert made.claims is not None
    counted.close(desk.project.store, made.claims, judged)
    counted.told(desk.project.store, judged, scene.change or scene.head)
