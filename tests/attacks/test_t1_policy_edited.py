"""T1: whoever writes a change also writes the policies that judge it.

A2, with write access, wants a weaker threshold: the pull request lowers the bound, removes the
rules, waives its own gate, or names its own approver, and its runs are real.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.gating.base import PullRequest, Settled
from llmops.gating.reconcile import reconcile
from tests.gating.world import World, changed, files
from tests.github.pulls import FakePull
from tests.scenarios.story import HERE, Scenario

POLICY = "policies/default.yaml"
EVALUATION = "specs/evaluations/quality.yaml"
WORSE = Scenario(HERE / "lowered-bound-and-worse")
WAIVER = """\
apiVersion: llmops/v1alpha1
kind: Policy
metadata: {name: mine}
spec:
  waivers:
    - name: mine
      gate: Evaluation/quality/accuracy
      reason: because
      ticket: X-1
      owner: eve
      expires: "2026-12-20"
"""


def look(world: World, pull: FakePull) -> Settled:
    return reconcile(world.desk(), PullRequest(pull.number))


def test_a_worse_change_that_brings_its_own_bounds_fails_by_base(tmp_path: Path) -> None:
    world = World(tmp_path, WORSE)
    pull = world.pull(by="eve")
    world.run_of(pull)
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("failed", 1)
    assert world.conclusion(pull.head_sha) == "failure"
    pull.review(by="wang")
    assert look(world, pull).state == "failed", "nor does an approval make it better"


@pytest.mark.slow
def test_without_any_policy_of_its_own_it_is_judged_by_base_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path, WORSE)
    pull = world.pull({**changed(WORSE), POLICY: None, "policies/mine.yaml": WAIVER}, by="eve")
    world.run_of(pull)
    settled = look(world, pull)
    assert settled.state == "failed"
    assert settled.verdict is not None
    assert any("Policy/default" in one.what for one in settled.verdict.loosened)
    assert all(one.state != "in use" for one in settled.verdict.waivers), "it counts from base only"


def test_nobody_names_their_own_approver(tmp_path: Path) -> None:
    world = World(tmp_path)
    text = files()[EVALUATION].replace("min: 0.8", "min: 0.1")
    own = files()[POLICY].replace("[team-compliance]", "[eve]")
    owners = "* @eve\n"
    pull = world.pull({EVALUATION: text, POLICY: own, "CODEOWNERS": owners}, by="mallory")
    world.repo.roles["eve"] = "write"
    world.run_of(pull)
    pull.review(by="eve")
    settled = look(world, pull)
    assert settled.state == "inconclusive"
    assert world.conclusion(pull.head_sha) == "action_required"
    assert "0 of 1 approvals from team-compliance" in settled.summary
