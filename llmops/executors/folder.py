"""The run folder: the only contract between planner and workers.

In: a job and its inputs. Out: `job.json` for the worker; then its result, its error, its log.
The claim on a folder is a lock on its file `lock`, which the worker inherits: it holds while any
process has it open, so it needs no process numbers and is gone with the last of them. A lock on
`owner`, which no worker inherits, tells a run that lives from what a killed one left: the latter
is ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from llmops.digest import PATTERN
from llmops.errors import ExecutorError
from llmops.evidence.files import failed, free, read, refuse_links, replace, shown
from llmops.executors.base import Given
from llmops.executors.leftovers import place, sweep
from llmops.jobs.base import FORMAT_VERSION, Job, Result
from llmops.jobs.wire import result_from_json

TICK_SECONDS = 0.05
_LOG_BYTES = 32768
_ACCOUNT = re.compile(r"[EW]\d{4} .* torch/distributed/elastic/")
# As torchrun tells of the rank that failed first, and as Python ends a traceback.
_KILLED = re.compile(r"exitcode +: -\d+ .*\((SIG[A-Z]+)\)")
_ERROR = re.compile(r"(?:\[rank\d+\]: ?)?((?:\w+\.)*[A-Z]\w*(?:Error|Exception)\b.*)")
_FULL_BYTES = 65536  # less than this, and a worker can have died of it


CLAIMS = ("owner", "lock")  # who runs the job, and whatever works for it


class SaidError(ExecutorError):
    """What a worker itself says is wrong with the world: its log says no more."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One job's folder, `reports/runs/<closure>/`."""

    path: Path

    @contextlib.contextmanager
    def claim(self, stop: threading.Event, on_wait: Callable[[str], None]) -> Iterator[int | None]:
        """The folder for this process alone: a descriptor that holds it, None if `stop` was set.

        `on_wait` is called with the reason while others have it. Nothing that an earlier
        attempt started is alive afterwards. Raises StoreError if it cannot be made.
        """
        with (
            self._held("owner", stop, lambda: on_wait("another run works on it")) as owner,
            self._held("lock", stop, lambda: self._end_leftovers(owner, on_wait)) as claim,
        ):
            if claim is not None:
                sweep(place(claim))  # what does not hold the lock, as ranks do not
            yield claim

    def _end_leftovers(self, owner: int | None, on_wait: Callable[[str], None]) -> None:
        """Whoever owned the folder is gone, so what still works in it works for nobody."""
        if owner is not None and self._is_there("owner", owner):
            on_wait("what a killed run left is being ended")
            with contextlib.suppress(FileNotFoundError):
                sweep(place(str(self.path / "lock")))

    @contextlib.contextmanager
    def _held(
        self, name: str, stop: threading.Event, on_busy: Callable[[], None]
    ) -> Iterator[int | None]:
        descriptor = self._wait(name, stop, on_busy)
        try:
            yield descriptor
        finally:
            if descriptor is not None:
                os.close(descriptor)

    @contextlib.contextmanager
    def claim_if_free(self) -> Iterator[bool]:
        """Whether the folder is this process's alone meanwhile; nobody is waited for, or ended.

        Raises StoreError if it cannot be written.
        """
        with contextlib.ExitStack() as held:
            for name in CLAIMS:
                descriptor = self._try(name)
                if descriptor is None:
                    yield False
                    return
                held.callback(os.close, descriptor)
            yield True

    def is_claimed(self) -> bool:
        """Whether a process holds the folder now. Makes nothing."""
        return any(_is_locked(self.path / name) for name in CLAIMS)

    def _wait(self, name: str, stop: threading.Event, on_busy: Callable[[], None]) -> int | None:
        while not stop.is_set():
            descriptor = self._try(name)
            if descriptor is not None:
                return descriptor
            on_busy()
            stop.wait(TICK_SECONDS)
        return None

    def _try(self, name: str) -> int | None:
        path = self.path / name
        refuse_links(self.path.parent.parent, self.path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:  # the folder was removed in between
            return None
        except OSError as error:
            raise failed("write", path, error) from error
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._is_there(name, descriptor):
                return descriptor
        os.close(descriptor)  # another's, or the folder was removed and made anew: try again
        return None

    def _is_there(self, name: str, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self.path / name))
        except FileNotFoundError:
            return False

    def clean(self, job: Job) -> None:
        """Nothing of an earlier attempt is left but a training's checkpoints. Raises StoreError."""
        kept = {"owner", "lock"} | ({"checkpoints"} if job.type == "train" else set())
        try:
            for entry in list(os.scandir(self.path)):
                if entry.name not in kept:
                    _remove(entry)
            (self.path / "artifacts").mkdir()
        except OSError as error:
            raise failed("clear", self.path, error) from error

    def write_job(self, job: Job, inputs: Mapping[str, Given]) -> None:
        """`job.json`, whole or not at all. Raises StoreError."""
        data = {
            "format_version": FORMAT_VERSION,
            "id": job.id,
            "type": job.type,
            "closure": job.closure,
            "spec": job.spec,
            "inputs": {n: {"path": str(g.path), "digest": g.digest} for n, g in inputs.items()},
            "seed": job.seed,
            "resources": asdict(job.resources),
            "tools": dict(job.tools),
        }
        text = json.dumps(data, ensure_ascii=False, indent=1, allow_nan=False)
        replace(self.path / "job.json", text.encode())

    def write_started(self, digest: str) -> None:
        """Keep the digest of what was said when this attempt began. Raises StoreError."""
        replace(self.path / "started", digest.encode())

    def started(self) -> str:
        """That digest; "" if there is none that can be read."""
        try:
            found = read(str(self.path / "started")).decode()
        except (OSError, ValueError):
            return ""
        return found if PATTERN.fullmatch(found) else ""

    def given(self) -> dict[str, str]:
        """Name -> digest of the inputs in `job.json`; empty if there is none that can be read."""
        try:
            inputs = _load(self.path / "job.json")["inputs"]
            return {str(name): str(given["digest"]) for name, given in inputs.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def result(self, job: Job) -> Result:
        """What the worker found. Raises ExecutorError if it is not this job's, or not readable."""
        path = self.path / "result.json"
        try:
            result = result_from_json(_load(path))
        except FileNotFoundError:
            raise ExecutorError(
                f'worker of "{job.id}" ended without a result', hint=self.see_log()
            ) from None
        except OSError as error:
            raise failed("read", path, error) from error
        except (ValueError, RecursionError) as error:
            raise ExecutorError(
                f'worker of "{job.id}" wrote no readable result: {error}', hint=self.see_log()
            ) from error
        if (result.closure, result.type) != (job.closure, job.type):
            raise ExecutorError(
                f'worker of "{job.id}" wrote the result of another job, '
                f"{result.type} {result.closure}",
                hint=self.see_log(),
            )
        return result

    def discard_result(self) -> None:
        """The result is gone: its worker died after writing it. Raises StoreError."""
        try:
            (self.path / "result.json").unlink(missing_ok=True)
        except OSError as error:
            raise failed("clear", self.path, error) from error

    def lost_a_rank(self) -> bool:
        """Whether one of several processes was killed: what the others say is not the cause."""
        return bool(killed_rank(self._log()))

    def error(self) -> SaidError | None:
        """What the worker says went wrong with the world, or None if it says nothing readable."""
        try:
            data = _load(self.path / "error.json")
            message, hint = data["message"], data.get("hint", "")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if not isinstance(message, str) or not isinstance(hint, str):
            return None
        return SaidError(message, hint=hint or self.see_log())

    def log(self, lines: int = 12) -> tuple[str, ...]:
        """The last lines of the log that are not empty, without torchrun's account."""
        found = self._log()
        account = next((i for i, line in enumerate(found) if _ACCOUNT.match(line)), 0)
        return tuple((found[:account] or found)[-lines:])

    def _log(self) -> list[str]:
        try:
            data = read(str(self.path / "log.txt"))[-_LOG_BYTES:]
        except OSError:
            return []
        found = [line.rstrip() for line in data.decode(errors="replace").splitlines()]
        return [line for line in found if line]

    def died(self, job: Job, how: str) -> ExecutorError:
        """A worker's death in words, with the line of its log that says why."""
        last = cause(self._log())
        said = f": {last}" if last else ""
        if shutil.disk_usage(self.path).free < _FULL_BYTES:
            # A worker that cannot write cannot say so either.
            hint = "free space, then run again: work that is done is kept"
            left = f"no space is left in {shown(self.path.parent)}{free(self.path)}"
            what = f'worker of "{job.id}" {how}: {left}'
            return ExecutorError(what, hint=hint)
        return ExecutorError(f'worker of "{job.id}" {how}{said}', hint=self.see_log())

    def see_log(self) -> str:
        """Where to look, as the end of a hint."""
        return f"see {shown(self.path / 'log.txt')}"


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def killed_rank(log: Sequence[str]) -> str:
    """The signal that killed the rank which failed first, as torchrun tells it last; else ""."""
    told = [line for line in log if line.strip().startswith("exitcode ")]
    found = _KILLED.search(told[-1]) if told else None
    return found[1] if found else ""


def cause(log: Sequence[str]) -> str:
    """The line that says why a worker died; torchrun's account of its ranks is about ten more."""
    if number := killed_rank(log):
        memory = " (out of memory?)" if number == "SIGKILL" else ""
        return f"one of its ranks was killed by {number}{memory}"
    errors = [found[1] for line in log if (found := _ERROR.match(line.strip()))]
    told = [error for error in errors if "ChildFailedError" not in error]
    return (told or list(log) or [""])[-1]


def _load(path: Path) -> Any:
    return json.loads(read(str(path)), parse_constant=_refuse)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)
