"""One process that must succeed: its seconds (wall and CPU) and its peak of memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COMPILED = "PYTHONDONTWRITEBYTECODE"  # what is installed is compiled, so none of them runs with it


@dataclass(frozen=True, slots=True)
class Took:
    """Wall and CPU seconds (of the process and those it waited for), and MiB at most."""

    wall: float
    cpu: float
    mib: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} s ({self.cpu:.2f} s CPU)"


def run(command: Sequence[str], env: Mapping[str, str], folder: Path = ROOT) -> Took:
    """One run. SystemExit with all that it said when it did not succeed."""
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=said, stderr=said,
            env={k: v for k, v in os.environ.items() if k != _COMPILED} | dict(env),
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            what = said.read().decode("utf-8", "replace")
            raise SystemExit(f"{command} exited {process.returncode}:\n{what[-4000:]}")
    return Took(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def median(
    command: Sequence[str],
    env: Mapping[str, str] | None = None,
    *,
    runs: int = 5,
    before: Callable[[], None] = lambda: None,
) -> Took:
    """Medians after one warm-up; `before` each run."""
    found = []
    for _ in range(runs + 1):
        before()
        found.append(run(command, env or {}))
    return medians(found[1:])


def medians(found: Sequence[Took]) -> Took:
    """The median of each figure."""
    return Took(*(statistics.median(getattr(t, name) for t in found) for name in Took.__slots__))
