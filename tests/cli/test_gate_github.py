"""`llmops gate --publish github` as a job gives it, over http: what is wrong is told in words."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmops.forge import client
from tests.cli.conftest import Said
from tests.gating.world import World
from tests.github import RESET, Fault

Llmops = Callable[..., Said]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(built: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A workflow's job in a clone of acme/bot; the clock of GitHub is the job's."""
    built.fake.clock.advance(7200)
    monkeypatch.setattr(client, "SystemClock", lambda: built.fake.clock)
    for name in ("LLMOPS_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_EVENT_NAME", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    token = built.fake.workflow_token(built.repo, **JOB)
    monkeypatch.setenv("GITHUB_TOKEN", token)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REPOSITORY", "acme/bot")
    with built.fake.serve() as url:
        monkeypatch.setenv("GITHUB_API_URL", url)
        yield built
    built.fake.faults.clear()


JOB = dict.fromkeys(
    ("checks", "contents", "issues", "pull_requests", "statuses", "actions", "security_events"),
    "write",
)


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    subprocess.run(["git", "clone", "-q", world.repo.path, tmp_path / "clone"], check=True)
    return tmp_path / "clone"


def test_a_token_that_is_missing_is_told_with_what_to_set(
    llmops: Llmops, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    said = llmops("gate", "-C", folder, "--publish", "github", "--pull", "1")
    assert said.code == 2
    assert "there is no GitHub token" in said.err
    assert "set LLMOPS_GITHUB_TOKEN (or GITHUB_TOKEN, GH_TOKEN)" in said.err


def test_a_token_that_github_does_not_know_is_told_and_not_shown(
    llmops: Llmops, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_wrong-canary")
    said = llmops("gate", "-C", folder, "--publish", "github", "--pull", "1")
    assert said.code == 3
    assert "github does not know this token" in said.err
    assert "canary" not in said.out + said.err


def test_a_wrong_repository_is_told(llmops: Llmops, folder: Path) -> None:
    said = llmops(
        "gate", "-C", folder, "--publish", "github", "--repo", "acme/other", "--pull", "1"
    )
    assert said.code == 3
    assert "there is no repository acme/other that this token may see" in said.err


def test_a_pull_request_that_is_not_there_is_told(llmops: Llmops, folder: Path) -> None:
    said = llmops("gate", "-C", folder, "--publish", "github", "--pull", "404")
    assert said.code == 2
    assert "404" in said.err


def test_a_permission_that_is_missing_is_named(
    llmops: Llmops, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull = world.pull(branch="a")
    world.fake.run(world.repo, pull.head_sha).finish("cancelled")
    less = {**JOB, "checks": "read", "statuses": "read"}
    monkeypatch.setenv("GITHUB_TOKEN", world.fake.workflow_token(world.repo, **less))
    said = llmops("gate", "-C", folder, "--publish", "github", "--pull", str(pull.number))
    assert said.code == 3
    assert "the token lacks statuses: write" in said.err
    assert "`permissions:` of the job: statuses: write" in said.err
    assert any(one["number"] == pull.number for one in world.repo.comments.values())


def test_a_closed_pull_request_and_its_deleted_branch_end_as_what_they_are(
    llmops: Llmops, world: World, folder: Path
) -> None:
    pull = world.pull(branch="b")
    sha, words = pull.head_sha, ("--publish", "github", "--pull", str(pull.number))
    assert "running" in llmops("gate", "-C", folder, *words).err
    assert world.check(sha)["status"] == "in_progress"
    pull.close()
    world.repo.delete_branch("b")
    assert "closed" in llmops("gate", "-C", folder, *words).err
    assert world.conclusion(sha) == "action_required"
    assert "closed before a verdict" in world.title(sha)


def test_an_outage_in_the_middle_ends_in_a_check_that_is_right(
    llmops: Llmops, world: World, folder: Path
) -> None:
    pull = world.pull(branch="c")
    world.fake.run(world.repo, pull.head_sha).finish("cancelled")
    start = world.fake.clock.monotonic()
    world.fake.faults.outage(start, 600, 1.0, faults=(Fault(status=503), RESET))
    said = llmops("gate", "-C", folder, "--publish", "github", "--pull", str(pull.number))
    assert said.code == 3
    assert "not judged" in said.err
    assert world.conclusion(pull.head_sha) == "action_required"
    assert 600 < world.fake.clock.monotonic() - start <= 720


@pytest.mark.slow
def test_an_outage_without_end_says_when_to_come_back(
    llmops: Llmops, world: World, folder: Path
) -> None:
    pull = world.pull(branch="d")
    world.fake.faults.outage(world.fake.clock.monotonic(), 1e6, 1.0, faults=(Fault(status=503),))
    said = llmops("gate", "-C", folder, "--publish", "github", "--pull", str(pull.number))
    assert said.code == 3
    assert "github answers 503, 8 times" in said.err
    assert "run it again after 20" in said.err
