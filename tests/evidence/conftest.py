"""A store in a temporary folder and runs whose files are on disk."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from llmops.digest import of_bytes, of_folder
from llmops.evidence.store import Store
from llmops.jobs.base import Artifact, Job, Measurement, Result
from llmops.specs.base import Ref


class Run(NamedTuple):
    job: Job
    result: Result


class Maker:
    """Makes runs: their artifacts on disk, their result as a worker would write it."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def run(
        self,
        name: str = "a",
        files: dict[str, bytes] | None = None,
        folders: tuple[str, ...] = (),
        finished_at: str = "2026-11-22T08:01:00Z",
    ) -> Run:
        closure = of_bytes(name.encode())
        root = self.store.run_folder(closure) / "artifacts"
        artifacts = []
        for path, data in (files or {"rows.jsonl": b"{}\n"}).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
            artifacts.append(Artifact(path, of_bytes(data), len(data)))
        artifacts += [Artifact(f, of_folder(root / f), 0) for f in folders]
        job = Job("evaluate", Ref("Evaluation", name), closure, {"checks": [1, 2.5, "宽"]}, seed=7)
        result = Result(
            closure=closure,
            type="evaluate",
            status="ok",
            started_at="2026-11-22T08:00:00Z",
            finished_at=finished_at,
            measurements=(Measurement("accuracy", 0.75, 1200),),
            artifacts=tuple(artifacts),
            environment={"python": "3.11"},
        )
        return Run(job, result)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "reports")


@pytest.fixture
def make(store: Store) -> Maker:
    return Maker(store)
