"""A workflow file, read strictly: every key that GitHub would act on is known here, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from tests.runner.expressions import Unknown

_TOP = {"name", "on", "permissions", "concurrency", "jobs"}
_JOB = {
    "name", "needs", "if", "runs-on", "environment", "timeout-minutes", "permissions", "outputs",
    "strategy", "steps", "env", "uses", "with",
}  # fmt: skip
_STEP = {"name", "id", "if", "uses", "with", "env", "run", "shell", "working-directory"}
_EVENTS = {"pull_request", "merge_group", "push", "workflow_call"}


@dataclass(frozen=True)
class Job:
    """One job as it stands in the file."""

    id: str
    text: Mapping[str, Any]
    needs: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Workflow:
    """A workflow: its jobs in an order in which each comes after what it needs."""

    name: str
    on: Mapping[str, Any]
    permissions: Mapping[str, str]
    concurrency: Mapping[str, Any]
    jobs: Mapping[str, Job] = field(default_factory=dict)


def read(text: str) -> Workflow:
    """Raises Unknown for what this runner would not do."""
    found = YAML(typ="safe").load(text)  # YAML 1.2, in which `on` is a word
    _expect(found, _TOP, "a workflow")
    on = found["on"]
    _expect(on, _EVENTS, "events")
    jobs = {name: _job(name, body) for name, body in found["jobs"].items()}
    return Workflow(
        found["name"], on, found.get("permissions"), found.get("concurrency") or {}, _ordered(jobs)
    )


def _job(name: str, body: Mapping[str, Any]) -> Job:
    _expect(body, _JOB, f"job {name}")
    needs = body.get("needs", ())
    needs = (needs,) if isinstance(needs, str) else tuple(needs)
    steps = tuple(body.get("steps", ()))
    for step in steps:
        _expect(step, _STEP, f"a step of job {name}")
        if ("uses" in step) == ("run" in step):
            raise Unknown(f"a step of job {name} both runs and uses, or neither")
    _expect(body.get("strategy", {}), {"fail-fast", "matrix"}, f"strategy of job {name}")
    return Job(name, body, needs, steps)


def _ordered(jobs: Mapping[str, Job]) -> dict[str, Job]:
    done: dict[str, Job] = {}
    while len(done) < len(jobs):
        ready = [j for j in jobs.values() if j.id not in done and set(j.needs) <= set(done)]
        if not ready:
            raise Unknown("jobs need each other in a circle, or one that is not there")
        done |= {job.id: job for job in ready}
    return done


def hears(flow: Workflow, event: str, action: str, branch: str) -> bool:
    """Whether an event starts a workflow. Default types are GitHub's."""
    if event not in flow.on:
        return False
    asked = flow.on[event] or {}
    _expect(asked, {"types", "branches"}, f"filters of {event}")
    usual = {"pull_request": ("opened", "synchronize", "reopened")}.get(event, (action,))
    if action not in asked.get("types", usual):
        return False
    return event != "push" or branch in asked.get("branches", (branch,))


def _expect(found: Any, known: set[str], what: str) -> None:
    if not isinstance(found, dict):
        raise Unknown(f"{what}: not a mapping")
    more = set(found) - known
    if more:
        raise Unknown(f"{what}: {', '.join(sorted(map(str, more)))} is not known here")
