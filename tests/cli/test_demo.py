"""The demo runs by `make demo`; here its helpers: the example is found, every edit lands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmops.cli import demo


def copy(root: Path) -> Path:
    for name in ("specs", "policies"):
        shutil.copytree(
            demo.example() / name, root / name, ignore=shutil.ignore_patterns(*demo.LEFT_OUT)
        )
    return root


def test_the_example_is_found_with_its_rows() -> None:
    assert (demo.example() / "specs/applications/support.yaml").is_file()
    assert list((demo.example() / "specs/data").rglob("*.jsonl"))


@pytest.mark.parametrize("story", demo.STORIES, ids=[s.branch for s in demo.STORIES])
def test_each_author_changes_something_and_the_specs_stay_right(
    story: demo.Story, tmp_path: Path, git_repo, llmops
) -> None:
    repo = git_repo({"x": "x"})
    copy(repo.path)
    if story is demo.STORIES[0]:
        demo._before_new_intents(repo.path)
    repo.commit({}, "base")
    story.edit(repo.path)
    assert repo.git("status", "--porcelain")
    assert llmops("validate", "-C", repo.path).code == 0


def test_a_folder_in_use_is_not_touched(llmops, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    said = llmops("demo", "--keep", tmp_path)
    assert said.code == 2
    assert [p.name for p in tmp_path.iterdir() if p.name != "cache"] == ["mine.txt"]
