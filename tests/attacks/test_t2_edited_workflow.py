"""T2: the workflow is edited so that the name of the required job turns green.

The attacker (A2, with write access; A1, from a fork) writes a change that makes the model worse. In
the same change the jobs of `.github/workflows/llmops.yml` do nothing and end well, one of them is
called `gate`, and with write access it also posts a check run `llmops/gate` of its own. What a
pull request's own workflow says is what its author says: so what is required comes from elsewhere,
a workflow of another repository or a check of the App.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.github import ACTIONS_APP, settings
from tests.runner.scene import RECIPE, WORKFLOW, Scene

GREEN = """\
name: llmops
on:
  pull_request:
permissions: {}
jobs:
  plan:
    runs-on: ubuntu-24.04
    permissions: {}
    steps:
      - run: "true"
  gate:
    needs: [plan]
    runs-on: ubuntu-24.04
    permissions: {checks: write}
    steps:
      - run: "true"
"""
CUT = {
    "open": "success",
    "plan": "success",
    "run": "cancelled",
}  # what the attacker's run of the real jobs comes to


def worse(scene: Scene) -> Mapping[str, str]:
    """A change for the worse that brings its own workflow along."""
    return scene.edited(RECIPE, "max_steps: 120", "max_steps: 20") | {WORKFLOW: GREEN}


def forge_a_check(scene: Scene, sha: str) -> None:
    """What a job with `checks: write` can do: its check is that of GitHub Actions."""
    body = {"name": "llmops/gate", "head_sha": sha, "status": "completed", "conclusion": "success"}
    made = {"id": scene.fake.next_id(), "app": scene.fake.actions, "output": {}, **body}
    scene.repo.checks[made["id"]] = made


def satisfied(scene: Scene, sha: str, app_id: int | None) -> bool:
    """Whether GitHub would count the required check as passed: its name, and its source."""
    scene.repo.ruleset(settings.required_checks("llmops/gate", app_id=app_id))
    found = scene.repo.checks_at(sha, "llmops/gate")
    return any(one["conclusion"] == "success" and app_id in (None, one["app"].id) for one in found)


def test_in_its_own_repository_the_edited_workflow_is_green(tmp_path: Path) -> None:
    """Why a job of the pull request's own workflow is never what is required."""
    scene = Scene.of(tmp_path)
    pull = scene.pull("green", worse(scene), by="mallory")
    done = scene.actions.pull_request(pull, "opened")
    assert done is not None
    assert (done.conclusion, done.jobs["gate"].conclusion) == ("success", "success")


def test_a_required_workflow_of_another_repository_is_not_the_edited_one(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path, required=True)
    pull = scene.pull("green", worse(scene), by="mallory")
    with scene.fake.serve():
        done = scene.actions.pull_request(pull, "opened", ends=CUT)
    assert done is not None
    assert done.conclusion == "failure"
    assert done.jobs["gate"].steps["gate"] == "failure"
    assert scene.check(pull.head_sha) == "action_required"


def test_a_forged_check_is_of_another_source_than_the_app(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path)
    app = scene.fake.app()
    pull = scene.pull("green", worse(scene), by="mallory")
    forge_a_check(scene, pull.head_sha)
    assert satisfied(scene, pull.head_sha, None)  # by its name alone it would count
    assert satisfied(scene, pull.head_sha, ACTIONS_APP)
    assert not satisfied(scene, pull.head_sha, app.id)


@pytest.mark.slow
@pytest.mark.parametrize("source", ["branch", "fork"])
def test_evidence_of_an_edited_workflow_waits_for_a_person(tmp_path: Path, source: str) -> None:
    """Its run uploads what it likes; nobody with write access named the commit."""
    scene = Scene.of(tmp_path, required=True, more={WORKFLOW: "name: other\non: push\njobs: {}\n"})
    fork = scene.repo.fork("mallory") if source == "fork" else None
    pull = scene.pull("green", worse(scene), by="mallory", source=fork)
    with scene.fake.serve():
        done = scene.actions.pull_request(pull, "opened", ends=CUT)
    assert done is not None
    assert done.conclusion == "failure"
    said = "a pull request of a fork" if fork else "it edits the workflow that it runs under"
    assert said in done.summary
    assert f"/llmops run {pull.head_sha}" in done.summary
    assert scene.check(pull.head_sha) == ("missing" if fork else "action_required")
