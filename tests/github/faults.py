"""What goes wrong on the way: scripted faults, outages, and limits that the fake itself enforces.

A `Fault` replaces the answer of a request that it matches; with `lost` the effect happened all the
same and only the answer did not arrive. `Outage` draws faults for a share of the requests in a span
of virtual time. `Limits` is the honest half: budgets, and what no client may do to them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.github.wire import Answer, Request

Kind = Literal["status", "reset", "timeout", "slow", "truncated", "limited"]
PRIMARY = "API rate limit exceeded for installation ID 1."
SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    `seconds`: how long a slow body takes, or a timeout lasts. For `limited`: `retry_after` in the
    header where not None; `reset` seconds from now with nothing remaining where not None; neither:
    a secondary limit without a word.
    """

    kind: Kind = "status"
    status: int = 502
    lost: bool = False
    seconds: float = 30.0
    retry_after: int | None = None
    reset: int | None = None
    html: bool = True  # a 502 of the front end is a page, not JSON

    @property
    def happens(self) -> bool:
        """Whether the request has its effect; of a body that came slowly or in part, it has."""
        return self.lost or self.kind in ("slow", "truncated")

    def answer(self) -> Answer:
        """What is sent for `status`."""
        if self.html:
            page = b"<html><head><title>Unicorn!</title></head><body>No server</body></html>"
            return Answer(self.status, page, {"Content-Type": "text/html"})
        return Answer(self.status, {"message": "Server Error"})


RESET = Fault("reset")
TIMEOUT = Fault("timeout")
TRUNCATED = Fault("truncated")
ORDINARY = (Fault(status=500, html=False), Fault(status=502), Fault(status=503), RESET, TRUNCATED)


@dataclass
class _Scripted:
    fault: Fault
    times: int
    method: str
    path: re.Pattern[str]


@dataclass
class _Outage:
    start: float
    end: float
    share: float
    faults: Sequence[Fault]
    draw: random.Random


@dataclass
class Faults:
    """The script. What was added first is used first; each use is kept in `used`."""

    used: list[tuple[Request, Fault]] = field(default_factory=list)
    _script: list[_Scripted] = field(default_factory=list)
    _outages: list[_Outage] = field(default_factory=list)

    def add(self, *faults: Fault, times: int = 1, method: str = "", path: str = "") -> None:
        """Each fault `times` times, for requests of a method and with a path that `path` finds."""
        for fault in faults:
            self._script.append(_Scripted(fault, times, method, re.compile(path)))

    def outage(
        self, start: float, seconds: float, share: float = 0.3, *, seed: int = 0,
        faults: Sequence[Fault] = ORDINARY,
    ) -> None:  # fmt: skip
        """From `start` (monotonic) on, for `seconds`, a share of requests fails."""
        draw = random.Random(seed)
        self._outages.append(_Outage(start, start + seconds, share, faults, draw))

    def clear(self) -> None:
        self._script.clear()
        self._outages.clear()

    def strike(self, request: Request) -> Fault | None:
        """The fault of a request, None where nothing goes wrong."""
        fault = self._scripted(request) or self._drawn(request)
        if fault is not None:
            self.used.append((request, fault))
        return fault

    def _scripted(self, request: Request) -> Fault | None:
        for entry in self._script:
            if entry.method in ("", request.method) and entry.path.search(request.path):
                entry.times -= 1
                if entry.times <= 0:
                    self._script.remove(entry)
                return entry.fault
        return None

    def _drawn(self, request: Request) -> Fault | None:
        for outage in self._outages:
            inside = outage.start <= request.at < outage.end
            if inside and outage.draw.random() < outage.share:
                return outage.draw.choice(outage.faults)
        return None


def limited(fault: Fault, now: float) -> tuple[Answer, float]:
    """A limit's answer, and the wall second (epoch) before which nothing may arrive."""
    headers: dict[str, str] = {}
    allowed = now + 60  # nothing said: a minute at least
    if fault.reset is not None:
        allowed = now + fault.reset
        headers |= {
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(allowed)),
            "X-RateLimit-Limit": "5000",
            "X-RateLimit-Used": "5000",
        }
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
        allowed = now + fault.retry_after
    status = fault.status if fault.status in (403, 429) else 403
    message = PRIMARY if fault.reset is not None else SECONDARY
    return Answer(status, {"message": message, "documentation_url": "x"}, headers), allowed
