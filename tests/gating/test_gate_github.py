"""`llmops gate --publish github`, as the step of a job runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmops.cli.main import main
from llmops.errors import UsageError
from llmops.gating.actions import settings_of, subject_of
from llmops.gating.base import SERVER, WORKFLOW, Group, Landed, PullRequest
from tests.gating.world import World
from tests.github.git import BareGit

SHA = "a" * 40


@pytest.fixture
def job(world: World, monkeypatch, tmp_path: Path, capfd) -> Iterator[Callable[..., Any]]:
    """`job("--pull", "1")`: the command in a checkout of main, against the fake over http."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "LLMOPS_", "RUNNER_", "GH_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LLMOPS_CACHE", str(tmp_path / "cache"))
    clone = world.clone(tmp_path / "checkout")
    BareGit(clone.root).run("checkout", "--quiet", "-B", "main", "origin/main")
    with world.fake.serve() as address:
        monkeypatch.setenv("GITHUB_API_URL", address)
        monkeypatch.setenv("GITHUB_TOKEN", world.fake.workflow_token(world.repo))
        monkeypatch.setenv("GITHUB_REPOSITORY", world.name)
        monkeypatch.setenv("GITHUB_ACTIONS", "true")

        def run(*words: str, **event: Any) -> tuple[int, str, str]:
            if event:
                file = tmp_path / "event.json"
                file.write_text(json.dumps(event["data"]))
                monkeypatch.setenv("GITHUB_EVENT_NAME", event["name"])
                monkeypatch.setenv("GITHUB_EVENT_PATH", str(file))
            capfd.readouterr()
            folder = str(tmp_path / "checkout")
            code = main(["gate", "--publish", "github", "-C", folder, *words])
            out, err = capfd.readouterr()
            assert "Traceback" not in out + err
            return code, out, err

        yield run


def test_a_job_judges_the_pull_request_of_its_event(world, job, monkeypatch, tmp_path) -> None:
    pull = world.pull()
    run = world.run_of(pull, finish="")
    for name, value in (
        ("GITHUB_RUN_ID", str(run.id)), ("GITHUB_OUTPUT", "out"), ("GITHUB_STEP_SUMMARY", "sum"),
    ):  # fmt: skip
        there = value if value.isdecimal() else str(tmp_path / value)
        monkeypatch.setenv(name, there)
    code, out, err = job(name="pull_request", data={"pull_request": {"number": pull.number}})
    assert code == 0, err
    assert "passed" in out
    assert world.repo.state_of(pull.head_sha, "llmops/gate") == "success"
    said = (tmp_path / "out").read_text()
    assert "verdict=passed\n" in said
    assert "evidence_digest=sha256:" in said
    assert "comment_url=https://" in said
    assert (tmp_path / "sum").read_text().startswith("### ✅ llmops: passed")


def test_a_commit_is_opened_and_nothing_else(world, job) -> None:
    pull = world.pull()
    code, _, err = job("--pull", str(pull.number), "--open")
    assert code == 0, err
    assert world.repo.state_of(pull.head_sha, "llmops/gate") == "in_progress"


def test_a_dirty_tree_is_not_published(world, job, tmp_path) -> None:
    world.pull()
    (tmp_path / "checkout" / "new.txt").write_text("x")
    code, _, err = job("--pull", "1")
    assert code == 2
    assert "changes that are not committed" in err
    assert not world.fake.writes()


def test_what_only_a_verdict_here_can_mean_is_left_out(job) -> None:
    code, _, err = job("--pull", "1", "--approved", "team:li", "--base", "main")
    assert code == 2
    assert "leave out --base, --approved" in err


def test_no_token_is_said(job, monkeypatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    code, _, err = job("--pull", "1")
    assert code == 2
    assert "there is no GitHub token" in err


def test_no_subject_is_said(job) -> None:
    code, _, err = job()
    assert code == 2
    assert "what is to be judged is not known" in err
    assert job("--landed", SHA)[0] == 2
    code, _, err = job(name="pull_request", data={"pull_request": {"number": "1; rm"}})
    assert code == 2
    assert "no pull_request that we can read" in err


def test_a_number_that_is_none_is_said(job) -> None:
    code, _, err = job("--pull", "99")
    assert code == 2
    assert "acme/bot has no pull request #99" in err


def test_an_event_says_only_what_to_look_at() -> None:
    group = {"merge_group": {"head_sha": SHA, "base_ref": "refs/heads/main", "base_sha": "b" * 40}}
    assert subject_of("merge_group", group) == Group(SHA, "main")
    assert subject_of("push", {"after": SHA, "ref": "refs/heads/main"}) == Landed(SHA, "main")
    reviewed = {"pull_request": {"number": 7}}
    assert subject_of("pull_request_review", reviewed) == PullRequest(7)
    for event, data in (
        ("push", {"after": SHA, "ref": "refs/tags/v1"}), ("pull_request", []), ("schedule", {}),
        ("pull_request_target", reviewed), ("merge_group", {"merge_group": None}), ("", None),
        ("push", {"after": "x", "ref": "refs/heads/main"}),
    ):  # fmt: skip
        with pytest.raises(UsageError):
            subject_of(event, data)


def test_a_job_knows_its_own_run() -> None:
    found = settings_of({
        "GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "77", "GITHUB_REPOSITORY": "acme/bot",
        "GITHUB_SERVER_URL": "https://git.example/",
        "GITHUB_WORKFLOW_REF": "acme/bot/.github/workflows/gate.yml@refs/pull/1/merge",
    })  # fmt: skip
    assert (found.own_run, found.workflow) == (77, ".github/workflows/gate.yml")
    assert found.details_url == "https://git.example/acme/bot/actions/runs/77"
    plain = settings_of({"GITHUB_RUN_ID": "77"}, comment="off", workflow="")
    assert (plain.own_run, plain.workflow, plain.server) == (0, WORKFLOW, SERVER)
    assert plain.comment == "off"
