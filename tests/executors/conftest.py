"""A run in a temporary store, with a worker that needs no torch."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import of_value
from llmops.evidence.store import Store
from llmops.executors.base import Event, RunReport
from llmops.executors.inputs import Inputs
from llmops.executors.local import LocalExecutor
from llmops.executors.run import run
from llmops.jobs.base import Input, Job, Resources, Step
from llmops.specs.base import JobType, Ref

FAKE = (sys.executable, "-I", "-S", str(Path(__file__).with_name("fake_worker.py")))


def job(
    name: str,
    fake: str = "ok",
    *,
    after: Sequence[Job] = (),
    kind: JobType = "curate",
    inputs: Sequence[Input] = (),
    resources: Resources | None = None,
    **spec: Any,
) -> Job:
    """A job for the fake worker; it reads `out.txt` of each job it comes after."""
    payload = {"fake": fake, **spec}
    made_by = [Input(f"in/{j.subject.name}", job=j.closure, artifact="out.txt") for j in after]
    closure = of_value([name, payload, [j.closure for j in after]])
    return Job(
        kind,
        Ref("Dataset", name),
        closure,
        payload,
        inputs=(*made_by, *inputs),
        needs=tuple(j.closure for j in after),
        resources=resources or Resources(),
    )


@dataclass
class Bench:
    """Runs jobs and remembers the events."""

    store: Store
    executor: LocalExecutor
    blobs: dict[str, bytes] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def run(self, *jobs: Job, reuse: Sequence[Job] = (), **more: Any) -> RunReport:
        steps = [Step(j, "reuse", "") for j in reuse] + [Step(j, "run", "") for j in jobs]
        resolve = Inputs(self.store, self.fetch, lambda digest, file: self.blobs[file])
        settings = {"resolve": resolve, "on_event": self.events.append, "cores": 2, **more}
        return run(steps, store=self.store, executor=self.executor, **settings)

    def fetch(self, digest: str, uri: str | None) -> Path:
        raise AssertionError("nothing is fetched here")

    def folder(self, job: Job) -> Path:
        return self.store.run_folder(job.closure)

    def out(self, job: Job, name: str = "out.txt") -> str:
        return self.store.artifact(job.closure, name).read_text()

    def kinds(self, job: Job) -> list[str]:
        return [e.kind for e in self.events if e.job.closure == job.closure]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Store(tmp_path / "reports"), LocalExecutor(FAKE, grace_seconds=0.2))


def wait_for(path: Path, seconds: float = 20.0) -> Path:
    """The path, once it exists."""
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path.name} never came"
        time.sleep(0.005)
    return path


def pids(folder: Path) -> list[int]:
    """The processes that a sleeping fake worker started, itself first."""
    found: list[int] = json.loads(wait_for(folder / "pids.json").read_text())
    return found


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        state = Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
