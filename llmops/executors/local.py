"""Executor `local`: a worker is a process on this machine; several ranks are started by torchrun.

Its environment is made, not inherited: a list of harmless variables passes, and of secrets those
that the job names, under names that no library looks for; telemetry and hubs are switched off;
without a GPU in the spec none is visible. Its output goes to `log.txt`. It runs in its run folder
and never imports from the current directory. What it wrote is looked through for its secrets.
"""

from __future__ import annotations

import os
import secrets
import shlex
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from llmops import hush
from llmops.digest import of_value
from llmops.errors import ExecutorError
from llmops.evidence.files import failed, shown
from llmops.executors import leftovers
from llmops.executors.base import Attempt, Ended, Progress
from llmops.executors.folder import TICK_SECONDS
from llmops.executors.processes import GRACE_SECONDS, Command, Worker
from llmops.executors.quiet import hushed
from llmops.jobs.base import SECRET_PREFIX, Job
from llmops.signing.keys import FILE_VARIABLE, VARIABLE

PASSED = (
    "CC", "CPATH", "CUDA_HOME", "CXX", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH",
    "LIBRARY_PATH", "LLMOPS_ALLOW_HOSTS", "LLMOPS_OFFLINE", "LOGNAME", "PATH", "PYTHONPATH",
    "TMPDIR", "TZ", "USER", "VIRTUAL_ENV", "XDG_CACHE_HOME",
)  # fmt: skip
SET: Mapping[str, str] = {
    "DEEPEVAL_TELEMETRY_OPT_OUT": "YES",
    "DEEPEVAL_DISABLE_DOTENV": "1",
    "DO_NOT_TRACK": "1",
    "GSK_DISABLE_ANALYTICS": "True",
    "GSK_DISABLE_SENTRY": "True",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",  # imported by a library of ours where it is installed
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",  # no library unpickles anything but tensors
    "TRANSFORMERS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "WANDB_DISABLED": "true",
    "PYTHONHASHSEED": "0",  # libraries write sets of names into files whose digests count
    "PYTHONSAFEPATH": "1",  # nothing is imported from the current directory
    "PYTHONUNBUFFERED": "1",
    "PYTHONUTF8": "1",
}
WORKER = ("-m", "llmops.workers")
_FEW, _PER_CORE = 8, 4  # ranks that always may start here, and ranks per core beyond that


class LocalExecutor:
    """Runs workers as processes here.

    `command` replaces the interpreter and module (the run folder is appended); `cache` is where
    compiled extensions are kept between runs.
    """

    name = "local"

    def __init__(
        self,
        command: Sequence[str] = (),
        *,
        cache: Path | None = None,
        parent: Mapping[str, str] | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._command = tuple(command)
        self._parent = dict(os.environ if parent is None else parent)
        self._cache = cache or _cache(self._parent)
        self._grace = grace_seconds

    def render(self, attempt: Attempt) -> str:
        """The command line, as a shell would need it."""
        return shlex.join(self._arguments(attempt))

    def perform(
        self, attempt: Attempt, on_progress: Callable[[Progress], None], stop: threading.Event
    ) -> Ended:
        """Run the worker. See `base.Executor`."""
        _expect_room(attempt.job)
        started = time.monotonic()
        given = {
            n.removeprefix(SECRET_PREFIX): v for n, v in _secrets(attempt.job, self._parent).items()
        }
        hush.also(given)
        worker = self._start(attempt)
        stopped = ""
        try:
            deadline = started + 60 * attempt.job.resources.timeout_minutes
            stopped = _follow(worker, attempt.folder, on_progress, stop, deadline)
            if stopped:
                worker.terminate(self._grace)
        finally:
            code = worker.finish()
            hushed(attempt.job, attempt.folder, given)
        seconds = time.monotonic() - started
        if stopped == "timeout":
            return Ended(code, seconds, "timeout")
        return Ended(code, seconds, "cancelled" if stopped else "")

    def _start(self, attempt: Attempt) -> Worker:
        command = Command(
            arguments=self._arguments(attempt),
            folder=attempt.folder,
            environment=environment(attempt.job, self._parent, self._cache),
            mark=_mark(attempt.claim),
            log=attempt.folder / "log.txt",
            inherited=() if attempt.claim is None else (attempt.claim,),
        )
        try:
            return Worker(command)
        except OSError as error:
            if error.filename == command.log or error.filename == str(command.log):
                raise failed("write", command.log, error) from error
            why = error.strerror or str(error)
            raise ExecutorError(
                f'cannot start the worker of "{attempt.job.id}": {why}',
                hint=f"it was started as: {self.render(attempt)} in {shown(attempt.folder)}",
            ) from error

    def _arguments(self, attempt: Attempt) -> tuple[str, ...]:
        if self._command:
            return (*self._command, str(attempt.folder))
        processes = attempt.job.resources.processes
        if attempt.job.type != "train" or processes == 1:
            return (sys.executable, *WORKER, str(attempt.folder))
        logs = str(attempt.folder / "ranks")  # else left behind in the folder for temporary files
        ranks = ("--standalone", "--nproc_per_node", str(processes), "--log-dir", logs)
        torchrun = (sys.executable, "-m", "torch.distributed.run", *ranks)
        return (*torchrun, *WORKER, str(attempt.folder))


def _mark(claim: int | None) -> str:
    return secrets.token_hex(8) + (".nowhere" if claim is None else leftovers.place(claim))


def _expect_room(job: Job) -> None:
    """Raises ExecutorError for more ranks than this machine could ever keep busy."""
    cores = os.cpu_count() or 1
    if job.resources.processes > max(_FEW, _PER_CORE * cores):
        asked = f'"{job.id}" asks for {job.resources.processes} processes'
        raise ExecutorError(
            f"{asked}, this machine has {cores} cores",
            hint="lower resources.processes_per_node, or run it on a larger machine",
        )


def environment(job: Job, parent: Mapping[str, str], cache: Path) -> dict[str, str]:
    """The worker's whole environment: what may pass, what is switched off, what the job asks."""
    made = {**{name: parent[name] for name in PASSED if name in parent}, **SET}
    made["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), parent.get("PATH", "")])
    made["OMP_NUM_THREADS"] = str(job.resources.cpu)
    made["TORCH_EXTENSIONS_DIR"] = str(extensions(cache))
    if job.resources.gpu is None:
        made |= {"CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}
    elif "CUDA_VISIBLE_DEVICES" in parent:
        made["CUDA_VISIBLE_DEVICES"] = parent["CUDA_VISIBLE_DEVICES"]
    return {**made, **_secrets(job, parent)}


def extensions(cache: Path) -> Path:
    """Where compiled extensions are kept: apart for each Python environment.

    What one has compiled names its folders; another would compile it again, and again.
    """
    return cache / "torch_extensions" / of_value(sys.prefix).removeprefix("sha256:")[:16]


def _secrets(job: Job, parent: Mapping[str, str]) -> dict[str, str]:
    """The secrets that a job names. Raises ExecutorError, naming one that is not here."""
    names: Sequence[str] = job.spec.get("secrets", ())
    for name in names:
        if name in (VARIABLE, FILE_VARIABLE):
            raise ExecutorError(
                f'"{job.id}" wants {name}: what signs runs is given to none of them',
                hint="remove it from the job's secrets, and from secrets.names of the Environment",
            )
        if not parent.get(name):
            hint = f"set {name} in the environment of llmops; its value is written nowhere"
            raise ExecutorError(f'"{job.id}" needs the secret {name}, which is not set', hint=hint)
    return {f"{SECRET_PREFIX}{name}": parent[name] for name in names}


def _cache(parent: Mapping[str, str]) -> Path:
    given = parent.get("LLMOPS_CACHE")
    return Path(given).expanduser().absolute() if given else Path.home() / ".cache" / "llmops"


def _follow(
    worker: Worker,
    folder: Path,
    on_progress: Callable[[Progress], None],
    stop: threading.Event,
    deadline: float,
) -> str:
    """Tells progress until the worker ends ("") or must be stopped ("timeout", "cancelled")."""
    lines = _Lines(folder / "progress.jsonl")
    while not worker.ended.wait(TICK_SECONDS):
        for progress in lines.new():
            on_progress(progress)
        if stop.is_set():
            return "cancelled"
        if time.monotonic() > deadline:
            return "timeout"
    for progress in lines.new():
        on_progress(progress)
    return ""


class _Lines:
    """What was added to a file of JSON lines since one last looked."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset, self._rest = str(path), 0, b""

    def new(self) -> list[Progress]:
        """The complete new lines that say a phase."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:  # not written yet
            return []
        try:
            data = os.pread(descriptor, 1 << 20, self._offset)
        except OSError:  # no file but a pipe
            return []
        finally:
            os.close(descriptor)
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [p for p in map(Progress.parse, lines) if p is not None]
