"""A gate that dies at any write, before or after it took effect, is finished by the next look."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llmops.evidence.branch import BRANCH
from llmops.evidence.ledger import Ledger
from llmops.forge.auth import Fixed
from llmops.forge.base import CHECK, Repo
from llmops.forge.client import connect
from llmops.gating.base import Desk, PullRequest
from llmops.gating.reconcile import reconcile
from llmops.source.remote import Remote
from tests.gating.world import World
from tests.github.transport import FakeAdapter

WRITES = ("POST", "PATCH", "PUT", "DELETE")


class Killed(BaseException):
    """No handler of ours catches it, as none catches a real kill."""


@dataclass
class Life:
    """How many writes are left to live, and whether the last one still happens."""

    left: int
    happens: bool
    made: int = 0

    def spend(self) -> bool:
        """Whether it ends with this write."""
        self.made += 1
        self.left -= 1
        return self.left == 0


class Adapter(FakeAdapter):
    """The fake's adapter for a client that dies."""

    life: Life

    def send(self, request: Any, **how: Any) -> Any:
        ends = request.method in WRITES and self.life.spend()
        if ends and not self.life.happens:
            raise Killed
        answer = super().send(request, **how)
        if ends:
            raise Killed
        return answer


@dataclass(frozen=True)
class Pushes(Remote):
    """The same for git."""

    life: Life = field(default_factory=lambda: Life(0, True))

    def push(self, commit: str, branch: str) -> bool:
        ends = self.life.spend()
        if ends and not self.life.happens:
            raise Killed
        done = Remote.push(self, commit, branch)
        if ends:
            raise Killed
        return done


def mortal(world: World, life: Life) -> Desk:
    desk = world.desk()
    adapter = Adapter(world.fake)
    adapter.life = life
    token = Fixed(world.token, world.app.bot, world.app.id)
    forge = connect(Repo.parse(world.name), token, clock=world.fake.clock, adapter=adapter)
    return Desk(desk.project, Pushes(desk.project.repository, life=life), forge, desk.settings)


def seen(world: World, sha: str) -> dict[str, Any]:
    """All that is published, without what may differ: ids and times."""
    (check,) = world.repo.checks_at(sha, CHECK)
    (comment,) = world.repo.comments.values()
    desk = world.desk("auditor")
    from llmops.evidence import branch

    branch.pull(desk.project.store, desk.remote)
    entries = Ledger(desk.project.reports).entries()
    return {
        "check": (check["status"], check["conclusion"], check["external_id"]),
        "comment": comment["body"].splitlines()[0],
        "labels": sorted(world.repo.pulls[1].labels),
        "sarifs": len(world.repo.sarifs),
        "entries": [type(entry).__name__ for entry in entries],
        "statements": sorted(desk.project.store.proven()),
        "branch": BRANCH in world.repo.git.heads(),
    }


def lived(root: Path, life: Life) -> tuple[World, str]:
    world = World(root)
    pull = world.pull()
    world.run_of(pull)
    try:
        reconcile(mortal(world, life), PullRequest(pull.number))
    except Killed:
        state = world.repo.state_of(pull.head_sha, CHECK)
        assert state in ("missing", "in_progress", "success"), "never a state that is not true"
    return world, pull.head_sha


def test_a_look_cut_short_at_any_write_is_finished_by_the_next(tmp_path: Path) -> None:
    _cut_at(tmp_path, (4,), (True,))


@pytest.mark.slow
def test_the_same_for_every_write(tmp_path: Path) -> None:
    _cut_at(tmp_path, range(1, 12), (False, True))


def _cut_at(root: Path, places: Any, ways: tuple[bool, ...]) -> None:
    whole = Life(-1, True)
    world, sha = lived(root / "whole", whole)
    expected = seen(world, sha)
    assert expected["check"][1] == "success"
    for place in places:
        for happens in ways:
            world, sha = lived(root / f"{place}{happens}", Life(place, happens))
            world.fake.clock.advance(60)
            settled = reconcile(world.desk(), PullRequest(1))
            assert settled.exit_code == 0, (place, happens)
            assert seen(world, sha) == expected, (place, happens)
    assert whole.made >= max(places) - 2, "the places are those of writes that there are"


def test_two_looks_at_once_are_one(tmp_path: Path) -> None:
    """The second begins while the first is about to publish, and ends before it."""
    world = World(tmp_path)
    pull = world.pull()
    world.run_of(pull)

    class Slow(Adapter):
        def send(self, request: Any, **how: Any) -> Any:
            if request.method == "PATCH" and not self.life.made:
                self.life.made = 1
                assert reconcile(world.desk("other"), PullRequest(pull.number)).exit_code == 0
            return FakeAdapter.send(self, request, **how)

    desk = world.desk()
    adapter = Slow(world.fake)
    adapter.life = Life(-1, True)
    token = Fixed(world.token, world.app.bot, world.app.id)
    forge = connect(Repo.parse(world.name), token, clock=world.fake.clock, adapter=adapter)
    first = Desk(desk.project, desk.remote, forge, desk.settings)
    assert reconcile(first, PullRequest(pull.number)).exit_code == 0
    found = seen(world, pull.head_sha)
    assert found["check"][1] == "success"
    assert found["entries"].count("Judged") == 1
