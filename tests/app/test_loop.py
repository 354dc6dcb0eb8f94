from __future__ import annotations

from datetime import timedelta

import pytest

from llmops.app.crew import EVERY, Crew, step
from llmops.app.journal import Journal
from llmops.app.loop import FULL, Loop
from llmops.app.queue import Queue
from llmops.app.subjects import Subject
from llmops.errors import StoreError
from llmops.forge.base import ForgeError
from tests.app.conftest import BASE, HEAD, REPO, Clock, Memory
from tests.app.fakes import FakeForge

OTHER, NEXT = "c" * 40, "d" * 40
PULL = Subject(REPO, "pull", 7)


class World:
    """A repository, the loop, and what it asked to be looked at."""

    def __init__(self) -> None:
        self.clock, self.disk, self.noted = Clock(), Memory(), Memory()
        self.forge, self.queue = FakeForge(self.clock), Queue(self.disk, self.clock)
        self.loop = Loop(self.queue, self.noted)

    def look(self) -> list[Subject]:
        """One look, and what it put into the queue, which is then empty again."""
        self.loop.look(REPO, self.forge)  # type: ignore[arg-type]
        found = []
        while (subject := self.queue.take()) is not None:
            found.append(subject)
            self.queue.done(subject)
        return found


@pytest.fixture
def world() -> World:
    made = World()
    made.forge.open(7, HEAD)
    assert made.look() == [PULL], "what stands on main already is let be"
    made.clock.at += timedelta(seconds=EVERY)
    return made


def test_where_nothing_changed_nothing_is_looked_at(world: World) -> None:
    assert world.look() == []


def test_after_a_start_everything_is_looked_at_once(world: World) -> None:
    world.loop = Loop(world.queue, world.noted)
    assert world.look() == [PULL]
    assert world.look() == []


def run(**more: object) -> dict[str, object]:
    return {"id": 5, "head_sha": HEAD, "run_attempt": 1, "status": "queued", "conclusion": None,
            **more}  # fmt: skip


MISSED = {
    "a push": lambda forge: forge.pulls[7].update(head={"sha": OTHER}),
    "a review or a label": lambda forge: forge.pulls[7].update(updated_at="2026-11-26T10:00:00Z"),
    "another base": lambda forge: forge.pulls[7].update(base={"ref": "release"}),
    "no draft any more": lambda forge: forge.pulls[7].update(draft=True),
    "a run": lambda forge: forge.workflow_runs.append(run()),
    "evidence": lambda forge: forge.tips.update({"llmops-evidence": OTHER}),
}


@pytest.mark.parametrize("missed", MISSED.values(), ids=MISSED)
def test_an_event_that_never_came_is_healed_by_the_next_look(world: World, missed) -> None:
    missed(world.forge)
    assert world.look() == [PULL]
    world.clock.at += timedelta(seconds=EVERY)
    assert world.look() == []


def test_every_step_of_a_run_is_seen(world: World) -> None:
    for told in ({"status": "in_progress"}, {"status": "completed", "conclusion": "success"},
                 {"run_attempt": 2}):  # fmt: skip
        world.forge.workflow_runs = [run(**told)]
        assert world.look() == [PULL], told


def test_a_pull_request_nobody_told_of_is_found(world: World) -> None:
    world.forge.open(8, OTHER)
    assert world.look() == [Subject(REPO, "pull", 8)]


def test_a_pull_request_that_closed_unheard_is_looked_at_until_that_is_known(world: World) -> None:
    world.loop.note(PULL, open=True)
    world.forge.open(7, HEAD, state="closed")
    assert world.look() == [PULL]
    world.loop = Loop(world.queue, world.noted)  # a new start knows it too
    assert PULL in world.look()
    world.loop.note(PULL, open=False)
    assert world.look() == []
    assert not [name for name in world.noted.files if name.startswith("pull")]


def test_the_target_branch_moves_and_all_that_would_land_on_it_is_looked_at(world: World) -> None:
    world.forge.open(8, OTHER)
    world.forge.open(9, NEXT, base="release")
    world.look()
    world.forge.tips["main"] = NEXT
    world.forge.history = [{"sha": NEXT, "parents": [{"sha": BASE}]}]
    news = Subject(REPO, "landed", sha=NEXT, branch="main")
    assert world.look() == [PULL, Subject(REPO, "pull", 8), news]


def test_commits_that_landed_in_between_are_each_looked_at_oldest_first(world: World) -> None:
    shas = [character * 40 for character in "1234"]
    rows = zip(shas, [BASE, *shas], strict=False)
    world.forge.history = [
        {"sha": sha, "parents": [{"sha": parent}, {"sha": HEAD}]} for sha, parent in rows
    ][::-1]
    world.forge.tips["main"] = shas[-1]
    found = [one.sha for one in world.look() if one.kind == "landed"]
    assert found == shas


def test_what_landed_while_nobody_was_there_is_looked_at_after_a_start(world: World) -> None:
    world.forge.tips["main"] = NEXT
    world.forge.history = [{"sha": NEXT, "parents": [{"sha": BASE}]}]
    world.loop = Loop(world.queue, world.noted)
    assert [one.sha for one in world.look() if one.kind == "landed"] == [NEXT]


def test_a_branch_that_was_rewritten_is_looked_at_from_its_tip(world: World) -> None:
    world.forge.tips["main"] = NEXT
    world.forge.history = [{"sha": NEXT, "parents": []}]
    assert [one.sha for one in world.look() if one.kind == "landed"] == [NEXT]


def test_a_merge_group_nobody_told_of_is_found(world: World) -> None:
    name = f"refs/heads/gh-readonly-queue/release/1.x/pr-7-{BASE}"
    names = (name, "refs/heads/gh-readonly-queue/x")
    world.forge.refs = [{"ref": ref, "object": {"sha": OTHER}} for ref in names]
    group = Subject(REPO, "group", sha=OTHER, branch="release/1.x")
    assert world.look() == [group]
    assert world.look() == []
    world.forge.workflow_runs = [run(head_sha=OTHER)]
    assert world.look() == [group]


def test_a_command_nobody_told_of_is_found(world: World) -> None:
    world.forge.comment(7, "just talk")
    asked = world.forge.comment(7, "/llmops help")
    world.forge.comment(3, "/llmops help", html_url=f"https://github.com/{REPO}/issues/3#x")
    assert world.look() == [Subject(REPO, "comment", 7, comment=asked)]
    assert world.look() == [], "once put, it is the queue's"


def test_what_shows_nowhere_is_looked_at_each_hour_and_not_all_at_one_minute(world: World) -> None:
    for number in range(10, 70):
        world.forge.open(number, OTHER)
    world.look()
    seen: list[list[Subject]] = []
    for _ in range(int(FULL // EVERY)):
        world.clock.at += timedelta(seconds=EVERY)
        seen.append(world.look())
    assert sorted(one for part in seen for one in part) == sorted(
        [PULL, *(Subject(REPO, "pull", number) for number in range(10, 70))]
    )
    assert max(map(len, seen)) < 20


def test_our_own_pushes_of_evidence_wake_nobody_more_than_every_four_minutes(world: World) -> None:
    looks = 0
    for step_ in range(60):
        world.clock.at += timedelta(seconds=10)
        world.forge.tips["llmops-evidence"] = f"{step_:040x}"
        looks += len(world.look())
    assert looks <= 3


def test_evidence_wakes_nobody_who_needs_none(world: World) -> None:
    world.loop.note(PULL, open=True, good=True)
    world.look()
    for tip in (OTHER, NEXT):
        world.forge.tips["llmops-evidence"] = tip
        world.clock.at += timedelta(seconds=EVERY)
        assert world.look() == []
    world.loop.note(PULL, open=True, good=False)
    assert world.look() == [PULL]


def test_of_many_that_wait_for_evidence_few_are_woken_in_an_hour(world: World) -> None:
    for number in range(100, 200):
        world.forge.open(number, OTHER)
    world.look()
    looks = 0
    for step_ in range(int(FULL // EVERY)):
        world.clock.at += timedelta(seconds=EVERY)
        world.forge.tips["llmops-evidence"] = f"{step_:040x}"
        looks += len(world.look())
    assert 100 < looks <= 500  # 300 for evidence, and each once in the hour


def test_a_hundred_pull_requests_cost_a_handful_of_requests(world: World) -> None:
    for number in range(100, 200):
        world.forge.open(number, OTHER)
    world.look()
    world.forge.asked.clear()
    world.clock.at += timedelta(seconds=EVERY)
    world.look()
    assert len(world.forge.asked) <= 8, world.forge.asked


def test_what_could_not_be_put_is_put_by_the_next_look(world: World) -> None:
    world.forge.open(7, OTHER)
    world.forge.tips["main"] = NEXT
    world.forge.history = [{"sha": NEXT, "parents": [{"sha": BASE}]}]
    asked = world.forge.comment(7, "/llmops help")
    for _ in range(3):
        world.disk.full_after = 0
        with pytest.raises(StoreError):
            world.look()
        world.clock.at += timedelta(hours=1)
    world.disk.full_after = 99
    assert world.look() == [
        PULL,
        Subject(REPO, "landed", sha=NEXT, branch="main"),
        Subject(REPO, "comment", 7, comment=asked),
    ]


def test_an_outage_leaves_what_is_known_as_it_was(world: World) -> None:
    world.forge.open(7, OTHER)
    world.forge.down = True
    with pytest.raises(ForgeError):
        world.look()
    world.forge.down = False
    assert world.look() == [PULL]


@pytest.mark.parametrize("at", range(8))
def test_a_missed_event_is_healed_within_five_minutes_whenever_it_happened(at: int) -> None:
    """The whole service with its clock: sweeps every `EVERY` seconds, work in between."""
    made = World()
    seen: list[tuple[Subject, float]] = []

    def work(subject: Subject) -> str:
        if subject.kind == "sweep":
            return made.loop.look(REPO, made.forge)  # type: ignore[arg-type]
        seen.append((subject, made.clock.since))
        return "seen"

    journal = Journal(lambda line: None, made.clock)
    changed = 900.0 + at * EVERY / 8
    while made.clock.since < 2000:
        if made.clock.since % EVERY == 0:
            made.queue.put(Subject(REPO, "sweep"))
        if made.clock.since == changed:
            made.forge.open(7, HEAD)  # and no event comes
        while step(made.queue, work, journal):
            pass
        made.clock.sleep(EVERY / 8)
    found = [when for subject, when in seen if subject == PULL]
    assert found
    assert 0 <= found[0] - changed <= 300


def test_the_crew_sweeps_every_repository_at_its_start_and_stays(world: World) -> None:
    seen: list[Subject] = []

    def work(subject: Subject) -> str:
        seen.append(subject)
        return "seen"

    journal = Journal(lambda line: None, world.clock)
    crew = Crew(world.queue, work, [REPO, "octo/other"], journal, count=2, every=3600)
    crew.start()
    while len(seen) < 2:
        world.queue.wait(0.01)
    assert crew.healthy()
    crew.stop()
    assert not crew.healthy()
    assert set(seen) == {Subject(REPO, "sweep"), Subject("octo/other", "sweep")}
