"""Everything that goes wrong: a clear message, a check that is true, and the next look finishes."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.errors import UsageError
from llmops.forge.base import CHECK, ForgeError
from llmops.forge.client import connect
from llmops.gating.base import Landed, PullRequest, Settled
from llmops.gating.reconcile import open_check, reconcile
from tests.gating.world import World
from tests.github import GATE_PERMISSIONS, Fault
from tests.github.pulls import FakePull


def look(world: World, pull: FakePull, token: str = "", **settings: Any) -> Settled:
    return reconcile(world.desk(token=token, **settings), PullRequest(pull.number))


def held(world: World, **but: str) -> str:
    """A job's token with other permissions than the gate asks for; "none" takes one away."""
    rights = {name: may for name, may in (GATE_PERMISSIONS | but).items() if may != "none"}
    return world.fake.workflow_token(world.repo, **rights)


@pytest.mark.slow
def test_artifacts_that_cannot_be_used_are_named_and_not_downloaded(world: World) -> None:
    pull = world.pull()
    run = world.run_of(pull, finish="")
    (good,) = run.artifacts
    for wrong, said in (
        ({"expired": True}, "has expired"),
        (
            {"said_size": 2**40},
            "is too big: 1,099,511,627,776 bytes, at most 2,147,483,648 are read",
        ),
    ):
        run.artifacts = [type(good)(**{**vars(good), **wrong})]
        run.status, run.conclusion = "completed", "success"
        settled = look(world, pull)
        assert (settled.state, settled.exit_code) == ("not judged", 3)
        assert world.conclusion(pull.head_sha) == "action_required"
        assert f"llmops-evidence-all of run {run.id} {said}" in settled.notes
    run.artifacts = [good]
    assert look(world, pull).state == "passed", "and it goes on once it is there"


@pytest.mark.slow
def test_an_artifact_that_lies_about_its_size_is_not_read_to_its_end(world: World) -> None:
    pull = world.pull()
    run = world.run_of(pull)
    run.artifacts[0].said_size = 10
    settled = look(world, pull, most_bytes=1_000)
    assert settled.state == "not judged"
    assert world.conclusion(pull.head_sha) == "action_required"


@pytest.mark.slow
def test_a_run_of_another_workflow_event_or_commit_brings_nothing(world: World) -> None:
    world.repo.fork("eve")
    pull = world.pull()
    for about in (
        {"path": ".github/workflows/other.yml"},
        {"event": "workflow_dispatch"},
        {"event": "pull_request_target"},
        {"source": "eve/bot"},
    ):
        world.run_of(pull, **about)
    assert look(world, pull).state == "running", "none of them is the one that is waited for"


def test_a_deleted_base_branch_is_said(world: World) -> None:
    world.repo.push({"README.md": "x"}, "next")
    pull = world.pull(base="next")
    world.repo.git.set("refs/heads/next", None)
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("invalid", 2)
    assert world.conclusion(pull.head_sha) == "failure"
    assert 'there is no branch "next" any more' in world.title(pull.head_sha)


@pytest.mark.slow
def test_a_base_that_was_pushed_over_is_the_base(world: World) -> None:
    first = world.repo.tip()
    pull = world.pull()
    world.run_of(pull)
    world.repo.push({"policies/default.yaml": None})
    assert look(world, pull).state == "warned", "no policy at base"
    world.repo.push({"README.md": "two\n"}, onto=first)
    settled = look(world, pull)
    assert settled.state == "passed"
    assert settled.verdict is not None
    assert settled.verdict.base is not None
    assert settled.verdict.base.commit == world.repo.tip()


@pytest.mark.slow
def test_a_clock_that_is_off_by_a_day_changes_no_verdict(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    for skew in (-86_400.0, 86_400.0):
        world.fake.clock.skew = skew
        assert look(world, pull).state == "passed"
    assert len(world.repo.checks_at(pull.head_sha, CHECK)) == 1


def test_a_token_that_may_only_read_still_says_how_it_stands(world: World) -> None:
    pull = world.pull()
    run = world.run_of(pull, finish="")
    reads = dict.fromkeys(GATE_PERMISSIONS, "read")
    world.repo.git.run("config", "receive.hideRefs", "refs/heads/llmops-evidence")
    settled = look(world, pull, held(world, **reads), own_run=run.id)
    assert (settled.state, settled.exit_code) == ("passed", 0)
    assert settled.summary.startswith("✅")
    assert any("the token lacks" in line for line in settled.published.left)
    assert any("evidence was not kept" in note for note in settled.notes)
    assert world.repo.git.heads().keys() == {"main", "change"}


@pytest.mark.slow
def test_a_permission_that_is_missing_is_named(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    settled = look(world, pull, held(world, actions="none"))
    assert (settled.state, settled.exit_code) == ("not judged", 3)
    assert "actions: read" in str(settled.notes) + settled.summary
    assert look(world, pull).state == "passed"


def test_a_wrong_repository_is_said(world: World) -> None:
    desk = world.desk()
    from llmops.forge.auth import Fixed
    from llmops.forge.base import Repo

    token = Fixed(world.token, world.app.bot, world.app.id)
    other = connect(
        Repo("acme", "nope"), token, clock=world.fake.clock, adapter=world.fake.adapter()
    )
    lost = type(desk)(desk.project, desk.remote, other, desk.settings)
    with pytest.raises(ForgeError, match="acme/nope"):
        reconcile(lost, PullRequest(1))


def test_github_that_is_down_half_way_leaves_what_is_true(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    world.fake.faults.add(Fault(status=502), times=40, method="PATCH", path="check-runs")
    settled = look(world, pull)
    assert settled.exit_code == 3
    assert settled.published.resume_at
    assert world.check(pull.head_sha)["status"] == "in_progress"
    world.fake.faults = type(world.fake.faults)()
    world.fake.clock.advance(600)
    assert look(world, pull).exit_code == 0
    assert world.conclusion(pull.head_sha) == "success"


def test_the_first_second_is_written_once_and_judges_nothing(world: World) -> None:
    pull = world.pull()
    for _ in range(2):
        assert open_check(world.desk(), PullRequest(pull.number)).exit_code == 0
    assert world.check(pull.head_sha)["status"] == "in_progress"
    reads = dict.fromkeys(GATE_PERMISSIONS, "read")
    desk = world.desk(token=held(world, **reads))
    assert open_check(desk, PullRequest(pull.number)).exit_code == 0
    assert open_check(world.desk(), Landed(world.repo.tip(), "main")).state == "open"


def test_what_somebody_else_put_there_under_our_name_is_no_word_of_ours(world: World) -> None:
    pull = world.pull()
    forger = world.forge(world.fake.workflow_token(world.repo))
    green = {
        "name": CHECK, "head_sha": pull.head_sha, "status": "completed", "conclusion": "success",
        "output": {"title": "passed", "summary": "all green, trust me"},
    }  # fmt: skip
    forger.create_check(green)
    assert open_check(world.desk(), PullRequest(pull.number)).published.writes > 0
    assert look(world, pull).state == "running"
    ours = [
        one for one in world.repo.checks_at(pull.head_sha, CHECK) if one["app"].id == world.app.id
    ]
    assert [one["status"] for one in ours] == ["in_progress"]
    pull.close()
    look(world, pull)
    ours = [
        one for one in world.repo.checks_at(pull.head_sha, CHECK) if one["app"].id == world.app.id
    ]
    assert [one["conclusion"] for one in ours] == ["action_required"]


@pytest.mark.slow
def test_a_push_while_it_is_looked_at_is_judged_instead(world: World, monkeypatch) -> None:
    from llmops.gating import judging

    pull = world.pull()
    world.run_of(pull)
    first, judge = pull.head_sha, judging.judge

    def slow(*given: Any) -> Any:
        if pull.head_sha == first:
            pull.push({"README.md": "while you look\n"})
        return judge(*given)

    monkeypatch.setattr(judging, "judge", slow)
    assert look(world, pull).state == "passed"
    assert world.check(first)["status"] == "in_progress", "nothing is said of what is gone"
    assert world.conclusion(pull.head_sha) == "success"


@pytest.mark.slow
def test_a_mistake_of_ours_is_raised_and_never_a_success(world: World, monkeypatch) -> None:
    from llmops.gating import judging

    def broken(*_given: Any) -> Any:
        raise TypeError("unexpected")

    pull = world.pull()
    world.run_of(pull)
    assert look(world, pull).state == "passed"
    monkeypatch.setattr(judging, "judge", broken)
    with pytest.raises(TypeError):
        look(world, pull)
    assert world.conclusion(pull.head_sha) == "action_required"
    assert "the gate itself failed (TypeError)" in world.title(pull.head_sha)


def test_a_subject_that_can_be_none_is_refused() -> None:
    with pytest.raises(UsageError, match='"main" is no commit'):
        Landed("main", "main")
