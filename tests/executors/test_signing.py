"""Who answers for what runs here, and what is said and kept before a worker starts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.digest import canonical, of_bytes
from llmops.errors import ExecutorError, StoreError, UsageError
from llmops.evidence import files
from llmops.evidence.signed import Papers
from llmops.evidence.started import parse
from llmops.executors.base import Attempt
from llmops.executors.local import environment
from llmops.executors.signing import speaker
from llmops.jobs.base import Job
from llmops.signing.base import ROOT, Envelope
from llmops.signing.root import Grant, Root
from llmops.signing.trust import path_of
from llmops.source.tree import Repository, Tree
from tests.conftest import GitRepo
from tests.executors.conftest import Bench, job
from tests.keyring import NOW, named, pem, person, root_of, signed

ANN, RUNNER = person("ann"), person("runner")


def papers(bench: Bench, of: Job) -> Papers:
    kept = bench.store.evidence(of.closure)
    assert kept is not None
    return bench.store.signed.of(kept)


# ---- what is said ------------------------------------------------------------------------------


def test_a_run_is_told_of_signed_before_its_worker_starts(bench: Bench) -> None:
    """The worker finds the signed start on disk when it begins."""
    first, seen = job("first"), []
    a = job("a", after=[first])
    perform = bench.executor.perform

    def watched(attempt: Attempt, *more: object) -> object:
        digest = (attempt.folder / "started").read_text()
        envelope = bench.store.signed.get(digest)
        assert envelope is not None
        seen.append(parse(envelope.payload))
        assert bench.store.evidence(attempt.job.closure) is None
        return perform(attempt, *more)  # type: ignore[arg-type]

    bench.executor.perform = watched  # type: ignore[method-assign, assignment]
    assert bench.run(first, a, signer=RUNNER).exit_code == 0
    assert [start.closure for start in seen] == [first.closure, a.closure]
    assert seen[1].job["inputs"] == {"in/first": of_bytes(bench.out(first).encode())}
    assert len({start.nonce for start in seen}) == 2
    found = papers(bench, a)
    assert found.started is not None
    assert found.run is not None
    assert parse(found.started.payload) == seen[1]
    said = json.loads(found.run.payload)["predicate"]
    assert said["started"] == seen[1].digest
    assert said["job"] == seen[1].job
    assert found.run.signatures[0].key == RUNNER.key


def test_without_a_key_nothing_is_signed(bench: Bench) -> None:
    a = job("a")
    bench.run(a)
    assert papers(bench, a) == Papers()
    assert not (bench.folder(a) / "started").exists()


def test_a_start_that_cannot_be_kept_starts_no_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a = job("a", count=str(tmp_path / "count"))
    write_new = files.write_new

    def full(path: Path, data: bytes) -> bool:
        if "signed" in path.parts:
            raise StoreError("cannot write: No space left on device")
        return write_new(path, data)

    with monkeypatch.context() as patch:
        patch.setattr("llmops.evidence.signed.write_new", full)
        (failed,) = bench.run(a, signer=RUNNER).world_failed
    assert "No space left" in failed.error.message
    assert not (tmp_path / "count").exists()
    assert bench.run(a, signer=RUNNER).exit_code == 0


def test_an_attempt_that_failed_leaves_its_start_and_the_next_has_its_own(bench: Bench) -> None:
    """Nobody can try in silence until it suits."""
    broken = job("a", "silent")
    for _ in range(3):
        assert bench.run(broken, signer=RUNNER).world_failed
    starts = list((bench.store.root / "signed").rglob("*.json"))
    assert len(starts) == 3


def test_a_result_that_was_left_without_a_statement_is_kept_with_the_start_it_had(
    bench: Bench, tmp_path: Path
) -> None:
    a = job("a", count=str(tmp_path / "count"))
    bench.run(a, signer=RUNNER)
    before = papers(bench, a)
    shutil.rmtree(bench.store.root / "evidence")
    bench.run(a, signer=RUNNER)
    assert papers(bench, a) == before
    assert len((tmp_path / "count").read_text().splitlines()) == 1


@pytest.mark.parametrize("left", ["", "sha256:short", "of another job", "of no start", "gone"])
def test_a_result_whose_start_is_not_known_is_made_again(
    bench: Bench, tmp_path: Path, left: str
) -> None:
    a, b = job("a", count=str(tmp_path / "count")), job("b")
    bench.run(a, b, signer=RUNNER)
    place = bench.folder(a) / "started"
    if left == "of another job":
        left = (bench.folder(b) / "started").read_text()
    if left == "of no start":
        kept = bench.store.evidence(b.closure)
        assert kept is not None
        left = kept.digest
    place.write_text(left)
    if left == "gone":
        place.unlink()
    shutil.rmtree(bench.store.root / "evidence")
    (again,) = bench.run(a, signer=RUNNER).ran
    assert again.note == ""
    assert len((tmp_path / "count").read_text().splitlines()) == 2
    assert papers(bench, a).started is not None


def test_a_worker_gets_neither_the_key_nor_where_it_is(bench: Bench, tmp_path: Path) -> None:
    parent = {
        "PATH": "/bin", "HOME": str(tmp_path), "LLMOPS_KEY": "/k", "LLMOPS_SIGNING_KEY": "PEM",
        "XDG_CONFIG_HOME": "/c", "JUDGE": "token",
    }  # fmt: skip
    wants = replace(job("a"), spec={"fake": "ok", "secrets": ["JUDGE"]})
    found = environment(wants, parent, tmp_path)
    assert not any("LLMOPS_KEY" in name or "SIGNING" in name for name in found)
    assert "XDG_CONFIG_HOME" not in found
    assert "token" in found.values()


@pytest.mark.parametrize("name", ["LLMOPS_KEY", "LLMOPS_SIGNING_KEY"])
def test_a_job_that_wants_the_key_as_a_secret_is_refused(tmp_path: Path, name: str) -> None:
    wants = replace(job("a"), spec={"fake": "ok", "secrets": [name]})
    with pytest.raises(ExecutorError, match="what signs runs is given to none of them"):
        environment(wants, {name: "PEM"}, tmp_path)


# ---- who says it -------------------------------------------------------------------------------


@pytest.fixture
def base(git_repo: Callable[..., GitRepo]) -> Callable[[Root], Tree]:
    def made(root: Root) -> Tree:
        repo = git_repo({path_of(1): signed(root, ANN)})
        return Repository.find(repo.path).tree("HEAD")

    return made


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    path = tmp_path / "runner.pem"
    path.write_bytes(pem(RUNNER))
    path.chmod(0o600)
    return {"LLMOPS_KEY": str(path)}


def root(**roles: Grant) -> Root:
    found = root_of(ANN)
    keys = {**found.keys, RUNNER.key: named(RUNNER, "runner")}
    none = Envelope(ROOT, b"", ())
    return replace(found, keys=keys, roles={**found.roles, **roles}, envelope=none)


def test_a_key_that_base_lets_sign_runs_signs_them(
    base: Callable[[Root], Tree], environ: Mapping[str, str]
) -> None:
    found = speaker(base(root(runner=Grant((RUNNER.key,)))), environ, NOW)
    assert found.note == ""
    assert found.signer is not None
    assert found.signer.key == RUNNER.key


def test_a_key_that_base_does_not_let_sign_is_left_alone_and_told(
    base: Callable[[Root], Tree], environ: Mapping[str, str]
) -> None:
    found = speaker(base(root()), environ, NOW)
    assert found.signer is None
    assert found.note == (
        f"key {RUNNER.key} may not sign runs by base's trust root 1: what runs here stays unsigned"
    )


def test_where_base_has_no_trust_root_or_there_is_no_base_no_key_is_looked_for(
    git_repo: Callable[..., GitRepo],
) -> None:
    plain = Repository.find(git_repo({"a": "1"}).path).tree("HEAD")
    broken = {"LLMOPS_KEY": "/nowhere"}
    for tree in (plain, None):
        assert speaker(tree, broken, NOW).signer is None
        assert speaker(tree, broken, NOW).note == ""


def test_without_a_key_nobody_speaks_and_that_is_no_trouble(
    base: Callable[[Root], Tree], tmp_path: Path
) -> None:
    found = speaker(base(root()), {"XDG_CONFIG_HOME": str(tmp_path)}, NOW)
    assert (found.signer, found.note) == (None, "")


def test_a_key_that_is_named_and_not_there_is_a_mistake(base: Callable[[Root], Tree]) -> None:
    with pytest.raises(UsageError, match="is not there"):
        speaker(base(root()), {"LLMOPS_KEY": "/nowhere.pem"}, NOW)


def test_a_trust_root_that_is_none_is_told_and_nothing_is_signed(
    git_repo: Callable[..., GitRepo], environ: Mapping[str, str]
) -> None:
    repo = git_repo({path_of(1): canonical({})})
    found = speaker(Repository.find(repo.path).tree("HEAD"), environ, NOW)
    assert found.signer is None
    assert found.note.startswith("policies/trust/1.root.json: ")
