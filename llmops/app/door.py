"""The webhook's door: bytes and headers in, an answer out, and subjects in the queue. No HTTP here.

What does not bear GitHub's signature is turned away before anything of it is read. What does is
read for ids, put on the disk and acknowledged; the work comes later, so an answer never waits for
GitHub. An event of a repository that nobody named is acknowledged and nothing is done.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from llmops.app.events import Event, MalformedError, read
from llmops.app.journal import Journal
from llmops.app.queue import Queue
from llmops.app.subjects import Subject
from llmops.diagnostics import printable
from llmops.errors import StoreError

MOST_BYTES = 25 * 1024 * 1024  # GitHub delivers no more (docs.github.com, webhook events)
_SIGNATURE = re.compile(rb"sha256=([0-9a-f]{64})")
_NAME = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller hears: an HTTP status, and a JSON object without anything of the event."""

    status: int
    said: Mapping[str, Any]


class Key:
    """Webhook secrets, any of which may have signed. Its repr shows none of them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)

    def __repr__(self) -> str:
        return f"Key({len(self._secrets)} secrets)"

    def signed(self, body: bytes, signature: str) -> bool:
        """Whether `X-Hub-Signature-256` fits the body.

        Each secret is tried to its end, whichever fits: the time taken tells nothing of them.
        """
        found = _SIGNATURE.fullmatch(signature.encode("utf-8", "replace"))
        given = found[1] if found else b"0" * 64
        fits = False
        for secret in self._secrets:
            expected = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
            fits |= hmac.compare_digest(expected, given)
        return fits and found is not None


class Door:
    """Takes deliveries. `repos`: the repositories that are served, as they are spelt."""

    def __init__(self, key: Key, queue: Queue, repos: Iterable[str], journal: Journal) -> None:
        self._key, self._queue, self._journal = key, queue, journal
        self._repos = {repo.lower(): repo for repo in repos}

    def receive(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer to one delivery; whatever is to be done is on the disk by then."""
        lower = {name.lower(): value for name, value in headers.items()}
        answer, told = self._received(lower, body)
        self._journal.say("webhook", answer.status, told)
        return answer

    def _received(self, headers: Mapping[str, str], body: bytes) -> tuple[Answer, str]:
        if len(body) > MOST_BYTES:
            return _no(413, f"a delivery has at most {MOST_BYTES:,} bytes")
        if not self._key.signed(body, headers.get("x-hub-signature-256", "")):
            return _no(401, "the signature does not fit")
        name = headers.get("x-github-event", "")
        if not _NAME.fullmatch(name):
            return _no(400, "X-GitHub-Event names no event")
        delivery = printable(headers.get("x-github-delivery", ""), 40)
        try:
            event = read(name, _parsed(body))
        except MalformedError as error:
            return _no(400, str(error))
        return self._queued(event, f"{name} {delivery}")

    def _queued(self, event: Event, told: str) -> tuple[Answer, str]:
        if not event.subjects and event.why:
            return Answer(202, {"queued": 0, "why": event.why}), f"{told}: {event.why}"
        wanted = self._served(event)
        if not wanted:
            why = "this repository is not served here"
            return Answer(202, {"queued": 0, "why": why}), f"{told}: {why}"
        try:
            new = sum(1 for subject in wanted if self._queue.put(subject))
        except StoreError as error:
            return _no(503, "it cannot be kept now, deliver it again", error.message)
        seen = ", ".join(map(str, wanted))
        return Answer(202, {"queued": new, "known": len(wanted) - new}), f"{told}: {seen}"

    def _served(self, event: Event) -> list[Subject]:
        """The event's subjects in repositories that are served, spelt as those are."""
        if not event.subjects:
            return [Subject(repo, "sweep") for repo in self._repos.values()]
        known = self._repos.get(event.repo.lower())
        return [replace(subject, repo=known) for subject in event.subjects] if known else []


def _no(status: int, why: str, more: str = "") -> tuple[Answer, str]:
    return Answer(status, {"error": why}), f"{why}: {more}" if more else why


def _parsed(body: bytes) -> object:
    """JSON, strictly. Raises MalformedError."""
    try:
        return json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the body is no JSON (content type application/json)") from error


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)
