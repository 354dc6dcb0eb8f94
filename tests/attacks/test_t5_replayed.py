"""T5: an old green report is shown again.

Artifacts of a run that went well are uploaded by another one: of another run, for another commit,
another repository, or of a time when base or the change was something else.
"""

from __future__ import annotations

from typing import Any

import pytest

from llmops.forge.base import RunArtifact, WorkflowRun
from llmops.gating import scenes
from llmops.gating.base import PullRequest, Settled
from llmops.gating.gathering import unfit
from llmops.gating.reconcile import reconcile
from tests.gating.world import World, changed
from tests.github.pulls import FakePull

RECIPE = "specs/recipes/adapter.yaml"
TEXT = changed()[RECIPE]


def look(world: World, pull: FakePull) -> Settled:
    return reconcile(world.desk(), PullRequest(pull.number))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"run_id": 1}, "it is of another run: 1"),
        ({"head_sha": "a" * 40}, "it is of another commit"),
        ({"repository": "eve/bot"}, "it is of another repository: eve/bot"),
    ],
)
def test_a_pack_that_says_it_is_of_something_else(
    world: World, other: dict[str, Any], said: str
) -> None:
    pull = world.pull()
    run = world.fake.run(world.repo, pull.head_sha)
    done = world.worked(world.repo.tip(), pull.head_sha)
    run.upload("llmops-evidence-all", world.packed(done, run, **other))
    run.finish()
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("not judged", 3)
    assert world.conclusion(pull.head_sha) == "action_required"
    assert any(said in note for note in settled.notes), settled.notes


def test_the_green_report_of_a_good_change_is_no_report_of_a_bad_one(world: World) -> None:
    """The manifest is made anew, so that it names this run and this commit."""
    good = world.pull()
    done = world.worked(world.repo.tip(), good.head_sha)
    assert isinstance(TEXT, str)
    bad = world.pull({RECIPE: TEXT.replace("r: 16", "r: 2")}, branch="bad", by="mallory")
    run = world.fake.run(world.repo, bad.head_sha)
    run.upload("llmops-evidence-all", world.packed(done, run))
    run.finish()
    settled = look(world, bad)
    assert settled.state == "not judged"
    assert any("was not planned" in note for note in settled.notes)


@pytest.mark.slow
def test_what_was_measured_on_an_older_base_is_not_what_this_base_asks(world: World) -> None:
    pull = world.pull()
    world.run_of(pull)
    other = "specs/data/test.jsonl"
    rows = world.scenario.files("base")[other]
    world.repo.push({other: rows.replace("question 0", "question 00")})
    settled = look(world, pull)
    assert settled.state == "not judged"
    assert world.conclusion(pull.head_sha) == "action_required"


@pytest.mark.parametrize(
    ("other", "said"),
    [({"run_id": 7}, "is of another run (7)"), ({"head_sha": "b" * 40}, "is of another commit")],
)
def test_what_is_listed_as_something_else_is_not_even_downloaded(
    world: World, other: dict[str, Any], said: str
) -> None:
    pull = world.pull()
    run = WorkflowRun(1, 1, pull.head_sha, "pull_request", "completed", "success", "x", "acme/bot")
    about = {"run_id": 1, "head_sha": pull.head_sha, **other}
    artifact = RunArtifact(5, "llmops-evidence-a", 10, expired=False, **about)
    desk = world.desk()
    found = world.forge().pull(pull.number)
    assert found is not None
    assert unfit(desk, scenes.of_pull(desk, found), run, artifact).startswith(said)
