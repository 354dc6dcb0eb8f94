"""A job of a workflow has one life: what it does while GitHub cannot be reached."""

from __future__ import annotations

import pytest

from llmops.forge.base import GaveUp
from llmops.gating.base import PullRequest
from llmops.gating.patience import settle
from tests.gating.world import World
from tests.github import RESET, Fault

STORM = (Fault(status=503), Fault(status=502, lost=True), RESET)


def test_an_outage_of_ten_minutes_ends_in_a_check_that_is_right(world: World) -> None:
    pull, clock = world.pull(), world.fake.clock
    world.fake.run(world.repo, pull.head_sha).finish("cancelled")
    ends = clock.monotonic() + 600
    world.fake.faults.outage(clock.monotonic(), 600, 1.0, faults=STORM)
    settled = settle(world.desk(), PullRequest(pull.number), wait=False)
    assert settled.state == "not judged"
    assert not settled.published.resume_at
    assert world.conclusion(pull.head_sha) == "action_required"
    assert ends < clock.monotonic() <= ends + 120
    world.fake.assert_polite()


def test_an_outage_between_verdict_and_check_leaves_no_check_in_progress(world: World) -> None:
    pull = world.pull()
    world.fake.run(world.repo, pull.head_sha).finish("cancelled")
    world.fake.faults.add(Fault(status=503), times=20, method="PATCH", path="check-runs")
    settle(world.desk(), PullRequest(pull.number), wait=False)
    assert world.conclusion(pull.head_sha) == "action_required"
    assert len(world.repo.checks) == 1


def test_an_outage_without_end_is_told_with_the_time_to_come_back(world: World) -> None:
    pull, clock = world.pull(), world.fake.clock
    world.fake.faults.outage(clock.monotonic(), 1e6, 1.0, faults=STORM)
    with pytest.raises(GaveUp) as caught:
        settle(world.desk(), PullRequest(pull.number), wait=False)
    assert caught.value.resume_at
    assert "run it again after" in caught.value.hint


def test_runs_that_are_under_way_are_waited_for(world: World) -> None:
    pull, clock = world.pull(), world.fake.clock
    run = world.fake.run(world.repo, pull.head_sha)
    sleep = clock.sleep

    def until_done(seconds: float) -> None:
        sleep(seconds)
        if len([one for one in clock.slept if one == 30.0]) == 3 and not run.conclusion:
            run.finish("cancelled")

    clock.sleep = until_done  # type: ignore[method-assign]
    assert settle(world.desk(), PullRequest(pull.number), wait=False).state == "running"
    assert settle(world.desk(), PullRequest(pull.number), wait=True).state == "not judged"
