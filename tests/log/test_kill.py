"""A writer that is killed with -9 anywhere in an append: nothing is lost, nothing comes twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmops import merkle
from llmops.log.checkpoint import by_one_of
from tests.battery.kill import from_here
from tests.conftest import GitRepo
from tests.log.conftest import PEN, adding, envelope, log_of

POINTS = 200
WORDS = ("one", "two", "three")
RECOVERY_SECONDS = 30


@dataclass(frozen=True)
class Place:
    """Where the log is written: here, or at a remote too."""

    here: Path
    there: Path | None

    def append(self) -> None:
        """What the writer does: two entries, then one more; blobs beside them."""
        log = log_of(self.here, self.there)
        log.append(adding(*WORDS[:2]), [b"rows"], PEN, pause=lambda _: None)
        log.append(adding(*WORDS), [b"rows", b"more"], PEN, pause=lambda _: None)


@pytest.fixture
def place(tmp_path: Path, git_repo: Callable[..., GitRepo]) -> Callable[[str, bool], Place]:
    def make(name: str, shared: bool) -> Place:
        there = tmp_path / f"{name}.git"
        if shared:
            subprocess.run(["git", "init", "--quiet", "--bare", str(there)], check=True)
        return Place(git_repo({"a.txt": "a"}, name=name).path, there if shared else None)

    return make


def forked(work: Callable[[], None]) -> int:
    """A process of its own that works; its id, which is that of its group."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        work()
        os._exit(0)
    finally:
        os._exit(1)


def whole(place: Place) -> None:
    """The next writer finishes what was begun, and all of it is there once."""
    started = time.monotonic()
    place.append()
    assert time.monotonic() - started < RECOVERY_SECONDS
    source = log_of(place.here, place.there).source()
    entries = list(source.entries())
    assert entries == [envelope(word) for word in WORDS]
    said = by_one_of(source.checkpoint() or b"", [PEN.public])
    assert (said.size, said.root) == (len(WORDS), merkle.root(map(merkle.leaf, entries)))
    assert (len(source.digests), source.strange) == (2, ())


def dies_at_events(make: Callable[[str, bool], Place], seed: int, many: int) -> None:
    """Killed at events of the interpreter: before each file, each process, each pipe."""
    dice = random.Random(seed)
    events = [counted(make(f"usual{shared:d}", shared)) for shared in (False, True)]
    for number in range(many):
        place = make(f"e{number}", number % 2 == 1)
        at = dice.randint(1, events[number % 2])

        def work(place: Place = place, at: int = at) -> None:
            from_here(at)
            place.append()

        _, ended = os.waitpid(forked(work), 0)
        assert os.WIFSIGNALED(ended), f"event {at} of {events}"
        whole(place)


def counted(place: Place) -> int:
    """How many events an append has."""

    def work() -> None:
        counting = from_here(None)
        place.append()
        os._exit(min(counting.seen, 255))

    _, ended = os.waitpid(forked(work), 0)
    assert 20 < os.waitstatus_to_exitcode(ended) < 255
    return os.waitstatus_to_exitcode(ended)


def dies_at_times(make: Callable[[str, bool], Place], seed: int, many: int) -> None:
    """Killed after some time with all that it started, git in the middle of its work too."""
    dice = random.Random(seed)
    started = time.monotonic()
    os.waitpid(forked(make("usual", True).append), 0)
    usual = time.monotonic() - started
    for number in range(many):
        place = make(f"t{number}", number % 2 == 1)
        child = forked(place.append)
        time.sleep(dice.uniform(0, usual))
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            os.kill(child, signal.SIGKILL)  # it has no group of its own yet
        os.waitpid(child, 0)
        whole(place)


def test_a_writer_killed_at_an_event_leaves_a_log_that_goes_on(
    place: Callable[[str, bool], Place],
) -> None:
    dies_at_events(place, 1, 4)


def test_a_writer_killed_with_its_git_leaves_a_log_that_goes_on(
    place: Callable[[str, bool], Place],
) -> None:
    dies_at_times(place, 2, 2)


@pytest.mark.slow
def test_two_hundred_kills_at_events_lose_nothing(place: Callable[[str, bool], Place]) -> None:
    dies_at_events(place, 3, POINTS)


@pytest.mark.slow
def test_two_hundred_kills_with_git_lose_nothing(place: Callable[[str, bool], Place]) -> None:
    dies_at_times(place, 4, POINTS)
