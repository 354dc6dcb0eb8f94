"""The whole way on a GitHub that remembers: webhooks in, a check, a comment, answers, a landing.

Nothing is called but the door; what comes of it is read where people read it. The clock is virtual,
git is real, the gate is the real one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.app.crew import EVERY, step
from llmops.app.office import Office
from llmops.app.run import Service
from llmops.app.settings import Settings
from llmops.app.subjects import Subject
from llmops.forge.auth import AppKey
from llmops.forge.base import CHECK
from tests.gating.world import GOOD, NAME, World
from tests.github.pulls import FakePull
from tests.github.webhooks import SECRET
from tests.scenarios.story import HERE, Scenario

LOWERED = Scenario(HERE / "lowered-bound")


class Gate:
    """A service beside a fake GitHub, and people who only know that GitHub."""

    def __init__(self, root: Path, scenario: Scenario = GOOD) -> None:
        self.world = World(root, scenario)
        self.fake, self.repo = self.world.fake, self.world.repo
        self.fake.installation(self.world.app, "acme")
        self.hooks = self.fake.webhooks()
        self.hooks.take()
        self.lines: list[str] = []
        self.root = root
        self.parts = self.start()

    def start(self) -> Service:
        """A new process on the same folder."""
        app, clock, adapter = self.world.app, self.fake.clock, self.fake.adapter()
        (self.root / "app").mkdir(exist_ok=True)
        settings = Settings(app.id, app.key, (SECRET,), self.root / "app", (NAME,), "127.0.0.1", 0)
        key = AppKey(app.id, app.key, clock=clock, adapter=adapter)

        def office(journal) -> Office:  # type: ignore[no-untyped-def]
            where = str(self.repo.path)
            return Office(settings, key, clock, journal, adapter=adapter, address=lambda _: where)

        self.parts = Service(settings, clock, self.lines.append, office=office)
        return self.parts

    def deliver(self) -> None:
        """Everything that GitHub has to tell, and the work that follows, until nothing is left."""
        for _ in range(50):
            statuses = self.hooks.deliver(lambda h, b: self.parts.door.receive(h, b).status)
            assert set(statuses) <= {202}
            if not self.work() and not self.hooks.pending:
                return
        raise AssertionError(f"it never ends: {self.lines[-5:]}")

    def work(self) -> int:
        """What is due is done. Returns how much that was."""
        done = 0
        while step(self.parts.queue, self.parts.work, self.parts.journal):
            done += 1
        return done

    def sweep(self) -> None:
        self.fake.clock.advance(EVERY)
        self.parts.queue.put(Subject(NAME, "sweep"))
        self.work()

    def readable(self) -> str:
        """Its log, its status, and all small files that it keeps."""
        kept = [p for p in (self.root / "app").rglob("*") if p.is_file()]
        texts = [
            p.read_bytes().decode("utf-8", "replace") for p in kept if p.stat().st_size < 10**6
        ]
        return "\n".join([*self.lines, repr(self.parts.status()), *texts])

    def said(self, number: int) -> list[str]:
        """What the App wrote below a pull request, the sticky comment left out."""
        mine = [c for c in self.repo.comments.values() if c["by"] == self.world.app.bot]
        here = [c["body"] for c in mine if c["number"] == number]
        return [body for body in here if not body.startswith("<!-- llmops:gate")]


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def test_from_the_first_push_to_what_landed(gate: Gate) -> None:
    world = gate.world
    pull = world.pull()
    gate.deliver()
    assert world.check(pull.head_sha)["status"] == "in_progress"
    world.run_of(pull)
    gate.deliver()
    assert world.conclusion(pull.head_sha) == "success", gate.lines
    assert len([c for c in gate.repo.comments.values() if c["number"] == pull.number]) == 1

    gate.repo.comment(pull.number, "/llmops why Evaluation/quality", by="li")
    gate.repo.comment(pull.number, "/llmops plan", by="stranger")
    gate.deliver()
    (answer,) = gate.said(pull.number)
    assert "evaluate Evaluation/quality" in answer
    gate.repo.comment(pull.number, "/llmops plan", by="li")
    gate.deliver()
    assert "### llmops plan: nothing to run" in gate.said(pull.number)[-1]

    queue = gate.repo.queue()
    queue.add(pull)
    gate.deliver()
    (group,) = queue.groups
    assert world.conclusion(group.head_sha) == "success", "the same closures: no run was needed"
    assert queue.settle() == [group]
    gate.deliver()
    assert gate.repo.tip() == group.head_sha
    assert world.conclusion(gate.repo.tip()) == "success"
    assert not gate.repo.issues
    assert not gate.parts.queue.entries(), gate.lines
    gate.fake.assert_polite()
    assert gate.fake.tokens
    for secret in (*gate.fake.tokens, SECRET, world.app.key.split("\n")[1]):
        assert secret not in gate.readable()


def test_an_approval_is_heard_and_a_review_of_the_author_is_not(tmp_path: Path) -> None:
    gate = Gate(tmp_path, LOWERED)
    pull = gate.world.pull()
    gate.world.run_of(pull)
    gate.deliver()
    assert gate.world.conclusion(pull.head_sha) == "action_required"
    pull.review(by="dev")
    gate.deliver()
    assert gate.world.conclusion(pull.head_sha) == "action_required"
    pull.review(by="wang")
    gate.deliver()
    assert gate.world.conclusion(pull.head_sha) == "success", gate.lines


def test_a_fork_waits_for_somebody_who_names_its_commit(gate: Gate) -> None:
    pull = gate.world.pull(source=gate.repo.fork("eve"), by="eve")
    gate.world.run_of(pull)
    gate.deliver()
    assert gate.world.conclusion(pull.head_sha) == "action_required"
    for by, said in (("stranger", pull.head_sha), ("li", pull.head_sha[:12]), ("li", "main")):
        gate.repo.comment(pull.number, f"/llmops run {said}", by=by)
        gate.deliver()
        assert gate.world.conclusion(pull.head_sha) == "action_required"
    gate.repo.comment(pull.number, f"/llmops run {pull.head_sha}", by="li")
    gate.deliver()
    assert gate.world.conclusion(pull.head_sha) == "success", gate.lines
    assert "count, as li said" in gate.said(pull.number)[-1]
    assert f"llmops:{pull.head_sha}" in pull.labels


def test_an_app_that_is_installed_anew_goes_on(gate: Gate) -> None:
    pull = gate.world.pull()
    gate.deliver()
    app = gate.world.app
    app.installations.clear()
    gate.fake.tokens.clear()
    gate.world.run_of(pull)
    gate.deliver()
    assert any(one.parked for one in gate.parts.queue.entries()), gate.lines
    gate.fake.installation(app, "acme")
    gate.fake.clock.advance(3700)
    gate.work()
    assert gate.world.conclusion(pull.head_sha) == "success", gate.lines


def story(gate: Gate) -> FakePull:
    """Events of a pull request that ends judged, none of them delivered."""
    pull = gate.world.pull()
    gate.world.run_of(pull)
    pull.review("COMMENTED", by="li")
    gate.repo.comment(pull.number, "/llmops help", by="li")
    return pull


def end(gate: Gate, pull: FakePull) -> tuple[object, ...]:
    """All that people see of it, but for digests and times, which differ between two worlds."""
    check = gate.world.check(pull.head_sha)
    bodies = sorted(c["body"] for c in gate.repo.comments.values() if c["by"].endswith("[bot]"))
    shown = [check["output"]["title"], check["output"]["summary"], *bodies]
    plain = [re.sub(r"[0-9a-f]{8,}|\d+-\d+-\d+ \d+:\d+|comment=\d+", "*", text) for text in shown]
    return check["conclusion"], plain, len(gate.repo.checks)


MIX: dict[str, Callable[[Gate], object]] = {
    "backwards, each ten times": lambda gate: (
        gate.hooks.pending.reverse(),
        gate.hooks.duplicate(10),
    ),
    "all lost": lambda gate: gate.hooks.drop(),
}
MORE: dict[str, Callable[[Gate], object]] = {
    "only the first": lambda gate: gate.hooks.pending.__delitem__(slice(1, None)),
    **{f"shuffled {n}": lambda gate, n=n: gate.hooks.shuffle(n) for n in range(20)},  # type: ignore[misc]
}


def same(root: Path, mixes: dict[str, Callable[[Gate], object]]) -> None:
    ends = {}
    for name, mix in mixes.items():
        gate = Gate(root / name.replace(" ", "-").replace(",", ""))
        pull = story(gate)
        assert len(gate.hooks.pending) >= 5
        mix(gate)
        gate.deliver()
        gate.sweep()
        gate.deliver()
        assert not gate.parts.queue.entries(), gate.lines
        ends[name] = end(gate, pull)
    assert len(set(map(repr, ends.values()))) == 1, ends
    assert {one[0] for one in ends.values()} == {"success"}


@pytest.mark.slow
def test_however_events_come_people_see_the_same(tmp_path: Path) -> None:
    same(tmp_path, MIX)


@pytest.mark.slow
def test_however_events_come_people_see_the_same_in_twenty_orders_more(tmp_path: Path) -> None:
    same(tmp_path, {**MIX, **MORE})


def test_a_new_process_goes_on_where_the_old_one_was_killed(gate: Gate) -> None:
    pull = story(gate)
    gate.hooks.deliver(lambda h, b: gate.parts.door.receive(h, b).status)
    gate.hooks.pending.clear()
    assert gate.parts.queue.entries()
    gate.start()
    gate.work()
    assert gate.world.conclusion(pull.head_sha) == "success"
    gate.start()
    gate.sweep()
    assert len(gate.said(pull.number)) == 1, "a command is answered once"
    assert len(gate.repo.checks_at(pull.head_sha, CHECK)) == 1


@pytest.mark.slow
def test_an_outage_is_stood_and_the_check_is_right_afterwards(gate: Gate) -> None:
    pull = story(gate)
    clock = gate.fake.clock
    gate.fake.faults.outage(clock.monotonic(), 600, 1.0, seed=1)
    gate.hooks.deliver(lambda h, b: gate.parts.door.receive(h, b).status)
    began = clock.monotonic()
    while gate.parts.queue.entries() and clock.monotonic() - began < 3600:
        if not gate.work():
            clock.advance(10)
    assert gate.world.conclusion(pull.head_sha) == "success", gate.lines
    gate.fake.assert_polite()
