"""Packs where base says whose word counts: signed runs, unsigned ones, and all that is forged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import canonical, of_bytes
from llmops.evidence import layout
from llmops.evidence.admit import Admitted, Expecting, admit
from llmops.evidence.manifest import Origin
from llmops.evidence.pack import pack
from llmops.evidence.parcel import Limits
from llmops.evidence.signed import vouched
from llmops.evidence.started import started
from llmops.evidence.store import Store
from llmops.evidence.trusted import Trust
from llmops.jobs.base import Artifact, Job, Result
from llmops.signing import dsse
from llmops.signing.base import Signer
from llmops.signing.root import Grant, Revoked, Root
from llmops.specs.base import Ref
from tests.evidence.test_admit import relisted
from tests.keyring import NOW, named, person, root_of

ANN, BOB, RUNNER = person("ann"), person("bob"), person("runner")
EXPECTING = Expecting(7, "acme/bot", "a" * 40)
LOG = b'{"loss":0.5,"step":1}\n'
AT = "2026-11-22T07:00:00.000Z"


def separate() -> Root:
    """Ann's key is for the gate, the runner has one of its own."""
    root = root_of(ANN, RUNNER)
    roles = {**root.roles, "gate": Grant((ANN.key,)), "runner": Grant((RUNNER.key,))}
    return replace(root, roles=roles)


SMALL, STRICT = Trust(root_of(ANN), NOW), Trust(separate(), NOW)


@dataclass(frozen=True)
class World:
    """A machine that trains, and a gate that takes in what it made."""

    path: Path
    job: Job

    @property
    def there(self) -> Store:
        return Store(self.path / "there" / "reports")

    @property
    def here(self) -> Store:
        return Store(self.path / "here" / "reports")

    def train(
        self, signer: Signer | None = RUNNER, nonce: str = "ab" * 16, job: Job | None = None
    ) -> str:
        """Train once, signed where there is a key; the digest of the statement."""
        job = job or self.job
        folder = self.there.run_folder(job.closure) / "artifacts"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trainer_log.jsonl").write_bytes(LOG)
        result = Result(
            job.closure, "train", "ok", "2026-11-22T07:00:00Z", "2026-11-22T07:30:00Z",
            artifacts=(Artifact("trainer_log.jsonl", of_bytes(LOG), len(LOG)),),
        )  # fmt: skip
        start = ""
        if signer is not None:
            said = canonical(started(job, {}, nonce, AT))
            start = self.there.signed.keep(vouched(said, signer))
        return self.there.keep(job, result, started=start, signer=signer).digest

    def pack(self) -> Path:
        folder = self.path / "pack"
        pack(self.there, [self.job.closure], folder, Origin("acme/bot", 7, 1, "a" * 40))
        return folder

    def admit(self, trust: Trust | None, folder: Path | None = None, **more: Any) -> Admitted:
        jobs: Mapping[str, Job] = {self.job.closure: self.job}
        return admit(
            self.here, folder or self.pack(), more.pop("jobs", jobs), EXPECTING, trust=trust, **more
        )

    def refused(self, trust: Trust | None, folder: Path | None = None) -> str:
        """Why it is not taken; nothing of it is kept then."""
        found = self.admit(trust, folder)
        assert found.kept == ()
        assert self.here.evidence(self.job.closure) is None
        assert not (self.here.root / "signed").exists()
        (why,) = found.refused
        return why


@pytest.fixture
def world(tmp_path: Path) -> World:
    closure = of_bytes(b"training")
    return World(tmp_path, Job("train", Ref("Recipe", "lora"), closure, {"method": "sft"}))


def test_a_run_that_its_runner_signed_is_taken_with_all_that_is_signed(world: World) -> None:
    world.train()
    found = world.admit(STRICT)
    assert (found.kept, found.refused) == ((world.job.closure,), ())
    kept = world.here.evidence(world.job.closure)
    assert kept is not None
    assert len(world.here.signed.of(kept).all()) == 3


def test_the_gate_may_sign_for_a_runner_as_the_log_lets_it(world: World) -> None:
    world.train(signer=ANN)
    assert world.admit(STRICT).refused == ()


def test_what_nobody_signed_is_taken_where_the_gate_speaks_for_runners(world: World) -> None:
    world.train(signer=None)
    assert world.admit(SMALL).kept == (world.job.closure,)


def test_what_nobody_signed_is_refused_where_runners_have_keys_of_their_own(world: World) -> None:
    world.train(signer=None)
    why = world.refused(STRICT)
    assert "nobody signed it" in why
    assert "give the runner a key of role runner" in why


def test_without_a_trust_root_the_form_alone_is_looked_at(world: World) -> None:
    world.train(signer=BOB)
    assert world.admit(None).kept == (world.job.closure,)


def revoked(root: Root) -> Root:
    return replace(root, revoked={RUNNER.key: Revoked("2026-11-01T00:00:00Z", "laptop lost")})


def other_span(root: Root, since: str, until: str) -> Root:
    keys = {**root.keys, RUNNER.key: named(RUNNER, "runner", since, until)}
    return replace(root, keys=keys)


@pytest.mark.parametrize(
    ("root", "words"),
    [
        (root_of(ANN), f"key {RUNNER.key} is not in trust root 1"),
        (revoked(separate()), "is revoked since 2026-11-01T00:00:00Z: laptop lost"),
        (other_span(separate(), "2026-01-01T00:00:00Z", "2026-11-01T00:00:00Z"), "is valid until"),
        (other_span(separate(), "2027-01-01T00:00:00Z", ""), "is valid from 2027"),
        (
            replace(separate(), roles={**separate().roles, "runner": Grant((ANN.key,))}),
            "has no role runner or gate",
        ),
    ],
    ids=["unknown", "revoked", "expired", "not yet", "wrong role"],
)
def test_a_key_that_does_not_count_is_named_with_the_reason(
    world: World, root: Root, words: str
) -> None:
    world.train()
    why = world.refused(Trust(root, NOW))
    assert "does not count" in why
    assert words in why


Edit = Callable[[World, Path], None]


def paper(world: World, folder: Path, which: str) -> Path:
    kept = world.there.evidence(world.job.closure)
    assert kept is not None
    named = {
        "run": kept.digest, "start": kept.links.started, "weights": kept.links.provenance,
    }[which]  # fmt: skip
    return folder / layout.signed_path(named[7:])


def gone(which: str) -> Edit:
    return lambda world, folder: paper(world, folder, which).unlink()


def holds(which: str, data: bytes) -> Edit:
    def edit(world: World, folder: Path) -> None:
        paper(world, folder, which).unlink()  # a second name for the file of the store
        paper(world, folder, which).write_bytes(data)

    return edit


def flipped(world: World, folder: Path) -> None:
    path = paper(world, folder, "run")
    envelope = dsse.decode(path.read_bytes())
    (one,) = envelope.signatures
    wrong = replace(one, value=bytes([one.value[0] ^ 1, *one.value[1:]]))
    path.unlink()
    path.write_bytes(dsse.encode(replace(envelope, signatures=(wrong,))))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (gone("run"), "it says that it is signed, and its signature did not come along"),
        (gone("start"), "it is signed, and its start is not"),
        (gone("weights"), "it is signed, and where its weights are from is not"),
        (holds("run", b"{}"), "the signature on the run is none"),
        (holds("start", b"\x00"), "the signature on its start is none"),
        (holds("run", dsse.encode(vouched(b"{}", RUNNER))), "holds another statement than"),
        (flipped, "the signature by key"),
    ],
    ids=["no run", "no start", "no weights", "no envelope", "noise", "another's", "flipped"],
)
def test_a_signature_that_is_missing_or_none_is_refused(
    world: World, edit: Edit, words: str
) -> None:
    world.train()
    folder = world.pack()
    edit(world, folder)
    relisted(folder)
    assert words in world.refused(STRICT, folder)


def test_a_signature_without_the_run_that_it_is_on_is_told_of(world: World) -> None:
    world.train()
    folder = world.pack()
    stray = vouched(b"{}", RUNNER)
    path = folder / layout.signed_path(of_bytes(b"{}")[7:])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dsse.encode(stray))
    relisted(folder)
    found = world.admit(STRICT, folder)
    assert found.kept == (world.job.closure,)
    assert found.refused == ("1 signed statements come without the run that they are of",)


def test_a_start_of_another_job_does_not_count(world: World) -> None:
    other = replace(world.job, seed=8)
    start = world.there.signed.keep(vouched(canonical(started(other, {}, "ab" * 16, AT)), RUNNER))
    resigned(world, lambda predicate: predicate.update(started=start))
    assert "its start is that of another job" in world.refused(STRICT)


def test_a_start_that_is_none_does_not_count(world: World) -> None:
    start = world.there.signed.keep(vouched(b'{"_type":"x"}', RUNNER))
    resigned(world, lambda predicate: predicate.update(started=start))
    assert "its start is none" in world.refused(STRICT)


def test_a_signed_run_that_does_not_say_that_it_started_is_refused(world: World) -> None:
    resigned(world, lambda predicate: predicate.pop("started"))
    assert "does not say that it started" in world.refused(STRICT)


def resigned(world: World, edit: Callable[[dict[str, Any]], Any]) -> None:
    """The runner itself lies: another statement, signed, and nothing of the one before."""
    digest = world.train()
    path = world.there.statement(world.job.closure, digest)
    value = json.loads(path.read_bytes())
    edit(value["predicate"])
    data = canonical(value)
    path.unlink()
    world.there.statement(world.job.closure, of_bytes(data)).write_bytes(data)
    world.there.signed.keep(vouched(data, RUNNER))


def test_a_nonce_counts_once(world: World) -> None:
    """Another job's start with the same nonce: a runner that says one thing and does two."""
    other = replace(world.job, closure=of_bytes(b"other"))
    world.here.signed.keep(vouched(canonical(started(other, {}, "ab" * 16, AT)), RUNNER))
    world.train()
    found = world.admit(STRICT)
    assert found.kept == ()
    assert f"the nonce of its start, {'ab' * 16}, was used before" in found.refused[0]


def test_a_start_stands_for_one_run(world: World) -> None:
    """Of two results after one start the one that pleases could be chosen."""
    world.train()
    assert world.admit(STRICT).kept
    (world.here.run_folder(world.job.closure) / "artifacts" / "trainer_log.jsonl").unlink()
    start = next(iter(world.there.proven().values())).links.started
    path = next((world.there.root / "evidence").glob("*/*.json"))
    value = json.loads(path.read_bytes())
    value["predicate"]["result"]["finished_at"] = "2026-11-22T07:45:00Z"
    data = canonical(value)
    path.unlink()
    world.there.statement(world.job.closure, of_bytes(data)).write_bytes(data)
    world.there.signed.keep(vouched(data, RUNNER))
    assert value["predicate"]["started"] == start
    folder = world.path / "second"
    pack(world.there, [world.job.closure], folder, Origin("acme/bot", 7, 1, "a" * 40))
    found = world.admit(STRICT, folder)
    assert found.kept == ()
    assert "its start is that of another run" in found.refused[0]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("provenance", of_bytes(b"x"), "where its weights are from"),
        ("disclosed", {"trainer_log.jsonl": of_bytes(b"x")}, "public form of"),
        ("disclosed", None, "public form of"),
        ("provenance", None, "where its weights are from"),
    ],
)
def test_what_a_run_names_must_follow_from_it(
    world: World, key: str, value: Any, words: str
) -> None:
    digest = world.train(signer=None)
    path = world.there.statement(world.job.closure, digest)
    said = json.loads(path.read_bytes())
    said["predicate"][key] = value
    if value is None:
        del said["predicate"][key]
    data = canonical(said)
    path.unlink()
    world.there.statement(world.job.closure, of_bytes(data)).write_bytes(data)
    assert words in world.refused(SMALL)


def test_columns_that_no_spec_slices_by_are_not_disclosed(world: World) -> None:
    digest = world.train(signer=None)
    path = world.there.statement(world.job.closure, digest)
    said = json.loads(path.read_bytes())
    said["predicate"]["columns"] = ["diagnosis"]
    data = canonical(said)
    path.unlink()
    world.there.statement(world.job.closure, of_bytes(data)).write_bytes(data)
    found = world.admit(SMALL, columns=frozenset({"language"}))
    assert found.kept == ()
    assert 'discloses the column "diagnosis"' in found.refused[0]


def test_an_envelope_that_is_too_large_is_not_read(world: World) -> None:
    world.train()
    folder = world.pack()
    holds("run", b" " * 3000)(world, folder)
    relisted(folder)
    found = world.admit(STRICT, folder, limits=Limits(text_bytes=1900))
    assert "at most 2,850" in found.refused[0]
