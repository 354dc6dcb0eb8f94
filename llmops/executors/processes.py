"""Starting a process so that all it ever starts can be ended.

In: a command, an environment, a log. Out: its exit, with nothing of it left. A worker leads a
session of its own, so Ctrl-C on the terminal reaches only us and its group can be signalled as a
whole. torchrun puts its ranks into sessions of their own; those are found by a mark in their
environment (`leftovers.py`). A guard beside each worker holds the end of a pipe from us: when we
are killed and can end nothing any more, the pipe ends, and the guard does it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llmops.executors import leftovers

GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Command:
    """What to start: `mark` is unique to the attempt, `inherited` descriptors stay open in it."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    mark: str
    log: Path
    inherited: tuple[int, ...] = ()


class _Guard:
    """The process that ends a worker when this one is killed."""

    def __init__(self, mark: str) -> None:
        """Start it. Raises OSError."""
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", leftovers.__file__, mark],
            cwd="/",
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def tell(self, group: int) -> None:
        """Which process group the worker leads."""
        assert self._process.stdin is not None, "it was asked for"
        with contextlib.suppress(BrokenPipeError):  # somebody killed the guard
            self._process.stdin.write(f"{group}\n".encode())
            self._process.stdin.flush()

    def dismiss(self) -> None:
        """The worker is over: nothing is to be guarded."""
        self._process.kill()
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


def _start(command: Command, log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command.arguments),
        cwd=command.folder,
        env={**command.environment, leftovers.MARK: command.mark},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=command.inherited,
    )


class Worker:
    """A started process. `ended` is set when it has exited by itself or was killed."""

    def __init__(self, command: Command) -> None:
        """Start it. Raises OSError."""
        self._mark = command.mark
        with command.log.open("ab") as log:
            self._guard = _Guard(command.mark)
            try:
                self._process = _start(command, log)
            except BaseException:
                self._guard.dismiss()
                raise
        self._guard.tell(self._process.pid)
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
        leftovers.sweep(self._mark)
        self._guard.dismiss()
        return self._process.wait()

    def _signal(self, number: int) -> None:
        # The group may be gone already, which is what is wanted.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)
