"""A verdict that counts on this machine, and what of it stands in the log."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from llmops.log import base as log
from llmops.log.base import BRANCH
from llmops.notary import local
from llmops.pipeline import make_plan
from llmops.project import pair
from llmops.reports.report import NOT_SIGNED, SEAL
from llmops.rules.base import Outcome
from llmops.signing import dsse
from llmops.signing.base import ROOT
from tests import keyring
from tests.audit.world import BAD, GOOD, PEN, TRUST, World, files, story

_OF_RUNS = (log.RUN_STARTED, log.RUN, log.PROVENANCE)


def statements(world: World) -> list[dict[str, Any]]:
    """What the log says, in its order; a trust root is its payload's type."""
    found = []
    for raw in world.log.entries():
        envelope = dsse.decode(raw)
        said = json.loads(envelope.payload)
        found.append({"predicateType": envelope.payload_type, **said})
    return found


def kinds(world: World) -> list[str]:
    """The kinds of entries, each run of the same once."""
    return [kind for kind, _ in groupby(one["predicateType"] for one in statements(world))]


def of(world: World, kind: str) -> list[dict[str, Any]]:
    """The predicates of one kind."""
    return [one["predicate"] for one in statements(world) if one["predicateType"] == kind]


def test_what_a_verdict_rests_on_stands_before_it(tmp_path: Path) -> None:
    world = story(tmp_path / "w")
    verdict = [log.LEDGER, log.EVAL_REPORT, log.TEST_RESULT, log.VSA]
    told = [kind for kind in kinds(world) if kind not in _OF_RUNS]
    assert told == [ROOT, *verdict, *verdict, *verdict]
    for number, one in enumerate(statements(world)):
        if one["predicateType"] == log.EVAL_REPORT:
            given = one["predicate"]["given"]
            places = [int(run["entry"]) for run in given["runs"].values()]
            assert max(places) < int(given["log_size"]) < number
            assert len(places) == 8
            assert all(statements(world)[at]["predicateType"] == log.RUN for at in places)
    reports = of(world, log.EVAL_REPORT)
    assert [one["outcome"] for one in reports] == ["passed", "failed", "inconclusive"]


def test_a_second_look_appends_nothing_and_says_where_the_first_stands(tmp_path: Path) -> None:
    world = World.new(tmp_path)
    world.run(world.change("good", GOOD))
    first = world.gate("good")
    size = world.log.size
    second = world.gate("good")
    assert (first.outcome, second.outcome) == (Outcome.PASSED, Outcome.PASSED)
    assert second.judged_at > first.judged_at
    assert world.log.size == size
    assert first.extra[SEAL] == second.extra[SEAL]
    seal = first.extra[SEAL]
    assert seal["size"] == size
    assert statements(world)[seal["entry"]]["predicateType"] == log.EVAL_REPORT


def test_where_base_has_no_root_there_is_no_log(tmp_path: Path) -> None:
    world = World.new(tmp_path, files(None))
    world.run(world.change("good", GOOD))
    verdict = world.gate("good")
    assert not verdict.extra
    assert world.log.size == 0


def test_a_root_that_the_change_brings_is_none_yet(tmp_path: Path) -> None:
    world = World.new(tmp_path, files(None))
    world.change("good", GOOD)
    world.repo.git("switch", "--quiet", "good")
    world.repo.commit({TRUST: files()[TRUST]}, "a root")
    world.repo.git("switch", "--quiet", "main")
    world.run("good")
    assert not world.gate("good").extra
    assert world.log.size == 0
    world.land("good")
    world.run(world.change("bad", BAD))
    assert world.gate("bad").extra[SEAL]["entry"] > 0, "it is base's own now"


@pytest.mark.parametrize(
    ("pen", "words"),
    [
        (None, "no key is here"),
        (keyring.person("stranger"), "does not count for role gate in trust root 1"),
    ],
)
def test_without_a_key_that_counts_the_verdict_is_told_and_says_so(
    tmp_path: Path, pen: Any, words: str
) -> None:
    world = World.new(tmp_path)
    world.run(world.change("good", GOOD))
    world.pen = pen
    verdict = world.gate("good")
    assert verdict.outcome is Outcome.PASSED
    assert words in verdict.extra[NOT_SIGNED]
    assert world.log.size == 0


def test_a_key_of_another_role_does_not_sign_verdicts(tmp_path: Path) -> None:
    root = keyring.root_of(PEN, roles=("root", "runner", "log"))
    world = World.new(tmp_path, files(root))
    world.run(world.change("good", GOOD))
    assert "does not count for role gate" in world.gate("good").extra[NOT_SIGNED]


def test_a_run_that_shows_too_little_is_stated_once_more(tmp_path: Path) -> None:
    """A change slices by a column that nobody asked for when it ran, and runs nothing again."""
    content, path = files(), "specs/evaluations/quality.yaml"
    whole, _, _ = content[path].partition("  slices:")
    world = World.new(tmp_path, {**content, path: whole})
    world.run(world.change("good", GOOD))
    world.gate("good")
    world.land("good")
    world.repo.git("switch", "--quiet", "--create", "slices")
    world.repo.commit({path: content[path]}, "slices")
    world.repo.git("switch", "--quiet", "main")
    before = world.log.size
    assert all(step.state == "reuse" for step in world.run("slices").plan.steps)
    assert world.gate("slices").extra[SEAL]["size"] > before
    report = of(world, log.EVAL_REPORT)[-1]
    assert "Evaluation/quality/new[new]" in [one["gate"] for one in report["findings"]]
    wider = [one for one in of(world, log.RUN) if one.get("columns") == ["group"]]
    assert "rows.jsonl" in {name for one in wider for name in one["disclosed"]}


def test_a_part_is_never_recorded(tmp_path: Path) -> None:
    world = World.new(tmp_path)
    world.run(world.change("good", GOOD))
    project = world.project
    made = make_plan(project, pair(project, "main", "good"), ["Evaluation/quality"], change="good")
    assert made.plan.selected is not None
    verdict = local.judged(project, made, world.now, (), lambda: PEN)
    assert not verdict.extra
    assert BRANCH not in world.repo.git("branch", "--list")


def test_the_ledger_in_the_log_is_the_ledger(tmp_path: Path) -> None:
    world = story(tmp_path / "w")
    entries, last = world.project.store.counted()
    told = of(world, log.LEDGER)
    assert [one["number"] for one in told] == list(range(1, len(entries) + 1))
    assert of(world, log.EVAL_REPORT)[-1]["given"]["ledger"]["last"] != last, "it was closed later"
