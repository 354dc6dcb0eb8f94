"""A fresh machine goes on where another one stopped: artifacts by way of an Environment's store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmops.evidence import blobs
from tests.conftest import GitRepo

ENVIRONMENT = """\
apiVersion: llmops/v1alpha1
kind: Environment
metadata: {{name: local}}
spec: {{store: "{uri}"}}
"""


@pytest.fixture
def machines(llmops, bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A remote whose main names a store, and a function that makes fresh clones of it."""
    blobs.opened.cache_clear()
    uri = f"file://{tmp_path}/shared"
    bank.commit({"specs/environments/local.yaml": ENVIRONMENT.format(uri=uri)}, "a store")
    bank.git("switch", "--quiet", "change")
    bank.git("rebase", "--quiet", "main")
    bank.git("switch", "--quiet", "main")
    bare = tmp_path / "there.git"
    bank.git("clone", "--quiet", "--bare", str(bank.path), str(bare))

    def fresh(name: str) -> GitRepo:
        blobs.opened.cache_clear()  # another process, on another machine
        repo = GitRepo(tmp_path / name)
        bank.git("clone", "--quiet", str(bare), str(repo.path))
        assert llmops("evidence", "pull", "-C", repo.path).code == 0
        return repo

    yield fresh
    blobs.opened.cache_clear()


TREES = ("--base", "origin/main", "--head", "origin/change")


def test_a_fresh_machine_runs_only_what_is_new_and_judges_by_what_others_ran(
    llmops, machines, tmp_path: Path
) -> None:
    first = machines("first")
    assert llmops("run", "-C", first.path, "--head", "origin/main").code == 0
    assert len(list((tmp_path / "shared" / "sha256").iterdir())) > 3
    assert llmops("evidence", "push", "-C", first.path).code == 0

    second = machines("second")
    said = llmops("plan", "-C", second.path, *TREES)
    assert "3 jobs to run, 5 reused" in said.out
    assert not list((second.path / "reports").glob("runs/*")), "a plan brings nothing"
    said = llmops("run", "-C", second.path, *TREES)
    assert said.code == 0, said.err
    assert "3 ran, 5 reused" in said.out
    assert llmops("evidence", "push", "-C", second.path).code == 0

    third = machines("third")
    said = llmops("gate", "-C", third.path, *TREES)
    assert said.code == 0, said.out + said.err
    assert "nothing to run" in llmops("plan", "-C", third.path, *TREES).out.lower()


def test_what_was_lost_there_is_planned_again_and_says_so(llmops, machines, tmp_path: Path) -> None:
    first = machines("first")
    assert llmops("run", "-C", first.path, "--head", "origin/main").code == 0
    assert llmops("evidence", "push", "-C", first.path).code == 0
    shutil.rmtree(tmp_path / "shared")
    second = machines("second")
    said = llmops("plan", "-C", second.path, "--head", "origin/main")
    assert "is gone from the store" in said.out
    said = llmops("run", "-C", second.path, "--head", "origin/main")
    assert said.code == 0, said.err


def test_a_change_does_not_choose_where_artifacts_go(llmops, machines, tmp_path: Path) -> None:
    first = machines("first")
    first.git("switch", "--quiet", "--create", "mine", "origin/main")
    elsewhere = ENVIRONMENT.format(uri=f"file://{tmp_path}/stolen")
    first.commit({"specs/environments/local.yaml": elsewhere}, "another store")
    said = llmops("run", "-C", first.path, "--base", "origin/main", "--head", "mine")
    assert said.code == 0, said.err
    assert not (tmp_path / "stolen").exists()
    assert (tmp_path / "shared").exists()


def test_pull_brings_what_a_plan_reads(llmops, machines, tmp_path: Path) -> None:
    first = machines("first")
    assert llmops("run", "-C", first.path, "--head", "origin/main").code == 0
    assert llmops("evidence", "push", "-C", first.path).code == 0
    second, plan = machines("second"), tmp_path / "plan.json"
    assert llmops("plan", "-C", second.path, *TREES, "--out", plan).code == 0
    said = llmops("evidence", "pull", "-C", second.path, "--plan", plan)
    assert said.code == 0, said.err
    assert "Brought here: " in said.out
    shutil.move(tmp_path / "shared", tmp_path / "away")
    said = llmops("evidence", "pull", "-C", second.path, "--plan", plan)
    assert "0 artifacts of 0" in said.out
    assert llmops("run", "-C", second.path, plan).code == 0, "all that it reads is here"


def test_a_store_that_takes_nothing_is_told_and_the_work_is_kept(
    llmops, machines, tmp_path: Path
) -> None:
    (tmp_path / "shared").write_text("in the way")
    first = machines("first")
    said = llmops("run", "-C", first.path, "--head", "origin/main")
    assert said.code == 3
    assert "cannot be" in said.out
    (tmp_path / "shared").unlink()
    blobs.opened.cache_clear()
    said = llmops("run", "-C", first.path, "--head", "origin/main")
    assert said.code == 0, said.out
    assert (tmp_path / "shared" / "sha256").is_dir()


def test_gc_keeps_in_the_store_what_main_and_a_release_need(
    llmops, machines, tmp_path: Path
) -> None:
    first = machines("first")
    assert llmops("run", "-C", first.path, *TREES).code == 0
    first.git("tag", "v1", "origin/change")
    words = ("gc", "-C", first.path, "--head", "origin/main", "--keep-days", "0", "--store")
    before = sorted((tmp_path / "shared" / "sha256").iterdir())
    said = llmops(*words, "--also", "v1")
    assert said.code == 0, said.err
    assert sorted((tmp_path / "shared" / "sha256").iterdir()) == before
    assert "would go" in llmops(*words, "--dry-run").out
    assert sorted((tmp_path / "shared" / "sha256").iterdir()) == before
    said = llmops(*words)
    assert "artifact in file://" in said.out
    left = sorted((tmp_path / "shared" / "sha256").iterdir())
    assert 0 < len(left) < len(before)
    assert llmops("evidence", "push", "-C", first.path).code == 0
    second = machines("second")
    main = ("--base", "origin/main", "--head", "origin/main")
    assert "nothing to run" in llmops("plan", "-C", second.path, *main).out.lower()
    assert "is gone from the store" in llmops("plan", "-C", second.path, *TREES).out


def test_gc_of_a_store_that_nobody_named_is_refused(llmops, bank) -> None:
    said = llmops("gc", "-C", bank.path, "--store")
    assert said.code == 2
    assert "no store is shared here" in said.err
