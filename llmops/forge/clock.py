"""The clock of a real machine, and times as GitHub writes them. Tests bring their own clock."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from llmops.forge.base import Clock

_FARTHEST = timedelta(days=365)


class SystemClock:
    """The machine's clock: satisfies `base.Clock`."""

    def now(self) -> datetime:
        """The wall clock, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(max(0.0, seconds))


def written(at: datetime) -> str:
    """UTC, RFC 3339 to the second, as GitHub writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read(text: str) -> datetime | None:
    """A time as GitHub writes it, or None where it is none."""
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def of_header(text: str) -> datetime | None:
    """A time as HTTP headers have it (RFC 9110, 5.6.7), or None where it is none."""
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def seconds_until(clock: Clock, at: str) -> float:
    """How long until a time as GitHub writes it: a second at the least, also for no time."""
    moment = read(at)
    return max(1.0, (moment - clock.now()).total_seconds()) if moment else 1.0


def after(clock: Clock, seconds: float) -> str:
    """When so many seconds will have passed: RFC 3339, rounded up, at most a year ahead."""
    wait = min(timedelta(seconds=min(math.ceil(seconds) + 1, 10**9)), _FARTHEST)
    return written(clock.now() + wait)
