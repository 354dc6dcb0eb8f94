"""`llmops app` as somebody starts it: a process, real sockets, a GitHub on the loopback."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from llmops.forge.base import CHECK
from tests.app.conftest import headers
from tests.gating.world import NAME, WORKFLOW
from tests.github import FakeGitHub, VirtualClock

HOOK = "canary-webhook-secret"
SPEC = "apiVersion: llmops/v1alpha1\nkind: Nothing\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def asked(port: int, method: str, path: str, body: bytes = b"", **told: str) -> tuple[int, str]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as talk:
        talk.request(method, path, body, told)
        answer = talk.getresponse()
        return answer.status, answer.read().decode()


def until(what: str, true: object, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, what
        time.sleep(0.05)


@contextlib.contextmanager
def github(folder: Path) -> Iterator[tuple[FakeGitHub, str]]:
    fake = FakeGitHub(folder, VirtualClock(datetime.now(UTC)))
    with fake.serve() as url:
        yield fake, url


def test_a_process_serves_until_it_is_stopped(tmp_path: Path) -> None:
    with github(tmp_path / "github") as (fake, url):
        repo = fake.repository(NAME, {"specs/a.yaml": "", WORKFLOW: "on: {pull_request: }\n"})
        app = fake.app()
        fake.installation(app, "acme")
        pull = repo.pull("change", {"specs/a.yaml": SPEC})
        for name, text in (("key.pem", app.key), ("hook", f"{HOOK}\n")):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o400)
        port = free_port()
        told = {
            "GITHUB_API_URL": url, "LLMOPS_APP_ID": str(app.id), "LLMOPS_REPOS": NAME,
            "LLMOPS_KEY_FILE": str(tmp_path / "key.pem"), "LLMOPS_DATA": str(tmp_path / "data"),
            "LLMOPS_SECRET_FILE": str(tmp_path / "hook"), "LLMOPS_BIND": f"127.0.0.1:{port}",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{repo.path}.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{url}/{NAME}.git",
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "llmops", "app"], env={**os.environ, **told},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            until("it listens", lambda: _listens(port))
            fake.clock.advance(60)
            body = json.dumps({"repository": {"full_name": NAME}, "action": "opened",
                               "pull_request": {"number": pull.number}}).encode()  # fmt: skip
            assert asked(port, "POST", "/webhook", body)[0] == 401
            signed = headers("pull_request", body, HOOK)
            assert asked(port, "POST", "/webhook", body, **signed)[0] == 202
            until("there is a check", lambda: _ended(repo, pull.head_sha))
            assert asked(port, "GET", "/readyz")[0] == 200
        finally:
            process.send_signal(signal.SIGTERM)
            text, _ = process.communicate(timeout=30)
        (check,) = repo.checks_at(pull.head_sha, CHECK)
        assert check["conclusion"] == "failure", text
        assert check["annotations"][0]["path"] == "specs/a.yaml"
        assert process.returncode in (0, -signal.SIGTERM)
        assert "Traceback" not in text
        for secret in (HOOK, *fake.tokens, app.key.split("\n")[1]):
            assert secret not in text


def _listens(port: int) -> bool:
    try:
        return asked(port, "GET", "/healthz")[0] == 200
    except OSError:
        return False


def _ended(repo: object, sha: str) -> bool:
    return any(one["status"] == "completed" for one in repo.checks_at(sha, CHECK))  # type: ignore[attr-defined]
