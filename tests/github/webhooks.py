"""Webhooks: a queue of deliveries that a test delivers, doubles, drops, reorders or forges.

Nothing is sent by itself. A `Delivery` has the bytes and headers that GitHub sends, signed with
HMAC-SHA256 (https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

SECRET = "webhook-secret-of-the-tests"
Receiver = Callable[[dict[str, str], bytes], int]  # headers, body -> status


@dataclass(frozen=True)
class Delivery:
    """One event on its way. `id`: X-GitHub-Delivery, the same again when it is redelivered."""

    event: str
    payload: dict[str, Any] = field(repr=False)
    id: str
    secret: str = SECRET

    @property
    def body(self) -> bytes:
        return json.dumps(self.payload, ensure_ascii=False).encode()

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/044aadd",
            "X-GitHub-Event": self.event,
            "X-GitHub-Delivery": self.id,
            "X-GitHub-Hook-ID": "1",
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature-256": signature(self.body, self.secret),
        }

    @property
    def name(self) -> str:
        """`event.action`, or the event alone."""
        action = self.payload.get("action")
        return f"{self.event}.{action}" if action else self.event


@dataclass
class Webhooks:
    """What was emitted and not yet delivered, oldest first; `sent` is all that was delivered."""

    secret: str = SECRET
    pending: list[Delivery] = field(default_factory=list)
    sent: list[tuple[Delivery, int]] = field(default_factory=list)
    _ids: Iterator[str] = field(default_factory=lambda: _ids())

    def emit(self, event: str, payload: dict[str, Any]) -> Delivery:
        made = Delivery(event, json.loads(json.dumps(payload)), next(self._ids), self.secret)
        self.pending.append(made)
        return made

    def take(self, *names: str) -> list[Delivery]:
        """Remove and return what is pending; only these events (`push`, `pull_request.opened`)."""
        chosen = [d for d in self.pending if not names or d.name in names or d.event in names]
        self.pending = [d for d in self.pending if d not in chosen]
        return chosen

    def drop(self, *names: str) -> list[Delivery]:
        """Lose them for good. Returns what was lost."""
        return self.take(*names)

    def duplicate(self, times: int = 2) -> None:
        """Each pending delivery so many times, with the same id."""
        self.pending = [d for d in self.pending for _ in range(times)]

    def shuffle(self, seed: int = 0) -> None:
        random.Random(seed).shuffle(self.pending)

    def deliver(self, receiver: Receiver, *names: str) -> list[int]:
        """Send what is pending (only these events) in order. Returns the statuses."""
        statuses = []
        for delivery in self.take(*names):
            status = receiver(delivery.headers, delivery.body)
            self.sent.append((delivery, status))
            statuses.append(status)
        return statuses

    def forged(self, delivery: Delivery, secret: str = "guessed") -> Delivery:
        """The same bytes, signed by somebody who does not know the secret."""
        return replace(delivery, secret=secret)


def signature(body: bytes, secret: str) -> str:
    """The value of X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _ids() -> Iterator[str]:
    draw = random.Random(1)
    while True:
        yield str(uuid.UUID(int=draw.getrandbits(128), version=4))
