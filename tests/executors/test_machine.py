"""What doctor looks at: each thing that can be wrong is found, and told with what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmops.executors import machine
from llmops.executors.machine import Finding, Machine, examine


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    return Machine(dict(os.environ), tmp_path / "reports", tmp_path / "cache")


def of(found: list[Finding], name: str) -> Finding:
    (one,) = [f for f in found if f.name == name]
    return one


def test_every_look_says_something(here: Machine) -> None:
    found = list(examine(here, ranks=False))
    names = {one.name for one in found}
    assert names >= {"git", "python", "locale", "reports", "cache", "memory", "gpus", "packages"}
    assert all(one.hint for one in found if one.state == "missing")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (None, "missing"),
        ("git version 2.30.1", "missing"),
        ("git version 2.38.0", "ok"),
        ("git version 3.1", "ok"),
        ("garbage", "missing"),
    ],
)
def test_git_must_merge_without_a_work_tree(here, monkeypatch, said, state) -> None:
    monkeypatch.setattr(machine, "_output", lambda command: said)
    assert of(list(machine._git(here)), "git").state == state


def test_a_folder_that_is_no_folder_is_missing(here: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    found = machine._folder("cache", tmp_path / "file" / "below")
    assert found.state == "missing"
    assert "LLMOPS_CACHE" in found.hint


@pytest.mark.parametrize(("free_mb", "state"), [(100, "missing"), (1000, "warning"), (9000, "ok")])
def test_little_room_is_told(tmp_path: Path, monkeypatch, free_mb: int, state: str) -> None:
    class Usage:
        free = free_mb * 2**20

    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: Usage)
    assert machine._folder("reports", tmp_path).state == state


def test_a_variable_that_means_nothing_is_a_warning(tmp_path: Path) -> None:
    given = {"LLMOPS_BSE": "main", "LLMOPS_BASE": "main", "LLMOPS_MIRROR": "/nowhere/at/all"}
    known = frozenset({"LLMOPS_BASE", "LLMOPS_MIRROR"})
    found = list(machine._variables(Machine(given, tmp_path, tmp_path, known)))
    assert [one.state for one in found] == ["warning", "warning"]
    assert "LLMOPS_BSE" in found[0].message
    assert "LLMOPS_BASE" in found[0].hint
    assert "/nowhere/at/all" in found[1].message


def test_tools_of_another_version_are_missing_and_none_at_all_is_a_choice(
    here, monkeypatch
) -> None:
    monkeypatch.setattr(machine, "_version", lambda name: None)
    (none,) = machine._packages(here)
    assert none.state == "warning"
    monkeypatch.setattr(machine, "_version", lambda name: "0.0.1" if name == "torch" else "9")
    found = list(machine._packages(here))
    assert all(one.state == "missing" for one in found)
    assert any("torch 0.0.1, pinned" in one.message for one in found)


def test_a_missing_compiler_is_missing(here: Machine, monkeypatch) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name, path=None: None)
    assert of(list(machine._compiler(here)), "compiler").state == "missing"
    assert of(list(machine._ninja(here)), "ninja").state == "missing"


@pytest.mark.parametrize(
    ("code", "out", "err", "state"),
    [
        (0, "ranks 2 torch 2.13.0", "", "ok"),
        (1, "", "x\nRuntimeError: no route\n", "missing"),
        (0, "", "", "missing"),
    ],
)
def test_ranks_are_judged_by_what_they_say(here, monkeypatch, code, out, err, state) -> None:
    class Done:
        returncode, stdout, stderr = code, out, err

    monkeypatch.setattr(machine.subprocess, "run", lambda *a, **k: Done)
    found = of(list(machine._ranks(here)), "ranks")
    assert found.state == state
    assert "no route" in found.message or "no route" not in err


def test_ranks_that_hang_are_told(here: Machine, monkeypatch) -> None:
    def hang(*given, **more):
        raise machine.subprocess.TimeoutExpired("torchrun", 1)

    monkeypatch.setattr(machine.subprocess, "run", hang)
    assert of(list(machine._ranks(here)), "ranks").state == "missing"


@pytest.mark.slow
def test_two_ranks_really_start(here: Machine) -> None:
    assert of(list(machine._ranks(here)), "ranks").state == "ok"
