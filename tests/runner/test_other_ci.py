"""GitLab's and Jenkins' files do what they say: their scripts are run, job after job, by a shell.

In: the files that `init --ci gitlab` and `--ci jenkins` write. Each job has a machine and a clone
to itself, as its CI gives it; files go from job to job only as artifacts or stashes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from llmops.workflows.templates import Choice
from tests.runner.expressions import Scope
from tests.runner.machine import HERE, Ended, Machine
from tests.runner.scene import PACKAGE, RECIPE, Scene

pytestmark = pytest.mark.slow


@dataclass
class Other:
    """A CI that is not GitHub's, for one change: what its jobs printed, and how they ended."""

    scene: Scene
    folder: Path
    variables: dict[str, str]
    shell: Sequence[str]
    kept: Path

    def machine(self, name: str) -> Machine:
        """A machine of its own with a clone in it, and a Python in its image."""
        made = Machine(self.folder / name, {}, self.variables, {}, Ended(name))
        made.give_python()
        assert self.scene.actions.world is not None
        made.use(HERE / "llmops_world.py", self.scene.actions.world)
        subprocess.run(
            ["git", "clone", "--quiet", str(self.scene.repo.path), str(made.workspace)], check=True
        )
        return made

    def run(self, machine: Machine, script: str) -> subprocess.CompletedProcess[str]:
        environment = machine.environment({}, Scope({}))
        environment["PATH"] = f"{machine.folder / 'tools'}:{environment['PATH']}"
        head = self.variables["CI_COMMIT_SHA"]
        subprocess.run(["git", "checkout", "--quiet", head], cwd=machine.workspace, check=True)
        return subprocess.run(
            [*self.shell, script], cwd=machine.workspace, env=environment, check=False, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def keep(self, machine: Machine, *names: str) -> None:
        for name in names:
            there, to = machine.workspace / name, self.kept / name
            if there.is_dir():
                shutil.copytree(there, to, dirs_exist_ok=True)
            elif there.is_file():
                shutil.copy(there, to)

    def give(self, machine: Machine, *names: str) -> None:
        for name in names:
            there = self.kept / name
            if there.is_dir():
                shutil.copytree(there, machine.workspace / name, dirs_exist_ok=True)
            elif there.is_file():
                shutil.copy(there, machine.workspace / name)


def other(tmp_path: Path, ci: Any, steps: int, shell: Sequence[str], **variables: str) -> Other:
    """A change of the recipe in a repository that is wired to a CI."""
    scene = Scene.of(tmp_path, Choice(ci))
    changed = scene.edited(RECIPE, "max_steps: 120", f"max_steps: {steps}")
    head = scene.repo.push(changed, "change")
    scene.repo.git.run("update-ref", "refs/heads/main", scene.repo.git.run(
        "rev-parse", f"{head}^").strip())  # fmt: skip
    told = {"CI_COMMIT_SHA": head, "LLMOPS_PACKAGE": PACKAGE, **variables}
    (tmp_path / "kept").mkdir()
    return Other(scene, tmp_path / "jobs", told, shell, tmp_path / "kept")


@pytest.mark.parametrize(("steps", "verdict"), [(121, "passed"), (20, "failed")])
def test_gitlab(tmp_path: Path, steps: int, verdict: str) -> None:
    shell = ("bash", "-eo", "pipefail", "-c")  # as GitLab's runner starts it
    ci = other(tmp_path, "gitlab", steps, shell, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    file = YAML(typ="safe").load(ci.scene.text(".gitlab/llmops.yml"))
    done = {}
    for name in ("plan", "run", "gate"):
        machine = ci.machine(name)
        for needed in file[name].get("needs", ()):
            of = needed if isinstance(needed, str) else needed["job"]
            ci.give(machine, *file[of]["artifacts"]["paths"])
        lines = [*file[".llmops"]["before_script"], *file[name]["script"]]
        done[name] = ci.run(machine, "\n".join(lines))
        ci.keep(machine, *file[name]["artifacts"]["paths"])
    log = "\n".join(one.stdout for one in done.values())
    assert [done["plan"].returncode, done["run"].returncode] == [0, 0], log
    assert done["gate"].returncode == (0 if verdict == "passed" else 1), log
    assert f"Verdict: {verdict}" in done["gate"].stdout
    assert "15 taken, 0 known already, 0 refused" in done["gate"].stdout
    report = (ci.kept / "gl-code-quality-report.json").read_text("utf-8")
    assert ("faq-quality" in report) is (verdict == "failed")
    assert "<testsuites" in (ci.kept / "junit.xml").read_text("utf-8")


@pytest.mark.parametrize(("steps", "verdict"), [(121, "passed"), (20, "failed")])
def test_jenkins(tmp_path: Path, steps: int, verdict: str) -> None:
    shell = ("sh", "-xe", "-c")  # as Jenkins starts it
    ci = other(tmp_path, "jenkins", steps, shell, CHANGE_TARGET="main", CHANGE_ID="1")
    text = ci.scene.text("Jenkinsfile")
    done = {}
    for name in ("plan", "run", "gate"):
        stage = text.partition(f"stage('{name}')")[2].partition("stage('")[0]
        (script,) = re.findall(r"sh '''(.*?)'''", stage, re.DOTALL)
        machine = ci.machine(name)
        machine.variables = {**machine.variables, "WORKSPACE_TMP": str(machine.folder / "temp")}
        for stash in re.findall(r"unstash '(\w+)'", stage):
            ci.give(machine, *_stashed(text, stash))
        done[name] = ci.run(machine, script)
        ci.keep(machine, *_stashed(text, {"plan": "plan", "run": "evidence"}.get(name, "")))
    log = "\n".join(one.stdout for one in done.values())
    assert [done["plan"].returncode, done["run"].returncode] == [0, 0], log
    assert done["gate"].returncode == (0 if verdict == "passed" else 1), log
    assert f"Verdict: {verdict}" in done["gate"].stdout


def _stashed(text: str, name: str) -> list[str]:
    """What a stash takes along; a pattern `folder/**` is a folder."""
    found = re.findall(rf"stash name: '{name}', includes: '([^']+)'", text)
    return [one.strip().removesuffix("/**") for listed in found for one in listed.split(",")]
