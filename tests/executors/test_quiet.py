from __future__ import annotations

from pathlib import Path

import pytest

from llmops.errors import ExecutorError
from llmops.executors import quiet
from llmops.executors.quiet import hushed
from tests.executors.conftest import job

SECRETS = {"JUDGE_KEY": "sk-planted-0123456789"}


def test_what_a_worker_told_is_written_anew_without_its_secrets(tmp_path: Path) -> None:
    for name in ("log.txt", "progress.jsonl", "error.json", "result.json"):
        (tmp_path / name).write_bytes(b"\xff said sk-planted-0123456789\n")
    hushed(job("a"), tmp_path, SECRETS)
    for name in ("log.txt", "progress.jsonl", "error.json", "result.json"):
        assert (tmp_path / name).read_bytes() == b"\xff said ***\n"


def test_what_holds_none_is_left_as_it_is(tmp_path: Path) -> None:
    (log := tmp_path / "log.txt").write_bytes(b"honest\xff")
    before = log.stat().st_ino
    hushed(job("a"), tmp_path, SECRETS)
    hushed(job("a"), tmp_path / "nowhere", SECRETS)
    assert (log.read_bytes(), log.stat().st_ino) == (b"honest\xff", before)


def test_an_artifact_with_a_secret_is_gone_with_the_result(tmp_path: Path) -> None:
    path = tmp_path / "artifacts/deep/rows.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("x" * 99 + SECRETS["JUDGE_KEY"][::-1])
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(ExecutorError, match=r"wrote the secret JUDGE_KEY into .*rows\.jsonl"):
        hushed(job("a"), tmp_path, SECRETS)
    assert not path.exists()
    assert not (tmp_path / "result.json").exists()


def test_a_secret_across_two_pieces_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "_PIECE", 16)
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/out.txt").write_text("0123456789" + SECRETS["JUDGE_KEY"] + "tail")
    with pytest.raises(ExecutorError, match="JUDGE_KEY"):
        hushed(job("a"), tmp_path, SECRETS)


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    (other := tmp_path / "other").write_text(SECRETS["JUDGE_KEY"])
    (tmp_path / "run").mkdir()
    (tmp_path / "run/log.txt").symlink_to(other)
    hushed(job("a"), tmp_path / "run", SECRETS)
    assert other.read_text() == SECRETS["JUDGE_KEY"]
