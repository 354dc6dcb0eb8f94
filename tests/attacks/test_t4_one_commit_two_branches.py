"""T4 by another way: a check stands on a commit, and one commit is the head of two pull requests.

A2 opens a second one with the same head, against a branch whose policies ask nothing. Its success
would stand on the commit that the first one wants to bring to main.
"""

from __future__ import annotations

from llmops.gating.base import PullRequest
from llmops.gating.reconcile import reconcile
from tests.gating.world import World, files


def test_a_success_against_a_weak_branch_is_none_against_main(world: World) -> None:
    world.repo.push({"policies/default.yaml": None}, "weak")
    text = files()["specs/evaluations/quality.yaml"].replace("min: 0.8", "min: 0.1")
    first = world.pull({"specs/evaluations/quality.yaml": text}, by="mallory")
    world.run_of(first)
    assert reconcile(world.desk(), PullRequest(first.number)).state == "inconclusive"
    second = world.repo.pull("change", base="weak", by="mallory")
    assert second.head_sha == first.head_sha
    for pull in (second, first, second):
        settled = reconcile(world.desk(), PullRequest(pull.number))
        assert (settled.state, settled.exit_code) == ("waiting", 1)
        assert world.conclusion(first.head_sha) == "action_required"
    second.close()
    reconcile(world.desk(), PullRequest(second.number))
    assert reconcile(world.desk(), PullRequest(first.number)).state == "inconclusive"
