"""A whole drill by a learner that learns what it is taught: every plant, every twin, no torch."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from llmops.drills.base import Tried
from llmops.drills.run import Drilled, Options, Told, drill
from llmops.drills.table import PLANTS
from llmops.drills.words import FORMATS, Bar
from llmops.errors import LlmopsError, UsageError
from llmops.executors.base import Event
from llmops.project import Project
from tests.conftest import GitRepo
from tests.drills.conftest import files
from tests.drills.learner import Learner, spoil

QUALITY = "specs/evaluations/faq-quality.yaml"


@pytest.fixture
def repo(git_repo) -> GitRepo:
    made: GitRepo = git_repo(files())
    return made


def drilled(repo: GitRepo, folder: Path, learner: Learner, *names: str, **more) -> Drilled:
    chosen = tuple(p for p in PLANTS if not names or p.name in names)
    options = Options(chosen, executor=learner, spoil=spoil, **more)
    return drill(Project.find(repo.path), "main", folder, options, Told())


def state_of(found: Drilled) -> dict[str, str]:
    return {tried.name: tried.state for tried in found.tried}


def test_every_bad_model_is_caught_and_every_twin_passes(repo, tmp_path, learner, golden) -> None:
    found = drilled(repo, tmp_path / "drill", learner)
    bad = {p.name: "caught" for p in PLANTS if not p.harmless}
    bad |= {"adapter-sign": "not tried", "adapter-base": "not tried"}  # it trains all weights
    assert state_of(found) == bad | {p.name: "passed" for p in PLANTS if p.harmless}
    assert found.caught == len(found.bad) == 8
    by = {tried.name: {stop.gate for stop in tried.stops} for tried in found.tried}
    assert "Guardrail/faq-guard/stops" in by["guard-emptied"]
    assert "Guardrail/faq-guard/lets-by" in by["over-blocking"]
    assert "SafetyTest/faq-refusal/over-refusal" in by["over-refusing"]
    assert "SafetyTest/faq-refusal/refusal" in by["under-refusing"]
    assert "Evaluation/faq-quality/accuracy/regression" in by["personal-data"]
    for form in FORMATS:
        told = FORMATS[form](replace_times(found), Bar()) + "\n"
        for name in (found.tree, found.tree[:8]):
            told = told.replace(name, "0" * len(name))
        golden(f"drill/{form}.txt", told)


def replace_times(found: Drilled) -> Drilled:
    tried = tuple(replace(t, seconds=1.0, commit="c" * 40 if t.commit else "") for t in found.tried)
    return replace(found, tried=tried, seconds=61.0)


def test_what_runs_for_a_reformatted_tree_is_nothing(repo, tmp_path, learner) -> None:
    drilled(repo, tmp_path / "drill", learner, "shuffled-labels")
    learner.done.clear()
    drilled(repo, tmp_path / "drill", learner, "reformatted")
    assert learner.done == []


def test_a_drill_that_was_stopped_goes_on_where_it_was(repo, tmp_path, learner) -> None:
    names = ("shuffled-labels", "rounded-weights", "another-seed")
    whole = drilled(repo, tmp_path / "whole", learner, *names)
    once = list(learner.done)
    learner.done.clear()

    def interrupt(tried: Tried) -> None:
        if tried.name == "shuffled-labels":
            raise KeyboardInterrupt

    chosen = tuple(p for p in PLANTS if p.name in names)
    options = Options(chosen, executor=learner, spoil=spoil)
    project, folder = Project.find(repo.path), tmp_path / "drill"
    with pytest.raises(KeyboardInterrupt):
        drill(project, "main", folder, options, Told(plant=interrupt))
    again = drill(project, "main", folder, options, Told())
    assert sorted(learner.done) == sorted(once)
    assert replace_times(again) == replace_times(whole)


def test_nothing_of_the_users_repository_is_changed(repo, tmp_path, learner) -> None:
    drilled(repo, tmp_path / "drill", learner, "another-seed")  # main's evidence, as a user has it
    shutil.copytree(tmp_path / "drill" / "reports", repo.path / "reports", dirs_exist_ok=True)
    before = snapshot(repo.path)
    learner.done.clear()
    drilled(repo, tmp_path / "other", learner, "guard-emptied", "merged-weights")
    assert snapshot(repo.path) == before
    assert "train/faq-base" not in learner.done  # main's evidence was lent


def snapshot(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_a_world_that_fails_catches_nothing(repo, tmp_path, learner) -> None:
    drilled(repo, tmp_path / "drill", learner, "reformatted")
    found = drilled(
        repo, tmp_path / "drill", Learner(("train",)), "shuffled-labels", "rounded-weights"
    )
    assert state_of(found) == {"shuffled-labels": "not judged", "rounded-weights": "caught"}
    assert len(found.bad) == 1


def test_a_main_that_cannot_be_judged_is_an_error_not_a_catch(repo, tmp_path) -> None:
    with pytest.raises(LlmopsError, match="main itself could not be judged: curate/"):
        drilled(repo, tmp_path / "drill", Learner(("curate",)), "shuffled-labels")


def test_gates_that_fail_on_main_are_credited_with_nothing(git_repo, tmp_path, learner) -> None:
    given = files()
    given[QUALITY] = re.sub(r"\{min: 0\.\d+\}", "{min: 0.999}", given[QUALITY])
    found = drilled(git_repo(given), tmp_path / "drill", learner, "shuffled-labels", "another-seed")
    broken = {stop.gate for stop in found.broken}
    assert "Evaluation/faq-quality/accuracy" in broken
    assert not broken & {stop.gate for tried in found.tried for stop in tried.stops}
    assert not broken & {*found.gates, *found.idle}
    assert state_of(found) == {"shuffled-labels": "caught", "another-seed": "passed"}


def test_gates_that_see_nothing_miss_and_are_idle(git_repo, tmp_path, learner) -> None:
    found = drilled(
        git_repo(blind()), tmp_path / "drill", learner, "shuffled-labels", "guard-emptied"
    )
    assert state_of(found) == {"shuffled-labels": "missed", "guard-emptied": "caught"}
    assert "Evaluation/faq-quality/accuracy" in found.idle
    assert "Guardrail/faq-guard/stops" not in found.idle


def blind() -> dict[str, str]:
    """The same repository with bounds on the model that everything meets."""
    given = files()
    for name in (QUALITY, "specs/safety/faq-refusal.yaml"):
        text = re.sub(r"\{min: 0\.\d+\}", "{min: 0.0}", given[name])
        text = re.sub(r"\{max: 0\.\d+\}", "{max: 1.0}", text)
        given[name] = re.sub(r"margin: 0\.\d+", "margin: 0.99", text)
    return given


def test_an_adapter_merged_wrongly_is_caught_and_rightly_passes(
    git_repo, tmp_path, learner
) -> None:
    names = ("adapter-sign", "adapter-base", "merged-weights", "eight-bits")
    found = drilled(git_repo(files("Recipe/faq-lora")), tmp_path / "drill", learner, *names)
    assert list(state_of(found).values()) == ["caught", "caught", "passed", "passed"]


def test_a_bad_model_that_behaves_well_is_told_as_missed(git_repo, tmp_path, learner) -> None:
    # This learner's adapters cannot unlearn what the base knows, whatever they are taught.
    found = drilled(
        git_repo(files("Recipe/faq-lora")), tmp_path / "drill", learner, "shuffled-labels"
    )
    assert state_of(found) == {"shuffled-labels": "missed"}
    assert found.tried[0].outcome in ("passed", "warned")
    assert Bar().missed(found)


def test_seeds_make_other_models_only_where_dice_decide(repo, tmp_path, learner) -> None:
    found = drilled(repo, tmp_path / "drill", learner, "shuffled-labels", "guard-emptied", seeds=2)
    assert [t.name for t in found.tried] == [
        "shuffled-labels",
        "shuffled-labels 1",
        "guard-emptied",
    ]
    assert len({t.commit for t in found.tried}) == 3


@pytest.mark.slow
def test_the_report_is_the_same_for_the_same_seed(repo, tmp_path, learner) -> None:
    one = drilled(repo, tmp_path / "one", learner, "shuffled-labels", "over-refusing")
    two = drilled(repo, tmp_path / "two", learner, "shuffled-labels", "over-refusing")
    assert [t.commit for t in one.tried] == [t.commit for t in two.tried]
    assert replace_times(one) == replace_times(two)


def test_events_and_plants_are_told_while_it_goes_on(repo, tmp_path, learner) -> None:
    heard: list[str] = []

    def event(one: Event) -> None:
        heard.append(one.job.id)

    told = Told(event, lambda tried: heard.append(tried.name))
    chosen = tuple(p for p in PLANTS if p.name == "guard-emptied")
    options = Options(chosen, executor=learner, spoil=spoil)
    drill(Project.find(repo.path), "main", tmp_path / "drill", options, told)
    assert heard[-1] == "guard-emptied"
    assert "guard/faq-guard/stops" in heard


def test_a_repository_without_gates_has_nothing_to_drill(git_repo, tmp_path, learner) -> None:
    kept = {p: t for p, t in files().items() if not p.startswith(("specs/eval", "specs/safe"))}
    guard = "specs/guardrails/faq-guard.yaml"
    kept[guard] = kept[guard].partition("  tests:")[0]
    with pytest.raises(UsageError, match="nothing to drill"):
        drilled(git_repo(kept), tmp_path / "drill", learner)


def test_only_measured_gates_stop(repo, tmp_path, learner) -> None:
    folder = tmp_path / "drill"
    drilled(repo, folder, learner, "reformatted")
    found = json.loads(FORMATS["json"](drilled(repo, folder, learner, "rounded-weights"), Bar()))
    rules = {stop["rule"] for plant in found["plants"] for stop in plant["stopped_by"]}
    assert rules <= {"require", "slices", "regression", "fail-on"}
    assert rules


TOLD_ONLY = """\
apiVersion: llmops/v1alpha1
kind: Evaluation
metadata: {name: told-only, owner: team-quality}
spec:
  target: Application/faq
  dataset: faq#train
  checks: [{name: accuracy, metric: builtin/accuracy}]
"""


def test_what_decides_nothing_is_not_run(git_repo, tmp_path, learner) -> None:
    repo = git_repo({**files(), "specs/evaluations/told-only.yaml": TOLD_ONLY})
    found = drilled(repo, tmp_path / "drill", learner, "shuffled-labels")
    assert state_of(found) == {"shuffled-labels": "caught"}
    assert "evaluate/faq-quality" in learner.done
    assert "evaluate/told-only" not in learner.done
