"""One look at the world, from the first second of a pull request to its end."""

from __future__ import annotations

import pytest

from llmops.errors import UsageError
from llmops.evidence.ledger import Ledger
from llmops.forge.base import CHECK
from llmops.gating.base import PullRequest, Settled
from llmops.gating.reconcile import reconcile
from tests.gating.world import World, files
from tests.github.pulls import FakePull


def look(world: World, pull: FakePull, name: str = "gate", **settings: object) -> Settled:
    return reconcile(world.desk(name, **settings), PullRequest(pull.number))


def test_a_good_change_passes_with_what_its_run_brought(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("passed", 0), settled
    assert world.conclusion(pull.head_sha) == "success"
    assert not settled.published.left
    assert settled.verdict is not None
    assert settled.verdict.advisory is False
    (comment,) = world.repo.comments.values()
    assert f"tree={settled.verdict.head.tree}" in comment["body"]
    world.fake.assert_polite()


def test_a_second_look_writes_nothing(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    look(world, pull)
    before = len(world.fake.writes()), world.repo.git.heads()
    world.fake.clock.advance(600)
    assert look(world, pull).state == "passed"
    assert look(world, pull, "another gate").state == "passed", "with nothing on its own disk"
    assert (len(world.fake.writes()), world.repo.git.heads()) == before


def test_a_check_is_in_progress_before_anything_is_known(world: World) -> None:
    pull = world.pull()
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("running", 3)
    assert world.check(pull.head_sha)["status"] == "in_progress"
    first = world.fake.writes()[0]
    assert first.path.endswith("/check-runs")
    assert world.title(pull.head_sha).startswith("running: 0 of 8 jobs")


def test_what_is_there_so_far_is_counted_and_nothing_is_judged(world: World) -> None:
    pull = world.pull()
    run = world.run_of(pull, finish="")
    run.artifacts.clear()
    done = world.worked(world.repo.tip(), pull.head_sha)
    _, made = world.planned(world.repo.tip(), pull.head_sha)
    some = [step.job.closure for step in made.plan.steps[:2]]
    run.upload("llmops-evidence-first", world.packed(done, run, some))
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("running", 3)
    assert world.title(pull.head_sha).startswith("running: 2 of 8 jobs")
    assert Ledger(world.desk().project.reports).entries() == (), "nothing was tested yet"


def test_wrong_specs_fail_with_their_places(world: World) -> None:
    pull = world.pull({"specs/recipes/adapter.yaml": "kind: [\n"})
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("invalid", 2)
    assert world.conclusion(pull.head_sha) == "failure"
    assert any("specs/recipes/adapter.yaml:" in note for note in settled.notes)
    (note, *_) = world.check(pull.head_sha)["annotations"]
    assert note["path"] == "specs/recipes/adapter.yaml"


def test_a_conflict_fails_and_says_so(world: World) -> None:
    text = files()["specs/recipes/adapter.yaml"]
    pull = world.pull({"specs/recipes/adapter.yaml": text.replace("r: 8", "r: 9")})
    world.repo.push({"specs/recipes/adapter.yaml": text.replace("r: 8", "r: 7")})
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("invalid", 2)
    assert world.conclusion(pull.head_sha) == "failure"
    assert "conflict in specs/recipes/adapter.yaml" in world.title(pull.head_sha)


ENDS = ["failure", "timed_out", "skipped", "success"]


@pytest.mark.parametrize(
    "ended", ["cancelled", *(pytest.param(end, marks=pytest.mark.slow) for end in ENDS)]
)
def test_a_run_that_ended_without_evidence_is_not_judged(world: World, ended: str) -> None:
    pull = world.pull()
    run = world.fake.run(world.repo, pull.head_sha)
    run.finish(ended)
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("not judged", 3)
    assert world.conclusion(pull.head_sha) == "action_required"
    assert f"run {run.id}" in world.title(pull.head_sha)


@pytest.mark.slow
def test_a_draft_is_judged_as_well(world: World) -> None:
    pull = world.pull(draft=True)
    world.run_of(pull)
    assert look(world, pull).state == "passed"


def test_a_closed_pull_request_ends_as_what_it_is(world: World) -> None:
    pull = world.pull()
    look(world, pull)
    pull.close()
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("closed", 0)
    assert world.conclusion(pull.head_sha) == "action_required"
    assert "closed before a verdict" in world.title(pull.head_sha)
    before = len(world.fake.writes())
    look(world, pull)
    assert len(world.fake.writes()) == before


@pytest.mark.slow
def test_what_was_judged_stands_when_it_is_closed(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    look(world, pull)
    pull.close()
    before = len(world.fake.writes())
    look(world, pull)
    assert world.conclusion(pull.head_sha) == "success"
    assert len(world.fake.writes()) == before


@pytest.mark.slow
def test_a_policy_that_came_to_base_meanwhile_is_what_judges(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    assert look(world, pull).state == "passed"
    evaluation = files()["specs/evaluations/quality.yaml"]
    assert "min: 0.8" in evaluation
    world.repo.push({"specs/evaluations/quality.yaml": evaluation.replace("min: 0.8", "min: 0.99")})
    settled = look(world, pull)
    assert settled.state == "failed", "rows are kept, the bound is new"
    assert world.conclusion(pull.head_sha) == "failure"


@pytest.mark.slow
def test_a_push_is_another_commit_with_a_check_of_its_own(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    look(world, pull)
    first = pull.head_sha
    pull.push({"README.md": "words\n"})
    assert look(world, pull).state == "passed", "evidence follows the closure, not the commit"
    assert world.conclusion(first) == world.conclusion(pull.head_sha) == "success"
    assert len(world.repo.comments) == 1


def test_a_number_that_is_none_is_said(world: World) -> None:
    with pytest.raises(UsageError, match=r"acme/bot has no pull request #99"):
        reconcile(world.desk(), PullRequest(99))
    with pytest.raises(UsageError):
        PullRequest(0)


@pytest.mark.slow
def test_there_is_one_check_at_a_commit(world: World) -> None:
    pull = world.pull()
    for _ in range(3):
        look(world, pull)
    world.run_of(pull)
    for _ in range(3):
        look(world, pull)
    assert len(world.repo.checks_at(pull.head_sha, CHECK)) == 1
