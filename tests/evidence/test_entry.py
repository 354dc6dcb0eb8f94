"""An entry that names no claim: which tree a verdict was told of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmops.cli.main import main
from llmops.evidence.entry import encode, parse
from llmops.evidence.ledger import Ledger
from llmops.jobs.attempts import Judged
from tests.conftest import GitRepo

ENTRY = Judged("tree", "below", None, "passed", "#12", "2026-11-23T08:00:00Z")


def test_a_verdict_comes_back_as_it_was_written(tmp_path: Path) -> None:
    Ledger(tmp_path).append(lambda known: None if known else ENTRY)
    assert Ledger(tmp_path).entries() == (ENTRY,)


def test_a_verdict_of_another_kind_is_no_entry() -> None:
    raw = encode(1, None, ENTRY).replace(b'"kind":"verdict"', b'"kind":"decided"')
    with pytest.raises(ValueError, match="claim"):
        parse(json.loads(raw), raw)


def test_attempts_are_shown_without_it(git_repo, capsys: pytest.CaptureFixture[str]) -> None:
    repo: GitRepo = git_repo({"README.md": "x"})
    Ledger(repo.path / "reports").append(lambda _known: ENTRY)
    assert main(["show", "attempts", "-C", str(repo.path)]) == 0
    assert "1 entries" in capsys.readouterr().out
