"""Run folders for tests: written by hand as an executor would, run in this process or started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llmops import digest
from tests.workers import curating

# Tests may run beside each other: more threads than one would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def write_job(
    folder: Path,
    job_type: str,
    spec: Mapping[str, Any],
    inputs: Mapping[str, Path],
    *,
    processes: int = 1,
    seed: int = 42,
) -> Path:
    """A run folder with its job.json."""
    folder.mkdir(parents=True)
    named = {
        name: {
            "path": str(path),
            "digest": digest.of_folder(path) if path.is_dir() else digest.of_file(path),
        }
        for name, path in inputs.items()
    }
    job = {
        "format_version": 1,
        "id": f"{job_type}/test",
        "type": job_type,
        "closure": "sha256:" + "0" * 64,
        "spec": spec,
        "inputs": named,
        "seed": seed,
        "resources": {"processes": processes, "cpu": 1},
        "tools": {},
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def environment(**more: str) -> dict[str, str]:
    """What an executor on a machine without a GPU gives its workers."""
    bin_folder = str(Path(sys.executable).parent)
    return {
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", "/"),
        "OMP_NUM_THREADS": "1",
        "DS_ACCELERATOR": "cpu",
        "CUDA_VISIBLE_DEVICES": "",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        **more,
    }


def start(folder: Path, *, processes: int, **env: str) -> subprocess.CompletedProcess[str]:
    """Starts the worker of a run folder as an executor does and waits for its end."""
    worker = ["-m", "llmops.workers", str(folder)]
    if processes == 1:
        command = [sys.executable, *worker]
    else:
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command = [*torchrun, "--nproc_per_node", str(processes), *worker]
    return subprocess.run(
        command, env=environment(**env), capture_output=True, text=True, timeout=600, check=False
    )


def result_of(folder: Path) -> dict[str, Any]:
    """The result that a worker wrote."""
    found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return found


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """JSON lines as curate leaves them: with `case` and `id`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for row in rows:
        case = digest.of_value(row)
        lines.append(json.dumps({**row, "case": case, "id": case[7:23]}, ensure_ascii=False))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


@pytest.fixture
def job_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a run folder with its job.json; further keywords replace fields of the job."""

    def make(
        job_type: str, spec: Mapping[str, Any], inputs: Mapping[str, Path], **fields: Any
    ) -> Path:
        folder = write_job(tmp_path / "run", job_type, spec, inputs)
        job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        (folder / "job.json").write_text(json.dumps({**job, **fields}), encoding="utf-8")
        return folder

    return make


class Kit:
    """The helpers above, handed to tests as one fixture."""

    write_job = staticmethod(write_job)
    write_rows = staticmethod(write_rows)
    start = staticmethod(start)
    result_of = staticmethod(result_of)


@pytest.fixture(scope="session")
def kit() -> Kit:
    """Run folders: write a job, start it, read its result."""
    return Kit()


@pytest.fixture
def curated(tmp_path: Path) -> Callable[..., curating.Curated]:
    """Curates sources given as {file name: bytes or rows}; `more` are fields of the dataset."""
    return curating.curator(write_job, tmp_path)
