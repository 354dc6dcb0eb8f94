"""A clock that only moves when somebody sleeps: hours pass in no time, and always the same way."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 26, 8, 0, 0, tzinfo=UTC)


class VirtualClock:
    """Satisfies `forge.base.Clock`. `skew`: seconds that the reader's wall clock is wrong by.

    The server reads `true_now`; whoever is tested reads `now`, which a test can set wrong, also in
    the middle. `slept` keeps every wait, in order.
    """

    def __init__(self, start: datetime = START, skew: float = 0.0) -> None:
        self.skew = skew
        self.slept: list[float] = []
        self._start = start
        self._passed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return self.true_now() + timedelta(seconds=self.skew)

    def true_now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass without anybody having waited."""
        with self._lock:
            self._passed += max(0.0, seconds)


def stamp(moment: datetime) -> str:
    """As GitHub writes a moment: RFC 3339, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
