"""What the gate of a pull request signs, and where it says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmops.gating.base import Desk, Landed, PullRequest, Settled
from llmops.gating.reconcile import reconcile
from llmops.log import base as log
from llmops.log.branch import Log
from llmops.reports.report import NOT_SIGNED, SEAL
from llmops.signing import dsse
from llmops.signing.keys import PemSigner
from llmops.source.remote import Remote
from tests import keyring
from tests.audit.world import PEN, ROOT, TRUST
from tests.gating.world import World
from tests.github.pulls import FakePull


class Signed(World):
    """A world whose main has a trust root, and a gate that has a key."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.repo.push({TRUST: keyring.signed(ROOT, PEN).decode()})

    def desk(self, name: str = "gate", token: str = "", **settings: Any) -> Desk:
        pen: PemSigner | None = settings.pop("pen", PEN)
        found = super().desk(name, token, **settings)
        return Desk(found.project, found.remote, found.forge, found.settings, key=lambda: pen)

    def told(self) -> list[dict[str, Any]]:
        """What the log at the forge says."""
        remote = Remote(self.desk("auditor").project.repository)
        found = Log(remote.repository, remote).source().entries()
        said = [json.loads(dsse.decode(raw).payload) for raw in found]
        return [one for one in said if "predicateType" in one]


@pytest.fixture
def world(tmp_path: Path) -> Signed:
    return Signed(tmp_path)


def look(world: World, pull: FakePull, name: str = "gate", **settings: object) -> Settled:
    return reconcile(world.desk(name, **settings), PullRequest(pull.number))


def test_a_verdict_is_in_the_log_before_it_is_published_and_says_where(world: Signed) -> None:
    pull = world.pull()
    world.run_of(pull)
    settled = look(world, pull)
    assert (settled.state, settled.exit_code) == ("passed", 0), settled
    assert settled.verdict is not None
    seal = settled.verdict.extra[SEAL]
    kinds = [one["predicateType"] for one in world.told()]
    assert kinds[-3:] == [log.EVAL_REPORT, log.TEST_RESULT, log.VSA]
    told = world.told()[-3]["predicate"]
    assert told["given"]["head"]["tree"] == settled.verdict.head.tree
    (comment,) = world.repo.comments.values()
    for text in (comment["body"], world.check(pull.head_sha)["output"]["summary"]):
        assert seal["root"] in text
        assert f"of log {seal['size']}" in text
        assert ROOT.digest in text


@pytest.mark.slow
def test_a_second_look_signs_and_writes_nothing(world: Signed) -> None:
    pull = world.pull()
    world.run_of(pull)
    look(world, pull)
    before = len(world.fake.writes()), world.repo.git.heads()
    world.fake.clock.advance(600)
    assert look(world, pull).state == "passed"
    assert look(world, pull, "another gate").state == "passed", "with nothing on its own disk"
    assert (len(world.fake.writes()), world.repo.git.heads()) == before


def test_without_a_key_it_is_published_and_says_that_nobody_signed_it(world: Signed) -> None:
    pull = world.pull()
    world.run_of(pull)
    settled = look(world, pull, pen=None)
    assert settled.state == "passed"
    assert settled.verdict is not None
    assert "no key is here" in settled.verdict.extra[NOT_SIGNED]
    assert "not signed: no key is here" in world.check(pull.head_sha)["output"]["summary"]
    assert world.told() == []


def test_what_lands_is_signed_or_it_is_not_judged(world: Signed) -> None:
    pull = world.pull()
    world.run_of(pull)
    look(world, pull, pen=None)
    sha = pull.merge()
    settled = reconcile(world.desk(pen=None), Landed(sha, "main"))
    assert (settled.state, settled.exit_code) == ("not judged", 1)
    assert "nobody can sign for it" in str(world.check(sha)["output"])
    settled = reconcile(world.desk(), Landed(sha, "main"))
    assert settled.exit_code == 0, settled
    assert world.told()[-3]["predicate"]["given"]["change"] == ""
    size = len(world.told())
    assert reconcile(world.desk("other"), Landed(sha, "main")).exit_code == 0
    assert len(world.told()) == size
