"""The same over real sockets: how requests and urllib3 themselves tell what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmops.forge.auth import ACTIONS_APP, ACTIONS_LOGIN, Fixed
from llmops.forge.base import GaveUp, Repo
from llmops.forge.client import GitHub, connect
from llmops.forge.publish import persist
from tests.forge.world import World
from tests.github import RESET, TRUNCATED, Fault

STORM = (Fault(status=502), RESET, TRUNCATED, Fault("slow"), Fault(status=500, lost=True))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("github"))


@pytest.fixture
def forge(built: World) -> Iterator[GitHub]:
    built.reset()
    token = Fixed(built.fake.workflow_token(built.repo), ACTIONS_LOGIN, ACTIONS_APP)
    with built.fake.serve() as url:
        made = connect(Repo("acme", "bot"), token, api_url=url, clock=built.fake.clock)
        yield made
        made.wire.close()


@pytest.mark.parametrize("fault", STORM, ids=lambda one: f"{one.kind}-{one.status}")
def test_a_read_outlives_every_trouble(built: World, forge: GitHub, fault: Fault) -> None:
    built.fake.faults.add(fault, times=2)
    pull = forge.pull(built.pull.number)
    assert pull is not None
    assert pull.head_sha == built.sha
    assert len(built.fake.requests) >= (1 if fault.kind == "slow" else 3)


def test_a_verdict_is_published_whole_through_a_storm(built: World, forge: GitHub) -> None:
    for fault in STORM:
        built.fake.faults.add(fault, times=2)
    wanted = built.publication(annotations=60)
    assert persist(forge, wanted).left == ()
    built.shows(wanted)
    assert len(built.repo.checks) == 1
    built.fake.assert_polite()


def test_an_artifact_comes_from_another_host_without_the_token(
    built: World, forge: GitHub, tmp_path: Path
) -> None:
    run = built.fake.run(built.repo, built.sha)
    run.upload("llmops-evidence-a", {"manifest.json": b"{}" * 200_000})
    (artifact,) = forge.artifacts(run.id)
    forge.download(artifact, tmp_path / "a.zip", 10**7)
    assert (tmp_path / "a.zip").stat().st_size == artifact.size_bytes
    assert built.fake.leaks == []


def test_nobody_at_the_other_end_is_given_up_in_words(built: World) -> None:
    with built.fake.serve() as url:
        pass
    forge = connect(Repo("acme", "bot"), Fixed("ghs_x"), api_url=url, clock=built.fake.clock)
    with pytest.raises(GaveUp, match=r"GET /repos/acme/bot/pulls/1: no connection, 8 times"):
        forge.pull(1)
