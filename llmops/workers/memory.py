"""The most memory that this process has held: what an estimate is compared with.

Out: MiB of resident memory since the program started, and of an accelerator's memory where torch
used one. These are two things: a job on a GPU has both, and a Recipe's `resources.memory` bounds
the first.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
_STATUS = Path("/proc/self/status")


def peak_mb() -> float:
    """Peak resident memory in MiB.

    Linux keeps it per program (VmHWM). `ru_maxrss` also counts what the process was before it
    became this program, so a small worker of a large parent would be reported as large.
    """
    try:
        status = _STATUS.read_text(encoding="ascii", errors="replace")
    except OSError:
        status = ""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_UNIT / 2**20


def device_peak_mb() -> float | None:
    """Peak memory that torch reserved on this process's accelerator in MiB; None without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.max_memory_reserved()) / 2**20
