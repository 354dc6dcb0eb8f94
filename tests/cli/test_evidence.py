"""Evidence between machines, by hand: pack, admit, push, pull, ls."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from llmops.cli.sharing import secret_for
from llmops.source.remote import Remote
from llmops.source.tree import Repository
from tests.conftest import GitRepo


@pytest.fixture
def clones(llmops, bank, tmp_path: Path):
    """A bare repository and three clones of it, at main, with the branch `change`."""
    bare = GitRepo(tmp_path / "there.git")
    bank.git("clone", "--quiet", "--bare", str(bank.path), str(bare.path))
    found = []
    for name in ("run", "gate", "plan"):
        repo = GitRepo(tmp_path / name)
        bank.git("clone", "--quiet", str(bare.path), str(repo.path))
        repo.git("branch", "--quiet", "change", "origin/change")
        found.append(repo)
    return found


def test_the_way_of_a_pull_request_by_hand(llmops, clones, tmp_path: Path, monkeypatch) -> None:
    run, gate, plan = clones
    trees = ("--base", "origin/main", "--head", "change")
    assert "no branch llmops-evidence" in llmops("evidence", "pull", "-C", run.path).out
    assert llmops("run", "-C", run.path, *trees).code == 0
    pack = tmp_path / "outgoing"
    monkeypatch.setenv("GITHUB_RUN_ID", "7")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/bot")
    monkeypatch.setenv("GITHUB_SHA", run.git("rev-parse", "change"))
    said = llmops("evidence", "pack", "-C", run.path, pack)
    assert said.code == 0, said.err
    assert "Packed into" in said.out
    origin = json.loads((pack / "manifest.json").read_bytes())
    assert (origin["run_id"], origin["repository"]) == (7, "acme/bot")
    assert origin["head_sha"] == run.git("rev-parse", "change")

    words = ("evidence", "admit", "-C", gate.path, pack, *trees, "--run-id", "7")
    said = llmops(*words)
    assert said.code == 0, said.err
    assert "0 refused" in said.out
    said = llmops("evidence", "push", "-C", gate.path)
    assert "Added to llmops-evidence: " in said.out
    assert "Nothing to add" in llmops("evidence", "push", "-C", gate.path).out

    said = llmops("evidence", "pull", "-C", plan.path)
    assert said.code == 0, said.err
    listed = json.loads(llmops("evidence", "ls", "-C", plan.path, "--format", "json").out)
    here = json.loads(llmops("evidence", "ls", "-C", run.path, "--format", "json").out)
    assert [one["evidence"] for one in listed["evidence"]] == [
        one["evidence"] for one in here["evidence"]
    ]
    assert all(one["gone"] for one in listed["evidence"] if one["artifacts"])
    assert not any(one["gone"] for one in here["evidence"])
    assert "gone" in llmops("evidence", "ls", "-C", plan.path).out


def test_what_is_known_on_the_branch_is_not_packed_again(llmops, clones, tmp_path: Path) -> None:
    run, *_ = clones
    assert llmops("run", "-C", run.path, "--head", "main").code == 0
    assert llmops("evidence", "push", "-C", run.path).code == 0
    assert "0 statements" in llmops("evidence", "pack", "-C", run.path, tmp_path / "one").out
    trees = ("--base", "origin/main", "--head", "change")
    plan = tmp_path / "plan.json"
    assert llmops("plan", "-C", run.path, *trees, "--out", plan).code == 0
    assert llmops("run", "-C", run.path, plan).code == 0
    two = tmp_path / "two"
    assert llmops("evidence", "pack", "-C", run.path, two, "--plan", plan).code == 0
    assert len(list(two.glob("evidence/*/*.json"))) == 3
    said = llmops("evidence", "pack", "-C", run.path, two)
    assert said.code == 2
    assert "not empty" in said.err


def test_a_pack_of_others_is_refused_in_words_and_with_exit_1(
    llmops, clones, tmp_path: Path
) -> None:
    run, gate, _ = clones
    assert llmops("run", "-C", run.path, "--head", "main").code == 0
    pack = tmp_path / "pack"
    assert llmops("evidence", "pack", "-C", run.path, pack, "--run-id", "7").code == 0
    words = ("evidence", "admit", "-C", gate.path, pack, "--head", "main")
    said = llmops(*words, "--run-id", "8")
    assert said.code == 1
    assert "error[refused]: it is of another run: 7, expected is 8" in said.err
    shutil.rmtree(next(pack.glob("runs/*")))
    said = llmops(*words)
    assert said.code == 1
    assert "is in its manifest and not in it" in said.err
    assert "0 closures" in llmops("evidence", "ls", "-C", gate.path).out


def test_a_remote_that_is_away_is_a_failure_of_the_world(llmops, clones) -> None:
    run, *_ = clones
    said = llmops("evidence", "pull", "-C", run.path, "--remote", "http://127.0.0.1:9/x.git")
    assert said.code == 3
    assert "it cannot be reached" in said.err
    assert llmops("evidence", "pull", "-C", run.path, "--remote", "orign").code == 3


def test_a_pull_requests_head_is_what_github_lists_its_run_under(
    llmops, clones, tmp_path: Path, monkeypatch
) -> None:
    run, *_ = clones
    event = tmp_path / "event.json"
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_SHA", "c" * 40)
    for number, (said, head) in enumerate(
        [
            ({"pull_request": {"head": {"sha": "a" * 40}}}, "a" * 40),
            ({"merge_group": {"head_sha": "b" * 40}}, "b" * 40),
            ({"ref": "refs/heads/main"}, "c" * 40),
            ([], "c" * 40),
        ]
    ):
        event.write_text(json.dumps(said))
        pack = tmp_path / f"pack{number}"
        assert llmops("evidence", "pack", "-C", run.path, pack).code == 0
        assert json.loads((pack / "manifest.json").read_bytes())["head_sha"] == head


def test_a_token_of_github_is_sent_to_github_and_nowhere_else() -> None:
    token = {"GITHUB_TOKEN": "t"}
    assert secret_for("https://github.com/acme/bot.git", token) == "t"
    for other in ("https://gitlab.example/acme/bot", "http://github.com/x", "git@github.com:a/b",
                  "https://github.com.evil.example/a", "/srv/git/x"):  # fmt: skip
        assert secret_for(other, token) == ""
    own = {**token, "GITHUB_SERVER_URL": "https://ghe.example"}
    assert secret_for("https://ghe.example/acme/bot", own) == "t"
    assert secret_for("https://github.com/acme/bot", own) == ""
    assert secret_for("https://gitlab.example/x", {"LLMOPS_GIT_TOKEN": "g"}) == "g"


def test_the_branch_is_written_by_none_of_the_readers(llmops, clones) -> None:
    run, gate, plan = clones
    assert llmops("run", "-C", run.path, "--head", "main").code == 0
    assert llmops("evidence", "push", "-C", run.path).code == 0
    tip = Remote(Repository.find(gate.path)).tip("llmops-evidence")
    for repo in (gate, plan):
        assert llmops("evidence", "pull", "-C", repo.path).code == 0
        assert llmops("plan", "-C", repo.path, "--head", "main").code == 0
    assert Remote(Repository.find(gate.path)).tip("llmops-evidence") == tip
