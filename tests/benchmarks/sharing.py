"""A plan job on a fresh runner: evidence pulled from its branch, then the plan and its outputs.

In: a synthetic repository and a branch with the evidence of all of its jobs, whose artifacts were
uploaded by workflow runs. Each round begins as a checkout leaves a runner: nothing was pulled.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from llmops.digest import of_bytes
from llmops.evidence.branch import push
from llmops.evidence.places import Place, record
from llmops.evidence.statement import encode, statement
from llmops.evidence.store import Store
from llmops.jobs.base import Artifact, Job, Result
from llmops.pipeline import make_plan
from llmops.project import Project, pair
from llmops.source.remote import Remote
from tests.benchmarks import synthetic
from tests.benchmarks.process import Took, median

MADE = {"curate": ("parts/train.jsonl", "digests/train.jsonl"), "train": ("adapter",),
        "generate": ("responses.jsonl",), "evaluate": ("rows.jsonl",)}  # fmt: skip


def per_plan_job(specs: int, runs: int = 5) -> tuple[Took, Took, int]:
    """Pulling, planning, and how many statements that was."""
    with tempfile.TemporaryDirectory() as name:
        root, bare = Path(name) / "repo", Path(name) / "there.git"
        root.mkdir()
        synthetic.repository(root, specs)
        statements = _shared(root, bare)
        env = {"LLMOPS_CACHE": str(Path(name) / "cache")}

        def fresh() -> None:
            shutil.rmtree(root / "reports", ignore_errors=True)
            shutil.rmtree(Path(name) / "cache", ignore_errors=True)
            synthetic.git(root, "update-ref", "-d", "refs/llmops/evidence")

        ours = [sys.executable, "-m", "llmops"]
        pull = [*ours, "evidence", "pull", "-C", str(root), "--remote", str(bare)]
        pulled = median(pull, env, runs=runs, before=fresh)

        def ready() -> None:
            fresh()
            subprocess.run(pull, env={**os.environ, **env}, check=True, capture_output=True)

        out = ("--out", f"{name}/plan.json", "--outputs", os.devnull)
        plan = [*ours, "plan", "-C", str(root), "--base", "main", "--head", "one", *out]
        return pulled, median(plan, env, runs=runs, before=ready), statements


def _shared(root: Path, bare: Path) -> int:
    """Evidence of every job of main, pushed to a remote of its own."""
    synthetic.git(root, "clone", "--quiet", "--bare", str(root), str(bare))
    project = Project.find(root)
    planned = make_plan(project, pair(project, "main", "main"))
    store = Store(Path(tempfile.mkdtemp()) / "reports")
    store.prepare()
    for number, step in enumerate(planned.plan.steps):
        _keep(store, step.job, number)
    push(store, Remote(project.repository, str(bare)))
    shutil.rmtree(store.root)
    return len(planned.plan.steps)


def _keep(store: Store, job: Job, number: int) -> None:
    names = MADE.get(job.type, ())
    artifacts = tuple(Artifact(n, of_bytes(f"{n}{number}".encode()), 1000) for n in names)
    times = "2026-11-22T08:00:00Z", "2026-11-22T08:01:00Z"
    result = Result(job.closure, job.type, "ok", *times, artifacts=artifacts)
    data, digest = encode(statement(result, job, {}))
    path = store.statement(job.closure, digest)
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    record(store, job.closure, [Place("acme/bot", 1, number, "llmops-evidence-x")])
