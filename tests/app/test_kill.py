"""A service that is killed at any moment loses no event that it has acknowledged."""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmops.app.queue import Folder
from llmops.app.subjects import Subject
from tests.app.conftest import REPO, headers, pull_event

ROOT = Path(__file__).parents[2]
SECONDS = 30.0


@dataclass
class Victim:
    """A running service."""

    process: subprocess.Popen[str]
    port: int

    def post(self, number: int) -> int:
        """One signed event; its status, 0 where the service died under it."""
        body = json.dumps(pull_event(number)).encode()
        talk = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            talk.request("POST", "/webhook", body, headers("pull_request", body))
            return talk.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            talk.close()


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Victim]:
    command = [sys.executable, "-m", "tests.app.victim", folder / "data", folder / "log"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Victim(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def looks(folder: Path) -> dict[str, int]:
    """Subject -> when its last finished look began."""
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    for line in (folder / "log").read_text().splitlines():
        what, key, at = line.split()
        if what == "begin":
            begun[key] = int(at)
        elif key in begun:
            ended[key] = begun[key]
    return ended


def killed(folder: Path, seed: int, events: int) -> dict[str, int]:
    """Events until the service is killed at a random one's time. Subject -> when acknowledged."""
    told, draw = {}, random.Random(seed)
    with running(folder) as victim:
        fatal = draw.randrange(events)
        for count in range(events):
            number = draw.randrange(1, 12)
            before = time.monotonic_ns()
            if count == fatal:
                time.sleep(draw.random() / 50)
                victim.process.send_signal(signal.SIGKILL)
            if victim.post(number) == 202:
                told[Subject(REPO, "pull", number).key] = before
    return told


def survives(folder: Path, seeds: range) -> None:
    """Kill after kill on one folder; then a service that may live does all that was promised."""
    told: dict[str, int] = {}
    for seed in seeds:
        told |= killed(folder, seed, 25)
    left = Folder(folder / "data" / "queue")
    with running(folder):
        until = time.monotonic() + SECONDS
        while left.names() and time.monotonic() < until:
            time.sleep(0.02)
    assert left.names() == []
    seen = looks(folder)
    late = {key for key, at in told.items() if seen.get(key, 0) < at}
    assert not late, "acknowledged, and never looked at since"
    assert not (folder / "data" / "queue" / "damaged").exists()
    assert len(told) > 3


def test_no_acknowledged_event_is_lost_by_a_kill(tmp_path: Path) -> None:
    survives(tmp_path, range(3))


@pytest.mark.slow
def test_no_acknowledged_event_is_lost_by_a_hundred_kills(tmp_path: Path) -> None:
    survives(tmp_path, range(100, 200))
