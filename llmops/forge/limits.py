"""What an answer says about when to ask again: status and headers -> seconds. Dry but for requests.

GitHub's own words on it: "Rate limits for the REST API" and "Best practices for using the REST
API". Primary limit: `x-ratelimit-remaining: 0` and `x-ratelimit-reset`, an instant by the server's
clock; so it is read against the `date` of the same answer and never against ours. Secondary limit:
`retry-after`, or nothing, which means a minute at the least. Both come as 403 or 429.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from llmops.forge.clock import of_header

_WORDS = ("secondary rate limit", "abuse detection", "api rate limit exceeded", "rate limit")
_LONGEST = 10.0**7  # a header that names more is no time at all


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request may go on, and how far apart things are. All in seconds."""

    tries: int = 8
    first_seconds: float = 1.0
    most_seconds: float = 30.0
    secondary_seconds: float = 60.0
    between_writes_seconds: float = 1.0
    longest_wait_seconds: float = 900.0
    body_seconds: float = 40.0

    def backoff(self, attempt: int, chance: float) -> float:
        """The pause after failure number `attempt` (from 0); `chance` in [0, 1) spreads it."""
        whole = min(self.most_seconds, self.first_seconds * 2.0 ** min(attempt, 30))
        return whole * (0.5 + chance / 2)

    def secondary(self, attempt: int, chance: float) -> float:
        """The pause after a limit without a time: a minute, then two, then four."""
        return self.secondary_seconds * 2.0 ** min(attempt, 6) + chance


def is_limit(status: int, headers: Mapping[str, str], text: str) -> bool:
    """Whether a refusal is about how much is asked and not about who asks."""
    if status == 429:
        return True
    if status != 403:
        return False
    if headers.get("retry-after") or headers.get("x-ratelimit-remaining", "").strip() == "0":
        return True
    return any(word in text.lower() for word in _WORDS)


def named_wait(headers: Mapping[str, str], server_now: datetime) -> float | None:
    """Seconds until the time that the headers name, or None where they name none."""
    named = [_retry_after(headers, server_now), until_reset(headers, server_now)]
    known = [seconds for seconds in named if seconds is not None]
    return max(known) if known else None


def until_reset(headers: Mapping[str, str], server_now: datetime) -> float | None:
    """Seconds until the primary limit is filled again; None where something remains."""
    if headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    reset = _number(headers.get("x-ratelimit-reset", ""))
    if reset is None:
        return None
    return _sane(reset - server_now.timestamp())


def _retry_after(headers: Mapping[str, str], server_now: datetime) -> float | None:
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return _sane(seconds)
    at = of_header(text) if text else None
    return None if at is None else _sane((at - server_now).total_seconds())


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _sane(seconds: float) -> float | None:
    """At least a second; None for what is no waiting time."""
    return max(1.0, seconds) if seconds <= _LONGEST else None
