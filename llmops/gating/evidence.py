"""The evidence and the ledger between a gate's own folder and the branch that everybody reads."""

from __future__ import annotations

from llmops.evidence import branch
from llmops.evidence.ledger import Ledger
from llmops.gating.base import Desk
from llmops.jobs.attempts import Entry
from llmops.pipeline import Planned


def pull(desk: Desk) -> None:
    """Bring what is known here. Raises GitError where the forge cannot be reached."""
    branch.pull(desk.project.store, desk.remote)


def push(desk: Desk, made: Planned) -> None:
    """Make the evidence of a plan, and the ledger, everybody's; nothing new writes nothing."""
    closures = [step.job.closure for step in made.plan.steps]
    clock = desk.forge.clock
    branch.push(
        desk.project.store, desk.remote, closures,
        now=lambda: clock.now().timestamp(), pause=clock.sleep,
    )  # fmt: skip


def entries(desk: Desk) -> tuple[Entry, ...]:
    """The ledger as it is here. Raises StoreError where it is damaged."""
    return Ledger(desk.project.reports).entries()
