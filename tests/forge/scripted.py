"""A transport that answers what a test wrote down, and a clock that moves when somebody sleeps."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from llmops.forge.auth import Fixed
from llmops.forge.base import Repo
from llmops.forge.client import GitHub, session_of
from llmops.forge.limits import Patience
from llmops.forge.wire import Pace, Wire

SECRET = "ghs_" + "canary" * 6
HOME = "https://api.github.com"
Told = "Answer | BaseException"


class Ticking:
    """Satisfies `base.Clock`. `skew`: by how much the wall clock is wrong."""

    def __init__(self, skew: float = 0.0) -> None:
        self.passed = 0.0
        self.slept: list[float] = []
        self.skew = timedelta(seconds=skew)

    def true_now(self) -> datetime:
        return datetime(2026, 11, 26, 8, tzinfo=UTC) + timedelta(seconds=self.passed)

    def now(self) -> datetime:
        return self.true_now() + self.skew

    def monotonic(self) -> float:
        return 100.0 + self.passed

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.passed += seconds


@dataclass
class Answer:
    """One answer. `cut`: only so many bytes of the body come; `slow`: seconds that it takes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    slow: float = 0.0

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


class _Slow(io.BytesIO):
    def __init__(self, content: bytes, clock: Ticking, seconds: float) -> None:
        super().__init__(content)
        self._clock, self._seconds = clock, seconds

    def read(self, size: int | None = -1) -> bytes:
        self._clock.passed += self._seconds
        return super().read(1)

    read1 = read


class Script(BaseAdapter):
    """Gives the answers in order; `sent` keeps what came and when. `dated`: answers bear a date."""

    def __init__(self, clock: Ticking, *answers: Any, dated: bool = True) -> None:
        super().__init__()
        self.clock = clock
        self.answers = list(answers)
        self.dated = dated
        self.sent: list[tuple[float, requests.PreparedRequest]] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.sent.append((self.clock.passed, request))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return HTTPAdapter().build_response(request, self._raw(answer))

    def _raw(self, answer: Answer) -> urllib3.HTTPResponse:
        content = answer.content()
        date = self.clock.true_now().strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"Content-Length": str(len(content)), **({"Date": date} if self.dated else {})}
        body: io.BytesIO = io.BytesIO(content[: answer.cut])
        if answer.slow:
            body = _Slow(content, self.clock, answer.slow)
        return urllib3.HTTPResponse(
            body=body,
            status=answer.status,
            headers={**headers, **answer.headers},
            preload_content=False,
        )

    def close(self) -> None:
        pass

    def times(self) -> list[float]:
        return [at for at, _ in self.sent]

    def asked(self) -> list[str]:
        return [f"{one.method} {one.path_url}" for _, one in self.sent]


def github(
    *answers: Any,
    clock: Ticking | None = None,
    dated: bool = True,
    patience: Patience | None = None,
    token: Any = None,
    chance: Callable[[], float] = lambda: 0.5,
) -> tuple[GitHub, Script]:
    """A client of acme/bot that gets those answers."""
    ticking = clock or Ticking()
    script = Script(ticking, *answers, dated=dated)
    wire = Wire(script, HOME, token or Fixed(SECRET), Pace(ticking, patience), chance)
    return GitHub(Repo("acme", "bot"), wire, session_of(wire)), script
