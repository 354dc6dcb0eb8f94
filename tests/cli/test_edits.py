"""What a command writes into somebody's repository: all or nothing, and nothing lost."""

from __future__ import annotations

import argparse
import errno
import os
from pathlib import Path

import pytest

from llmops.cli import edits
from llmops.errors import LlmopsError, UsageError


@pytest.fixture
def args(git_repo) -> argparse.Namespace:
    repo = git_repo({"a.yaml": "old\n", "b.yaml": "old\n"})
    return argparse.Namespace(directory=str(repo.path), force=False)


def read(args: argparse.Namespace) -> dict[str, str]:
    root = Path(args.directory)
    return {p.name: p.read_text() for p in root.iterdir() if p.is_file()}


def root(args: argparse.Namespace) -> Path:
    return Path(args.directory)


def test_what_git_has_is_replaced_with_its_mode(args) -> None:
    (root(args) / "a.yaml").chmod(0o640)
    edits.write(args, {root(args) / "a.yaml": b"new\n", root(args) / "c" / "d.yaml": b"new\n"})
    assert read(args) == {"a.yaml": "new\n", "b.yaml": "old\n"}
    assert (root(args) / "c" / "d.yaml").read_text() == "new\n"
    assert (root(args) / "a.yaml").stat().st_mode & 0o777 == 0o640


def test_an_unsaved_change_is_never_written_over_without_force(args) -> None:
    (root(args) / "b.yaml").write_text("edited\n")
    wanted = {root(args) / "a.yaml": b"new\n", root(args) / "b.yaml": b"new\n"}
    with pytest.raises(UsageError, match="not committed"):
        edits.write(args, wanted)
    assert read(args) == {"a.yaml": "old\n", "b.yaml": "edited\n"}
    args.force = True
    edits.write(args, wanted)
    assert read(args) == {"a.yaml": "new\n", "b.yaml": "new\n"}


def test_a_file_that_was_never_committed_is_unsaved(args) -> None:
    (root(args) / "new.yaml").write_text("mine\n")
    with pytest.raises(UsageError, match="not committed"):
        edits.write(args, {root(args) / "new.yaml": b"theirs\n"})


def test_the_same_bytes_lose_nothing(args) -> None:
    (root(args) / "b.yaml").write_text("edited\n")
    edits.write(args, {root(args) / "b.yaml": b"edited\n"})


def test_a_link_is_not_followed(args, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs\n")
    (root(args) / "link.yaml").symlink_to(outside)
    args.force = True
    with pytest.raises(UsageError, match="no plain file"):
        edits.write(args, {root(args) / "link.yaml": b"mine\n"})
    assert outside.read_text() == "theirs\n"


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_failure_leaves_everything_as_it_was(args, monkeypatch, call: str, nth: int) -> None:
    real, seen = getattr(os, call), []

    def failing(*words, **named):
        seen.append(words)
        if len(seen) == nth:
            raise OSError(errno.ENOSPC, "No space left on device", "somewhere")
        return real(*words, **named)

    monkeypatch.setattr(os, call, failing)
    wanted = {root(args) / "a.yaml": b"new\n", root(args) / "n.yaml": b"new\n"}
    with pytest.raises(LlmopsError, match="No space left"):
        edits.write(args, wanted)
    assert read(args) == {"a.yaml": "old\n", "b.yaml": "old\n"}
