"""The demo runs by `make demo`; here its helpers: the example is found, every edit lands."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.cli import demo, tale

TOLD = [(name, number) for name in demo.TALES for number in range(len(demo.tale_of(name).stories))]


def test_the_example_is_found_with_its_rows() -> None:
    assert (tale.example() / "specs/applications/support.yaml").is_file()
    assert list((tale.example() / "specs/data").rglob("*.jsonl"))


@pytest.mark.parametrize("name", demo.TALES)
def test_the_first_commit_is_right_and_its_first_story_is_told_to_pass(
    name: str, git_repo, llmops
) -> None:
    told = demo.tale_of(name)
    repo = git_repo({"x": "x"})
    told.begin(repo.path)
    assert llmops("validate", "-C", repo.path).code == 0
    assert told.stories[0].outcome == "passed"  # it is merged


@pytest.mark.parametrize(("name", "number"), TOLD)
def test_each_author_changes_something_and_the_specs_stay_right(
    name: str, number: int, git_repo, llmops
) -> None:
    told = demo.tale_of(name)
    repo = git_repo({"x": "x"})
    told.begin(repo.path)
    for merged in told.stories[: min(number, 1)]:
        merged.edit(repo.path)
    repo.commit({}, "base")
    told.stories[number].edit(repo.path)
    assert repo.git("status", "--porcelain")
    assert llmops("validate", "-C", repo.path).code == 0


def test_a_folder_in_use_is_not_touched(llmops, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    said = llmops("demo", "--keep", tmp_path)
    assert said.code == 2
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == ["mine.txt"]


def test_rows_that_cannot_be_had_stop_the_demo_before_anything_is_trained(
    llmops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLMOPS_MIRROR", raising=False)
    monkeypatch.setenv("LLMOPS_OFFLINE", "")  # the option sets it; put back afterwards
    said = llmops("demo", "--example", "banking77", "--offline", "--keep", tmp_path / "kept")
    assert said.code == 3
    assert "the demo needs sha256:" in said.err
    assert "LLMOPS_OFFLINE=1" in said.err
    assert "licence CC-BY-4.0" in said.out
    assert not (tmp_path / "kept/reports").exists()
