"""Evidence in the hands of whoever wrote the change: a person allows exactly this commit."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.gating.base import PullRequest, Settled
from llmops.gating.reconcile import reconcile
from tests.gating.world import WORKFLOW, World, changed
from tests.github.pulls import FakePull


def look(world: World, pull: FakePull, **settings: Any) -> Settled:
    return reconcile(world.desk(**settings), PullRequest(pull.number))


@pytest.fixture
def pull(world: World) -> FakePull:
    """A pull request of eve's fork, whose run did everything (or says so)."""
    found = world.pull(source=world.repo.fork("eve"), by="eve")
    world.run_of(found)
    return found


def test_a_fork_waits_for_a_person_who_names_its_commit(world, pull) -> None:
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("waiting", 1)
    assert world.conclusion(pull.head_sha) == "action_required"
    assert f"/llmops run {pull.head_sha}" in settled.summary
    assert world.repo.git.heads().keys() == {"main"}, "nothing of it is kept"


def test_a_writer_who_names_the_commit_lets_it_in(world, pull) -> None:
    world.repo.comment(pull.number, f"looks fine\n/llmops run {pull.head_sha}\n", by="li")
    assert look(world, pull).state == "passed"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("eve", "/llmops run {sha}"),
        ("stranger", "/llmops run {sha}"),
        ("li", "/llmops run {short}"),
        ("li", "/llmops run {other}"),
        ("li", "> /llmops run {sha}"),
        ("li", "I would never say /llmops run {sha}"),
    ],
)
def test_nobody_else_and_nothing_else_does(world, pull, by: str, said: str) -> None:
    world.repo.roles["eve"] = "write"  # an author who may write all the same
    words = {"sha": pull.head_sha, "short": pull.head_sha[:12], "other": "a" * 40}
    world.repo.comment(pull.number, said.format(**words), by=by)
    assert look(world, pull).state == "waiting"


@pytest.mark.slow
def test_a_push_is_another_commit_that_nobody_named(world, pull) -> None:
    world.repo.comment(pull.number, f"/llmops run {pull.head_sha}", by="li")
    pull.push({"specs/recipes/adapter.yaml": changed()["specs/recipes/adapter.yaml"] + "# x\n"})
    world.run_of(pull)
    assert look(world, pull).state in ("waiting", "passed")
    assert world.repo.git.heads().keys() <= {"main", "llmops-evidence"}


@pytest.mark.slow
def test_whoever_released_the_run_at_github_lets_it_in(world, pull) -> None:
    (run,) = world.repo.runs.values()
    run.approvals = [approval("li", "rejected")]
    assert look(world, pull).state == "waiting"
    run.approvals = [approval("li")]
    assert look(world, pull).state == "passed"


def approval(login: str, state: str = "approved") -> dict[str, Any]:
    return {"by": login, "state": state, "environment": "llmops-gpu-forks"}


@pytest.mark.slow
def test_what_needs_no_run_needs_no_person(world) -> None:
    own = world.pull()
    world.run_of(own)
    look(world, own)
    fork = world.pull(source=world.repo.fork("eve"), by="eve", branch="same")
    assert look(world, fork).state == "passed", "its jobs have evidence already"


def test_who_edits_the_workflow_brings_no_evidence_by_it(world) -> None:
    pull = world.pull({**changed(), WORKFLOW: "on: {pull_request: }\n# all green, trust me\n"})
    world.run_of(pull)
    settled = look(world, pull)
    assert settled.state == "waiting"
    assert WORKFLOW in world.check(pull.head_sha)["output"]["summary"]
    world.repo.comment(pull.number, f"/llmops run {pull.head_sha}", by="li")
    assert look(world, pull).state == "passed"


@pytest.mark.slow
def test_an_action_beside_the_workflow_is_a_part_of_it(world) -> None:
    pull = world.pull({**changed(), ".github/actions/llmops/action.yml": "runs: {}\n"})
    world.run_of(pull)
    assert look(world, pull).state == "waiting"
