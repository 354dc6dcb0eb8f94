"""Two ways to reach the fake: a requests adapter in the process, and http on the loopback."""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter, HTTPAdapter

from tests.github.faults import Fault
from tests.github.wire import Answer, Request

if TYPE_CHECKING:
    from tests.github.server import FakeGitHub

NO_BODY = (204, 304)
PIECES = 8  # that a slow body comes in


class FakeAdapter(BaseAdapter):
    """Answers in the process. A slow body and a timeout take virtual time."""

    def __init__(self, fake: FakeGitHub) -> None:
        super().__init__()
        self.fake = fake
        self._build = HTTPAdapter().build_response

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, stream: bool = False, timeout: Any = None, **_: Any
    ) -> requests.Response:
        url = str(request.url)
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        asked = _request(self.fake, str(request.method), url, dict(request.headers), content)
        if url.startswith(self.fake.storage):
            return self._build(request, _raw(self.fake, storage(self.fake, asked), None))
        if not url.startswith(self.fake.base):
            raise requests.ConnectionError(f"no such host in this test: {urlsplit(url).netloc}")
        token = asked.headers.get("authorization", "")
        self.fake.limits.enter(asked, token)
        try:
            answer, fault = self.fake.handle(asked)
            self._interrupt(request, fault, timeout)
            return self._build(request, _raw(self.fake, answer, fault))
        finally:
            self.fake.limits.leave(asked, token)

    def _interrupt(
        self, request: requests.PreparedRequest, fault: Fault | None, timeout: Any
    ) -> None:
        if fault is None:
            return
        if fault.kind == "reset":
            reason = ConnectionResetError(104, "Connection reset by peer")
            aborted = urllib3.exceptions.ProtocolError("Connection aborted.", reason)
            raise requests.ConnectionError(aborted, request=request)
        if fault.kind == "timeout":
            read = timeout[1] if isinstance(timeout, tuple) else timeout
            self.fake.clock.advance(read if read is not None else fault.seconds)
            raise requests.ReadTimeout("Read timed out.", request=request)

    def close(self) -> None:
        """Nothing is open."""


class _Slow(io.BytesIO):
    """A body whose reading takes virtual time."""

    def __init__(self, content: bytes, fake: FakeGitHub, seconds: float) -> None:
        super().__init__(content)
        self._fake, self._pause, self._most = fake, seconds / PIECES, len(content) // PIECES + 1

    def read(self, size: int | None = -1) -> bytes:
        self._fake.clock.advance(self._pause)
        asked = self._most if size is None or size < 0 else min(size, self._most)
        return super().read(asked)

    read1 = read


def _raw(fake: FakeGitHub, answer: Answer, fault: Fault | None) -> urllib3.HTTPResponse:
    content = b"" if answer.status in NO_BODY else answer.payload()
    headers = {**answer.headers, "Content-Length": str(len(content))}
    body: io.BytesIO = io.BytesIO(content)
    if fault is not None and fault.kind == "truncated":
        body = io.BytesIO(content[: len(content) // 2])
    if fault is not None and fault.kind == "slow":
        body = _Slow(content, fake, fault.seconds)
    return urllib3.HTTPResponse(
        body=body, headers=headers, status=answer.status, preload_content=False,
        enforce_content_length=True, reason="OK" if answer.status < 400 else "Error",
    )  # fmt: skip


def _request(
    fake: FakeGitHub, method: str, url: str, headers: dict[str, str], body: bytes
) -> Request:
    parts = urlsplit(fake.base)
    made = Request.of(method, url, headers, body)
    prefix = parts.path.strip("/")
    path = made.path.removeprefix(prefix).strip("/") if prefix else made.path
    return Request(
        made.method, path, made.query, made.headers, body, fake.clock.monotonic()
    )  # fmt: skip


def storage(fake: FakeGitHub, request: Request) -> Answer:
    """The other host: artifacts by a signed address. A token has no business there."""
    if "authorization" in request.headers:
        fake.leaks.append(f"a token was sent to the storage host with {request.path}")
        return Answer(
            400, b"<Error>InvalidAuthenticationInfo</Error>", {"Content-Type": "text/xml"}
        )
    number = request.path.rpartition("/")[2].removesuffix(".zip")
    for repo in fake.repositories.values():
        for run in repo.runs.values():
            for artifact in run.artifacts:
                if str(artifact.id) == number and request.query.get("sig") == "fake":
                    return Answer(200, artifact.content, {"Content-Type": "application/zip"})
    return Answer(403, b"<Error>AuthenticationFailed</Error>", {"Content-Type": "text/xml"})


@contextmanager
def serve(fake: FakeGitHub) -> Iterator[tuple[str, str]]:
    """Two listeners: the API on 127.0.0.1, the storage host by the name localhost."""
    api, other = _listen(fake, False), _listen(fake, True)
    threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in (api, other)]
    for thread in threads:
        thread.start()
    try:
        yield (
            f"http://127.0.0.1:{api.server_address[1]}",
            f"http://localhost:{other.server_address[1]}",
        )
    finally:
        for server in (api, other):
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def _listen(fake: FakeGitHub, is_storage: bool) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            asked = _request(fake, self.command, self.path, dict(self.headers), body)
            if is_storage:
                self._send(storage(fake, asked), None)
                return
            self._send(*fake.handle(asked))

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def _send(self, answer: Answer, fault: Fault | None) -> None:
            kind = fault.kind if fault else ""
            if kind in ("reset", "timeout"):
                linger = struct.pack("ii", 1, 0)  # close with RST
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                self.connection.close()
                return
            content = b"" if answer.status in NO_BODY else answer.payload()
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self._body(content, kind)

        def _body(self, content: bytes, kind: str) -> None:
            if kind == "truncated":
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
                return
            size = len(content) // PIECES + 1 if kind == "slow" else max(1, len(content))
            for start in range(0, len(content), size):
                self.wfile.write(content[start : start + size])
                if kind == "slow":
                    self.wfile.flush()
                    time.sleep(0.05)

        def log_message(self, *_: Any) -> None:
            pass

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)
