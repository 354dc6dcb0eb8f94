"""The Slurm workflow on a real Slurm: what `run` hands over is done on a node of it, and judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmops.workflows.templates import Choice
from tests.runner import slurm
from tests.runner.scene import PACKAGE, RECIPE, Scene
from tests.runner.test_story import GREEN, Story

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(slurm.missing()), reason=slurm.missing() or "there is one"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[slurm.Slurm]:
    with slurm.cluster(tmp_path_factory.mktemp("slurm")) as found:
        yield found


def scene_on(cluster: slurm.Slurm, root: Path, options: str = "") -> Scene:
    scene = Scene.of(root, Choice(runners="slurm", package=PACKAGE))
    scene.actions.srun = cluster.srun
    scene.actions.variables["LLMOPS_SRUN"] = options
    return scene


def test_a_change_is_run_on_a_node_and_passes(cluster: slurm.Slurm, tmp_path: Path) -> None:
    scene = scene_on(cluster, tmp_path, "--partition=local --cpus-per-task=2")
    with scene.fake.serve():
        story = Story(scene)
        story.change("better", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    assert story.ends("better") == {**GREEN, "run": "success"}, story.runs["better"].log
    assert scene.check(story.pulls["better"].head_sha) == "success"
    assert "WEXITSTATUS 0" in cluster.log
    assert "_slurm_rpc_allocate_resources" in cluster.log


def test_a_partition_that_is_not_there_is_no_evidence(cluster: slurm.Slurm, tmp_path: Path) -> None:
    scene = scene_on(cluster, tmp_path, "--partition=nowhere")
    with scene.fake.serve():
        story = Story(scene)
        story.change("better", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    ends = story.ends("better")
    assert (ends["run"], ends["gate"]) == ("failure", "failure")
    assert "invalid partition specified: nowhere" in story.runs["better"].log
    assert scene.check(story.pulls["better"].head_sha) != "success"
