"""The README's story through the workflow that `init` writes: each step done, judged, published.

A good change and a bad one (the suite), then what reuse, the queue and a fork make of them (slow).
Jobs are the stand-in worker's; the last test trains for real. What is asserted is what people see:
the run's end, the check, the comment, the branch of evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from llmops.workflows.templates import Choice
from tests.github.pulls import FakePull
from tests.runner import Done
from tests.runner.scene import PACKAGE, RECIPE, Scene

APPLICATION = "specs/applications/faq.yaml"
GREEN = {"open": "success", "plan": "success", "gate": "success", "landed": "skipped"}


@dataclass
class Story:
    """What has happened so far, by the name of the branch."""

    scene: Scene
    pulls: dict[str, FakePull] = field(default_factory=dict)
    runs: dict[str, Done] = field(default_factory=dict)

    def change(self, branch: str, files: Mapping[str, str], by: str = "ann", **how: object) -> None:
        """Somebody opens a pull request, and its workflow runs."""
        self.pulls[branch] = pull = self.scene.pull(branch, files, by=by, **how)
        done = self.scene.actions.pull_request(pull, "opened")
        assert done is not None
        self.runs[branch] = done

    def ends(self, branch: str) -> dict[str, str]:
        """How the jobs ended; those of the matrix under one name."""
        jobs = self.runs[branch].jobs.items()
        return {name.partition(" (")[0]: job.conclusion for name, job in jobs}

    def comment(self, branch: str) -> str:
        number = self.pulls[branch].number
        (found,) = [c for c in self.scene.repo.comments.values() if c["number"] == number]
        return str(found["body"])

    def trained(self, branch: str) -> int:
        """How many trainings started."""
        log = self.runs[branch].log
        return sum(
            line.endswith("started") and line.startswith("train/") for line in log.split("\n")
        )


def tell(scene: Scene) -> Story:
    """The first two chapters."""
    story = Story(scene)
    story.change("better", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    story.change("worse", scene.edited(RECIPE, "max_steps: 120", "max_steps: 20"), by="bob")
    return story


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    scene = Scene.of(tmp_path_factory.mktemp("story"))
    with scene.fake.serve():
        yield tell(scene)


class TestStory:
    def test_a_good_change_is_passed(self, story: Story) -> None:
        assert story.ends("better") == {**GREEN, "run": "success"}, story.runs["better"].log
        assert story.scene.check(story.pulls["better"].head_sha) == "success"
        assert "### ✅ llmops: passed — 14 gates" in story.comment("better")
        assert "✅ llmops: passed" in story.runs["better"].summary

    def test_a_bad_change_is_stopped_and_told_why(self, story: Story) -> None:
        assert story.ends("worse") == {**GREEN, "run": "success", "gate": "failure"}
        assert story.runs["worse"].conclusion == "failure"
        assert story.scene.check(story.pulls["worse"].head_sha) == "failure"
        first, _, rest = story.comment("worse").partition("\n")[2].partition("\n")
        assert first.startswith("### ❌ llmops: failed — 2 of 14 gates")
        assert "**faq-quality/accuracy** failed: accuracy 0.411 is below the minimum 0.6" in rest

    def test_what_was_proven_is_not_trained_again(self, story: Story) -> None:
        """Base and head for the first change; for the second its own head alone."""
        assert (story.trained("better"), story.trained("worse")) == (2, 1)

    def test_the_evidence_is_on_a_branch_of_its_own(self, story: Story) -> None:
        git = story.scene.repo.git
        names = git.run("ls-tree", "-r", "--name-only", "llmops-evidence").split()
        assert len([name for name in names if name.endswith(".json")]) > 20
        assert git.run("rev-list", "--count", "llmops-evidence", "^main").strip() != "0"

    def test_the_check_was_in_progress_first_and_one_is_seen(self, story: Story) -> None:
        bodies = [
            request.json
            for request, answer in story.scene.fake.requests
            if request.writes and "check-runs" in request.path and answer.status < 300
        ]
        assert bodies[0]["status"] == "in_progress"
        for pull in story.pulls.values():
            assert len(story.scene.repo.checks_at(pull.head_sha, "llmops/gate")) == 1

    def test_no_token_is_left_on_a_machine_or_printed(self, story: Story) -> None:
        for machine in story.scene.actions.machines:
            config = machine.workspace / ".git" / "config"
            assert "tEsT" not in (config.read_text("utf-8") if config.exists() else "")
            assert "tEsT" not in machine.ended.log + machine.ended.summary

    def test_jobs_that_run_or_plan_write_nothing_at_github(self, story: Story) -> None:
        held = {
            token.token: name.partition(" (")[0]
            for done in story.runs.values()
            for name, job in done.jobs.items()
            if job.token  # one that was skipped had none
            for token in [story.scene.fake.tokens[job.token]]
        }
        wrote = {
            held.get(request.headers.get("authorization", "").partition(" ")[2], "?")
            for request in story.scene.fake.writes()
        }
        assert wrote == {"open", "gate"}


@pytest.mark.slow
def test_reuse_the_queue_and_what_landed(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path)
    with scene.fake.serve():
        story = tell(scene)
        # another owner asks for no training
        owner = scene.edited(APPLICATION, "owner: team-assistant", "owner: team-quality")
        story.change("owner", owner)
        assert story.trained("owner") == 0
        assert scene.check(story.pulls["owner"].head_sha) == "success"
        # the queue judges the exact tree on evidence that is there, and lands it
        queue = scene.repo.queue()
        queue.add(story.pulls["better"])
        queue.add(story.pulls["worse"])
        groups = list(queue.groups)
        runs = [scene.actions.merge_group(group) for group in groups]
        assert [run.conclusion for run in runs if run is not None] == ["success", "failure"]
        assert runs[0] is not None
        assert runs[0].jobs["run"].conclusion == "skipped"
        before = scene.repo.tip()
        queue.settle()
        assert (queue.landed, queue.dropped) == ([groups[0]], [story.pulls["worse"]])
        # what landed is what was judged
        landed = scene.actions.push(before, scene.repo.tip())
        assert landed is not None
        assert (landed.conclusion, landed.jobs["run"].conclusion) == ("success", "skipped")
        assert scene.check(scene.repo.tip()) == "success"


@pytest.mark.slow
def test_a_change_of_a_fork_waits_for_a_word(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path)
    scene.repo.roles["bob"] = "write"
    changed = scene.edited(RECIPE, "seed: 42", "seed: 43")
    pull = scene.pull("better", changed, by="eve", source=scene.repo.fork("eve"))
    with scene.fake.serve():
        first = scene.actions.pull_request(pull, "opened")
        assert first is not None
        assert (first.jobs["gate"].conclusion, scene.check(pull.head_sha)) == ("failure", "missing")
        assert f"/llmops run {pull.head_sha}" in first.summary
        scene.repo.comment(pull.number, f"/llmops run {pull.head_sha}", by="bob")
        again = scene.actions.pull_request(pull, "opened", run=first.run)
    assert again is not None
    assert again.conclusion == "success", again.log  # the token only reads: the run is the check
    assert "✅ llmops: passed" in again.summary


@pytest.mark.slow
def test_slurm_is_asked_with_the_repositorys_options(tmp_path: Path) -> None:
    scene = Scene.of(tmp_path, Choice(runners="slurm", package=PACKAGE))
    scene.actions.variables["LLMOPS_SRUN"] = "--partition=gpu --gres=gpu:1"
    with scene.fake.serve():
        story = Story(scene)
        story.change("better", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    assert story.ends("better") == {**GREEN, "run": "success"}, story.runs["better"].log
    machine = story.runs["better"].job("run").machine
    asked = (machine.folder / "files" / "srun").read_text("utf-8")
    assert asked.startswith("--ntasks=1 --job-name=llmops-train-faq-base-")
    assert asked.endswith("--partition=gpu --gres=gpu:1\n")


@pytest.mark.slow
def test_the_story_with_real_training(tmp_path: Path) -> None:
    """Nothing made up: minutes on two cores."""
    scene = Scene.of(tmp_path)
    scene.actions.world = None
    with scene.fake.serve():
        story = tell(scene)
    assert story.ends("better") == {**GREEN, "run": "success"}, story.runs["better"].log
    assert story.ends("worse")["gate"] == "failure"
    assert scene.check(story.pulls["worse"].head_sha) == "failure"


@pytest.mark.slow
def test_this_repositorys_own_workflow_does_the_same(tmp_path: Path) -> None:
    """It calls the jobs that others call, and runs prompts' tests by our action."""
    root = Path(__file__).parents[2]
    names = [
        ".github/workflows/llmops.yml", ".github/workflows/llmops-jobs.yml",
        ".github/actions/llmops/action.yml",
    ]  # fmt: skip
    scene = Scene.of(tmp_path, more={name: (root / name).read_text("utf-8") for name in names})
    with scene.fake.serve():
        story = Story(scene)
        story.change("better", scene.edited(RECIPE, "seed: 42", "seed: 43"))
    called = {f"llmops / {name}": end for name, end in {**GREEN, "run": "success"}.items()}
    assert story.ends("better") == {"prompts": "success", **called}, story.runs["better"].log
    assert scene.check(story.pulls["better"].head_sha) == "success"
