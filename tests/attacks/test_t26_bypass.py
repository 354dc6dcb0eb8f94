"""T26: the bypass button: an administrator merges what the gate did not let through.

It cannot be prevented here, so it cannot be quiet: the commit on the target branch bears a failed
check, an issue names it, and neither goes away by pushing something harmless on top.
"""

from __future__ import annotations

from llmops.forge.base import CHECK
from llmops.gating.base import Landed, PullRequest
from llmops.gating.reconcile import reconcile
from llmops.reports.github_landed import ISSUE
from tests.gating.world import World, files


def test_a_bypass_is_seen_by_whoever_looks_at_the_branch(world: World) -> None:
    first = world.pull()
    world.run_of(first)
    assert reconcile(world.desk(), PullRequest(first.number)).state == "passed"
    assert reconcile(world.desk(), Landed(first.merge(), "main")).exit_code == 0

    text = files()["policies/default.yaml"].replace("count: 1", "count: 2")
    looser = text.replace("rule: license, ", "rule: license, severity: warning, ")
    pull = world.pull({"policies/default.yaml": looser}, branch="looser", by="boss")
    assert reconcile(world.desk(), PullRequest(pull.number)).state == "inconclusive"
    sha = pull.merge(by="boss")
    settled = reconcile(world.desk(), Landed(sha, "main"))
    assert settled.exit_code == 1
    assert world.conclusion(sha) == "failure"

    later = world.repo.push({"README.md": "nothing to see here\n"})
    assert reconcile(world.desk(), Landed(later, "main")).exit_code == 1, "it is still in there"
    assert world.conclusion(later) == "failure"
    assert [one["title"] for one in world.repo.issues.values()] == [ISSUE, ISSUE]
    assert [sha in one["body"] or later in one["body"] for one in world.repo.issues.values()]
    assert world.repo.state_of(sha, CHECK) == "failure"


def test_a_token_that_may_not_open_issues_still_fails_the_check(world: World) -> None:
    from tests.gating.test_trouble import held

    sha = world.pull().merge(by="boss")
    desk = world.desk(token=held(world, issues="read", pull_requests="read"))
    settled = reconcile(desk, Landed(sha, "main"))
    assert settled.exit_code == 1
    assert any("issue" in note for note in settled.notes)
    assert world.conclusion(sha) == "failure"
