"""Merge groups, and what landed: the tree that was judged, or a failed check and an issue."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.gating.base import Group, Landed, PullRequest, Settled
from llmops.gating.reconcile import reconcile
from llmops.reports.github_landed import ISSUE
from tests.gating.world import World, changed, files
from tests.github.pulls import FakePull

RECIPE = "specs/recipes/adapter.yaml"


def look(world: World, pull: FakePull) -> Settled:
    return reconcile(world.desk(), PullRequest(pull.number))


def landed(world: World, sha: str = "", name: str = "gate") -> Settled:
    return reconcile(world.desk(name), Landed(sha or world.repo.tip(), "main"))


def good(world: World) -> FakePull:
    """A pull request that was judged and may land."""
    pull = world.pull()
    world.run_of(pull)
    assert look(world, pull).state == "passed"
    return pull


def issues(world: World) -> list[dict[str, Any]]:
    return [one for one in world.repo.issues.values() if one["title"] == ISSUE]


def test_what_was_judged_may_land_by_any_method(world: World) -> None:
    pull = good(world)
    sha = pull.merge(method="squash")
    settled = landed(world)
    assert (settled.state, settled.exit_code) == ("passed", 0)
    assert world.conclusion(sha) == "success"
    assert "was judged on: passed" in settled.summary
    assert not issues(world)
    before = len(world.fake.writes())
    landed(world)
    assert len(world.fake.writes()) == before


def test_what_nobody_judged_is_a_failed_check_and_one_issue(world: World) -> None:
    pull = world.pull()
    sha = pull.merge()
    for name in ("gate", "gate", "another gate"):
        settled = landed(world, name=name)
        assert (settled.state, settled.exit_code) == ("not judged", 1)
    assert world.conclusion(sha) == "failure"
    assert world.title(sha) == "landed tree was not judged: its jobs had not run when it landed"
    (issue,) = issues(world)
    assert sha in issue["body"]


@pytest.mark.slow
def test_an_issue_that_was_closed_is_not_opened_again(world: World) -> None:
    world.pull().merge()
    landed(world)
    (issue,) = issues(world)
    issue["state"] = "closed"
    landed(world)
    assert len(issues(world)) == 1


@pytest.mark.slow
def test_a_base_that_moved_by_words_changes_nothing(world: World) -> None:
    pull = good(world)
    world.repo.push({"README.md": "other words\n"})
    pull.merge()
    settled = landed(world)
    assert settled.exit_code == 0, "its evidence decides it"
    assert not issues(world)


@pytest.mark.slow
def test_a_failed_change_that_somebody_merged_all_the_same_is_seen(world: World) -> None:
    text = files()["specs/evaluations/quality.yaml"].replace("min: 0.8", "min: 0.99")
    world.repo.push({"specs/evaluations/quality.yaml": text})
    pull = world.pull()
    world.run_of(pull)
    assert look(world, pull).state == "failed"
    sha = pull.merge()
    assert landed(world).exit_code == 1
    assert world.conclusion(sha) == "failure"
    assert len(issues(world)) == 1


def test_nothing_hides_behind_a_harmless_last_commit(world: World) -> None:
    good(world).merge()
    assert landed(world).exit_code == 0
    world.repo.push({"policies/default.yaml": None})
    world.repo.push({"README.md": "harmless\n"})
    assert landed(world).exit_code == 1
    assert len(issues(world)) == 1


def test_a_group_is_judged_on_its_exact_tree_with_what_is_kept(world: World) -> None:
    pull = good(world)
    queue = world.repo.queue()
    queue.add(pull)
    (group,) = queue.groups
    settled = reconcile(world.desk(), Group(group.head_sha, "main"))
    assert (settled.state, settled.exit_code) == ("passed", 0)
    assert world.conclusion(group.head_sha) == "success"
    queue.settle()
    assert world.repo.tip() == group.head_sha
    assert landed(world).exit_code == 0
    assert len(world.repo.runs) == 1, "evidence follows the closure"


@pytest.mark.slow
def test_a_group_of_two_that_together_were_never_measured_waits_for_its_run(world: World) -> None:
    first = good(world)
    text = files()["specs/prompts/ask.yaml"]
    second = world.pull({"specs/prompts/ask.yaml": text + "# words\n"}, branch="second")
    queue = world.repo.queue()
    queue.add(first, second)
    settled = reconcile(world.desk(), Group(queue.groups[1].head_sha, "main"))
    assert settled.state == "passed", "a comment changes no closure"
    other = {RECIPE: changed()[RECIPE].replace("r: 16", "r: 17")}
    third = world.pull(other, branch="third")
    third.source.git.run("update-ref", "refs/heads/x", third.head_sha)
    assert reconcile(world.desk(), Group(third.head_sha, "main")).state == "running"
