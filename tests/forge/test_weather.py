"""F7 and F8 of SECURITY.md: GitHub in trouble, and GitHub that has had enough of us.

Virtual time: ten minutes of outage take no time. The fake itself keeps each request that came
before it was allowed, and each write less than a second after another (`assert_polite`).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.forge.base import GaveUp
from llmops.forge.clock import read
from llmops.forge.publish import persist, publish
from tests.forge.world import World
from tests.github import RESET, TIMEOUT, TRUNCATED, Fault

OUTAGE = 600.0
RECOVERY = 120.0
STORM = (
    Fault(status=500, html=False),
    Fault(status=502),
    Fault(status=503),
    Fault(status=504, lost=True),
    RESET,
    replace(RESET, lost=True),
    TIMEOUT,
    TRUNCATED,
    replace(TRUNCATED, lost=True),
    Fault("slow", seconds=90),
)
LIMITS = [
    Fault("limited", status=status, retry_after=after, reset=reset)
    for status in (403, 429)
    for after, reset in ((None, None), (45, None), (None, 75), (80, 75))
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("github"))


@pytest.fixture
def world(built: World) -> World:
    return built.reset()


class Watch:
    """What was to be seen after each request: checks of ours, also such as GitHub would hide."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.most = 0
        self.conclusions: set[str | None] = set()
        world.fake.watchers.append(self.look)

    def look(self, *_: object) -> None:
        self.most = max(self.most, len(self.world.repo.checks), len(self.world.sticky()))
        self.conclusions |= {one["conclusion"] for one in self.world.visible()}


@pytest.mark.parametrize("seed", range(8))
def test_f7_a_check_is_right_within_two_minutes_of_an_outage(world: World, seed: int) -> None:
    """30 % of the requests fail for ten minutes; verdicts go on being published meanwhile."""
    fake, watch = world.fake, Watch(world)
    start = fake.clock.monotonic()
    fake.faults.outage(start, OUTAGE, 0.3, seed=seed, faults=STORM)
    forge, last = world.client(), world.publication("action_required", 0)
    for round_ in range(40):
        last = world.publication("failure" if round_ % 2 else "action_required", 2 * round_)
        persist(forge, last)
        fake.clock.sleep(10)
        if fake.clock.monotonic() > start + OUTAGE:
            break
    assert fake.clock.monotonic() <= start + OUTAGE + RECOVERY
    assert len(fake.faults.used) > 20
    world.shows(last)
    assert watch.most == 1
    assert "success" not in watch.conclusions
    fake.assert_polite()


@pytest.mark.parametrize("seed", range(4))
def test_f7_an_outage_of_everything_ends_in_a_check_that_is_right(world: World, seed: int) -> None:
    fake, watch = world.fake, Watch(world)
    ends = fake.clock.monotonic() + OUTAGE
    fake.faults.outage(fake.clock.monotonic(), OUTAGE, 1.0, seed=seed, faults=STORM)
    wanted = world.publication(annotations=60)
    done = persist(world.client(), wanted, within_seconds=3600)
    assert ends < fake.clock.monotonic() <= ends + RECOVERY
    assert done.left == ()
    assert done.writes <= 10
    world.shows(wanted)
    assert watch.most == 1
    fake.assert_polite()


def test_f7_time_over_leaves_what_is_not_written_and_when_to_come_back(world: World) -> None:
    fake = world.fake
    fake.faults.outage(fake.clock.monotonic(), OUTAGE, 1.0, faults=STORM)
    wanted = world.publication()
    done = persist(world.client(), wanted, within_seconds=60)
    assert done.left[0].startswith("check: ")
    assert done.left[1:] == ("comment: not tried", "labels: not tried")
    at = read(done.resume_at)
    assert at is not None
    assert at > fake.clock.now()
    fake.clock.advance(OUTAGE)
    assert publish(world.client(), wanted).left == ()
    world.shows(wanted)


@pytest.mark.parametrize("limit", LIMITS, ids=lambda f: f"{f.status}-{f.retry_after}-{f.reset}")
@pytest.mark.parametrize("skew", [0.0, 86_400.0, -86_400.0])
def test_f8_nothing_is_asked_before_the_time_that_is_allowed(
    world: World, limit: Fault, skew: float
) -> None:
    fake = world.fake
    fake.clock.skew = skew
    try:
        fake.faults.add(limit, method="POST", path="check-runs", times=2)
        fake.faults.add(limit, method="GET", path="comments")
        begun = fake.clock.monotonic()
        done = persist(world.client(), world.publication(), within_seconds=7200)
    finally:
        fake.clock.skew = 0.0
    assert done.left == ()
    world.shows(world.publication())
    named = max(limit.retry_after or 0, limit.reset or 0) or 60
    assert fake.clock.monotonic() - begun >= 3 * named
    assert fake.clock.monotonic() - begun <= 7 * named + 30
    fake.assert_polite()


def test_f8_an_hours_budget_that_is_used_up_is_waited_for(world: World) -> None:
    fake = world.fake
    budget, fake.limits.budget = fake.limits.budget, 12
    try:
        forge, wanted = world.client(), world.publication(annotations=150)
        first = publish(forge, wanted)
        assert first.resume_at
        done = persist(forge, wanted, within_seconds=3 * 3600)
    finally:
        fake.limits.budget = budget
    assert done.left == ()
    world.shows(wanted)
    fake.assert_polite()


def test_f8_a_limit_without_end_gives_up_after_eight_tries(world: World) -> None:
    fake = world.fake
    fake.faults.add(Fault("limited", status=429, retry_after=20), times=99)
    with pytest.raises(GaveUp) as caught:
        world.client().tip("main")
    assert len(fake.requests) == 8
    at = read(caught.value.resume_at)
    assert at is not None
    assert 20 <= (at - fake.clock.now()).total_seconds() <= 25
    fake.assert_polite()
