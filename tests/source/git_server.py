"""A git server on loopback that knows one token: git's own http-backend behind http.server."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class GitServer:
    """Serves the repositories below `root`; `token` None asks nobody, `readers` may only read."""

    root: Path
    token: str | None = None
    readers: frozenset[str] = frozenset()
    status: int | None = None  # the answer to everything, where it is set
    location: str = ""  # where a redirect leads
    url: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)  # path, Authorization

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        given = request.headers.get("Authorization", "")
        self.seen.append((request.path, given))
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if self.status is not None:
            self._refuse(request, self.status)
        elif not self._known(given):
            self._refuse(request, 401)
        elif "receive-pack" in request.path and given in map(basic, self.readers):
            self._refuse(request, 403)
        else:
            self._serve(request, body)

    def _known(self, given: str) -> bool:
        return self.token is None or given in map(basic, {self.token, *self.readers})

    def _refuse(self, request: BaseHTTPRequestHandler, status: int) -> None:
        request.send_response(status)
        if status == 401:
            request.send_header("WWW-Authenticate", "Basic realm=git")
        if self.location:
            request.send_header("Location", self.location + request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path, _, query = request.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": str(self.root), "PATH_INFO": path,
            "GIT_HTTP_EXPORT_ALL": "1", "QUERY_STRING": query, "REQUEST_METHOD": request.command,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""), "REMOTE_USER": "somebody",
            "CONTENT_LENGTH": str(len(body)), "GIT_CONFIG_NOSYSTEM": "1",
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }  # fmt: skip
        done = subprocess.run(
            ["git", "-c", "http.receivepack=true", "http-backend"],
            input=body, capture_output=True, env=environment,
        )  # fmt: skip
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        request.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        request.wfile.write(answer)


def basic(token: str) -> str:
    """The header that GitHub's git server expects of a token."""
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


@contextmanager
def serving(server: GitServer) -> Iterator[GitServer]:
    """The server on a free port, its `url` filled in."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            server.answer(self)

        do_POST = do_GET

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
