"""Ten events of one story, and the service as a machine whose states can be told apart.

The world moves ten times (a pull request opens, runs, is reviewed, pushed to, runs, is approved,
queued, run as a group, lands, closes); each move emits one webhook. The machine is the real door,
queue, step and loop; only `judge`, which stands for `reconcile`, is a table: what is true of a
subject in the world as it is then. A snapshot holds all that the machine's future depends on: the
queue's files and what is published. Transitions are made by the real code and remembered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.app.crew import step
from llmops.app.door import Door, Key
from llmops.app.journal import Journal
from llmops.app.loop import Loop
from llmops.app.queue import Entry, Queue
from llmops.app.subjects import Subject
from tests.app.conftest import BASE, REPO, SECRET, Clock, Memory, event, headers, pull_event
from tests.app.fakes import FakeForge

A, B, G = "1" * 40, "2" * 40, "3" * 40
QUEUED = f"gh-readonly-queue/main/pr-7-{BASE}"
Event = tuple[str, Mapping[str, Any]]
Published = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class World:
    """What is true on GitHub."""

    head: str = ""
    runs: frozenset[str] = frozenset()  # commits with a finished run
    approved: frozenset[str] = frozenset()
    group: str = ""
    tip: str = BASE
    closed: bool = False

    def judge(self, subject: Subject) -> dict[str, str]:
        """What a look at a subject publishes."""
        if subject.kind == "pull":
            if self.closed:
                return {"pull": "closed"}
            done, seen = self.head in self.runs, self.head in self.approved
            return {"pull": f"{self.head[:4]} {'judged' if done else 'running'} {seen}"}
        if subject.kind == "group":
            return {"group": "judged" if subject.sha in self.runs else "running"}
        if subject.kind == "landed":
            return {"landed": f"{subject.sha[:4]} {subject.sha in self.runs}"}
        raise AssertionError(subject)


def run(sha: str, branch: str, action: str) -> Event:
    return "workflow_run", event(
        action=action, workflow_run={"head_sha": sha, "head_branch": branch}
    )


def pull(name: str, action: str) -> Event:
    return name, pull_event(7, action)


ASKED = {"head_sha": G, "base_ref": "refs/heads/main"}
GROUP = ("merge_group", event(action="checks_requested", merge_group=ASKED))
PUSH = ("push", event(ref="refs/heads/main", after=G, deleted=False))
STORY: tuple[tuple[Mapping[str, Any], Event], ...] = (
    ({"head": A}, pull("pull_request", "opened")),
    ({"runs": frozenset({A})}, run(A, "change", "completed")),
    ({"approved": frozenset({A})}, pull("pull_request_review", "submitted")),
    ({"head": B}, pull("pull_request", "synchronize")),
    ({"runs": frozenset({A, B})}, run(B, "change", "completed")),
    ({"approved": frozenset({A, B})}, pull("pull_request_review", "submitted")),
    ({"group": G}, GROUP),
    ({"runs": frozenset({A, B, G})}, run(G, QUEUED, "completed")),
    ({"tip": G}, PUSH),
    ({"closed": True}, pull("pull_request", "closed")),
)
WORLDS: list[World] = [World()]
for change, _ in STORY:
    WORLDS.append(replace(WORLDS[-1], **change))
EVENTS = tuple(told for _, told in STORY)
SUBJECTS = (
    Subject(REPO, "pull", 7),
    Subject(REPO, "commit", sha=A),
    Subject(REPO, "commit", sha=B),
    Subject(REPO, "group", sha=G, branch="main"),
    Subject(REPO, "landed", sha=G, branch="main"),
    Subject(REPO, "sweep"),
)
MAIN = Subject(REPO, "landed", branch="main")
NOTED = {f"{MAIN.key}.json": json.dumps(replace(MAIN, sha=BASE).data()).encode()}  # before it all
PULL, SWEEP = SUBJECTS[0], SUBJECTS[-1]
RIGHT: Published = frozenset(
    (*WORLDS[-1].judge(SUBJECTS[0]).items(), *WORLDS[-1].judge(SUBJECTS[3]).items(),
     *WORLDS[-1].judge(SUBJECTS[4]).items())
)  # fmt: skip


@dataclass(frozen=True)
class Snapshot:
    """The queue's subjects, first come first, and what is published."""

    waiting: tuple[Subject, ...] = ()
    published: Published = frozenset()


@dataclass
class Machine:
    """The real parts, put into a snapshot's state, moved once, and read again.

    A snapshot goes by a number, so that millions of states are cheap. `levels`: False makes a
    broken service, in which what is published depends on what was looked at last.
    """

    levels: bool = True
    ordered: bool = True  # False: two snapshots that differ in the queue's order are one
    known: list[Snapshot] = field(default_factory=lambda: [Snapshot()])
    _ids: dict[Snapshot, int] = field(default_factory=lambda: {Snapshot(): 0})
    _made: dict[tuple[int, str, int], int] = field(default_factory=dict)

    def deliver(self, at: int, number: int) -> int:
        """One webhook arrives."""
        key = (at, "deliver", number)
        if key not in self._made:
            self._made[key] = self.id(self._deliver(self.known[at], number))
        return self._made[key]

    def drain(self, at: int, time: int) -> int:
        """The workers empty the queue while the world stands still."""
        key = (at, "drain", time)
        if key not in self._made:
            self._made[key] = self.id(self._drain(self.known[at], time))
        return self._made[key]

    def sweep(self, at: int, time: int) -> int:
        """The periodic look, then the workers."""
        found = self.known[at]
        if SWEEP not in found.waiting:
            at = self.id(replace(found, waiting=(*found.waiting, SWEEP)))
        return self.drain(at, time)

    def id(self, found: Snapshot) -> int:
        """A snapshot's number."""
        if not self.ordered:
            found = replace(found, waiting=tuple(sorted(found.waiting)))
        if found not in self._ids:
            self._ids[found] = len(self.known)
            self.known.append(found)
        return self._ids[found]

    def _deliver(self, at: Snapshot, number: int) -> Snapshot:
        queue = _queue(at)
        door = Door(Key([SECRET]), queue, [REPO], Journal(lambda line: None, Clock()))
        name, payload = EVENTS[number]
        body = json.dumps(payload).encode()
        assert door.receive(headers(name, body), body).status == 202
        return Snapshot(tuple(entry.subject for entry in queue.entries()), at.published)

    def _drain(self, at: Snapshot, time: int) -> Snapshot:
        queue, published = _queue(at), dict(at.published)
        forge, journal = _forge(WORLDS[time]), Journal(lambda line: None, Clock())
        loop = Loop(queue, Memory(dict(NOTED)))
        if published.get("pull", "closed") != "closed":
            loop.note(PULL, open=True)

        def work(subject: Subject) -> str:
            if subject.kind == "sweep":
                return loop.look(REPO, forge)  # type: ignore[arg-type]
            if subject.kind == "commit":
                for found in forge.pulls_of(subject.sha):
                    queue.put(Subject(REPO, "pull", found.number))
                return "resolved"
            published.update(WORLDS[time].judge(subject))
            if subject.kind == "pull":
                loop.note(subject, open=not WORLDS[time].closed)
            if not self.levels:
                published["last"] = subject.kind
            return "seen"

        while step(queue, work, journal):
            pass
        return Snapshot((), frozenset(published.items()))


def _queue(at: Snapshot) -> Queue:
    disk = Memory({f"{s.key}.json": Entry(s, n).data() for n, s in enumerate(at.waiting, 1)})
    return Queue(disk, Clock())


def _forge(world: World) -> FakeForge:
    forge = FakeForge(Clock())
    forge.tips = {"main": world.tip}
    if world.head:
        forge.open(7, world.head, state="closed" if world.closed else "open")
    if world.group:
        forge.refs = [{"ref": f"refs/heads/{QUEUED}", "object": {"sha": world.group}}]
    return forge
