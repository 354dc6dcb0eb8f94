"""A look that is taken again: for a job that nobody wakes when GitHub can be reached again.

An App comes back by itself; the job of a workflow has one life. It looks again where the forge was
out of reach, as soon as it may be asked again, and, if asked to, until the runs have ended.
"""

from __future__ import annotations

from llmops.forge.base import GaveUp
from llmops.forge.clock import seconds_until
from llmops.gating.base import Desk, Settled, Subject
from llmops.gating.reconcile import reconcile

WITHIN_SECONDS = 1_200.0  # that GitHub may be out of reach
PAUSE_SECONDS = 30.0  # between two looks at runs that are under way


def settle(
    desk: Desk, subject: Subject, *, wait: bool, within_seconds: float = WITHIN_SECONDS
) -> Settled:
    """What a subject comes to. Raises GaveUp where GitHub stays out of reach for too long."""
    clock = desk.forge.clock
    ends = clock.monotonic() + within_seconds
    while True:
        found = _look(desk, subject)
        at = found.resume_at if isinstance(found, GaveUp) else found.published.resume_at
        pause = seconds_until(clock, at) if at else 0.0
        if at and clock.monotonic() + pause <= ends:
            clock.sleep(pause)
            continue
        if isinstance(found, GaveUp):
            raise found
        if at or not (wait and found.state == "running"):
            return found
        clock.sleep(PAUSE_SECONDS)
        ends = clock.monotonic() + within_seconds


def _look(desk: Desk, subject: Subject) -> Settled | GaveUp:
    try:
        return reconcile(desk, subject)
    except GaveUp as error:
        return error
