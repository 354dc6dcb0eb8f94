"""T3: the gate is skipped, cancelled or never started, and nothing stands in the way.

The attacker (A1, A2), or somebody in a hurry (A8), arranges that `plan` fails, that `run` is
skipped or cancelled, that the gate's own `if` is false, or that a check ends neutral. GitHub counts
a skipped job as a success, and a neutral check too: so the gate always runs, absent evidence never
passes, and what we publish is never neutral or skipped.
"""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from llmops.workflows.templates import Choice, files
from tests.runner.scene import PACKAGE, RECIPE, WORKFLOW, Scene
from tests.runner.workflow import read

ENDS = ("success", "failure", "cancelled", "skipped")
JOBS = {"has_jobs": "true", "jobs": '["train"]'}
NONE = {"has_jobs": "false", "jobs": "[]"}
# Every way in which the jobs before the gate can end without evidence.
CUT = [
    (plan, run, outputs)
    for plan, run in itertools.product(ENDS, ENDS)
    for outputs in ((JOBS, NONE) if plan == "success" else ({},))
]
ONE = ("success", "skipped", NONE)  # the one that looks most like a pass


@pytest.mark.parametrize(
    ("plan", "run", "outputs"),
    [ONE, *(pytest.param(*one, marks=pytest.mark.slow) for one in CUT if one != ONE)],
)
def test_whatever_was_cut_short_the_gate_fails(
    tmp_path: Path, plan: str, run: str, outputs: Mapping[str, str]
) -> None:
    """And nothing that is published on the way is neutral or skipped."""
    scene = Scene.of(tmp_path)
    pull = scene.pull("change", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    ends = {"open": "success", "plan": plan, "run": run}
    with scene.fake.serve():
        done = scene.actions.pull_request(pull, "opened", ends=ends, outputs={"plan": outputs})
    assert done is not None
    gate = done.jobs["gate"]
    assert (gate.conclusion, gate.steps["gate"]) == ("failure", "failure")
    assert scene.check(pull.head_sha) == "action_required"
    asked = [one for one, _ in scene.fake.requests if one.writes and "check-runs" in one.path]
    assert asked[0].json["status"] == "in_progress"
    assert {one.json.get("conclusion") for one in asked} == {None, "action_required"}


@pytest.mark.parametrize(("plan", "run", "outputs"), CUT)
def test_the_last_step_alone_fails_for_all_but_two_ends(
    tmp_path: Path, plan: str, run: str, outputs: Mapping[str, str]
) -> None:
    """Even were the verdict a pass: jobs that ended well, or a plan that had none."""
    steps = read(files(Choice(package=PACKAGE), "en", "2.13.0")[WORKFLOW]).jobs["gate"].steps
    told = {"PLAN": plan, "RUN": run, "HAS_JOBS": outputs.get("has_jobs", "")}
    done = subprocess.run(["bash", "-e", "-c", steps[-1]["run"]], env=told, check=False)
    good = [("success", "success", "true"), ("success", "skipped", "false")]
    assert (done.returncode == 0) is (tuple(told.values()) in good)


def test_a_gate_that_is_itself_skipped_leaves_no_success_behind(tmp_path: Path) -> None:
    """The attacker's `if: false`: in his own file it is green, the check `llmops/gate` is not."""
    scene = Scene.of(tmp_path)
    text = scene.text(WORKFLOW).replace(
        "    if: always()\n    runs-on", "    if: false\n    runs-on"
    )
    assert text != scene.text(WORKFLOW)
    pull = scene.pull("skip", {WORKFLOW: text} | scene.edited(RECIPE, "seed: 42", "seed: 43"))
    done = scene.actions.pull_request(
        pull, "opened", ends=dict.fromkeys(("open", "plan", "run"), "success")
    )
    assert done is not None
    assert (done.conclusion, done.jobs["gate"].conclusion) == ("success", "skipped")
    assert scene.check(pull.head_sha) == "missing"  # and so a required check stays open
