"""Dying at a chosen moment: this process ends itself at the k-th thing it asks of the machine.

In the standard library, for a command and for a worker without our package. What is counted are
audit events: each open, rename, link, fork, connection.
"""

import os
import signal
import sys
from typing import Any

# Events of the interpreter alone, which differ from run to run and touch nothing outside.
_INWARD = ("sys.", "object.", "import", "compile", "exec", "marshal.", "gc.", "cpython.", "code.")


class Countdown:
    """Counts events; at the chosen one the signal is sent. None: only counts."""

    def __init__(self, at: int | None, number: int) -> None:
        self.seen = 0
        self._at, self._number = at, number

    def __call__(self, event: str, _: Any) -> None:
        """One event."""
        if event.startswith(_INWARD):
            return
        self.seen += 1
        if self.seen == self._at:
            os.kill(os.getpid(), self._number)


def from_here(at: int | None, number: int = signal.SIGKILL) -> Countdown:
    """Counts from now on."""
    counting = Countdown(at, number)
    sys.addaudithook(counting)
    return counting
