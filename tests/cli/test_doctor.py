from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmops.executors import machine


@pytest.fixture(autouse=True)
def no_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_installed", lambda: False)


def test_a_good_machine_has_all_it_must(llmops, bank) -> None:
    said = llmops("doctor", "-C", bank.path)
    assert said.code == 0, said.out
    assert said.out.splitlines()[-1] == "all must-haves are there"
    assert "0 kept statements, all whole" in said.out


def test_json_has_the_same_findings(llmops, bank) -> None:
    found = json.loads(llmops("doctor", "-C", bank.path, "--format", "json").out)["findings"]
    assert {"git", "python", "repository", "evidence"} <= {one["name"] for one in found}
    assert {one["state"] for one in found} <= {"ok", "warning", "missing"}


def test_outside_a_repository_it_still_examines(llmops, tmp_path: Path) -> None:
    said = llmops("doctor", "-C", tmp_path)
    assert said.code == 0
    assert "llmops init makes one" in said.out


def test_a_repository_without_a_work_tree_is_told_as_such(llmops, bank, tmp_path: Path) -> None:
    bank.git("clone", "--quiet", "--bare", str(bank.path), str(tmp_path / "bare.git"))
    said = llmops("doctor", "-C", tmp_path / "bare.git")
    assert "this repository has no work tree" in said.out
    assert "hint: clone it, and work in the clone" in said.out


def test_a_missing_must_have_is_exit_code_1_with_a_hint(llmops, bank, monkeypatch) -> None:
    monkeypatch.setattr(machine, "_output", lambda command: None)
    said = llmops("doctor", "-C", bank.path, "-q")
    assert said.code == 1
    assert "git is not on PATH" in said.out
    assert "hint: install git 2.38 or newer" in said.out
    assert "python" not in said.out


def test_damaged_evidence_is_a_warning(llmops, bank) -> None:
    assert llmops("run", "-C", bank.path, "--head", "main").code == 0
    statement = next((bank.path / "reports/evidence").rglob("*.json"))
    statement.chmod(0o600)
    statement.write_text("{}")
    said = llmops("doctor", "-C", bank.path)
    assert said.code == 0
    assert "holds other bytes than its name says" in said.out


def test_variables_of_options_are_known_and_others_told(llmops, bank, monkeypatch) -> None:
    monkeypatch.setenv("LLMOPS_BASE", "main")
    monkeypatch.setenv("LLMOPS_KEEP_DAYS", "3")
    monkeypatch.setenv("LLMOPS_BSE", "main")
    monkeypatch.setenv("LLMOPS_EXPIRES", "30d")  # of an action, `waiver new`
    monkeypatch.setenv("LLMOPS_ALLOW_HOSTS", "example.org")
    out = llmops("doctor", "-C", bank.path).out
    assert "LLMOPS_BSE is no variable of llmops" in out
    assert out.count("is no variable of llmops") == 1
    assert "LLMOPS_KEEP_DAYS is no" not in out
