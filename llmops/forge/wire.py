"""The one layer between us and GitHub: a requests adapter that waits, tries again and gives up.

In: requests of github3.py and of its bare session, both through `Wire.send`. Out: complete answers
of 2xx and 3xx, or a ForgeError that says what is wrong; no status of refusal gets past here.

Requests go one after the other; writes end at least a second before the next begins. Nothing is
sent before a time that GitHub named. 5xx, resets, slow and cut bodies are tried again with
exponential backoff and jitter, eight times in all; then GaveUp says when to come back. A POST
whose answer was lost may have happened: it is not sent again but raised as Unsure, for its caller
to look.

The token is added here, for the API's own host only: redirects elsewhere (artifacts) go without
it, and no request, answer or error that leaves here bears it. Standards: RFC 9110, GitHub's "Best
practices for using the REST API".
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter

from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.forge.base import Clock, ForgeError, GaveUp, Refused, Unsure
from llmops.forge.clock import after, of_header
from llmops.forge.limits import Patience, is_limit, named_wait, until_reset
from llmops.forge.refusals import message_of, refused

API_URL = "https://api.github.com"
ACCEPT = "application/vnd.github+json"
VERSION = "2022-11-28"
TIMEOUT = (10.0, 30.0)  # seconds to connect, and between two pieces of an answer
MOST_BYTES = 32 * 2**20
_PIECE = 2**16
_SAFE = frozenset({"GET", "HEAD"})
_NEW_TOKEN = "/access_tokens"  # a second one does no harm
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_PORTS = {"https": 443, "http": 80}
_HERE = ("localhost", "127.0.0.1", "::1")
_RENAMED = "it was renamed or transferred: take its new owner/name"
_NETWORK = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_ELSEWHERE = ("Authorization", "Cookie", "Proxy-Authorization")
Take = Callable[[Iterator[bytes]], bytes]  # from the pieces of a body to what is kept of it


def home_of(api_url: str | None) -> str:
    """The API's root: as given, else of GITHUB_API_URL, else github.com's. Raises UsageError."""
    home = (api_url or os.environ.get("GITHUB_API_URL") or API_URL).rstrip("/")
    parts = urlsplit(home)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in _HERE):
        raise UsageError(
            f'"{printable(home, 100)}" is no address of an API that a token may be sent to',
            hint="GITHUB_API_URL is https://api.github.com, or https://HOST/api/v3 of your server",
        )
    return home


class Token(Protocol):
    """Who we are to GitHub (see `auth.py`). Its repr never shows the secret."""

    def value(self) -> str:
        """The secret as it is now."""

    def renew(self) -> bool:
        """Make a new one where that can be done; False where it cannot."""


class Pace:
    """When the next request may go. One per token: share it between repositories of one App."""

    def __init__(self, clock: Clock, patience: Patience | None = None) -> None:
        self.clock = clock
        self.patience = patience or Patience()
        self.lock = threading.RLock()
        self._not_before = clock.monotonic()
        self._next_write = self._not_before
        self.skew = timedelta(0)  # GitHub's clock minus ours

    def server_now(self) -> datetime:
        """The time by GitHub's clock, as far as its answers told."""
        return self.clock.now() + self.skew

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the server's clock from an answer, and a limit that it just used up."""
        at = of_header(headers.get("date", ""))
        if at is not None:
            self.skew = at - self.clock.now()
        if headers.get("x-ratelimit-resource", "core") == "core":
            self.hold(until_reset(headers, self.server_now()) or 0.0)

    def hold(self, seconds: float) -> None:
        """Nothing goes for so long."""
        self._not_before = max(self._not_before, self.clock.monotonic() + seconds)

    def wrote(self) -> None:
        """A write ended now."""
        self._next_write = self.clock.monotonic() + self.patience.between_writes_seconds

    def wait(self, *, write: bool) -> None:
        """Return when the next request may go. Raises GaveUp where that is too far off."""
        until = max(self._not_before, self._next_write if write else self._not_before)
        left = until - self.clock.monotonic()
        if left > self.patience.longest_wait_seconds:
            raise self.gave_up("github's limit is used up", left)
        while left > 0:
            self.clock.sleep(left)
            left = until - self.clock.monotonic()

    def gave_up(self, why: str, seconds: float = 0.0) -> GaveUp:
        """The error for a request that is not tried any longer now."""
        left = max(seconds, self._not_before - self.clock.monotonic(), 0.0)
        at = after(self.clock, left)
        hint = f"nothing is lost: run it again after {at}, and it goes on where it stopped"
        return GaveUp(why, hint=hint, resume_at=at)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """One attempt that did not succeed. `seconds`: the wait it names; `sent`: may have happened."""

    why: str
    sent: bool = False
    limit: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Body:
    """What is done with a body, and its bounds."""

    take: Take
    most_bytes: int = MOST_BYTES
    within_seconds: float = 60.0


@dataclass
class Wire(BaseAdapter):
    """The layer, as an adapter to mount on a session. `inner` does the sending.

    `home` is the API's root; `chance` gives numbers in [0, 1) for the jitter.
    """

    inner: BaseAdapter
    home: str
    token: Token
    pace: Pace
    chance: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)

    def __repr__(self) -> str:
        return f"Wire({self.home})"

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The API's complete answer to a request, its body read. Raises ForgeError."""
        if not self._is_home(request):
            raise ForgeError(f"{_asked(request)} leads to another host; it is not sent")
        return self.answer(request, _json_body, verify=verify, cert=cert, proxies=proxies)

    def answer(
        self,
        request: requests.PreparedRequest,
        take: Take,
        most_bytes: int = MOST_BYTES,
        within_seconds: float = 0.0,
        **how: Any,
    ) -> requests.Response:
        """The answer whose body `take` accepted; a body cut short makes it begin anew.

        Another host than the API's is read from, without the token, and never written to.
        """
        body = _Body(take, most_bytes, within_seconds or self.pace.patience.body_seconds)
        asked = _asked(request)
        limits, why = 0, ""
        with self.pace.lock:
            for attempt in range(self.pace.patience.tries):
                self.pace.wait(write=request.method not in _SAFE)
                done = self._once(request, body, how)
                if isinstance(done, requests.Response):
                    return done
                if done.sent and not _repeatable(request):
                    self.pace.hold(done.seconds or 0.0)
                    raise Unsure(f"{asked}: {done.why}; whether it happened is not known")
                self.pace.hold(self._pause(done, limits if done.limit else attempt))
                limits, why = limits + done.limit, done.why
        raise self.pace.gave_up(f"{asked}: {why}, {self.pace.patience.tries} times")

    def rest(self, attempt: int) -> None:
        """A pause before whatever comes next, as after failure number `attempt`."""
        self.pace.hold(self.pace.patience.backoff(attempt, self.chance()))

    def close(self) -> None:
        """Close the connections."""
        self.inner.close()

    def _pause(self, trouble: _Trouble, attempt: int) -> float:
        patience = self.pace.patience
        if trouble.limit and trouble.seconds is None:
            return patience.secondary(attempt, self.chance())
        if trouble.limit:
            return (trouble.seconds or 0.0) + self.chance()
        return max(trouble.seconds or 0.0, patience.backoff(attempt, self.chance()))

    def _once(
        self, request: requests.PreparedRequest, body: _Body, how: Mapping[str, Any]
    ) -> requests.Response | _Trouble:
        """One attempt: an answer to give back, or the trouble with it. Raises what is final."""
        try:
            response = self._sent(request, how)
            response.request = request  # the one without the token
            return self._judged(request, response, body)
        except _CutError as error:
            return _Trouble(str(error), sent=True)
        except requests.exceptions.SSLError:
            raise _no_trust(request) from None
        except _NETWORK as error:
            return _Trouble(_words(error), sent=not _never_sent(error))
        finally:
            if request.method not in _SAFE:
                self.pace.wrote()

    def _sent(self, request: requests.PreparedRequest, how: Mapping[str, Any]) -> requests.Response:
        signed = request.copy()
        for name in _ELSEWHERE:
            signed.headers.pop(name, None)
        if self._is_home(request):
            signed.headers["Authorization"] = f"Bearer {self.token.value()}"
            signed.headers["Accept"] = ACCEPT
            signed.headers["X-GitHub-Api-Version"] = VERSION
        elif request.method not in _SAFE or not _encrypted(request):
            raise ForgeError(f"{_asked(request)} leads to another host; it is not sent")
        return self.inner.send(signed, stream=True, timeout=TIMEOUT, **how)

    def _judged(
        self, request: requests.PreparedRequest, response: requests.Response, body: _Body
    ) -> requests.Response | _Trouble:
        if self._is_home(request):
            self.pace.learn(response.headers)
        status = response.status_code
        if status < 300 or (status < 400 and request.method in _SAFE) or status in (307, 308):
            return self._taken(response, body)
        said = self._said(response)
        if status < 400:
            raise Refused(f"{_asked(request)}: the repository has moved", hint=_RENAMED, status=404)
        if status == 401 and self.token.renew():
            return _Trouble("the token had run out")
        wait = named_wait(response.headers, self.pace.server_now())
        if is_limit(status, response.headers, message_of(said)):
            return _Trouble("github's limit is reached", limit=True, seconds=wait)
        if (status >= 500 and status != 501) or status == 408:
            return _Trouble(f"github answers {status}", sent=True, seconds=wait)
        raise refused(_asked(request), status, response.headers, said)

    def _taken(self, response: requests.Response, body: _Body) -> requests.Response:
        kept = body.take(self._pieces(response, body))
        response._content = kept  # read in bounds and in time; requests gives it on
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def _said(self, response: requests.Response) -> bytes:
        """What a refusal says, as much as came: its status and headers count without it."""
        try:
            return b"".join(self._pieces(response, _Body(b"".join, 2**20)))
        except (_CutError, ForgeError, *_NETWORK):
            return b""

    def _pieces(self, response: requests.Response, body: _Body) -> Iterator[bytes]:
        """The bytes, at most so many and within the time for them."""
        clock, seen = self.pace.clock, 0
        deadline = clock.monotonic() + body.within_seconds
        try:
            while piece := response.raw.read1(_PIECE, decode_content=True):  # what came so far
                seen += len(piece)
                if seen > body.most_bytes:
                    raise ForgeError(f"the answer has more than {body.most_bytes} bytes")
                if clock.monotonic() > deadline:
                    raise _CutError("the answer comes too slowly")
                yield piece
        finally:
            response.close()

    def _is_home(self, request: requests.PreparedRequest) -> bool:
        return _origin(request.url or "") == _origin(self.home)


class _CutError(Exception):
    """A body that is not the whole answer."""


def _json_body(pieces: Iterator[bytes]) -> bytes:
    """A body that is empty or one whole JSON value, as every answer of the API is."""
    body = b"".join(pieces)
    if body.strip():
        try:
            json.loads(body)
        except (ValueError, RecursionError):
            raise _CutError("the answer is no whole JSON") from None
    return body


def _asked(request: requests.PreparedRequest) -> str:
    """`GET /repos/o/r`: without host and query, which may bear a signature."""
    return f"{request.method} {printable(urlsplit(request.url or '').path)}"


def _repeatable(request: requests.PreparedRequest) -> bool:
    """Whether twice is as good as once. A check's annotations are added, also by a PATCH."""
    if request.method == "POST":
        return urlsplit(request.url or "").path.endswith(_NEW_TOKEN)
    adds = request.method == "PATCH" and b'"annotations"' in _bytes(request.body)
    return request.method in _REPEATABLE and not adds


def _bytes(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else bytes(body or b"")


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _encrypted(request: requests.PreparedRequest) -> bool:
    parts = urlsplit(request.url or "")
    return parts.scheme == "https" or parts.hostname in _HERE


def _never_sent(error: BaseException) -> bool:
    """Whether no byte of the request can have reached GitHub."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _words(error: BaseException) -> str:
    """What the network did, without the request that is in such errors."""
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError | urllib3.exceptions.HTTPError):
        return "the answer broke off"
    return "no connection" if _never_sent(error) else "the connection broke"


def _no_trust(request: requests.PreparedRequest) -> ForgeError:
    host = urlsplit(request.url or "").hostname
    return ForgeError(
        f"the certificate of {host} is not trusted",
        hint="set REQUESTS_CA_BUNDLE to the certificates of your organisation",
    )
