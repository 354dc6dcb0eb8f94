"""T25: the attacker (A1) spends other people's machines.

He opens pull requests from forks that ask for hundreds of trainings, pushes again and again, or
waits until somebody has looked at a harmless commit and pushes another one. So a change of a fork
reaches machines of one's own only when a person named its exact commit (a label `llmops:COMMIT`,
which its author cannot set) and a reviewer let the environment go; a new commit ends the run of the
last one; a matrix has at most 256 entries.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.workflows.templates import Choice
from tests.runner import Done, Unknown
from tests.runner.scene import PACKAGE, RECIPE, Scene

PLANNED = {"has_jobs": "true", "jobs": '["a"]'}
FORKS = "llmops-gpu-forks"


OWN = ("self-hosted", "slurm", "kubernetes")


@pytest.fixture
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    runners = getattr(request, "param", "self-hosted")
    made = Scene.of(tmp_path, Choice(runners=runners, gate="app", package=PACKAGE))
    made.repo.environment("llmops-gpu")
    made.repo.environment(FORKS, rules=[{"type": "required_reviewers"}])
    return made


def started(scene: Scene, pull: object, action: str, **how: object) -> Done:
    """The run, with a plan that has one job."""
    done = scene.actions.pull_request(
        pull, action, ends={"plan": "success"}, outputs={"plan": PLANNED}, **how
    )
    assert done is not None
    return done


def of_fork(scene: Scene) -> object:
    changed = scene.edited(RECIPE, "seed: 42", "seed: 43")
    return scene.pull("gpu-please", changed, by="eve", source=scene.repo.fork("eve"))


@pytest.mark.parametrize("scene", OWN, indirect=True)
def test_a_fork_reaches_no_gpu(scene: Scene) -> None:
    pull = of_fork(scene)
    for action in ("opened", "synchronize", "reopened", "edited"):
        done = started(scene, pull, action, approved={FORKS: "bob"})
        assert done.jobs["run"].conclusion == "skipped"


def test_a_label_that_names_another_commit_opens_nothing(scene: Scene) -> None:
    pull = of_fork(scene)
    old = pull.head_sha
    pull.label(f"llmops:{old}", by="bob")
    pull.push(scene.edited(RECIPE, "seed: 42", "seed: 44"))
    assert pull.head_sha != old
    pull.label("llmops", f"llmops:{pull.head_sha[:39]}", by="bob")
    done = started(scene, pull, "labeled", approved={FORKS: "bob"})
    assert done.jobs["run"].conclusion == "skipped"


@pytest.mark.parametrize("scene", OWN, indirect=True)
def test_a_named_commit_still_waits_for_the_environment(scene: Scene) -> None:
    pull = of_fork(scene)
    pull.label(f"llmops:{pull.head_sha}", by="bob")
    done = started(scene, pull, "labeled")
    assert (done.waiting, done.run.status) == ([FORKS], "waiting")
    assert "run" not in {name.partition(" ")[0] for name in done.jobs}


def test_a_named_commit_that_a_reviewer_let_go_runs_without_a_token_that_writes(
    scene: Scene,
) -> None:
    pull = of_fork(scene)
    pull.label(f"llmops:{pull.head_sha}", by="bob")
    done = started(scene, pull, "labeled", approved={FORKS: "bob"})
    assert done.jobs["run (a)"].environment == FORKS
    held = scene.fake.tokens[done.jobs["run (a)"].token].permissions
    assert set(held.values()) == {"read"}


def test_a_branch_of_the_repository_runs_in_the_other_environment(scene: Scene) -> None:
    pull = scene.pull("ours", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    done = started(scene, pull, "opened")
    assert done.jobs["run (a)"].environment == "llmops-gpu"


def test_a_new_commit_ends_the_run_of_the_last_one_and_nothing_else_does(scene: Scene) -> None:
    pull = scene.pull("ours", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    other = scene.pull("theirs", scene.edited(RECIPE, "seed: 42", "seed: 44"))
    runs = {action: started(scene, pull, action) for action in ("opened", "synchronize", "labeled")}
    assert len({done.group for done in runs.values()}) == 1
    assert {action: done.cancels for action, done in runs.items()} == {
        "opened": False, "synchronize": True, "labeled": False,
    }  # fmt: skip
    assert started(scene, other, "opened").group != runs["opened"].group
    queue = scene.repo.queue()
    queue.add(pull)
    group = scene.actions.merge_group(queue.groups[0], ends={"plan": "failure"})
    before, after = scene.repo.tip(), pull.merge()
    landed = scene.actions.push(before, after, ends={"plan": "failure"})
    assert group is not None
    assert landed is not None
    assert (group.cancels, landed.cancels) == (False, False)
    assert len({group.group, landed.group, runs["opened"].group}) == 3


def test_github_takes_no_matrix_of_more_than_256(scene: Scene) -> None:
    """What `plan --outputs` keeps to by bundling; tests/jobs/test_shards.py holds it to that."""
    pull = scene.pull("ours", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    many = {"has_jobs": "true", "jobs": str([f"j{n}" for n in range(257)]).replace("'", '"')}
    with pytest.raises(Unknown, match="no matrix"):
        scene.actions.pull_request(pull, "opened", ends={"plan": "success"}, outputs={"plan": many})
