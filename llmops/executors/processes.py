"""Starting a process so that all it ever starts can be ended.

In: a command, an environment, a log. Out: its exit, with nothing of it left. A worker leads a
session of its own, so Ctrl-C on the terminal reaches only us and its group can be signalled as a
whole. torchrun puts its ranks into sessions of their own; those are found by a mark in their
environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MARK = "LLMOPS_ATTEMPT"
GRACE_SECONDS = 5.0
_SWEEP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Command:
    """What to start: `mark` is unique to the attempt, `inherited` descriptors stay open in it."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    mark: str
    log: Path
    inherited: tuple[int, ...] = ()


class Worker:
    """A started process. `ended` is set when it has exited by itself or was killed."""

    def __init__(self, command: Command) -> None:
        """Start it. Raises OSError."""
        self._mark = command.mark
        with command.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command.arguments),
                cwd=command.folder,
                env={**command.environment, MARK: command.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=command.inherited,
            )
        self.ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        """Waits for the exit but does not reap: until then its group's number is its own."""
        if hasattr(os, "waitid"):
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()
        self.ended.set()

    def terminate(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Ask it to end; after the grace, `finish` will not ask."""
        self._signal(signal.SIGTERM)
        self.ended.wait(grace_seconds)

    def finish(self) -> int:
        """End what is left of it, in its group or out of it; its exit code (negative: signal)."""
        self._signal(signal.SIGKILL)
        self.ended.wait()
        code = self._process.wait()
        _sweep(self._mark)
        return code

    def _signal(self, number: int) -> None:
        # The group may be gone already, which is what is wanted.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def _sweep(mark: str) -> None:
    """Kills marked processes until none is found; each round may meet children of the last."""
    until = time.monotonic() + _SWEEP_SECONDS
    while time.monotonic() < until:
        found = list(marked(mark))
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def marked(mark: str) -> Iterator[int]:
    """Processes that carry the mark. Empty where there is no /proc."""
    wanted = f"{MARK}={mark}".encode()
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and wanted in _environment_of(name):
                yield int(name)


def _environment_of(pid: str) -> list[bytes]:
    try:
        return Path("/proc", pid, "environ").read_bytes().split(b"\0")
    except OSError:  # ended meanwhile, or another user's
        return []
