"""The hooks for pre-commit: what they name is there, and they run where pre-commit can be had."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llmops.cli.main import COMMANDS
from llmops.cli.scaffold import files
from tests.rewrites.texts import ROOT

MANIFEST = ROOT / ".pre-commit-hooks.yaml"
# What pre-commit's own schema asks of a hook, and what it lets stand beside (pre_commit/clientlib).
NEEDED = {"id", "name", "entry", "language"}
ALLOWED = NEEDED | {"description", "files", "types", "pass_filenames", "require_serial"}
UGLY = """\
kind: Recipe
apiVersion: llmops/v1alpha1
metadata: {name: "bad", owner: team}
spec: {base_model: tiny, data: [{dataset: bank#train}], full: {}}
"""


def hooks(text: str) -> Any:
    """A list of hooks, which is no spec: read by another reader."""
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(text)


def test_each_hook_is_one_of_our_commands() -> None:
    found = hooks(MANIFEST.read_text("utf-8"))
    assert [hook["id"] for hook in found] == ["llmops-validate", "llmops-fmt", "llmops-schema"]
    for hook in found:
        assert hook.keys() >= NEEDED
        assert hook.keys() <= ALLOWED
        program, command, *_ = shlex.split(hook["entry"])
        assert program == "llmops"
        assert command in COMMANDS


def test_the_example_runs_the_same_hooks_from_the_environment() -> None:
    ours = {hook["id"]: hook for hook in hooks(MANIFEST.read_text("utf-8"))}
    for language in ("en", "zh"):
        text = files("tiny", language)[".pre-commit-config.yaml"].decode("utf-8")
        (repo,) = hooks(text)["repos"]
        assert repo["repo"] == "local"
        assert {hook["id"] for hook in repo["hooks"]} == set(ours)
        for hook in repo["hooks"]:
            for key in ("entry", "files"):
                assert hook[key] == ours[hook["id"]][key]


@pytest.mark.online
@pytest.mark.timeout(900)
def test_pre_commit_runs_them_from_a_clone(tmp_path: Path, git_repo) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    program = tmp_path / "venv/bin"
    subprocess.run([program / "pip", "install", "-q", "pre-commit==4.7.0"], check=True)
    checked = subprocess.run([program / "pre-commit", "validate-manifest", MANIFEST])
    assert checked.returncode == 0
    repo = git_repo({"specs/recipes/bad.yaml": UGLY})
    command = [program / "pre-commit", "try-repo", ROOT, "llmops-fmt", "--all-files", "--verbose"]
    said = subprocess.run(command, cwd=repo.path, capture_output=True, text=True)
    assert said.returncode == 1
    assert "formatted specs/recipes/bad.yaml" in said.stdout
    text = (repo.path / "specs/recipes/bad.yaml").read_text("utf-8")
    assert text.startswith("apiVersion: llmops/v1alpha1\nkind: Recipe\nmetadata: {name: bad,")
