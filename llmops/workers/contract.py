"""What every worker gets and gives: a run folder in, an outcome out.

In: `job.json` (written by an executor) and inputs named by digest. Out: progress lines, files
below `artifacts/`, and one `Outcome`; `__main__` turns that into `result.json`, written last.
A worker is a function `work(run: RunFolder) -> Outcome`; it raises `WorkerError` when the world
is not as it must be (bad rows, a missing tool), and returns `quality_failed` for a true but bad
result (a loss that is not finite).
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from llmops import digest, hush
from llmops.errors import LlmopsError
from llmops.jobs.base import FORMAT_VERSION, Measurement, Resources

FIELDS = {
    "id": str,
    "type": str,
    "closure": str,
    "spec": dict,
    "inputs": dict,
    "seed": int,
    "resources": dict,
    "tools": dict,
}


_SPACE = "free space or make the folder writable, then run again: the log has the whole story"
_TORCH_WRITES = re.compile("PytorchStreamWriter|inline_container|iostream error")


class WorkerError(LlmopsError):
    """The job cannot be done as it was given; becomes `error.json`, never a result."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a worker found. `artifacts` names the folders that other jobs take as input.

    Every file below `artifacts/` is listed in the result by itself; a folder ("model") only when
    it is named here. `peak_memory_mb`: of the rank that took most, where there are several.
    """

    status: Literal["ok", "quality_failed"] = "ok"
    reason: str = ""
    measurements: tuple[Measurement, ...] = ()
    artifacts: tuple[str, ...] = ()
    peak_memory_mb: float = 0.0


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One job as its worker sees it; `inputs` are verified paths, by name."""

    path: Path
    job: dict[str, Any]
    inputs: dict[str, Path] = field(default_factory=dict)

    @property
    def spec(self) -> dict[str, Any]:
        """All that the worker needs to know, resolved by the planner."""
        return self.job["spec"]

    @property
    def seed(self) -> int:
        """The seed, used as written."""
        return self.job["seed"]

    @property
    def resources(self) -> Resources:
        """What the job was given of the machine."""
        known = Resources.__dataclass_fields__
        return Resources(**{k: v for k, v in self.job["resources"].items() if k in known})

    @property
    def rank(self) -> int:
        """This process among the job's processes; rank 0 alone writes."""
        return rank()

    def progress(self, phase: str, **numbers: float | int | str | None) -> None:
        """Adds a line to `progress.jsonl` (rank 0 only); a number that is not finite is null."""
        if self.rank != 0:
            return
        shown = {k: _finite(v) for k, v in numbers.items()}
        line = hush.own({})(json.dumps({"at": now(), "phase": phase, **shown}, allow_nan=False))
        with (self.path / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def note(self, text: str) -> None:
        """Says something that people should read, in the log and in the progress."""
        if self.rank == 0:
            print(f"llmops: {text}", file=sys.stderr, flush=True)
        self.progress("note", note=text)

    def artifact(self, name: str) -> Path:
        """Where the artifact of that name goes; its parent folders exist afterwards.

        Raises WorkerError for a name that leads out of `artifacts/`.
        """
        root = self.path / "artifacts"
        pure = PurePosixPath(name)
        odd = not pure.parts or pure.is_absolute() or ".." in pure.parts
        if odd or "\\" in name or "\0" in name:
            raise WorkerError(f'"{name}" is not a path below artifacts/')
        target = root.joinpath(*pure.parts)
        if not target.resolve().is_relative_to(root.resolve()):
            raise WorkerError(f'"{name}" leads out of artifacts/', hint="remove the symbolic link")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def input(self, name: str) -> Path:
        """The verified path of one input. Raises WorkerError if the job has none of that name."""
        if name not in self.inputs:
            known = ", ".join(sorted(self.inputs)) or "none"
            raise WorkerError(f'job "{self.job["id"]}" has no input "{name}"', hint=f"has: {known}")
        return self.inputs[name]


def open_run(path: Path) -> RunFolder:
    """The run folder at `path`, its job checked for shape and its inputs for their digests.

    Raises WorkerError for a job of another shape or format, and for bytes that are others.
    """
    job = _read_job(path / "job.json")
    inputs = {name: _verified(name, given) for name, given in sorted(job["inputs"].items())}
    return RunFolder(path=path, job=job, inputs=inputs)


def rank() -> int:
    """This process's rank as torchrun sets it; 0 when there is only one."""
    text = os.environ.get("RANK", "0")
    return int(text) if text.isdecimal() else 0


def now() -> str:
    """The time, UTC, RFC 3339, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_atomically(path: Path, data: bytes) -> None:
    """All of `data` at `path`, or what was there before: temporary file, fsync, rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        why = f"{error.strerror or error}{free(path.parent)}"
        raise WorkerError(
            f"cannot write {path} ({len(data):,} bytes): {why}", hint=_SPACE
        ) from error


def disk_trouble(error: BaseException, folder: Path) -> WorkerError | None:
    """What a failed read or write below a run folder is to people; None if it is something else.

    The libraries that write weights say it in errors of their own, some without a path.
    """
    text = str(error).strip().splitlines()[0][:300] if str(error).strip() else ""
    if isinstance(error, OSError):
        text, place = error.strerror or text, error.filename or folder
    elif type(error).__name__ == "SafetensorError" or _TORCH_WRITES.search(text):
        place = folder
    else:
        return None
    return WorkerError(f"cannot read or write {place}: {text}{free(folder)}", hint=_SPACE)


def free(folder: Path) -> str:
    """How much space is left, as the end of a sentence."""
    with contextlib.suppress(OSError):
        return f", {shutil.disk_usage(folder).free:,} bytes are free"
    return ""


def _read_job(path: Path) -> dict[str, Any]:
    try:
        job = json.loads(path.read_bytes())
    except OSError as error:
        raise WorkerError(f"job.json cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise WorkerError(f"job.json is not JSON: {error}") from error
    if not isinstance(job, dict):
        raise WorkerError("job.json is not an object")
    if job.get("format_version") != FORMAT_VERSION:
        found = job.get("format_version")
        raise WorkerError(
            f"job.json has format_version {found}, this worker reads {FORMAT_VERSION}",
            hint="plan again with the installed llmops",
        )
    for name, kind in FIELDS.items():
        if not isinstance(job.get(name), kind) or isinstance(job[name], bool):
            raise WorkerError(f'job.json has no "{name}" of type {kind.__name__}')
    return job


def _verified(name: str, given: Mapping[str, Any]) -> Path:
    """The input's path, after its bytes were found to be those of its digest."""
    if not isinstance(given, dict) or not {"path", "digest"} <= given.keys():
        raise WorkerError(f'input "{name}" has no path or no digest')
    path, expected = Path(str(given["path"])), str(given["digest"])
    try:
        found = digest.of_folder(path) if path.is_dir() else digest.of_file(path)
    except OSError as error:
        raise WorkerError(f'input "{name}" cannot be read: {error.strerror}') from error
    if found != expected:
        raise WorkerError(
            f'input "{name}" is {found}, the job names {expected}',
            hint="its bytes changed since planning; plan again",
        )
    return path


def _finite(value: float | int | str | None) -> float | int | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value
