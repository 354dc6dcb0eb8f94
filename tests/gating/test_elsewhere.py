"""A gate with nothing on its own disk: statements from the branch, rows out of earlier uploads."""

from __future__ import annotations

import pytest

from llmops.forge.base import GaveUp
from llmops.gating.base import PullRequest, Settled
from llmops.gating.reconcile import reconcile
from tests.gating.world import World, changed
from tests.github import Fault
from tests.github.pulls import FakePull


def look(world: World, pull: FakePull, name: str) -> Settled:
    return reconcile(world.desk(name), PullRequest(pull.number))


def proven_before(world: World) -> tuple[FakePull, FakePull]:
    """A change that was judged, and another with the same closures whose run had nothing to do."""
    first = world.pull()
    run = world.run_of(first)
    assert look(world, first, "one").state == "passed"
    second = world.pull({**changed(), "README.md": "words\n"}, "second")
    quiet = world.fake.run(world.repo, second.head_sha)
    quiet.finish("success")
    assert run.artifacts
    return first, second


def test_evidence_follows_the_closure_to_a_gate_that_never_saw_its_run(world: World) -> None:
    _, second = proven_before(world)
    settled = look(world, second, "fresh")
    assert settled.state == "passed", settled
    assert world.conclusion(second.head_sha) == "success"


def test_uploads_that_expired_are_absent_evidence_and_never_passed(world: World) -> None:
    _, second = proven_before(world)
    world.fake.clock.advance(200 * 86400)
    world.token = world.fake.token(world.app, world.repo)
    settled = look(world, second, "fresh")
    assert settled.state != "passed"
    assert world.conclusion(second.head_sha) != "success"


def test_while_uploads_cannot_be_reached_nothing_is_judged(world: World) -> None:
    _, second = proven_before(world)
    world.fake.faults.add(Fault(status=503), times=500, method="GET", path="/zip")
    with pytest.raises(GaveUp, match="answers 503"):
        look(world, second, "fresh")
    assert world.conclusion(second.head_sha) is None, "absent rows would be a verdict"
    world.fake.faults.clear()
    assert look(world, second, "fresh").state == "passed"
