"""The nouns of running: Attempt, Progress, Ended, Executor; Event and RunReport.

In: a job whose run folder is ready. Out: how its worker ended. What a worker found is read from
its run folder by `attempt.py`, the same for every executor.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Protocol

from llmops.errors import LlmopsError
from llmops.evidence.statement import Evidence
from llmops.jobs.audits import Audit
from llmops.jobs.base import Input, Job


@dataclass(frozen=True, slots=True)
class Progress:
    """One line of `progress.jsonl`; a number that the worker did not say is None."""

    phase: str
    at: str = ""
    note: str = ""
    step: float | None = None
    steps: float | None = None
    loss: float | None = None
    tokens_per_s: float | None = None
    memory_mb: float | None = None
    eta_s: float | None = None

    @classmethod
    def parse(cls, line: bytes) -> Progress | None:
        """From a line, or None: progress is for looking at, a broken line is no failure."""
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(data, dict) or not isinstance(data.get("phase"), str):
            return None
        numbers = {f.name: _number(data.get(f.name)) for f in fields(cls)[3:]}
        at, note = (_text(data.get(name)) for name in ("at", "note"))
        return cls(data["phase"], at, note, **numbers)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return value


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job with its run folder, `job.json` written. `claim`: a descriptor the worker inherits."""

    job: Job
    folder: Path
    claim: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended: by itself with an exit code (negative: by that signal), or stopped."""

    exit_code: int
    seconds: float
    stopped: Literal["", "timeout", "cancelled"] = ""


class Executor(Protocol):
    """Starts workers somewhere. The only calls that differ between places."""

    name: str

    def render(self, attempt: Attempt) -> str:
        """What would be started, as text; touches nothing."""

    def perform(
        self, attempt: Attempt, on_progress: Callable[[Progress], None], stop: threading.Event
    ) -> Ended:
        """Run the worker to its end, or to its timeout, or until `stop` is set.

        Nothing that it started is alive afterwards. Raises ExecutorError if it cannot be started.
        """


@dataclass(frozen=True, slots=True)
class Given:
    """One input as the worker gets it: where, and the digest of what is there."""

    path: Path
    digest: str


Resolver = Callable[[Input], Given]

EventKind = Literal[
    "reused",  # evidence was there, from the plan or from another run meanwhile
    "waits",  # another run works on the same job
    "started",
    "progress",
    "finished",
    "quality_failed",
    "world_failed",
    "blocked",  # something it needs failed
    "not_started",  # the run was ended before its turn
]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job; `message` in words, `seconds` that it took."""

    kind: EventKind
    job: Job
    message: str = ""
    progress: Progress | None = None
    evidence: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Done:
    """A job with evidence. `ran`: this run did it; `seconds` its worker's time."""

    job: Job
    evidence: Evidence
    ran: bool
    seconds: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A job without a result, for reasons that are not its own; `log` holds the last lines."""

    job: Job
    error: LlmopsError
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocked:
    """A job that could not start, because of what it needs."""

    job: Job
    why: str


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of every step, each in one place; `audits` of those that were drawn."""

    ran: tuple[Done, ...] = ()
    reused: tuple[Done, ...] = ()
    world_failed: tuple[Failure, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    not_started: tuple[Job, ...] = ()
    audits: tuple[Audit, ...] = ()

    @property
    def quality_failed(self) -> tuple[Done, ...]:
        """Jobs, run or reused, whose true result is a failure."""
        return tuple(d for d in (*self.ran, *self.reused) if d.evidence.status != "ok")

    @property
    def exit_code(self) -> int:
        """3 if the world failed anywhere, 1 if a job failed or does not repeat, else 0."""
        if self.world_failed or self.not_started:
            return 3
        odd = [audit for audit in self.audits if not audit.same]
        return 1 if self.quality_failed or self.blocked or odd else 0
