"""Limits that always hold: a budget per token and hour, and what no polite client does.

Nobody asks before the moment a limit's answer allowed; writes are serial and a second apart
(https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api). The fake
answers as GitHub would and keeps each breach; a test that uses it ends with `assert_polite()`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tests.github.faults import PRIMARY, SECONDARY
from tests.github.wire import Answer, Request

HOUR = 3600.0
CREATIONS_A_MINUTE = 80
CREATIONS_AN_HOUR = 500
JITTER = 1e-6  # of sums of seconds


@dataclass
class _Window:
    began: float
    used: int = 0


@dataclass
class Limits:
    """Per token: what was used, when the next request may come, when the last write came."""

    budget: int = 5000
    spacing: float = 1.0
    breaches: list[str] = field(default_factory=list)
    _windows: dict[str, _Window] = field(default_factory=dict)
    _allowed: dict[str, float] = field(default_factory=dict)
    _writes: dict[str, float] = field(default_factory=dict)
    _creations: list[float] = field(default_factory=list)
    _writing: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, request: Request, token: str, now: float) -> Answer | None:
        """The refusal of a request that comes too early or too often, None where it may pass."""
        with self._lock:
            early = self._too_early(request, token, now)
            if early is not None:
                return early
            self._spaced(request, token, now)
            window = self._window(token, now)
            if window.used >= self.budget:
                self._allowed[token] = window.began + HOUR
                return Answer(403, {"message": PRIMARY, "documentation_url": "x"})
            window.used += 1
            return self._creation(request, token, now)

    def hold(self, token: str, until: float) -> None:
        """Nothing of that token may arrive before."""
        self._allowed[token] = max(until, self._allowed.get(token, 0.0))

    def enter(self, request: Request, token: str) -> None:
        """A write begins; two at once are a breach."""
        if not request.writes:
            return
        with self._lock:
            if token in self._writing:
                self.breaches.append(f"{_name(request)} while another write was under way")
            self._writing.add(token)

    def leave(self, request: Request, token: str) -> None:
        """A write has ended."""
        if request.writes:
            with self._lock:
                self._writing.discard(token)

    def headers(self, token: str, now: float) -> dict[str, str]:
        """What GitHub says of the budget in each answer."""
        window = self._window(token, now)
        return {
            "X-RateLimit-Limit": str(self.budget),
            "X-RateLimit-Remaining": str(max(0, self.budget - window.used)),
            "X-RateLimit-Used": str(window.used),
            "X-RateLimit-Reset": str(int(window.began + HOUR)),
            "X-RateLimit-Resource": "core",
        }

    def _too_early(self, request: Request, token: str, now: float) -> Answer | None:
        allowed = self._allowed.get(token, 0.0)
        if now >= allowed - JITTER:
            return None
        self.breaches.append(f"{_name(request)} came {allowed - now:.1f} s before it was allowed")
        wait = {"Retry-After": str(int(allowed - now) + 1)}
        return Answer(403, {"message": SECONDARY, "documentation_url": "x"}, wait)

    def _spaced(self, request: Request, token: str, now: float) -> None:
        if not request.writes:
            return
        since = now - self._writes.get(token, float("-inf"))
        if since < self.spacing - JITTER:
            self.breaches.append(f"{_name(request)} came {since:.2f} s after another write")
        self._writes[token] = now

    def _creation(self, request: Request, token: str, now: float) -> Answer | None:
        if request.method != "POST" or "access_tokens" in request.path:
            return None
        self._creations = [at for at in self._creations if at > now - HOUR]
        minute = sum(at > now - 60 for at in self._creations)
        if minute >= CREATIONS_A_MINUTE or len(self._creations) >= CREATIONS_AN_HOUR:
            self._allowed[token] = now + 60
            wait = {"Retry-After": "60"}
            return Answer(403, {"message": SECONDARY, "documentation_url": "x"}, wait)
        self._creations.append(now)
        return None

    def _window(self, token: str, now: float) -> _Window:
        window = self._windows.get(token)
        if window is None or now >= window.began + HOUR:
            window = self._windows[token] = _Window(now)
        return window


def _name(request: Request) -> str:
    return f"{request.method} {request.path}"
