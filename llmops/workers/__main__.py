"""`python -m llmops.workers RUN_FOLDER`: what every executor starts, on every rank.

Reads `job.json`, refuses other tool versions than the job pins, calls the job type's worker, and
writes `result.json` last and atomically (rank 0 only). Exit code 0: there is a result, good or
`quality_failed`. 3: `error.json` says why there is none. 2: not called with one run folder.
Anything else: the process died, and its log says how.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import platform
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from llmops import __version__, digest, hush
from llmops.errors import LlmopsError
from llmops.jobs.base import FORMAT_VERSION, Artifact, Result
from llmops.jobs.wire import to_json
from llmops.workers import memory, safe
from llmops.workers.contract import (
    Outcome,
    RunFolder,
    WorkerError,
    disk_trouble,
    now,
    open_run,
    rank,
    write_atomically,
)

WORKERS: Mapping[str, str] = {
    "curate": "llmops.workers.curate",
    "train": "llmops.workers.train",
    "generate": "llmops.workers.generate",
    "evaluate": "llmops.workers.evaluate",
    "scan": "llmops.workers.scan",
    "guard": "llmops.workers.guard",
}


def main(arguments: list[str]) -> int:
    """Does the job of the one run folder named; gives back the exit code."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m llmops.workers RUN_FOLDER", file=sys.stderr)
        return 2
    path = Path(arguments[0]).resolve()
    try:
        _clear(path)
        run_job(path)
    except LlmopsError as error:
        return _failed(path, error)
    except Exception as error:
        trouble = disk_trouble(error, path)
        if trouble is None:
            raise
        traceback.print_exc()
        return _failed(path, trouble)
    return 0


def run_job(path: Path) -> None:
    """From `job.json` to `result.json`. Raises LlmopsError when the world is not as it must be."""
    started_at, started = now(), time.perf_counter()
    safe.unpickle_nothing()
    run = open_run(path)
    tools = check_tools(run.job["tools"])
    outcome = worker(run.job["type"])(run)
    if rank() != 0:
        return
    used = _resources_used(run, outcome, time.perf_counter() - started)
    result = Result(
        closure=run.job["closure"],
        type=run.job["type"],
        status=outcome.status,
        started_at=started_at,
        finished_at=now(),
        reason=outcome.reason,
        measurements=outcome.measurements,
        artifacts=tuple(artifacts(path / "artifacts", outcome)),
        environment=_environment(tools),
        resources_used=used,
    )
    _write_json(path / "result.json", _json(result))


def worker(job_type: str) -> Callable[[RunFolder], Outcome]:
    """The `work` of a job type; its tools are imported now. Raises WorkerError if unknown."""
    if job_type not in WORKERS:
        known = ", ".join(sorted(WORKERS))
        raise WorkerError(f'no worker for job type "{job_type}"', hint=f"known are {known}")
    work: Callable[[RunFolder], Outcome] = importlib.import_module(WORKERS[job_type]).work
    return work


def check_tools(pins: Mapping[str, str]) -> dict[str, str]:
    """The versions of the pinned tools here. Raises WorkerError if one is another or missing."""
    found = {name: _version(name) for name in sorted(pins)}
    wrong = [
        f"{name} {found[name] or 'missing'} (pinned {pins[name]})"
        for name in found
        if found[name].partition("+")[0] != pins[name]  # torch 2.13.0+cpu is 2.13.0
    ]
    if wrong:
        raise WorkerError(
            f"the job was planned for other tools: {', '.join(wrong)}",
            hint=_hint(found),
        )
    return found


def _hint(found: Mapping[str, str]) -> str:
    if sys.version_info >= (3, 12) and found.get("giskard") == "":
        return "giskard 2.19 serves Python 3.11 only: run scans there"
    return "make install puts the pinned versions in place"


def artifacts(root: Path, outcome: Outcome) -> Iterator[Artifact]:
    """Every file below `root` and the folders the worker names, by name, with their digests.

    Raises WorkerError for a link, and for a named folder that is not there.
    """
    files = sorted(p for p in root.rglob("*") if not p.is_dir() or p.is_symlink())
    for file in files:
        if file.is_symlink() or not file.is_file():
            raise WorkerError(f"artifact {file.relative_to(root).as_posix()} is no plain file")
    names = {p.relative_to(root).as_posix(): p for p in files}
    for folder in (name.strip("/") for name in outcome.artifacts):
        names[folder] = root / folder
        if not names[folder].exists():
            raise WorkerError(f"the worker names an artifact that it did not make: {folder}")
    for name, found in sorted(names.items()):
        if found.is_dir():
            size = sum(p.stat().st_size for p in found.rglob("*") if p.is_file())
            yield Artifact(name, digest.of_folder(found), size)
        else:
            yield Artifact(name, digest.of_file(found), found.stat().st_size)


def _clear(path: Path) -> None:
    """Removes what a killed attempt left, so that nothing of it is taken for this one's."""
    if rank() != 0:
        return
    (path / "result.json").unlink(missing_ok=True)
    if os.environ.get("WORLD_SIZE", "1") == "1":  # else another rank may have just written it
        (path / "error.json").unlink(missing_ok=True)
    if (path / "artifacts").is_dir():
        shutil.rmtree(path / "artifacts")
    (path / "artifacts").mkdir()


def _failed(path: Path, error: LlmopsError) -> int:
    print(f"llmops: error: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  hint: {error.hint}", file=sys.stderr)
    value = {"format_version": FORMAT_VERSION, "message": error.message, "hint": error.hint}
    with contextlib.suppress(WorkerError):  # a full disk: whoever started us sees that it is
        _write_json(path / "error.json", value)
    return 3


def _json(result: Result) -> dict[str, Any]:
    """The result as JSON. Raises WorkerError for a number that JSON has not."""
    try:
        return to_json(result)
    except ValueError as error:
        raise WorkerError(f"the result cannot be written: {error}") from error


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    text = hush.own({})(json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False))
    write_atomically(path, text.encode("utf-8", errors="backslashreplace") + b"\n")


def _environment(tools: Mapping[str, str]) -> dict[str, Any]:
    """Python, tools with versions, platform, accelerator."""
    return {
        "llmops": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "accelerator": _accelerator(),
        "tools": dict(tools),
    }


def _accelerator() -> str:
    """What torch computes on, if this job uses torch at all."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return "cpu"
    name: str = torch.cuda.get_device_name(0)
    return name


def _resources_used(run: RunFolder, outcome: Outcome, wall_seconds: float) -> dict[str, Any]:
    """What the job used: time of this rank, memory of the rank that took most.

    The estimate stands beside the peak, so that whoever reads one can judge the other.
    """
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    used = {
        "processes": run.resources.processes,
        "wall_seconds": round(wall_seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "peak_memory_mb": round(max(outcome.peak_memory_mb, memory.peak_mb()), 1),
        "peak_device_memory_mb": memory.device_peak_mb(),
        "estimated_memory_mb": _estimated(run),
        "over_budget": run.spec.get("over_budget"),
        "accept_undecidable": run.spec.get("accept_undecidable"),
    }
    return {name: value for name, value in used.items() if value is not None}


def _estimated(run: RunFolder) -> float | None:
    """What was planned for the memory above; one that is only a part of it is none."""
    given = run.spec.get("estimate") or {}
    whole = given.get("memory_of") == "process" and given.get("bound") != "least"
    return given.get("memory_mb") if whole else None


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
