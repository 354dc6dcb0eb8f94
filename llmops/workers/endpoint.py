"""A judge behind an OpenAI-compatible endpoint: `POST <base_url>/chat/completions`, and no more.

In: the `judge` block with its `endpoint`, limits, and the job's secrets. Out: raw answers.

- Only where it was told to: loopback always; any other host only when the one who runs the job has
  named it in LLMOPS_ALLOW_HOSTS, and never with LLMOPS_OFFLINE=1. Link-local and other special
  addresses never. A redirect is never followed, no proxy is used.
- Only as fast as `requests_per_minute` says. A failure that may pass (no connection, 408, 425, 429,
  5xx, time is up) is tried again `max_retries` times, later each time, never before `Retry-After`.
- A question that gets no answer is an invalid cell; a judge that answers nobody is no judge: after
  some questions in a row without any reply (or at once for 401, 403, 404 and a redirect), the job
  ends without a result.

Standard library only: what is not written here cannot happen.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import ipaddress
import json
import os
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llmops import __version__
from llmops.diagnostics import printable
from llmops.source.egress import is_loopback
from llmops.workers.contract import RunFolder, WorkerError
from llmops.workers.judge import NoAnswer
from llmops.workers.scrub import Secrets

LONGEST_BODY = 512 * 1024  # bytes
LONGEST_WAIT = 120.0  # seconds that a server may ask us to wait
SILENT_QUESTIONS = 5  # in a row without a reply: nobody is there
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
NEVER = {401: "refuses the key", 403: "forbids it", 404: "has no such model or address"}


class _Failed(Exception):
    """One request without a reply; `wait` seconds before the next, if the server said so."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Address:
    """Where the endpoint is; `shown` is what may be said of it."""

    secure: bool
    host: str
    port: int
    path: str
    shown: str

    @property
    def loopback(self) -> bool:
        """Whether it is this machine by its name alone."""
        return is_loopback(self.host)


@dataclass(frozen=True, slots=True)
class Limits:
    """How the endpoint may be called (placement: they change no judgement that comes)."""

    requests_per_minute: float | None = None
    max_retries: int = 2
    timeout_seconds: float = 60.0
    concurrency: int = 1


@dataclass(slots=True)
class Clock:
    """Time, and waiting for it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class Endpoint:
    """The judge. Safe to be asked from several threads."""

    name: str
    address: Address
    body: Mapping[str, Any]  # what every request says
    response_format: str
    key: str
    limits: Limits
    secrets: Secrets
    clock: Clock = field(default_factory=Clock)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _next_at: float = 0.0
    _silent: int = 0
    _reached: bool = False

    @property
    def at_once(self) -> int:
        """How many questions may be asked at the same time."""
        return self.limits.concurrency

    def answer(self, prompt: str, schema: Mapping[str, Any], seed: int) -> str:
        """The message's content. Raises NoAnswer, or WorkerError when nobody is there."""
        request = {**self.body, "messages": [{"role": "user", "content": prompt}], "seed": seed}
        if self.response_format == "json_schema":
            shape = {"name": str(schema.get("title", "answer")), "schema": schema}
            request["response_format"] = {"type": "json_schema", "json_schema": shape}
        elif self.response_format != "text":
            request["response_format"] = {"type": self.response_format}
        data = json.dumps(request, ensure_ascii=False).encode("utf-8", "replace")
        return content(self._reply(data), str(self.body["model"]))

    def _reply(self, data: bytes) -> bytes:
        """The body of a 200, after as many tries as the limits allow."""
        for attempt in range(self.limits.max_retries + 1):
            self._pace()
            try:
                return self._once(data)
            except _Failed as error:
                last = error
            if attempt < self.limits.max_retries:
                if last.wait > LONGEST_WAIT:
                    break
                self.clock.sleep(max(last.wait, _backoff(attempt)))
        tries = attempt + 1
        said = f"{self.secrets.scrub(str(last))} ({tries} {'try' if tries == 1 else 'tries'})"
        self._unheard(said)
        raise NoAnswer(said)

    def _pace(self) -> None:
        """Waits until the limit allows the next request."""
        if not self.limits.requests_per_minute:
            return
        with self._lock:
            now = self.clock.now()
            start = max(now, self._next_at)
            self._next_at = start + 60.0 / self.limits.requests_per_minute
        if start > now:
            self.clock.sleep(start - now)

    def _once(self, data: bytes) -> bytes:
        try:
            status, headers, body = _post(self.address, data, self.key, self.limits.timeout_seconds)
        except TimeoutError as error:
            raise _Failed(f"no answer within {self.limits.timeout_seconds:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "strerror", None) or type(error).__name__
            raise _Failed(f"no connection: {printable(str(why))}") from error
        if status == 200:
            self._heard()
            if len(body) > LONGEST_BODY:
                raise NoAnswer(f"the reply is longer than {LONGEST_BODY} bytes")
            return body
        if status in NEVER:
            raise self._unusable(f"answers {status}: it {NEVER[status]}", "")
        if 300 <= status < 400:
            hint = "a redirect is never followed: name the address that it leads to"
            raise self._unusable(f"answers {status}, a redirect", hint)
        if status in LATER:
            raise _Failed(f"the judge answered {status}", _retry_after(headers))
        self._refused(status, body)
        raise NoAnswer(f"the judge refused the question with {status}", self._text(body))

    def _text(self, body: bytes) -> str:
        return self.secrets.scrub(body.decode("utf-8", "replace"))

    def _heard(self) -> None:
        with self._lock:
            self._silent, self._reached = 0, True

    def _unheard(self, why: str) -> None:
        """Raises WorkerError when too many questions in a row had no reply."""
        with self._lock:
            self._silent += 1
            silent = self._silent
        if silent >= SILENT_QUESTIONS:
            raise self._unusable(f"has not answered {silent} questions in a row: {why}", "")

    def _refused(self, status: int, body: bytes) -> None:
        """A server that refuses every question from the start does not understand ours."""
        if not self._reached:
            self._unheard(f"it refuses them with {status}: {printable(self._text(body), 160)}")

    def _unusable(self, what: str, hint: str) -> WorkerError:
        message = self.secrets.scrub(f"the judge {self.name} at {self.address.shown} {what}")
        return WorkerError(message, hint=hint or "see the endpoint of its Model")


def content(body: bytes, model: str) -> str:
    """The text of a chat completion. Raises NoAnswer for anything else, and for a refusal."""
    text = body.decode("utf-8", "replace")
    try:
        reply = json.loads(text)
        (choice,) = reply["choices"]
        message = choice["message"]
        said, refused = message.get("content"), message.get("refusal")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        form = "HTML" if text.lstrip()[:1] == "<" else "no chat completion"
        raise NoAnswer(f"the reply is {form}", text) from error
    if refused:
        raise NoAnswer("the judge refused", str(refused))
    if not isinstance(said, str):
        raise NoAnswer("the reply has no text", text)
    answered = reply.get("model")
    if isinstance(answered, str) and answered and answered != model:
        raise NoAnswer(f'another model answered: "{printable(answered, 60)}"', said)
    if choice.get("finish_reason") not in ("stop", None):
        why = printable(str(choice.get("finish_reason")), 40)
        raise NoAnswer(f"the answer was cut: {why}", said)
    return said


def _backoff(attempt: int) -> float:
    """Half a second, doubled each time, with a tenth of chance."""
    return min(0.5 * 2**attempt, 30.0) * random.uniform(1.0, 1.1)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the server asks for; 0 without a word of it."""
    given = headers.get("retry-after", "").strip()
    if given.isdecimal():
        return float(given)
    try:
        until = email.utils.parsedate_to_datetime(given)
    except (TypeError, ValueError, IndexError):
        return 0.0
    return max(0.0, until.timestamp() - time.time())


def _post(
    address: Address, data: bytes, key: str, timeout: float
) -> tuple[int, dict[str, str], bytes]:
    """One request within `timeout` seconds, all of it. Raises OSError and HTTPException."""
    deadline = time.monotonic() + timeout
    peer = _peer(address)
    connected = socket.create_connection(peer, timeout)
    try:
        if address.secure:
            trust = ssl.create_default_context()
            connected = trust.wrap_socket(connected, server_hostname=address.host)
        cut = threading.Timer(max(0.0, deadline - time.monotonic()), _shut, (connected,))
        cut.daemon = True
        cut.start()
        try:
            return _exchange(address, connected, data, key)
        finally:
            cut.cancel()
    except (OSError, http.client.HTTPException) as error:
        if time.monotonic() >= deadline:
            raise TimeoutError from error
        raise
    finally:
        connected.close()


def _shut(connected: socket.socket) -> None:
    """Ends whatever waits on a socket that sends too slowly; it may be closed already."""
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _exchange(
    address: Address, connected: socket.socket, data: bytes, key: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(address.host, address.port)
    connection.sock = connected
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": f"llmops/{__version__}",
        "Connection": "close",
        **({"Authorization": f"Bearer {key}"} if key else {}),
    }
    with contextlib.closing(connection):
        connection.request("POST", f"{address.path}/chat/completions", data, headers)
        with connection.getresponse() as reply:
            body = reply.read(LONGEST_BODY + 1)
            if reply.length and len(body) <= LONGEST_BODY:
                raise http.client.IncompleteRead(body, reply.length)
            said = {k.lower(): v for k, v in reply.getheaders()}
    return reply.status, said, body


def _peer(address: Address) -> tuple[str, int]:
    """The one address that is connected to, after it was found to be allowed."""
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    peers = [str(peer[4][0]) for peer in found]
    for peer in peers:
        ip = ipaddress.ip_address(peer.partition("%")[0])
        special = ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved
        if special or (address.loopback and not ip.is_loopback):
            raise WorkerError(f"the judge at {address.shown} leads to {ip}, where no judge may be")
    return peers[0], address.port


def address_of(text: str, *, shown: str = "") -> Address:
    """The parts of a base_url. Raises WorkerError for what is none."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    odd = parts.username or parts.password or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or odd:
        what = shown or printable(text, 80)
        raise WorkerError(f"{what} is no address of an endpoint", hint="as in https://host/v1")
    secure = parts.scheme == "https"
    port = port or (443 if secure else 80)
    host = parts.hostname
    return Address(secure, host, port, parts.path.rstrip("/"), shown or f"{host}:{port}")


def expect_allowed(who: str, address: Address, environ: Mapping[str, str]) -> None:
    """Raises WorkerError, naming who asked, for a host that this machine may not be sent to."""
    if address.loopback:
        return
    wish = f"{who} asks the judge at {address.shown}"
    if environ.get("LLMOPS_OFFLINE", "") not in ("", "0"):
        raise WorkerError(f"{wish}, but LLMOPS_OFFLINE=1", hint="use a judge on this machine")
    named = {host.strip() for host in environ.get("LLMOPS_ALLOW_HOSTS", "").split(",")}
    if address.host not in named:
        hint = "put its host into LLMOPS_ALLOW_HOSTS if the cases may be sent there"
        raise WorkerError(f"{wish}, which nobody on this machine has named", hint=hint)
    if not address.secure and not _private(address.host):
        raise WorkerError(f"{wish} without TLS", hint="write https://")


def _private(host: str) -> bool:
    """Whether every address of a host is inside a private network."""
    try:
        found = {str(peer[4][0]).partition("%")[0] for peer in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return all(ipaddress.ip_address(ip).is_private for ip in found)


def judge(run: RunFolder, secrets: Secrets) -> Endpoint:
    """The judge of a job. Raises WorkerError if it may not be asked from here."""
    given, access = run.spec["judge"], run.spec.get("judge_access") or {}
    endpoint = given["endpoint"]
    address = _address(endpoint["base_url"], secrets)
    expect_allowed(str(run.job["id"]), address, os.environ)
    key = access.get("api_key")
    body = {
        "model": endpoint["model"],
        "temperature": given["temperature"],
        "max_tokens": given["max_tokens"],
    }
    return Endpoint(
        name=str(run.spec.get("judge_name") or endpoint["model"]),
        address=address,
        body=body,
        response_format=endpoint["response_format"],
        key=secrets[key] if key else "",
        limits=Limits(**(access.get("limits") or {})),
        secrets=secrets,
    )


def _address(given: Any, secrets: Secrets) -> Address:
    """The address as written, or the one that is a secret, which is never shown."""
    if isinstance(given, str):
        return address_of(given)
    name = given["secret"]
    return address_of(secrets[name], shown=f"the address in {name}")
