"""Steps of a plan -> RunReport: each job once, in order of need, as many at once as fit.

In: steps, a store, an executor, a resolver of inputs. Out: events (always from the calling
thread) and the report. A job that failed for the world ends the run after those that are running,
unless `keep_going`; a job with a failed result is evidence, and only what needs it is blocked.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from llmops.errors import LlmopsError, StoreError
from llmops.evidence.store import Store
from llmops.executors.attempt import CancelledError, World, attempt
from llmops.executors.base import (
    Blocked,
    Done,
    Event,
    EventKind,
    Executor,
    Failure,
    Resolver,
    RunReport,
)
from llmops.executors.folder import RunFolder, SaidError
from llmops.executors.local import LocalExecutor
from llmops.jobs.base import Job, Step
from llmops.signing.base import Signer

EXECUTORS: Mapping[str, Callable[[], Executor]] = {"local": LocalExecutor}


def run(
    plan_steps: Sequence[Step],
    *,
    store: Store,
    executor: Executor,
    resolve: Resolver,
    on_event: Callable[[Event], None],
    keep_going: bool = False,
    jobs: int | None = None,
    cores: int | None = None,
    again: frozenset[str] = frozenset(),
    signer: Signer | None = None,
    columns: frozenset[str] = frozenset(),
) -> RunReport:
    """Bring every step to evidence, as far as the world allows. Raises KeyboardInterrupt.

    `jobs`: at most so many workers at once. `cores`: at most so many busy cores (default: those
    this process may use); a job that asks for more runs alone. When this returns or raises, no
    worker is alive. SIGTERM and SIGHUP count as interrupts. `again`: closures to run although
    there is evidence of them.
    """
    messages: queue.SimpleQueue[_Message | None] = queue.SimpleQueue()
    stop = threading.Event()

    def tell(event: Event) -> None:
        messages.put(_Message(event.job, event))

    world = World(store, executor, resolve, tell, stop, again, signer, columns)
    store.prepare()
    limits = _Limits(jobs or len(plan_steps), cores or _cores(), keep_going)
    with _interrupts_as_messages(messages):
        return _Schedule(plan_steps, world, limits, messages, on_event).run()


@dataclass(frozen=True, slots=True)
class _Limits:
    jobs: int
    cores: int
    keep_going: bool

    def weight(self, job: Job) -> int:
        """The cores that a job keeps busy, at most all."""
        return min(self.cores, job.resources.processes * job.resources.cpu)


@dataclass(frozen=True, slots=True)
class _Message:
    """From a job's thread: something happened, or how it ended."""

    job: Job
    what: Event | Done | Failure | CancelledError | BaseException


@dataclass(slots=True)
class _Schedule:
    """The state of one run. Only the calling thread touches it."""

    steps: Sequence[Step]
    world: World
    limits: _Limits
    messages: queue.SimpleQueue[_Message | None]
    on_event: Callable[[Event], None]
    waiting: dict[str, Job] = field(default_factory=dict)  # closure -> job, in order of the plan
    running: dict[str, threading.Thread] = field(default_factory=dict)
    busy: int = 0
    bad: dict[str, str] = field(default_factory=dict)  # closure -> why what needs it cannot run
    report: RunReport = field(default_factory=RunReport)

    def run(self) -> RunReport:
        self.waiting = {s.job.closure: s.job for s in self.steps if s.state == "run"}
        try:
            for step in self.steps:
                if step.state == "reuse":
                    self._reuse(step)
            self._advance()
            while self.running:
                message = self.messages.get()
                if message is None:
                    raise KeyboardInterrupt
                self._receive(message)
                self._advance()
        except BaseException:
            self._stop()
            raise
        for job in self.waiting.values():
            self.report = replace(self.report, not_started=(*self.report.not_started, job))
            self.on_event(Event("not_started", job, "the run was ended by a failure"))
        return self.report

    def _advance(self) -> None:
        """Settles what is blocked, then starts what can start."""
        while any(self._blocked(job) for job in list(self.waiting.values())):
            pass  # what is blocked blocks what needs it
        for job in list(self.waiting.values()):
            if self._may_start(job):
                self._start(job)

    def _may_start(self, job: Job) -> bool:
        if self.report.world_failed and not self.limits.keep_going:
            return False
        if len(self.running) >= self.limits.jobs:
            return False
        if self.busy + self.limits.weight(job) > self.limits.cores:
            return False
        return not any(n in self.waiting or n in self.running for n in job.needs)

    def _start(self, job: Job) -> None:
        del self.waiting[job.closure]
        thread = threading.Thread(target=self._in_thread, args=(job,), name=job.id)
        self.running[job.closure] = thread
        self.busy += self.limits.weight(job)
        thread.start()

    def _in_thread(self, job: Job) -> None:
        self.messages.put(_Message(job, _outcome(job, self.world)))

    def _receive(self, message: _Message) -> None:
        job, what = message.job, message.what
        if isinstance(what, Event):
            self.on_event(what)
            return
        self.running.pop(job.closure).join()
        self.busy -= self.limits.weight(job)
        if isinstance(what, Done):
            self._done(what)
        elif isinstance(what, Failure):
            self._failed(what)
        else:
            raise what

    def _reuse(self, step: Step) -> None:
        evidence = self.world.store.evidence(step.job.closure)
        if evidence is None:
            gone = StoreError(
                f'the evidence of "{step.job.id}" that the plan reuses is gone', hint="plan again"
            )
            self._failed(Failure(step.job, gone))
            return
        self._done(Done(step.job, evidence, ran=False))

    def _done(self, done: Done) -> None:
        job, evidence, report = done.job, done.evidence, self.report
        if done.ran:
            self.report = replace(report, ran=(*report.ran, done))
        else:
            self.report = replace(report, reused=(*report.reused, done))
        if evidence.status != "ok":
            self.bad[job.closure] = f"{job.id} failed: {evidence.result.reason}"
        failed = done.ran and evidence.status != "ok"
        kind: EventKind = "quality_failed" if failed else "finished" if done.ran else "reused"
        said = evidence.result.reason if failed else done.note
        self.on_event(Event(kind, job, said, evidence=evidence.digest, seconds=done.seconds))

    def _failed(self, failure: Failure) -> None:
        self.report = replace(self.report, world_failed=(*self.report.world_failed, failure))
        self.bad[failure.job.closure] = f"{failure.job.id} has no result"
        self.on_event(Event("world_failed", failure.job, failure.error.message))

    def _blocked(self, job: Job) -> bool:
        why = next((self.bad[n] for n in job.needs if n in self.bad), None)
        if why is None:
            return False
        del self.waiting[job.closure]
        self.bad[job.closure] = why
        self.report = replace(self.report, blocked=(*self.report.blocked, Blocked(job, why)))
        self.on_event(Event("blocked", job, why))
        return True

    def _stop(self) -> None:
        """Ends all workers."""
        self.world.stop.set()
        for thread in self.running.values():
            thread.join()


def _outcome(job: Job, world: World) -> Done | Failure | BaseException:
    """How an attempt ended, as a value; what is neither is raised again by the calling thread."""
    try:
        return attempt(job, world)
    except SaidError as error:
        return Failure(job, error)
    except LlmopsError as error:
        return Failure(job, error, RunFolder(world.store.run_folder(job.closure)).log())
    except BaseException as error:
        return error


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_OURS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,  # the terminal is gone
}


@contextlib.contextmanager
def _interrupts_as_messages(messages: queue.SimpleQueue[_Message | None]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP become a message (None), not an exception anywhere in our code.

    So ending the workers cannot itself be interrupted. A signal that comes too late for the loop
    is raised at the end. Signals that somebody else handles already are left to them.
    """
    came = threading.Event()

    def handler(number: int, frame: object) -> None:
        came.set()
        messages.put(None)  # of all queues this one may be used in a handler

    main = threading.current_thread() is threading.main_thread()
    free = {n: h for n, h in _OURS.items() if main and signal.getsignal(n) is h}
    for number in free:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, before in free.items():
            signal.signal(number, before)
    if came.is_set():
        raise KeyboardInterrupt
