"""What runs for a repository, seen from outside: the processes whose run folder is in it."""

from __future__ import annotations

import os
import time
from pathlib import Path

from tests.executors.conftest import alive


def of(folder: Path) -> list[int]:
    """Workers, their ranks and their guards, by number."""
    return sorted(pid for pid, words in _told().items() if _is_of(folder, pid, words))


def ranks(folder: Path) -> list[int]:
    """Those that torchrun started, rank 0 first."""
    found = [(_rank(pid), pid) for pid in of(folder)]
    return [pid for rank, pid in sorted(found) if rank >= 0]


def launchers(folder: Path) -> list[int]:
    """The workers that a command started itself: a single process, or torchrun."""
    return [pid for pid in of(folder) if _rank(pid) < 0]


def orphans(folder: Path, seconds: float = 10.0) -> list[int]:
    """Those that are still alive after so long."""
    until = time.monotonic() + seconds
    while (found := of(folder)) and time.monotonic() < until:
        time.sleep(0.005)
    return found


def _told() -> dict[int, bytes]:
    found = {}
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            found[int(name)] = Path("/proc", name, "cmdline").read_bytes()
        except OSError:  # it ended meanwhile
            continue
    return found


def _is_of(folder: Path, pid: int, words: bytes) -> bool:
    return f"{folder}/repo/reports/runs/".encode() in words and alive(pid)


def _rank(pid: int) -> int:
    try:
        entries = Path("/proc", str(pid), "environ").read_bytes().split(b"\0")
    except OSError:  # it ended meanwhile
        return -1
    return next((int(e[11:]) for e in entries if e.startswith(b"LOCAL_RANK=")), -1)
