"""Threads that empty the queue, and one that asks for a full look now and then.

In: a queue and `work`, which looks at one subject and says what came of it. Out: subjects done,
put off or left. Nothing that `work` raises ends a thread; each thread is watched by `healthy`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from llmops.app.journal import Journal, summary
from llmops.app.queue import Queue
from llmops.app.subjects import Subject
from llmops.errors import LlmopsError, StoreError, UsageError
from llmops.forge.base import GaveUp, Refused

EVERY = 240.0  # seconds between full looks: what no event told is seen within five minutes
IDLE = 1.0  # seconds until an idle thread looks whether something is due

Work = Callable[[Subject], str]


def step(queue: Queue, work: Work, journal: Journal) -> bool:
    """Look at the next subject, if one is due. Whatever goes wrong is kept beside it."""
    subject = queue.take()
    if subject is None:
        return False
    try:
        said = work(subject)
    except Exception as error:
        _trouble(queue, subject, error, journal)
        return True
    journal.say("done", f"{subject}: {said}")
    try:
        queue.done(subject)
    except StoreError as error:
        journal.say("failed", error.message)
    return True


def _trouble(queue: Queue, subject: Subject, error: Exception, journal: Journal) -> None:
    """Put off what may mend itself; leave what needs a person."""
    why = journal.clean(error.message if isinstance(error, LlmopsError) else summary(error))
    hint = journal.clean(error.hint) if isinstance(error, LlmopsError) and error.hint else ""
    told = f"{why} (hint: {hint})" if hint else why
    try:
        if isinstance(error, Refused | UsageError):
            queue.park(subject, told)
            journal.say("left", f"{subject}: {told}")
            return
        until = _moment(error.resume_at) if isinstance(error, GaveUp) else None
        entry = queue.failed(subject, told, until=until)
        later = entry.not_before.isoformat(timespec="seconds") if entry.not_before else ""
        after = f"left until {later}" if entry.parked else f"again at {later}"
        journal.say("failed", f"{subject}: {told}; try {entry.tries}, {after}")
    except StoreError as full:
        journal.say("failed", f"{subject}: {told}; and {full.message}")


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


class Crew:
    """`count` threads at work, and the one that sweeps. `start` once; `stop` waits for them."""

    def __init__(
        self, queue: Queue, work: Work, repos: Iterable[str], journal: Journal,
        *, count: int = 2, every: float = EVERY,
    ) -> None:  # fmt: skip
        self._queue, self._work, self._journal = queue, work, journal
        self._repos, self._every = tuple(repos), every
        self._ended = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._labour, name=f"work-{n}") for n in range(count)),
            threading.Thread(target=self._sweep, name="sweep"),
        ]

    def start(self) -> None:
        """Begin with a full look: who knows what happened while nobody was there."""
        for thread in self._threads:
            thread.daemon = True  # a kill loses nothing, so an end need not wait for GitHub
            thread.start()

    def stop(self, seconds: float = 10.0) -> None:
        """No new subject; what is being done may end, as long as that takes few seconds."""
        self._ended.set()
        for thread in self._threads:
            thread.join(seconds)

    def healthy(self) -> bool:
        """Whether every thread is there."""
        return all(thread.is_alive() for thread in self._threads)

    def _labour(self) -> None:
        while not self._ended.is_set():
            if not step(self._queue, self._work, self._journal):
                self._queue.wait(IDLE)

    def _sweep(self) -> None:
        while not self._ended.is_set():
            for repo in self._repos:
                try:
                    self._queue.put(Subject(repo, "sweep"))
                except StoreError as error:
                    self._journal.say("failed", error.message)
            self._ended.wait(self._every)
