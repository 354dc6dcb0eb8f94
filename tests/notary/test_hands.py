"""Several gates at once, and keys that change: whose word stands in the log."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llmops.audit.source import Clone
from llmops.audit.verify import Asked, verify
from llmops.errors import StoreError
from llmops.log.base import EVAL_REPORT
from llmops.log.branch import Log
from llmops.notary import local
from llmops.reports.report import NOT_SIGNED, SEAL
from llmops.signing import dsse
from llmops.signing.base import Role
from llmops.signing.root import Grant, Root, draft
from tests import keyring
from tests.audit.world import BAD, GOOD, PEN, ROOT, TRUST, World, files, story
from tests.notary.test_killed import child

NEXT = keyring.person("next gate")
SECOND = TRUST.replace("1.", "2.")


def verified(world: World, root: Root = ROOT) -> None:
    material = Clone(world.project.repository, world.log)
    found = verify(material, Asked(datetime.now(UTC).isoformat(), {root.digest: "me"}))
    assert not found.flaws


FIRST = keyring.root_of(PEN, NEXT)


def rotated() -> Root:
    """Root 2: the first key has ended as of now, the next one goes on."""
    time.sleep(1 - time.time() % 1)  # what the first key signed within this second stays valid
    ended = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {**FIRST.keys, PEN.key: replace(FIRST.keys[PEN.key], until=ended)}
    return keyring.after(FIRST, keys=keys, roles={**FIRST.roles, "root": Grant((NEXT.key,))})


@pytest.fixture(scope="module")
def both_ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two changes that have run and were not judged yet."""
    world = World.new(tmp_path_factory.mktemp("hands") / "world")
    world.run(world.change("good", GOOD))
    world.run(world.change("bad", BAD))
    return world.root


@pytest.mark.slow
@pytest.mark.parametrize("changes", [("good", "good"), ("good", "bad")])
def test_gates_at_once_write_each_verdict_once(
    both_ran: Path, tmp_path: Path, changes: tuple[str, str]
) -> None:
    shutil.copytree(both_ran, tmp_path / "w", symlinks=True)
    world = World(tmp_path / "w")
    pids = [child(lambda change=change: world.gate(change)) for change in changes]  # type: ignore[misc]
    for pid in pids:
        os.waitpid(pid, 0)
    payloads = [dsse.decode(raw).payload for raw in world.log.entries()]
    assert len(set(payloads)) == len(payloads)
    reports = [one for one in payloads if b'"https://llmops.dev/eval-report/v1"' in one]
    assert len(reports) == len(set(changes))
    verified(world)


def test_what_comes_in_between_is_judged_by_as_well(
    both_ran: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another gate writes after the runs of this one are in the log, and before its verdict."""
    shutil.copytree(both_ran, tmp_path / "w", symlinks=True)
    world, closed, others = World(tmp_path / "w"), local._closed, ["bad"]

    def late(*given: Any) -> Any:
        if others:
            world.gate(others.pop())
        return closed(*given)

    monkeypatch.setattr(local, "_closed", late)
    world.gate("good")
    payloads = [json.loads(dsse.decode(raw).payload) for raw in world.log.entries()]
    places = [n for n, one in enumerate(payloads) if one.get("predicateType") == EVAL_REPORT]
    bad, good = (payloads[place]["predicate"] for place in places)
    assert (bad["given"]["change"], good["given"]["change"]) == ("bad", "good")
    assert int(good["given"]["log_size"]) > places[0]
    verified(world)


def test_a_key_that_ended_signs_nothing_more_and_what_it_signed_stays(tmp_path: Path) -> None:
    world = World.new(tmp_path, files(FIRST, PEN, NEXT))
    world.run(world.change("good", GOOD))
    world.gate("good")
    world.repo.git("branch", "old")
    second = rotated()
    world.repo.commit({SECOND: keyring.signed(second, PEN, NEXT).decode()}, "rotate")
    assert "does not count for role gate in trust root 2" in world.gate("good").extra[NOT_SIGNED]
    world.pen = NEXT
    assert world.gate("good").extra[SEAL]["trust"] == second.digest
    verified(world, FIRST)
    world.pen = PEN
    with pytest.raises(StoreError, match="the log knows trust root 2, and base has 1"):
        world.gate("good", base="old")


def test_an_old_green_verdict_that_is_put_into_the_log_again_is_named(tmp_path: Path) -> None:
    """T5, by somebody who has the key: the same statement twice is no second verdict."""
    world = story(tmp_path / "w")
    entries = list(world.log.entries())
    (green, *_) = (raw for raw in entries if b"/eval-report/v1" in dsse.decode(raw).payload)
    Log(world.project.repository).append(lambda _known: [green], (), PEN)
    material = Clone(world.project.repository, world.log)
    found = verify(material, Asked(datetime.now(UTC).isoformat(), {ROOT.digest: "me"}))
    assert found.flaws[0].reason == "order"
    assert found.flaws[0].what == f"it says once more what entry {entries.index(green)} says"
    assert world.gate("bad").outcome.word == "failed"


@pytest.mark.slow
def test_runners_with_keys_of_their_own_answer_for_runs_and_the_gate_does_not(
    tmp_path: Path,
) -> None:
    runner = keyring.person("runner")
    roles: dict[Role, Grant] = {**ROOT.roles, "runner": Grant((runner.key,))}
    keys = {**ROOT.keys, runner.key: keyring.named(runner)}
    root = keyring.draft(replace(ROOT, keys=keys, roles=roles, envelope=BARE))
    world = World.new(tmp_path, files(root))
    world.pen = runner
    world.run(world.change("good", GOOD))
    world.pen = PEN
    assert world.gate("good").extra[SEAL]["entry"] > 0
    shutil.rmtree(world.project.reports / "signed")
    world.repo.git("branch", "-D", "llmops-log")
    world.repo.git("update-ref", "-d", "refs/llmops/log/here")
    with pytest.raises(StoreError, match="nobody answers for the run"):
        world.gate("good")


BARE = keyring.Envelope(keyring.ROOT, b"", ())


def test_runs_from_before_there_was_a_key_are_answered_for_by_the_gate(tmp_path: Path) -> None:
    """Who takes up keys has evidence already; the log says that it was signed after the root."""
    later = datetime.fromtimestamp(int(time.time()) + 5, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    late = draft(replace(ROOT, keys={PEN.key: keyring.named(PEN, since=later)}))
    world = World.new(tmp_path, files(late, PEN))
    world.pen = None
    world.run(world.change("good", GOOD))
    time.sleep(max(0.0, datetime.fromisoformat(later).timestamp() - time.time()))
    world.pen = PEN
    world.gate("good")
    verified(world, late)
