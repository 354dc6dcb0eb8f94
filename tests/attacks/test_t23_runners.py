"""T23: a runner is hostile, or somebody speaks in its place: whose word counts stands in base.

A6 owns a machine that is no runner, or a runner's disk and not its key; A1 edits the trust root in
the same change. Runners of this repository have a key of their own, which the gate's is not.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.evidence.signed import vouched
from llmops.evidence.store import Store
from llmops.executors.local import LocalExecutor
from llmops.gating.base import PullRequest
from llmops.gating.reconcile import reconcile
from llmops.pipeline import RunOptions, execute
from llmops.signing import dsse
from llmops.signing.base import ROOT, Envelope
from llmops.signing.keys import PemSigner
from llmops.signing.root import Grant, Root
from llmops.signing.trust import path_of
from tests.gating.world import World, changed
from tests.github.pulls import FakePull
from tests.keyring import after, named, person, root_of, signed
from tests.scenarios.story import HERE

ANN, RUNNER, MALLORY = person("ann"), person("runner"), person("mallory")


def first() -> Root:
    """Ann owns it and is the gate; the runner has a key of its own."""
    made = root_of(ANN)
    keys = {**made.keys, RUNNER.key: named(RUNNER, "runner")}
    roles = {**made.roles, "runner": Grant((RUNNER.key,))}
    return replace(made, keys=keys, roles=roles, envelope=Envelope(ROOT, b"", ()))


def ran(world: World, pull: FakePull, signer: PemSigner | None) -> Path:
    """What a machine has after it did all jobs of a change, signed by its key."""
    project, made = world.planned(world.repo.tip(), pull.head_sha)
    project = replace(project, reports=world.root / f"ran-{signer.key[:4] if signer else 'none'}")
    worker = ("-I", "-S", str(HERE / "worker.py"), str(world.scenario.path / "world.json"))
    report = execute(
        project, made.plan.steps, [s.tree for s in (made.both.head, made.both.base) if s],
        lambda _event: None, RunOptions(columns=made.columns, signer=signer),
        LocalExecutor((sys.executable, *worker)),
    )  # fmt: skip
    assert not report.world_failed, [f.error.message for f in report.world_failed]
    return project.reports


def resigned(folder: Path) -> None:
    """Somebody who has no key of a runner signs everything in its place."""
    for path in (folder / "signed").rglob("*.json"):
        payload = dsse.decode(path.read_bytes()).payload
        path.write_bytes(dsse.encode(vouched(payload, MALLORY)))


def runs_stripped(folder: Path) -> None:
    """Every signature on what was found goes; what is left says that they were started."""
    for kept in Store(folder).proven().values():
        Store(folder).signed.path(kept.digest).unlink()


def all_stripped(folder: Path) -> None:
    shutil.rmtree(folder / "signed")


@pytest.fixture
def settle(world: World) -> Callable[[FakePull, Path, str], tuple[int, str]]:
    world.repo.push({path_of(1): signed(first(), ANN)})

    def made(pull: FakePull, folder: Path, name: str) -> tuple[int, str]:
        """What the gate says of a pull request when a run uploaded a folder's evidence."""
        run = world.fake.run(world.repo, pull.head_sha)
        run.upload("llmops-evidence-all", world.packed(folder, run))
        run.finish()
        settled = reconcile(world.desk(name), PullRequest(pull.number))
        run.artifacts.clear()
        return settled.exit_code, " ".join(settled.notes)

    return made


def test_only_what_a_runner_signed_counts(
    world: World, tmp_path: Path, settle: Callable[[FakePull, Path, str], tuple[int, str]]
) -> None:
    pull = world.pull(by="mallory")
    done = ran(world, pull, RUNNER)
    for attack, words in (
        (resigned, f"key {MALLORY.key} is not in trust root 1"),
        (runs_stripped, "its signature did not come along"),
        (all_stripped, "its signature did not come along"),
    ):
        folder = shutil.copytree(done, tmp_path / attack.__name__)
        attack(folder)
        code, notes = settle(pull, folder, attack.__name__)
        assert code != 0, attack.__name__
        assert words in notes
        assert world.repo.git.heads().keys() <= {"main", "change", "llmops-evidence"}
        world.repo.git.set("refs/heads/llmops-evidence", None)
    code, _ = settle(pull, done, "honest")
    assert code == 0, "what is refused above is refused for the attack"


def test_a_key_that_the_change_itself_adds_signs_nothing(
    world: World, settle: Callable[[FakePull, Path, str], tuple[int, str]]
) -> None:
    """Its root even follows by the rules: an owner signed it. It holds once it has landed."""
    more = first()
    keys = {**more.keys, MALLORY.key: named(MALLORY, "mallory")}
    second = after(more, keys=keys, roles={**more.roles, "runner": Grant((MALLORY.key,))})
    pull = world.pull({**changed(), path_of(2): signed(second, ANN)}, by="mallory")
    code, notes = settle(pull, ran(world, pull, MALLORY), "added")
    assert code != 0
    assert f"key {MALLORY.key} is not in trust root 1" in notes
