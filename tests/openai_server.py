"""A judge for tests: real HTTP on 127.0.0.1, chat completions in the shape that OpenAI publishes.

`replies` is called with the request's JSON and says what comes back: a text (the message), or a
`Raw` with status, headers and body of its own. Every request is kept.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Raw:
    """A reply that is no ordinary one. `slow`: seconds before each piece of the body."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    slow: float = 0.0


Replies = Callable[[Mapping[str, Any]], "str | Raw"]


def completion(content: str | None, model: str, **message: Any) -> dict[str, Any]:
    """A chat completion object."""
    finish = message.pop("finish_reason", "stop")
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_800_000_000, "model": model,
        "choices": [{
            "index": 0, "finish_reason": finish, "logprobs": None,
            "message": {"role": "assistant", "content": content, "refusal": None, **message},
        }],
        "usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14},
    }  # fmt: skip


@dataclass
class Server:
    """The running judge: its address, and what it was asked when."""

    base_url: str
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        """The questions."""
        return [request["messages"][-1]["content"] for request in self.requests]


@contextmanager
def serving(replies: Replies) -> Iterator[Server]:
    """A server for the time of a test."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                server.at.append(time.monotonic())
                server.requests.append(body)
                server.headers.append({k.lower(): v for k, v in self.headers.items()})
                server.paths.append(self.path)
            said = replies(body)
            if isinstance(said, str):
                said = Raw(json.dumps(completion(said, body["model"])))
            self._send(said)

        def _send(self, raw: Raw) -> None:
            data = raw.body.encode() if isinstance(raw.body, str) else raw.body
            try:
                self.send_response(raw.status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
                for name, value in {**headers, **raw.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for i in range(0, len(data), 1 if raw.slow else max(1, len(data))):
                    time.sleep(raw.slow)
                    self.wfile.write(data[i : i + 1] if raw.slow else data)
                    self.wfile.flush()
            except OSError:
                return  # the client had enough

        def log_message(self, format: str, *args: Any) -> None:
            return

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = Server(f"http://127.0.0.1:{http.server_port}/v1")
    thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
