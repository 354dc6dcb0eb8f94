"""T7: a "pwn request": what a stranger brings is executed with the repository's own rights.

The attacker (A1) opens a pull request from a fork. A workflow on `pull_request_target`,
`workflow_run` or `issue_comment` runs with secrets and a token that writes, and checks out,
downloads or executes what the pull request holds. Without such an event the attacker aims at our
own jobs: plan reads the change and gate may publish, so a folder of the change that is named as
something they start (`pip/`, `llmops/`, `json.py`, a hook, a filter of git) would do as well.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from llmops.workflows.base import File, mapping
from llmops.workflows.dangerous_triggers import ALWAYS, WITH_HEAD
from llmops.workflows.expressions import named
from llmops.workflows.lint import lint
from llmops.workflows.read import read
from tests.runner.scene import RECIPE, Scene
from tests.workflows.shipped import committed, written

STEAL = "npm ci && npm test"
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"


def attack(on: str, *steps: str, more: str = "") -> str:
    """A workflow with everything else as it should be."""
    listed = "".join(f"      - {step}\n" for step in steps)
    return (
        f"name: ci\non: {on}\npermissions: {{}}\nconcurrency:\n  group: ci-${{{{ github.ref }}}}\n"
        f"jobs:\n  test:\n    runs-on: ubuntu-24.04\n    environment: ci\n    permissions:\n"
        f"      contents: read\n{more}    steps:\n{listed}"
    )


def checkout(**given: str) -> str:
    told = ", ".join(f"{name}: '{value}'" for name, value in given.items())
    return f"{{uses: {CHECKOUT}, with: {{persist-credentials: false, {told}}}}}"


HEAD = "${{ github.event.pull_request.head.sha }}"
ATTACKS = {
    "head by its commit": attack("pull_request_target", checkout(ref=HEAD), f"run: {STEAL}"),
    "the merge commit": attack(
        "pull_request_target",
        checkout(ref="refs/pull/${{ github.event.number }}/merge"), f"run: {STEAL}",
    ),
    "the fork itself": attack(
        "pull_request_target",
        checkout(repository="${{ github.event.pull_request.head.repo.full_name }}"),
    ),
    "beside another event": attack("[push, pull_request_target]", f"run: {STEAL}"),
    "with types": attack("{pull_request_target: {types: [labeled]}}", f"run: {STEAL}"),
    "in quotes": attack("'pull_request_target'", f"run: {STEAL}"),
    "in the shell": attack(
        "pull_request_target",
        "run: 'git fetch origin pull/$NUMBER/head && git checkout FETCH_HEAD'",
    ),
    "after another workflow": attack(
        "{workflow_run: {workflows: [build], types: [completed]}}",
        "uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c",
        "run: ./build/test",
    ),
    "by a comment": attack("issue_comment", "run: 'gh pr checkout $NUMBER && make'"),
    "by a comment's number": attack(
        "issue_comment", checkout(ref="refs/pull/${{ github.event.issue.number }}/head")
    ),
    "behind an alias": attack("&on pull_request_target", f"run: {STEAL}"),
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_lint_ci_refuses_each_way(name: str) -> None:
    found = lint({".github/workflows/ci.yml": ATTACKS[name].encode()}).diagnostics
    assert "dangerous-triggers" in {one.rule for one in found if one.severity.value == "error"}


def ours() -> list[File]:
    every = {
        path: text for path, text in (committed() | written()).items() if "/actions/" not in path
    }
    files = [
        read(f".github/workflows/{n}.yml", t.encode()).file for n, t in enumerate(every.values())
    ]
    return [one for one in files if one is not None and one.jobs]


def test_nothing_of_ours_is_started_by_such_an_event() -> None:
    assert len(ours()) > 15
    for file in ours():
        assert not {*ALWAYS, *WITH_HEAD} & set(file.events)


def test_no_job_of_ours_that_may_write_checks_out_the_change() -> None:
    """A job that writes has the target branch in its folder, by an id of git."""
    looked_at = 0
    for file in ours():
        for job in file.jobs:
            writes = "write" in mapping(job.value.get("permissions")).values()
            for step in job.steps if writes else ():
                if step.uses_action("actions/checkout"):
                    looked_at += 1
                    ref = str(step.given.get("ref", ""))
                    inner = ref.replace("${{", "").replace("}}", "")
                    assert named(inner) == {
                        "github.event.pull_request.base.sha", "github.event.merge_group.base_sha",
                        "github.sha",
                    }  # fmt: skip
                    assert inner.split("||")[-1].strip() == "github.sha"  # the last: of a push
    assert looked_at >= 5


def test_a_folder_named_as_a_tool_is_run_by_python_but_not_by_ours(tmp_path: Path) -> None:
    """Why every template says `python -I -m pip`: without `-I` the work tree comes first."""
    mine = tmp_path / "pip"
    mine.mkdir()
    (mine / "__init__.py").write_text("")
    (mine / "__main__.py").write_text("print('owned')")
    ran = [
        subprocess.run(
            [sys.executable, *flags, "-m", "pip", "--version"], cwd=tmp_path, capture_output=True,
            text=True, check=True,
        ).stdout
        for flags in ((), ("-I",))
    ]  # fmt: skip
    assert ran[0].strip() == "owned"
    assert ran[1].startswith("pip ")
    every = "\n".join((committed() | written()).values())
    starts = [line for line in every.split("\n") if " -m pip" in line or " -m venv" in line]
    assert len(starts) > 20
    assert [line for line in starts if " -I -m " not in line] == []


def hostile(mark: Path) -> dict[str, str | None]:
    """A change that brings, beside an edit, everything that somebody might start by mistake."""
    code = f"open({str(mark)!r}, 'a').write(__file__ + '\\n')\n"
    shell = f"#!/bin/sh\necho owned >> '{mark}'\n"
    python = (
        "pip/__init__.py", "pip/__main__.py", "venv/__init__.py", "venv/__main__.py",
        "llmops/__init__.py", "llmops/__main__.py", "json.py", "sitecustomize.py",
        "usercustomize.py", "conftest.py", "setup.py", "yaml/__init__.py", "pydantic/__init__.py",
    )  # fmt: skip
    scripts = (
        "Makefile.sh",
        ".envrc",
        ".husky/post-checkout",
        ".githooks/post-checkout",
        "llmops.sh",
    )
    return {
        **dict.fromkeys(python, code),
        **dict.fromkeys(scripts, shell),
        "Makefile": f"all:\n\techo owned >> '{mark}'\n",
        ".gitattributes": "* filter=own diff=own merge=own\n",
        ".gitconfig": f'[filter "own"]\n\tsmudge = sh -c "echo owned >> {mark}"\n',
        ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "echo owned"\n',
        ".npmrc": "script-shell=./llmops.sh\n",
        "pyproject.toml": "[build-system]\nrequires = []\nbuild-backend = 'setup'\n",
    }


@pytest.mark.parametrize("source", ["fork", pytest.param("branch", marks=pytest.mark.slow)])
def test_plan_and_gate_execute_nothing_of_a_change(tmp_path: Path, source: str) -> None:
    mark = tmp_path / "owned"
    scene = Scene.of(tmp_path)
    fork = scene.repo.fork("mallory") if source == "fork" else None
    changed = scene.edited(RECIPE, "seed: 42", "seed: 43") | hostile(mark)
    pull = scene.pull("nice", changed, by="mallory", source=fork)
    with scene.fake.serve():
        done = scene.actions.pull_request(pull, "opened", ends={"run": "cancelled"})
    assert done is not None
    assert done.jobs["plan"].conclusion == "success", done.jobs["plan"].log
    assert "gate" in done.jobs
    assert not mark.exists(), mark.read_text()
    assert done.conclusion == "failure"  # no evidence, no pass
