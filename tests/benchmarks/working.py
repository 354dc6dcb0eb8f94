"""What llmops adds to work: per job beside its worker's own start, per case beside its metric."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from llmops.digest import of_bytes, of_file, of_value
from llmops.evidence.store import Store
from llmops.executors.base import Given
from llmops.executors.local import LocalExecutor
from llmops.executors.run import run
from llmops.jobs.base import Input, Job, Step
from llmops.jobs.wire import to_json
from llmops.specs.base import Ref
from llmops.workers import evaluate
from llmops.workers.contract import RunFolder

STUB = (sys.executable, "-I", "-S", str(Path(__file__).with_name("stub.py")))


def per_job(jobs: int = 40) -> tuple[float, float]:
    """Milliseconds per job through the local executor, and for the same worker started bare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steps = [Step(_job(i), "run", "") for i in range(jobs)]
        started = time.perf_counter()
        report = run(
            steps, store=Store(folder), executor=LocalExecutor(command=STUB), resolve=_nothing,
            on_event=lambda event: None, jobs=1,
        )  # fmt: skip
        ours = time.perf_counter() - started
        assert len(report.ran) == jobs, report
        bare = []
        for i in range(jobs):
            job = folder / f"bare-{i}"
            job.mkdir()
            (job / "job.json").write_text(json.dumps(to_json(_job(i))), encoding="utf-8")
            started = time.perf_counter()
            subprocess.run([*STUB, str(job)], check=True)
            bare.append(time.perf_counter() - started)
    return ours / jobs * 1000, statistics.fmean(bare) * 1000


def _job(i: int) -> Job:
    return Job("curate", Ref("Dataset", f"d{i}"), of_value(i), {})


def _nothing(wanted: Input) -> Given:
    raise AssertionError(wanted)


def per_case(cases: int = 5000) -> tuple[float, float]:
    """Milliseconds per case of an evaluate job, and of its metrics alone."""
    rows = [_row(i) for i in range(cases)]
    answers = [
        {"id": r["id"], "case": r["case"], "prompt": r["question"], "response": r["answer"],
         "input_tokens": 8, "output_tokens": 2, "latency_ms": 1.0, "error": None}
        for r in rows
    ]  # fmt: skip
    checks = [{"name": "accuracy", "metric": "builtin/accuracy", "with": {}}]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs = {"cases": _write(folder, "cases", rows), "responses": _write(folder, "r", answers)}
        spec = {
            "format": "qa", "expected": "answer", "engine": "builtin", "checks": checks,
            "asked": {"dataset": "d", "split": "test", "rows": None},
        }  # fmt: skip
        job: dict[str, Any] = {
            "format_version": 1, "id": "evaluate/x", "type": "evaluate", "closure": of_value(0),
            "spec": spec, "seed": 0, "resources": {},
            "inputs": {k: {"path": str(p), "digest": of_file(p)} for k, p in inputs.items()},
        }  # fmt: skip
        started = time.perf_counter()
        evaluate.work(RunFolder(folder, job, inputs))
        whole = time.perf_counter() - started
    started = time.perf_counter()
    for row in rows:
        assert str(row["answer"]).strip() == str(row["answer"]).strip()  # all that accuracy does
    return whole / cases * 1000, (time.perf_counter() - started) / cases * 1000


def _row(i: int) -> dict[str, Any]:
    row = {"question": f"where is my card number {i}", "answer": f"intent_{i % 20}"}
    case = of_value(row)
    return {**row, "id": case[7:23], "case": case, "language": "en"}


def _write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"{name}.jsonl"
    text = "".join(json.dumps(r, sort_keys=True) + "\n" for r in rows)
    path.write_bytes(text.encode())
    assert of_bytes(text.encode()) == of_file(path)
    return path
