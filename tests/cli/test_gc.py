from __future__ import annotations

import fcntl
import json
import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture
def ran(llmops, bank):
    """Main's jobs and those of a branch that was left: its adapter is of no use any more."""
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0
    return bank


def runs(repo) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted((repo.path / "reports/runs").glob("*/job.json")):
        found.setdefault(json.loads(path.read_bytes())["id"], []).append(path.parent)
    return found


def gc(llmops, repo, *words: str) -> dict:
    said = llmops("gc", "-C", repo.path, "--keep-days", "0", "--format", "json", *words)
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_what_the_tip_needs_stays_and_what_it_does_not_goes(llmops, ran) -> None:
    before = runs(ran)
    shown = gc(llmops, ran, "--dry-run")
    assert runs(ran) == before
    gone = gc(llmops, ran)
    assert [one["path"] for one in gone["removed"]] == [one["path"] for one in shown["removed"]]
    assert gone["size_bytes"] > 0
    left = runs(ran)
    assert "train/base" in left
    assert len(left["train/adapter"]) < len(before["train/adapter"])
    assert gc(llmops, ran)["removed"] == []


def test_a_plan_after_gc_still_has_its_evidence(llmops, ran) -> None:
    words = ("plan", "-C", ran.path, "--format", "json")
    assert llmops("run", "-C", ran.path).code == 0
    before = json.loads(llmops(*words).out)["steps"]
    gc(llmops, ran)
    after = json.loads(llmops(*words).out)["steps"]
    assert [(s["job"]["closure"], s["state"]) for s in after] == [
        (s["job"]["closure"], s["state"]) for s in before
    ]


def test_statements_never_go(llmops, ran) -> None:
    kept = sorted((ran.path / "reports/evidence").rglob("*.json"))
    gc(llmops, ran)
    assert sorted((ran.path / "reports/evidence").rglob("*.json")) == kept


def test_a_claimed_run_stays(llmops, ran) -> None:
    doomed = gc(llmops, ran, "--dry-run")["removed"]
    folder = next(ran.path / one["path"] for one in doomed if one["what"].startswith("run of"))
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        removed = {one["path"] for one in gc(llmops, ran)["removed"]}
    assert folder.is_dir()
    assert folder.relative_to(ran.path).as_posix() not in removed


def test_young_things_stay(llmops, ran) -> None:
    said = llmops("gc", "-C", ran.path)
    assert said.out == "Nothing to remove that is older than 30 days and not needed.\n"


def test_a_half_removed_run_and_an_unfinished_write_go(llmops, ran) -> None:
    half = ran.path / "reports/runs/.gone-x"
    half.mkdir()
    (half / "big").write_bytes(b"x" * 1000)
    evidence = next((ran.path / "reports/evidence").iterdir())
    (evidence / ".0123.tmp").write_bytes(b"half")
    gc(llmops, ran)
    assert not half.exists()
    assert not (evidence / ".0123.tmp").exists()


def test_links_and_strangers_are_left_alone(llmops, ran, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "precious").write_text("x")
    stray = ran.path / "reports/runs" / ("0" * 64)
    stray.symlink_to(mine)
    note = ran.path / "reports/runs/notes.txt"
    note.write_text("mine")
    gc(llmops, ran)
    assert (mine / "precious").exists()
    assert stray.is_symlink()
    assert note.exists()


def test_checkpoints_of_a_finished_training_go_the_rest_of_it_stays(llmops, ran) -> None:
    (folder,) = runs(ran)["train/base"]
    (folder / "checkpoints").mkdir(exist_ok=True)
    (folder / "checkpoints" / "half.bin").write_bytes(b"x" * 5000)
    gone = gc(llmops, ran)["removed"]
    assert "checkpoints of train/base" in [one["what"] for one in gone]
    assert (folder / "result.json").is_file()


def test_without_readable_specs_nothing_goes(llmops, ran) -> None:
    before = runs(ran)
    ran.write({"specs/recipes/base.yaml": "kind: ["})
    assert llmops("gc", "-C", ran.path, "--keep-days", "0").code == 2
    assert runs(ran) == before


@pytest.mark.parametrize("days", ["-1", "nan"])
def test_a_wrong_number_of_days_is_wrong_usage(llmops, bank, days: str) -> None:
    assert llmops("gc", "-C", bank.path, "--keep-days", days).code == 2


def test_nothing_there_is_nothing_to_do(llmops, bank) -> None:
    shutil.rmtree(bank.path / "reports", ignore_errors=True)
    assert llmops("gc", "-C", bank.path, "--keep-days", "0").code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(llmops, ran) -> None:
    (ran.path / "reports/runs").chmod(0o500)
    try:
        assert llmops("gc", "-C", ran.path, "--keep-days", "0").code == 3
    finally:
        (ran.path / "reports/runs").chmod(0o700)
