"""Processes are found by the end of their mark, and the guard ends them when it is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmops.executors import leftovers
from tests.executors.conftest import alive

SLEEP = [sys.executable, "-ISc", "import time; time.sleep(600)"]


@contextmanager
def sleeper(mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own that bears the mark."""
    process = subprocess.Popen(SLEEP, env={leftovers.MARK: mark}, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_only_what_bears_the_mark_is_ended() -> None:
    with sleeper("a.1-2") as mine, sleeper("a.11-2") as near, sleeper("a.1-2x") as other:
        assert list(leftovers.marked(".1-2")) == [mine.pid]
        assert leftovers.sweep(".1-2") == 1
        assert mine.wait() < 0
        assert (near.poll(), other.poll()) == (None, None)
    assert leftovers.sweep(".1-2") == 0


def test_a_place_is_that_of_one_file_and_no_other(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    (tmp_path / "c").symlink_to(tmp_path / "a")
    a, b, c = (leftovers.place(str(tmp_path / name)) for name in "abc")
    assert a == c != b
    with (tmp_path / "a").open() as file:
        assert leftovers.place(file.fileno()) == a
    with pytest.raises(FileNotFoundError):
        leftovers.place(str(tmp_path / "d"))


def guard(mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", leftovers.__file__, mark], stdin=subprocess.PIPE, env={}
    )


def test_a_guard_ends_the_group_and_the_marked_when_its_input_ends() -> None:
    with sleeper("1.x") as outside, sleeper("other") as leader:
        watching = guard("1.x")
        watching.communicate(f"{leader.pid}\n".encode(), timeout=20)
        assert (outside.wait(5) < 0, leader.wait(5) < 0, watching.returncode) == (True, True, 0)


def test_a_guard_meets_what_was_being_started_when_its_parent_died() -> None:
    watching = guard("2.x")
    assert watching.stdin is not None
    watching.stdin.close()
    time.sleep(0.1)
    with sleeper("2.x") as late:
        assert late.wait(5) < 0
    watching.wait(20)
    assert not alive(watching.pid)


def test_a_sweep_without_proc_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_proc(path: str) -> list[str]:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "listdir", no_proc)
    assert leftovers.sweep(".1-2") == 0
