"""A service in one process: a clock that only moves when told, a disk in memory, signed events."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llmops.app.crew import step
from llmops.app.door import Answer, Door, Key
from llmops.app.journal import Journal
from llmops.app.queue import Queue
from llmops.app.subjects import Subject
from llmops.errors import StoreError

SECRET = "a-webhook-secret-of-tests"
REPO = "octo/bank"
HEAD = "a" * 40
BASE = "b" * 40


@dataclass
class Clock:
    """Time that moves when somebody sleeps, or when a test says so."""

    at: datetime = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    since: float = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.since

    def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.since += max(seconds, 0.0)


@dataclass
class Memory:
    """A disk that is a dictionary; from `full_after` writes and removals on it refuses."""

    files: dict[str, bytes] = field(default_factory=dict)
    aside: dict[str, bytes] = field(default_factory=dict)
    full_after: int = 1 << 60

    def names(self) -> list[str]:
        return sorted(self.files)

    def read(self, name: str) -> bytes:
        return self.files[name]

    def write(self, name: str, data: bytes) -> None:
        self._count(name)
        self.files[name] = data

    def remove(self, name: str) -> None:
        self._count(name)
        self.files.pop(name, None)

    def set_aside(self, name: str) -> None:
        self.aside[name] = self.files.pop(name)

    def _count(self, name: str) -> None:
        if self.full_after <= 0:
            raise StoreError(f"cannot write {name}: No space left on device")
        self.full_after -= 1


def signature(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def headers(name: str, body: bytes, secret: str = SECRET, delivery: str = "d-1") -> dict[str, str]:
    return {
        "x-hub-signature-256": signature(body, secret),
        "x-github-event": name,
        "x-github-delivery": delivery,
        "content-type": "application/json",
    }


@dataclass
class Service:
    """The service without HTTP and without threads: `deliver`, then `drain`."""

    clock: Clock
    disk: Memory
    lines: list[str]
    seen: list[Subject]
    queue: Queue
    door: Door
    journal: Journal
    work: Callable[[Subject], str]

    def deliver(self, name: str, payload: Mapping[str, Any], secret: str = SECRET) -> Answer:
        body = json.dumps(payload).encode()
        return self.door.receive(headers(name, body, secret), body)

    def drain(self) -> None:
        while step(self.queue, self.work, self.journal):
            pass


def service(
    work: Callable[[Subject], str] | None = None,
    *,
    disk: Memory | None = None,
    clock: Clock | None = None,
    secrets: tuple[str, ...] = (SECRET,),
) -> Service:
    """A new process on a disk."""
    clock, disk = clock or Clock(), disk or Memory()
    lines: list[str] = []
    seen: list[Subject] = []

    def note(subject: Subject) -> str:
        seen.append(subject)
        return work(subject) if work else "seen"

    journal = Journal(lines.append, clock, secrets)
    queue = Queue(disk, clock)
    door = Door(Key(secrets), queue, [REPO], journal)
    return Service(clock, disk, lines, seen, queue, door, journal, note)


@pytest.fixture
def app() -> Service:
    return service()


def pull_event(number: int = 7, action: str = "synchronize", **more: Any) -> dict[str, Any]:
    return {
        "action": action,
        "number": number,
        "pull_request": {"number": number, "head": {"sha": HEAD}, "title": "$(reboot)"},
        "repository": {"full_name": REPO, "default_branch": "main"},
        **more,
    }


def event(**parts: Any) -> dict[str, Any]:
    return {"repository": {"full_name": REPO, "default_branch": "main"}, **parts}
