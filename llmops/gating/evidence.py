"""The evidence and the ledger between a gate's own folder and the branch that everybody reads."""

from __future__ import annotations

from llmops.errors import NotAllowed
from llmops.evidence import branch
from llmops.evidence.ledger import Ledger
from llmops.gating.base import Desk
from llmops.jobs.attempts import Entry
from llmops.pipeline import Planned


def pull(desk: Desk) -> None:
    """Bring what is known here. Raises GitError where the forge cannot be reached."""
    branch.pull(desk.project.store, desk.remote)


def push(desk: Desk, made: Planned) -> tuple[str, ...]:
    """Make the evidence of a plan, and the ledger, everybody's; nothing new writes nothing.

    A writer who is not let, as the token of a fork's job, keeps nothing and is told so; a forge
    that cannot be reached is a GitError, since then nothing may be judged.
    """
    closures = [step.job.closure for step in made.plan.steps]
    clock = desk.forge.clock
    try:
        branch.push(
            desk.project.store, desk.remote, closures,
            now=lambda: clock.now().timestamp(), pause=clock.sleep,
        )  # fmt: skip
    except NotAllowed as error:
        return (f"evidence was not kept, nor attempts counted for others: {error.message}",)
    return ()


def entries(desk: Desk) -> tuple[Entry, ...]:
    """The ledger as it is here. Raises StoreError where it is damaged."""
    return Ledger(desk.project.reports).entries()
