"""Artifacts out of what workflow runs uploaded: until they expire, and never unchecked."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llmops.errors import StoreError
from llmops.evidence.elsewhere import Recorded
from llmops.evidence.manifest import Origin
from llmops.evidence.pack import pack
from llmops.evidence.places import Place, decode, encode, merge, places, record
from llmops.evidence.store import Store
from llmops.evidence.uploads import Uploads
from llmops.forge.auth import Fixed
from llmops.forge.base import Repo
from llmops.forge.client import connect
from tests.evidence.conftest import Maker
from tests.github import ACTIONS_APP, FakeGitHub

FILES = {"rows.jsonl": b"{}\n", "model/weights": b"w" * 99}


class World:
    """A run that uploaded a pack, and a fresh machine that has the statement and a record."""

    def __init__(self, root: Path) -> None:
        self.fake = FakeGitHub(root / "fake")
        repo = self.fake.repository("acme/bot", {"a": "1"})
        token = self.fake.workflow_token(repo)
        self.forge = connect(
            Repo("acme", "bot"), Fixed(token, "github-actions[bot]", ACTIONS_APP),
            clock=self.fake.clock, adapter=self.fake.adapter(),
        )  # fmt: skip
        self.store = Store(root / "there")
        made = Maker(self.store).run("a", dict(FILES), folders=("model",))
        self.closure = made.job.closure
        self.store.keep(made.job, made.result)
        pack(self.store, [self.closure], root / "pack", Origin("acme/bot", 7, 1, "a" * 40))
        run = self.fake.run(repo, repo.tip())
        self.artifact = run.upload("llmops-evidence-a", root / "pack")
        (listed,) = self.forge.artifacts(run.id)
        self.place = Place(
            "acme/bot", run.id, listed.id, listed.name, listed.expires_at, listed.size_bytes,
            listed.digest,
        )  # fmt: skip
        self.fresh = root / "fresh"
        shutil.copytree(self.store.root / "evidence", self.fresh / "evidence")
        record(Store(self.fresh), self.closure, [self.place])

    def opened(self, **more: object) -> Store:
        return Store(self.fresh, sources=[Uploads(self.fresh, forge=self.forge, **more)])  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_artifacts_come_out_of_an_upload_which_is_downloaded_once(world: World) -> None:
    store = world.opened()
    assert not store.missing(world.closure)
    assert store.artifact(world.closure, "rows.jsonl").read_bytes() == b"{}\n"
    asked = len(world.fake.requests)
    assert (store.artifact(world.closure, "model") / "weights").read_bytes() == b"w" * 99
    assert len(world.fake.requests) == asked
    assert not store.absent(world.closure)


def test_without_a_token_a_plan_sees_them_and_a_run_says_where_they_are(world: World) -> None:
    store = Store(world.fresh, sources=[Recorded(world.fresh)])
    assert not store.proofs()[world.closure].missing
    with pytest.raises(StoreError, match="lies in llmops-evidence-a of run") as caught:
        store.artifact(world.closure, "model")
    assert "llmops evidence pull --plan" in caught.value.hint


def test_what_has_expired_is_missing_so_that_its_job_is_planned_again(world: World) -> None:
    assert world.place.expires_at
    late = datetime.fromisoformat(world.place.expires_at)
    store = Store(world.fresh, sources=[Recorded(world.fresh, lambda: late)])
    assert store.missing(world.closure) == {"model", "model/weights", "rows.jsonl"} & {
        a.name
        for a in store.evidence(world.closure).result.artifacts  # type: ignore[union-attr]
    }
    store = Store(
        world.fresh, sources=[Recorded(world.fresh, lambda: datetime(2020, 1, 1, tzinfo=UTC))]
    )
    assert not store.missing(world.closure)


def test_an_upload_that_github_no_longer_has_is_told(world: World) -> None:
    world.artifact.expired = True
    with pytest.raises(StoreError, match="cannot be had"):
        world.opened().artifact(world.closure, "model")


def test_other_bytes_in_an_upload_are_not_taken(world: World, tmp_path: Path) -> None:
    inner = next((tmp_path / "pack").glob("runs/*/artifacts/model/weights"))
    inner.unlink()
    inner.write_bytes(b"x" * 99)
    run = world.fake.run(world.fake.repositories["acme/bot"], "b" * 40)
    run.upload("llmops-evidence-b", tmp_path / "pack")
    (listed,) = world.forge.artifacts(run.id)
    shutil.rmtree(world.fresh / "places")
    bad = Place("acme/bot", run.id, listed.id, listed.name, "", listed.size_bytes, listed.digest)
    record(Store(world.fresh), world.closure, [bad])
    store = world.opened()
    with pytest.raises(StoreError, match="came as sha256:"):
        store.artifact(world.closure, "model")
    assert "model" in store.absent(world.closure)
    assert store.artifact(world.closure, "rows.jsonl"), "what is right is taken"


def test_a_place_in_another_repository_is_not_asked(world: World) -> None:
    shutil.rmtree(world.fresh / "places")
    record(Store(world.fresh), world.closure, [Place("evil/bot", 1, 2, "llmops-evidence-x")])
    before = len(world.fake.requests)
    with pytest.raises(StoreError, match="it is of evil/bot"):
        world.opened().artifact(world.closure, "model")
    assert len(world.fake.requests) == before


def test_records_come_back_and_odd_ones_are_none(tmp_path: Path) -> None:
    one, two = Place("a/b", 1, 2, "x"), Place("a/b", 3, 4, "y", "2026-12-01T00:00:00Z", 5)
    assert decode(encode(merge([one], [two], [one]))) == (two, one)
    store = Store(tmp_path)
    closure = "sha256:" + "a" * 64
    assert places(store, closure) == ()
    for data in (b"", b"[]", b'{"format_version":1,"places":[{}]}',
                 encode([one]).replace(b"a/b", b"../b"), encode([one]).replace(b"1,", b"true,"),
                 b"[" * 100_000):  # fmt: skip
        (tmp_path / "places").mkdir(exist_ok=True)
        (tmp_path / "places" / f"{'a' * 64}.json").write_bytes(data)
        assert places(store, closure) == ()
    many = [Place("a/b", n, n, "x") for n in range(1, 30)]
    assert [one.run_id for one in merge(many)] == list(range(29, 21, -1))
