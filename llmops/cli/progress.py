"""What `run` shows while it works: one live line per job on a terminal, plain lines in a log."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence

from llmops.cli import common
from llmops.cli.output import is_terminal
from llmops.diagnostics import printable
from llmops.executors.base import Event, Progress
from llmops.jobs.base import Job

EVERY_SECONDS = 300.0
Printer = Callable[[Event], None]


@contextlib.contextmanager
def printer(args: argparse.Namespace, jobs: Sequence[Job]) -> Iterator[Printer]:
    """A sink for events: live on a terminal, else lines."""
    plain = os.environ.get("CI") or os.environ.get("TERM") == "dumb"
    live = is_terminal() and not plain and not args.no_progress
    if live:
        with _live(jobs, colour=common.colour(args)) as sink:
            yield sink
    else:
        yield Lines(quiet=args.no_progress)


class Lines:
    """One line when a job starts, changes its phase or ends, and one every five minutes."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._phases: dict[str, str] = {}
        self._said: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Print an event if it says something new."""
        if event.kind == "progress":
            if event.progress is not None and self._is_news(event.job, event.progress):
                common.say(line(event))
        elif event.kind != "reused" or not self._quiet:
            common.say(line(event))

    def _is_news(self, job: Job, progress: Progress) -> bool:
        now = time.monotonic()
        changed = self._phases.get(job.closure) != progress.phase or progress.note != ""
        late = now - self._said.get(job.closure, now) >= EVERY_SECONDS
        if changed or job.closure not in self._said or late:
            self._phases[job.closure] = progress.phase
            self._said[job.closure] = now
            return not self._quiet
        return False


def name(job: Job) -> str:
    """`train/support-lora`, with `(base)` for base's side."""
    return f"{job.id} (base)" if job.side == "base" else job.id


def line(event: Event) -> str:
    """One event in words."""
    head = f"{name(event.job):<34}"
    if event.kind == "progress" and event.progress is not None:
        return f"{head} {numbers(event.progress)}"
    took = f" in {event.seconds:.1f} s" if event.seconds else ""
    word = event.kind.replace("_", " ")
    first, more, _ = event.message.partition("\n")
    said = f": {printable(first, 400)}{' …' if more else ''}" if event.message else ""
    return f"{head} {word}{took}{said}"


def numbers(progress: Progress) -> str:
    """`train step 12/200 loss 1.284 1,200 tokens/s 410 MB eta 0:32`, or what a worker notes."""
    if progress.note:
        return printable(progress.note, 400)
    if progress.phase == "resume" and progress.step is not None and progress.steps:
        return f"resumes at step {progress.step:.0f} of {progress.steps:.0f}"
    words = [printable(progress.phase, 40)]
    if progress.step is not None and progress.steps:
        words.append(f"step {progress.step:.0f}/{progress.steps:.0f}")
    if progress.loss is not None:
        words.append(f"loss {progress.loss:.3f}")
    if progress.tokens_per_s is not None:
        words.append(f"{progress.tokens_per_s:,.0f} tokens/s")
    if progress.memory_mb is not None:
        words.append(f"{progress.memory_mb:,.0f} MB")
    if progress.eta_s is not None:
        minutes, seconds = divmod(int(progress.eta_s), 60)
        words.append(f"eta {minutes}:{seconds:02}")
    return " ".join(words)


@contextlib.contextmanager
def _live(jobs: Sequence[Job], *, colour: bool) -> Iterator[Printer]:
    """Running jobs below, finished ones scrolled above."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(no_color=not colour, highlight=False)
    running: dict[str, str] = {}
    waiting = len(jobs)

    def shown() -> Text:
        lines = [f"{left} {right}" for left, right in running.items()]
        return Text("\n".join([*lines, f"{waiting} waiting"] if waiting else lines))

    with Live(shown(), console=console, refresh_per_second=4, transient=True) as live:

        def sink(event: Event) -> None:
            nonlocal waiting
            head = f"{name(event.job):<34}"
            if event.kind == "started":
                running[head] = "started"
                waiting = max(0, waiting - 1)
            elif event.kind == "progress" and event.progress is not None:
                running[head] = numbers(event.progress)
                if event.progress.note or event.progress.phase == "resume":
                    console.print(Text(line(event)))  # is to be read, not seen for a moment
            elif event.kind not in ("waits",):
                running.pop(head, None)
                console.print(Text(line(event)))
            live.update(shown())

        yield sink
