"""T4: the head is evaluated, and another tree is merged (time of check, time of use).

A pull request is green; then its branch moves, or the merge itself brings something else.
"""

from __future__ import annotations

import pytest

from llmops.forge.base import CHECK
from llmops.gating.base import Group, Landed, PullRequest
from llmops.gating.reconcile import reconcile
from llmops.reports.github_landed import ISSUE
from tests.gating.world import World, changed, files
from tests.github.pulls import FakePull

RECIPE = "specs/recipes/adapter.yaml"
EVIL = changed()[RECIPE]


def green(world: World) -> FakePull:
    pull = world.pull()
    world.run_of(pull)
    assert reconcile(world.desk(), PullRequest(pull.number)).state == "passed"
    return pull


@pytest.mark.slow
def test_a_push_after_the_verdict_takes_no_colour_with_it(world: World) -> None:
    pull = green(world)
    assert isinstance(EVIL, str)
    pull.push({RECIPE: EVIL.replace("r: 16", "r: 2")})
    assert world.repo.state_of(pull.head_sha, CHECK) == "missing", "a check belongs to one commit"
    assert reconcile(world.desk(), PullRequest(pull.number)).state == "running"


def test_a_group_is_judged_by_itself_and_not_by_its_pull_requests(world: World) -> None:
    pull = green(world)
    before = world.repo.tip()
    git = world.repo.git
    merged = git.merge(before, pull.head_sha, f"Merge pull request #{pull.number}")
    assert merged is not None
    world.repo.push({"policies/default.yaml": None}, "evil", onto=merged, message=f"#{pull.number}")
    evil = world.repo.tip("evil")
    settled = reconcile(world.desk(), Group(evil, "main"))
    assert settled.exit_code == 1
    assert world.conclusion(evil) == "action_required"


def test_a_merge_that_brings_something_else_is_an_incident(world: World) -> None:
    pull = green(world)
    assert isinstance(EVIL, str)
    git = world.repo.git
    merged = git.merge(world.repo.tip(), pull.head_sha, f"Merge pull request #{pull.number}")
    assert merged is not None
    world.repo.push({RECIPE: EVIL.replace("r: 16", "r: 2")}, "evil", onto=merged)
    tree = git.tree_of(world.repo.tip("evil"))
    sha = git.tree_commit(tree, (world.repo.tip(), pull.head_sha), f"Merge #{pull.number}")
    pull.land(sha, "mallory")
    settled = reconcile(world.desk(), Landed(sha, "main"))
    assert (settled.state, settled.exit_code) == ("not judged", 1)
    assert world.conclusion(sha) == "failure"
    assert [one["title"] for one in world.repo.issues.values()] == [ISSUE]


@pytest.mark.slow
def test_a_base_that_moved_its_bound_judges_the_next_look(world: World) -> None:
    pull = green(world)
    path = "specs/evaluations/quality.yaml"
    world.repo.push({path: files()[path].replace("min: 0.8", "min: 0.99")})
    assert reconcile(world.desk(), PullRequest(pull.number)).state == "failed"
    assert world.conclusion(pull.head_sha) == "failure"
    sha = pull.merge(by="mallory")
    assert reconcile(world.desk(), Landed(sha, "main")).exit_code == 1
