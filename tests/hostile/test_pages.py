"""Hostile text in a page, as a real browser sees it: no element of it, no request because of it.

Needs Chromium on PATH. The names in the text are made to resolve to a listener of ours (all others,
which the browser asks for by itself, to nothing), and a page without our care shows that the
listener would hear a request.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llmops.reports import html
from tests.reports import pages
from tests.reports.test_html import HARMLESS

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-extensions", "--virtual-time-budget=2000",
)  # fmt: skip
HOSTS = ("evil.example", "*.evil.example", "z")  # those that the hostile text names
CARELESS = '<!DOCTYPE html><img src="http://evil.example/x"><p onclick="1">hi</p>'
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@dataclass
class Listener:
    """Accepts connections and remembers that they came."""

    port: int
    heard: list[bytes] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    found, stop = Listener(server.getsockname()[1]), threading.Event()

    def listen() -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(1)
                found.heard.append(connection.recv(1000))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=listen)
    thread.start()
    yield found
    stop.set()
    thread.join()
    server.close()


def seen(page: str, folder: Path, listener: Listener) -> str:
    """The elements that Chromium makes of a page, as text."""
    assert CHROMIUM is not None
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    profile = f"--user-data-dir={folder / 'profile'}"
    ours = ",".join(f"MAP {host} 127.0.0.1:{listener.port}" for host in HOSTS)
    rules = f"--host-resolver-rules={ours},MAP * ~NOTFOUND"
    done = subprocess.run(
        [CHROMIUM, *FLAGS, profile, rules, "--dump-dom", file.as_uri()],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_careless_page_is_heard(tmp_path: Path, listener: Listener) -> None:
    assert "<img" in seen(CARELESS, tmp_path, listener)
    assert any(b"/x" in request for request in listener.heard)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_text_makes_no_element_and_no_request(
    tmp_path: Path, listener: Listener, lang
) -> None:
    page = html.render(pages.evil(), lang, "report.html")
    dom = seen(page, tmp_path, listener)
    tags = {tag.lower() for tag in re.findall(r"<([a-zA-Z][^\s/>]*)", dom)}
    assert tags <= HARMLESS
    assert not re.search(r"<[^<>]*\s(on\w+|src|style|srcdoc)\s*=", dom)
    assert dom.count("<tr") == page.count("<tr")
    assert listener.heard == []
