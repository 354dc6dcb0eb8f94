"""What a killed run leaves running, found by a mark in its environment and ended.

In: a mark that workers and all they start inherit: `<attempt>.<place>`. The attempt is random; the
place is the run folder's lock, whose number on the disk no other file can have while one of them
holds it. Out: those processes, ended.

As a program it is the guard beside an attempt: it reads the number of a process group, and when
its input ends before it was dismissed, whoever started the attempt was killed, so the attempt is
ended too. It runs without our package (`python -I -S`): it imports what starts fast.
"""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator

MARK = "LLMOPS_ATTEMPT"
SWEEP_SECONDS = 5.0
_STARTING_SECONDS = 0.3  # a process that was being started when its parent died bears no mark yet
_PAUSE_SECONDS = 0.01


def place(lock: int | str) -> str:
    """The end of the mark of all that was started for the run folder with this lock.

    Raises FileNotFoundError if there is no such file.
    """
    found = os.stat(lock)
    return f".{found.st_dev:x}-{found.st_ino:x}"


def marked(end: str) -> Iterator[int]:
    """Processes whose mark ends so. Empty where there is no /proc."""
    start, tail = f"{MARK}=".encode(), end.encode()
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):
            if name.isdecimal() and any(
                entry.startswith(start) and entry.endswith(tail) for entry in _environment_of(name)
            ):
                yield int(name)


def _environment_of(pid: str) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read().split(b"\0")
    except OSError:  # ended meanwhile, or another user's
        return []


def sweep(end: str, quiet_seconds: float = 0.0) -> int:
    """Kills marked processes until none was found for so long; says how many it met.

    Each round may meet children of the last.
    """
    met: set[int] = set()
    now = time.monotonic()
    until, quiet_until = now + SWEEP_SECONDS, now + quiet_seconds
    while now < until:
        found = set(marked(end))
        met |= found
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        now = time.monotonic()
        if found:
            quiet_until = now + quiet_seconds
        elif now >= quiet_until:
            break
        time.sleep(_PAUSE_SECONDS)
    return len(met)


def _guard(mark: str) -> None:
    for group in sys.stdin.buffer.read().split():  # until whoever holds the pipe is gone
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(group), signal.SIGKILL)
    sweep(mark, _STARTING_SECONDS)


if __name__ == "__main__":
    _guard(sys.argv[1])
