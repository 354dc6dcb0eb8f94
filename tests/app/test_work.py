"""Which verb serves which subject, and what comes of what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from llmops.app.commands import Commands
from llmops.app.crew import step
from llmops.app.journal import Journal
from llmops.app.loop import Loop
from llmops.app.queue import Queue
from llmops.app.subjects import Subject
from llmops.app.work import Bench, LaterError, Work
from llmops.errors import UsageError
from llmops.forge.base import ForgeError, GaveUp, Published, Refused
from llmops.gating.base import Group, Landed, PullRequest, Settled
from tests.app.conftest import BASE, HEAD, REPO, Clock, Memory
from tests.app.fakes import APP_ID, FakeForge

PULL = Subject(REPO, "pull", 7)
GROUP = Subject(REPO, "group", sha=HEAD, branch="main")
LANDED = Subject(REPO, "landed", sha=HEAD, branch="main")


@dataclass
class Desk:
    forge: FakeForge


@dataclass
class World:
    """A gate that says what a test wants."""

    clock: Clock = field(default_factory=Clock)
    disk: Memory = field(default_factory=Memory)
    noted: Memory = field(default_factory=Memory)
    asked: list[Any] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    says: Settled | Exception = field(default_factory=lambda: settled("passed"))

    def __post_init__(self) -> None:
        self.forge = FakeForge(self.clock)
        self.queue = Queue(self.disk, self.clock)
        self.loop = Loop(self.queue, self.noted)
        bench: Any = Bench(lambda _: self.forge, lambda _: Desk(self.forge), self.reconcile)  # type: ignore[arg-type,return-value]
        self.work = Work(bench, self.queue, self.loop, Commands(Memory(), self.queue, APP_ID))

    def reconcile(self, desk: Any, subject: Any) -> Settled:
        self.asked.append(subject)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def step(self, subject: Subject) -> None:
        """One turn of it through the queue."""
        self.queue.put(subject)
        assert step(self.queue, self.work, Journal(self.lines.append, self.clock))


def settled(state: str, code: int = 0, *notes: str, resume_at: str = "") -> Settled:
    return Settled(None, Published(resume_at=resume_at), code, notes, state)


@pytest.fixture
def bench() -> World:
    return World()


@pytest.mark.parametrize(
    ("subject", "judged"),
    [(PULL, PullRequest(7)), (GROUP, Group(HEAD, "main")), (LANDED, Landed(HEAD, "main"))],
)
def test_a_subject_of_the_queue_is_one_of_the_gates(bench, subject, judged) -> None:
    assert bench.work(subject) == "passed"
    assert bench.asked == [judged]


def test_a_commit_is_whatever_has_it_as_its_head(bench) -> None:
    bench.forge.open(7, HEAD)
    bench.forge.open(8, HEAD, base="release")
    bench.forge.open(9, BASE)
    assert bench.work(Subject(REPO, "commit", sha=HEAD)) == "#7, #8"
    assert [e.subject.number for e in bench.queue.entries()] == [7, 8]
    assert bench.work(Subject(REPO, "commit", sha="f" * 40)) == "no open pull request is at it"


def test_what_the_world_failed_to_give_is_asked_for_again(bench) -> None:
    bench.says = settled("not judged", 3, "git cannot fetch")
    with pytest.raises(LaterError, match="git cannot fetch"):
        bench.work(PULL)


@pytest.mark.parametrize(
    "says", [settled("running", 3), settled("waiting", 1), settled("not judged", 1)]
)
def test_what_an_event_will_tell_is_waited_for(bench, says) -> None:
    bench.says = says
    bench.step(PULL)
    assert bench.queue.entries() == ()


def test_a_publication_that_is_not_whole_goes_on_when_it_may(bench) -> None:
    until = bench.clock.at + timedelta(minutes=20)
    bench.says = settled("passed", 3, resume_at=until.isoformat())
    bench.step(PULL)
    assert bench.queue.take() is None
    bench.clock.at = until - timedelta(seconds=1)
    assert bench.queue.take() is None
    bench.clock.at = until
    assert bench.queue.take() == PULL


def test_a_subject_that_is_not_there_is_let_go(bench) -> None:
    bench.says = UsageError("octo/bank has no pull request #7")
    bench.step(PULL)
    assert bench.queue.entries() == ()
    assert "has no pull request #7" in bench.lines[-1]


def test_a_group_that_is_gone_is_let_go_and_one_that_is_there_is_tried_again(bench) -> None:
    bench.says = settled("not judged", 3, "commit aaaaaaa cannot be had")
    bench.step(GROUP)
    assert bench.queue.entries() == ()
    name = f"refs/heads/gh-readonly-queue/main/pr-7-{BASE}"
    bench.forge.refs = [{"ref": name, "object": {"sha": HEAD}}]
    bench.step(GROUP)
    assert [e.tries for e in bench.queue.entries()] == [1]


@pytest.mark.parametrize(
    ("error", "parked"),
    [(Refused("no permission", status=403), True), (ForgeError("github is down"), False),
     (GaveUp("limit", resume_at="rubbish"), False), (ValueError("a mistake of ours"), False)],
)  # fmt: skip
def test_what_goes_wrong_is_kept_beside_the_subject(bench, error, parked) -> None:
    bench.says = error
    bench.step(PULL)
    (entry,) = bench.queue.entries()
    assert entry.parked is parked
    assert entry.why.startswith(getattr(error, "message", "ValueError in test_work.py:"))


def test_an_open_pull_request_is_noted_until_it_closes(bench) -> None:
    bench.says = settled("running", 3)
    bench.work(PULL)
    assert len(bench.noted.files) == 1
    bench.says = settled("closed")
    bench.work(PULL)
    assert bench.noted.files == {}


def test_a_disk_that_is_full_ends_nothing(bench) -> None:
    bench.says = ForgeError("github is down")
    bench.queue.put(PULL)
    bench.disk.full_after = 0
    assert step(bench.queue, bench.work, Journal(bench.lines.append, bench.clock))
    assert "No space left" in bench.lines[-1]
    bench.clock.at += timedelta(minutes=1)
    bench.says = settled("passed")
    assert step(bench.queue, bench.work, Journal(bench.lines.append, bench.clock))
    assert "No space left" in bench.lines[-1]
    assert bench.queue.entries() == ()
    assert len(bench.disk.files) == 1, "a new start looks once more"
