"""A gate that dies anywhere loses nothing of the log and puts nothing into it twice.

A child process gates a change and is killed: by itself, before the n-th thing that it does to the
world (a file opened, renamed or removed, a program started), or with all that it started, after
some time. The next gate must leave the log that an undisturbed one leaves.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmops.audit.source import Clone
from llmops.audit.verify import Asked, verify
from llmops.log import base as log
from llmops.rules.base import Outcome
from llmops.signing import dsse
from tests.audit.world import GOOD, ROOT, World

_EFFECTS = ("open", "os.rename", "os.remove", "os.mkdir", "os.link", "subprocess.Popen", "os.rmdir")
_TIMES = ("judged_at", "recorded_at", "granted_at", "seen_at", "timeVerified", "last", "previous")
# What follows from times, and how far log and ledger reached: what became of an attempt may be in
# the log already when the next gate judges.
_ENDS = ("log_root", "digest", "log_size", "entries")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world whose change has run and was not judged yet."""
    world = World.new(tmp_path_factory.mktemp("killed") / "world")
    world.run(world.change("good", GOOD))
    return world.root


def told(world: World) -> list[Any]:
    """What the log says, without times and what follows from them."""
    found = []
    for raw in world.log.entries():
        said = json.loads(dsse.decode(raw).payload)
        if said.get("predicateType") in (log.RUN, log.RUN_STARTED, log.PROVENANCE):
            found.append(said)
        else:
            found.append(timeless(said))
    return found


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in (*_TIMES, *_ENDS)}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def child(work: Callable[[], object]) -> int:
    """Do something in a process of its own, in a group of its own; its id."""
    pid = os.fork()
    if pid:
        return pid
    with contextlib.suppress(BaseException):
        os.setsid()
        work()
    os._exit(0)


def gated_until(world: World, effect: int) -> bool:
    """Gate, and die before an effect; whether that came."""

    def work() -> None:
        left = [effect]

        def hook(event: str, _arguments: object) -> None:
            if event in _EFFECTS:
                left[0] -= 1
                if left[0] == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        world.gate("good")

    _, status = os.waitpid(child(work), 0)
    return os.WIFSIGNALED(status)


def gated_for(world: World, seconds: float) -> None:
    """Gate for some time, and die with every program that was started."""
    pid = child(lambda: world.gate("good"))
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def copied(ran: Path, to: Path) -> World:
    shutil.copytree(ran, to, symlinks=True)
    return World(to)


def undisturbed(ran: Path, to: Path) -> tuple[list[Any], int, float]:
    """What a gate leaves that nobody disturbs, how much it does, and for how long."""
    world, count = copied(ran, to), [0]
    pipe, end = os.pipe()

    def work() -> None:
        def hook(event: str, _arguments: object) -> None:
            count[0] += event in _EFFECTS

        sys.addaudithook(hook)
        world.gate("good")
        os.write(end, str(count[0]).encode())

    begun = time.monotonic()
    os.waitpid(child(work), 0)
    return told(world), int(os.read(pipe, 20)), time.monotonic() - begun


def survived(world: World, whole: list[Any]) -> None:
    """The next gate finishes; nothing is lost, nothing is there twice, and a stranger agrees."""
    assert world.gate("good").outcome is Outcome.PASSED
    assert told(world) == whole
    payloads = [dsse.decode(raw).payload for raw in world.log.entries()]
    assert len(set(payloads)) == len(payloads)
    material = Clone(world.project.repository, world.log)
    answer = verify(material, Asked(world.now.isoformat(), {ROOT.digest: "me"}))
    assert not answer.flaws


def points(count: int, most: int) -> Iterator[int]:
    yield from sorted(random.Random(7).sample(range(1, most), count))


def _try(ran: Path, folder: Path, effects: int, moments: int) -> None:
    whole, count, seconds = undisturbed(ran, folder / "whole")
    assert count > 50
    for point in points(effects, count):
        world = copied(ran, folder / f"at-{point}")
        gated_until(world, point)
        survived(world, whole)
        shutil.rmtree(world.root)
    dice = random.Random(8)
    for number in range(moments):
        world = copied(ran, folder / f"after-{number}")
        gated_for(world, dice.uniform(0, seconds))
        survived(world, whole)
        shutil.rmtree(world.root)


def test_a_gate_that_dies_anywhere_is_finished_by_the_next(ran: Path, tmp_path: Path) -> None:
    _try(ran, tmp_path, 1, 1)


@pytest.mark.slow
def test_the_same_at_two_hundred_points(ran: Path, tmp_path: Path) -> None:
    _try(ran, tmp_path, 100, 100)
