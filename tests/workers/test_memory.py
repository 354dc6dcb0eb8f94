"""A peak is this program's own, whatever its parent held."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmops.workers import launch, memory

BEING_LARGE = """
import subprocess, sys
ballast = bytearray(300 * 2**20)
ballast[::4096] = b"x" * len(ballast[::4096])
small = "from llmops.workers import memory; print(memory.peak_mb())"
print(subprocess.run([sys.executable, "-c", small], capture_output=True, text=True).stdout)
"""


def test_a_small_program_of_a_large_parent_is_small() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEING_LARGE], capture_output=True, text=True, check=True
    )
    assert 2 < float(done.stdout) < 150


def test_without_proc_the_system_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "none")
    assert memory.peak_mb() > 5


def test_a_process_alone_has_the_most_of_all() -> None:
    assert launch.most(12.5) == 12.5


def test_without_an_accelerator_it_has_no_peak() -> None:
    assert memory.device_peak_mb() is None
