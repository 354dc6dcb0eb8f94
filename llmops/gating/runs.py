"""Which workflow runs may bring evidence for a scene, and what their ends mean.

A run counts when it was of our workflow, for the event that belongs to the scene, at exactly its
head, in the repository that the head is in. Older runs come first: the first result of a closure
stands, so starting again until it is green brings nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmops.forge.base import Forge, WorkflowRun
from llmops.gating.base import Desk
from llmops.gating.scenes import Scene

MOST = 20  # runs at one commit that are looked at
_JOBS = 300
_WAITS = ("waiting", "action_required")  # a person has to allow it, at GitHub
_ENDS: Mapping[str, str] = {
    "cancelled": "was cancelled",
    "timed_out": "took too long",
    "startup_failure": "could not start: is the workflow file valid?",
    "stale": "was given up by GitHub",
    "skipped": "was skipped",
    "failure": "failed",
    "success": "ended well and brought none",
}


def events_of(scene: Scene) -> frozenset[str]:
    """Which events start runs for a scene."""
    return frozenset(("pull_request",)) if scene.pull else frozenset(("merge_group", "push"))


def relevant(desk: Desk, scene: Scene) -> tuple[WorkflowRun, ...]:
    """The runs whose artifacts are looked at, the oldest first."""
    listed = desk.forge.runs(scene.head)
    own = next((run.path for run in listed if run.id == desk.settings.own_run), "")
    path = _bare(own or desk.settings.workflow)
    found = (run for run in listed if not _other(desk, scene, run, path))
    return tuple(sorted(found, key=lambda run: run.id)[-MOST:])


def _bare(path: str) -> str:
    """A workflow's path without the revision that it was read at."""
    return path.partition("@")[0]


def _other(desk: Desk, scene: Scene, run: WorkflowRun, path: str) -> bool:
    pull = scene.pull
    repository = pull.head_repo if pull is not None and pull.from_fork else str(desk.forge.repo)
    return (
        run.head_sha != scene.head
        or run.event not in events_of(scene)
        or _bare(run.path) != path
        or run.repository.casefold() != repository.casefold()
    )


def going(desk: Desk, found: Sequence[WorkflowRun]) -> bool:
    """Whether one of them may still bring something. The run that we are a job of has ended."""
    return any(
        run.status not in ("completed", "waiting") and run.id != desk.settings.own_run
        for run in found
    )


def waits(found: Sequence[WorkflowRun]) -> bool:
    """Whether the newest waits for a person at GitHub."""
    return bool(found) and (found[-1].status in _WAITS or found[-1].conclusion in _WAITS)


def why_absent(desk: Desk, found: Sequence[WorkflowRun]) -> tuple[str, ...]:
    """Why the newest run brought less than was planned, in words."""
    if not found:
        return ()
    run = found[-1]
    told = tuple(_failed_jobs(desk.forge, run))
    if told or run.id == desk.settings.own_run:
        return told
    return (f"run {run.id} {_ENDS.get(run.conclusion or '', 'ended without evidence')}",)


def _failed_jobs(forge: Forge, run: WorkflowRun) -> Iterator[str]:
    """The jobs of a run that did not succeed, each with how it ended."""
    jobs = forge.every(f"repos/{forge.repo}/actions/runs/{run.id}/jobs", "jobs", filter="latest")
    for _, job in zip(range(_JOBS), jobs, strict=False):
        ended = _text(job, "conclusion")
        if ended and ended not in ("success", "skipped", "neutral"):
            yield f"job {_text(job, 'name')} of run {run.id} {_ENDS.get(ended, ended)}"


def _text(job: Any, name: str) -> str:
    found = job.get(name) if isinstance(job, dict) else None
    return found if isinstance(found, str) else ""
