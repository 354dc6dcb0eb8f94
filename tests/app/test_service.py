"""The service over a real socket: what a stranger, a slow one and GitHub hear from it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from llmops.app import service
from llmops.app.door import MOST_BYTES
from llmops.app.run import Service
from llmops.app.service import config
from llmops.app.settings import Settings
from llmops.app.subjects import Subject
from tests.app.conftest import REPO, SECRET, Clock, headers, pull_event


@dataclass
class Running:
    """A service that listens."""

    port: int
    parts: Service
    lines: list[str]

    def ask(self, method: str, path: str, body: bytes = b"", **told: str) -> tuple[int, str]:
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        ) as talk:
            talk.request(method, path, body, told)
            answer = talk.getresponse()
            return answer.status, answer.read().decode()

    def post(self, payload: object, name: str = "pull_request") -> tuple[int, str]:
        body = json.dumps(payload).encode()
        return self.ask("POST", "/webhook", body, **headers(name, body))


@contextlib.contextmanager
def running(
    folder: Path, work: Callable[[Subject], str] = lambda subject: "seen", every: float = 3600
) -> Iterator[Running]:
    lines: list[str] = []
    settings = Settings(1, "", (SECRET,), folder, (REPO,), "127.0.0.1", 0)
    parts = Service(settings, Clock(), lines.append, work=work, every=every)
    server = uvicorn.Server(config(parts.app(), "127.0.0.1", 0))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield Running(server.servers[0].sockets[0].getsockname()[1], parts, lines)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("app")) as found:
        yield found


def test_an_event_is_acknowledged_and_worked_on(tmp_path: Path) -> None:
    seen = threading.Event()

    def work(subject: Subject) -> str:
        if subject == Subject(REPO, "pull", 7):
            seen.set()
        return "seen"

    with running(tmp_path, work) as found:
        assert found.post(pull_event(7))[0] == 202
        assert seen.wait(10)


def test_an_answer_does_not_wait_for_the_work(tmp_path: Path) -> None:
    """GitHub gives up after ten seconds; here events wait behind one that never ends."""
    go_on = threading.Event()

    def work(subject: Subject) -> str:
        go_on.wait(30)
        return "seen"

    with running(tmp_path, work) as found:
        took = []
        for number in range(1, 100):
            began = time.monotonic()
            assert found.post(pull_event(number))[0] == 202
            took.append(time.monotonic() - began)
        assert max(took) < 5
        assert len(found.parts.queue.entries()) == 100
        assert found.ask("GET", "/healthz")[0] == 200
        go_on.set()


def test_an_answer_does_not_wait_for_a_worker_that_computes(tmp_path: Path) -> None:
    go_on = threading.Event()

    def work(subject: Subject) -> str:
        while not go_on.is_set():  # as a plan of thousands of specs does
            sum(range(1000))
        return "seen"

    with running(tmp_path, work) as found:
        took = []
        for number in range(1, 20):
            began = time.monotonic()
            assert found.post(pull_event(number))[0] == 202
            took.append(time.monotonic() - began)
        go_on.set()
        assert max(took) < 5


def test_what_is_not_signed_is_turned_away(served: Running) -> None:
    body = json.dumps(pull_event()).encode()
    assert served.ask("POST", "/webhook", body)[0] == 401
    forged = headers("pull_request", body, secret="somebody elses secret")
    assert served.ask("POST", "/webhook", body, **forged)[0] == 401


def test_a_header_that_comes_twice_is_no_signature(served: Running) -> None:
    body = json.dumps(pull_event()).encode()
    lines = [f"{name}: {value}" for name, value in headers("pull_request", body).items()]
    lines.insert(0, "x-hub-signature-256: sha256=" + "0" * 64)
    text = "\r\n".join(["POST /webhook HTTP/1.1", "host: x", f"content-length: {len(body)}",
                        "connection: close", *lines, "", ""])  # fmt: skip
    with socket.create_connection(("127.0.0.1", served.port)) as talk:
        talk.sendall(text.encode() + body)
        status = int(talk.recv(100).split()[1])
    assert status in (202, 401)  # one of the two is the signature: never an error


def test_a_body_too_big_is_refused_before_it_comes(served: Running) -> None:
    text = f"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: {MOST_BYTES + 1}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as talk:
        talk.sendall(text.encode())
        assert int(talk.recv(100).split()[1]) == 413


def test_a_body_too_big_in_pieces_is_refused_on_the_way(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_BYTES", 1000)
    head = "POST /webhook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as talk:
        talk.sendall(head.encode() + (b"200\r\n" + b"x" * 512 + b"\r\n") * 3)
        assert int(talk.recv(100).split()[1]) in (401, 413)


def test_bodies_that_nobody_signed_fill_no_memory(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_HELD", 3000)
    head = "POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            talk = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            talk.sendall(head.encode())
        while served.post(pull_event())[0] != 503:
            time.sleep(0.01)
    while served.post(pull_event())[0] != 202:  # once they have gone
        time.sleep(0.01)


def test_a_body_that_does_not_come_is_not_waited_for(
    served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BODY_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as talk:
        talk.sendall(b"POST /webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
        assert int(talk.recv(100).split()[1]) == 408


def test_nothing_else_is_served(served: Running) -> None:
    assert served.ask("GET", "/webhook")[0] == 405
    assert served.ask("POST", "/")[0] == 405
    for path in ("/docs", "/queue", "/../lock", "/%2e%2e/lock", "/webhook/x"):
        assert served.ask("GET", path)[0] == 404


def test_rubbish_on_the_socket_ends_nothing(served: Running) -> None:
    for rubbish in (
        b"\x16\x03\x01\x02\x00",
        b"GET\r\n\r\n",
        b"\x00" * 100_000,
        b"POST / HTTP/9\r\n\r\n",
    ):
        with (
            socket.create_connection(("127.0.0.1", served.port)) as talk,
            contextlib.suppress(OSError),
        ):
            talk.sendall(rubbish)
            talk.recv(100)
    assert served.ask("GET", "/healthz")[0] == 200


def test_the_status_page_tells_counts_and_no_name(served: Running) -> None:
    served.post(pull_event(4242, title="canary-title"))
    status, text = served.ask("GET", "/")
    told = json.loads(text)
    assert status == 200
    assert {"service", "version", "to_do", "left", "retrying", "oldest_look", "late"} <= set(told)
    for word in ("octo", "bank", "4242", "canary", SECRET):
        assert word not in text


def test_a_service_that_cannot_write_is_not_ready(tmp_path: Path) -> None:
    with running(tmp_path / "data") as found:
        assert found.ask("GET", "/readyz") == (200, '{"ready":true,"why":""}')
        found.parts.clock.at = found.parts.clock.at.replace(day=27)  # type: ignore[attr-defined]
        assert found.ask("GET", "/readyz")[0] == 200, "GitHub's outage is no reason"
        assert json.loads(found.ask("GET", "/")[1])["late"] == 1
        (tmp_path / "data" / ".ready").unlink()
        (tmp_path / "data" / ".ready" / "in the way").mkdir(parents=True)
        assert "cannot be written to" in found.ask("GET", "/readyz")[1]


def test_a_dead_thread_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path) as found:
        assert found.ask("GET", "/healthz") == (200, '{"alive":true}')
        found.parts.crew.stop()
        assert found.ask("GET", "/healthz")[0] == 503


def test_what_work_raises_ends_no_thread(tmp_path: Path) -> None:
    def work(subject: Subject) -> str:
        if subject.kind == "pull" and subject.number == 1:
            raise RuntimeError("a mistake of ours")
        return "seen"

    with running(tmp_path, work) as found:
        for number in (1, 2):
            found.post(pull_event(number))
        while len(found.parts.queue.entries()) > 1:
            found.parts.queue.wait(0.01)
        (left,) = found.parts.queue.entries()
        assert (left.subject.number, left.tries) == (1, 1)
        assert left.why.startswith("RuntimeError in test_service.py:")
        assert "a mistake of ours" not in "\n".join(found.lines)
        assert found.parts.crew.healthy()
