"""Approvals end to end: a loosened bound, reviews at the forge, teams and CODEOWNERS of base."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.gating.base import PullRequest, Settled
from llmops.gating.reconcile import reconcile
from tests.gating.world import World, files
from tests.github import GATE_PERMISSIONS
from tests.github.pulls import FakePull
from tests.scenarios.story import HERE, Scenario

LOWERED = Scenario(HERE / "lowered-bound")
RECIPE = "specs/recipes/adapter.yaml"
POLICY = "policies/default.yaml"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, LOWERED)


@pytest.fixture
def pull(world: World) -> FakePull:
    """A pull request of dev that lowers a bound; its jobs are done."""
    found = world.pull()
    world.run_of(found)
    return found


def look(world: World, pull: FakePull) -> Settled:
    return reconcile(world.desk(), PullRequest(pull.number))


def left_out(settled: Settled) -> list[str]:
    assert settled.verdict is not None
    found: list[str] = settled.verdict.extra.get("approvals_left_out", [])
    return found


def test_a_missing_approval_is_inconclusive_and_the_check_says_whose(world, pull) -> None:
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("inconclusive", 1)
    assert world.conclusion(pull.head_sha) == "action_required"
    said = str(world.check(pull.head_sha)["output"])
    assert "has 0 of 1 approvals from team-compliance (Policy/default/looser)" in said


def test_somebody_of_the_team_says_yes(world, pull) -> None:
    look(world, pull)
    pull.review(by="wang")
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("warned", 0)
    assert world.conclusion(pull.head_sha) == "success"
    assert settled.verdict.loosened[0].approved_by == ("wang",)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["li", "stranger", "team-compliance", "helper[bot]"])
def test_nobody_else_is_asked(world, pull, by: str) -> None:
    pull.review(by=by)
    assert look(world, pull).state == "inconclusive"


@pytest.mark.slow
def test_who_wrote_a_part_of_it_is_not_somebody_else(world) -> None:
    world.repo.push(dict(files("head", LOWERED)), "change", by="wang", message="my idea")
    pull = world.pull({"README.md": "words\n"}, by="dev")
    world.run_of(pull)
    pull.review(by="wang")
    settled = look(world, pull)
    assert settled.state == "inconclusive"
    assert left_out(settled) == ["wang wrote part of it"]


@pytest.mark.slow
def test_a_co_author_wrote_a_part_of_it(world) -> None:
    trailer = "Lower it\n\nCo-authored-by: Wang <77+wang@users.noreply.github.com>\n"
    world.repo.push(dict(files("head", LOWERED)), "change", message=trailer)
    pull = world.pull({"README.md": "words\n"})
    world.run_of(pull)
    pull.review(by="wang")
    assert look(world, pull).state == "inconclusive"
    pull.review(by="zhao")
    assert look(world, pull).state == "warned"


@pytest.mark.slow
@pytest.mark.parametrize("state", ["CHANGES_REQUESTED", "DISMISSED"])
def test_a_yes_that_was_taken_back_is_none(world, pull, state: str) -> None:
    pull.review(by="wang")
    assert look(world, pull).state == "warned"
    pull.review(state, by="wang")
    assert look(world, pull).state == "inconclusive"
    assert world.conclusion(pull.head_sha) == "action_required"


@pytest.mark.slow
def test_a_push_that_shows_nothing_new_keeps_the_yes(world, pull) -> None:
    pull.review(by="wang")
    look(world, pull)
    pull.push({"README.md": "words\n"})
    assert look(world, pull).state == "warned"


def test_something_loosened_after_the_yes_resets_it(world, pull) -> None:
    pull.review(by="wang")
    old = pull.head_sha
    pull.push(
        {POLICY: files()[POLICY].replace("rule: license, ", "rule: license, severity: warning, ")}
    )
    world.run_of(pull)
    settled = look(world, pull)
    assert settled.state == "inconclusive"
    (line,) = left_out(settled)
    assert line.startswith(f"wang approved {old[:7]}, which did not show Policy/default")
    assert f"* No approval: wang approved {old[:7]}, which did not show" in settled.summary
    pull.review(by="wang")
    assert look(world, pull).state == "warned"


@pytest.mark.slow
def test_a_commit_that_was_pushed_away_showed_nothing(world, pull) -> None:
    pull.review(by="wang", commit="0" * 40)
    settled = look(world, pull)
    assert settled.state == "inconclusive"
    assert "cannot be told any more" in left_out(settled)[0]


@pytest.mark.slow
def test_a_name_that_is_no_team_is_a_person_who_may_write(world) -> None:
    world.repo.push({POLICY: files()[POLICY].replace("[team-compliance]", "[li]")})
    pull = world.pull()
    world.run_of(pull)
    pull.review(by="li")
    assert look(world, pull).state == "warned"
    world.repo.roles["li"] = "read"
    assert look(world, pull).state == "inconclusive", "anybody can call themselves so"


@pytest.mark.slow
def test_who_cannot_be_asked_for_is_nobody(world, pull) -> None:
    pull.review(by="wang")
    held = {name: may for name, may in GATE_PERMISSIONS.items() if name != "members"}
    token = world.fake.workflow_token(world.repo, **held)
    settled = reconcile(world.desk("job", token), PullRequest(pull.number))
    assert settled.state == "inconclusive"
    assert left_out(settled) == ["wang approved, but who is in team-compliance cannot be read"]


@pytest.mark.slow
def test_a_machine_needs_a_person(world) -> None:
    rule = "    - {name: machine, when: machine_author, from: [team-compliance], count: 1}\n"
    world.repo.push({POLICY: files()[POLICY].rstrip("\n") + f"\n{rule}"})
    text = files()[RECIPE].replace("r: 8", "r: 9")
    pull = world.pull({RECIPE: text}, by="renovate[bot]")
    world.run_of(pull)
    settled = look(world, pull)
    assert settled.state == "inconclusive"
    assert any("written by renovate[bot]" in f.message for f in settled.verdict.findings)
    pull.review(by="wang")
    assert look(world, pull).state == "passed"
