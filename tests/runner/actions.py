"""The actions that our workflows use, by their full commit: what each does to a machine.

Emulated after their documentation: https://github.com/actions (checkout, setup-python,
upload-artifact, download-artifact). An input that is not known here is refused.
"""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ruamel.yaml import YAML

from tests.github.repository import FakeRepository
from tests.github.runs import FakeRun
from tests.runner.expressions import Closed, Unknown
from tests.runner.machine import Machine

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
SETUP_PYTHON = "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97"
UPLOAD = "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f"
COMPOSITE = "$/.github/actions/llmops"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"
Given = Mapping[str, str]
Hand = Callable[[Machine, Given], bool]


def hands(
    repo: FakeRepository, run: FakeRun, sha: str, ref: str, *, writes: bool
) -> dict[str, Hand]:
    """The table of a job. `writes`: whether its token may push to the repository."""

    def checkout(machine: Machine, given: Given) -> bool:
        _known(given, {"ref", "fetch-depth", "persist-credentials"})
        if given.get("persist-credentials") != "false":
            raise Unknown("a checkout that keeps its token is not known here")
        _git(machine, "init", "--quiet", "--initial-branch=main")
        _git(machine, "remote", "add", "origin", str(repo.path))
        if not writes:
            _git(machine, "remote", "set-url", "--push", "origin", str(_refusing(machine, repo)))
        here, name = given.get("ref") or sha, given.get("ref") or ref
        refs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
        every = given.get("fetch-depth") == "0"
        depth = [] if every else ["--depth=1"]
        wanted = [*(refs if every else []), _own(here, name)]
        if every and name.startswith("refs/heads/"):
            wanted = refs  # it is one of them
        _git(machine, "fetch", "--quiet", "--no-tags", *depth, "origin", *wanted)
        if name.startswith("refs/heads/"):
            branch = name.removeprefix("refs/heads/")
            _git(machine, "checkout", "--quiet", "--force", "-B", branch, here)
        else:
            _git(machine, "checkout", "--quiet", "--force", "--detach", here)
        return True

    def setup_python(machine: Machine, given: Given) -> bool:
        _known(given, {"python-version"})
        assert given["python-version"] == "3.11"
        machine.give_python()
        return True

    def upload(machine: Machine, given: Given) -> bool:
        _known(given, {"name", "path", "overwrite", "if-no-files-found"})
        files = _files(machine.workspace / given["path"])
        if not files:
            return given.get("if-no-files-found", "warn") != "error"
        same = [one for one in run.artifacts if one.name == given["name"]]
        if same and given.get("overwrite") != "true":
            machine.say(f"an artifact named {given['name']} is there already")
            return False
        for one in same:
            run.artifacts.remove(one)
        run.upload(given["name"], files)
        return True

    def download(machine: Machine, given: Given) -> bool:
        _known(given, {"name"})
        found = [one for one in run.artifacts if one.name == given["name"] and not one.expired]
        if not found:
            machine.say(f"no artifact is named {given['name']}")
            return False
        with zipfile.ZipFile(io.BytesIO(found[-1].content)) as archive:
            archive.extractall(machine.workspace)
        return True

    table = {CHECKOUT: checkout, SETUP_PYTHON: setup_python, UPLOAD: upload, DOWNLOAD: download}
    return table | {COMPOSITE: composite(repo, sha)}


def composite(repo: FakeRepository, sha: str) -> Hand:
    """Our own action: its steps, with its inputs, as it stands at the workflow's commit."""

    def steps(machine: Machine, given: Given) -> bool:
        path = f"{COMPOSITE.removeprefix('$/')}/action.yml"
        action = YAML(typ="safe").load(repo.git.run("show", f"{sha}:{path}"))
        if set(action) != {"name", "description", "inputs", "runs"}:
            raise Unknown(f"{path} has a part that is not known here")
        _known(given, set(action["inputs"]))
        assert action["runs"]["using"] == "composite"
        inputs = {name: about.get("default", "") for name, about in action["inputs"].items()}
        return machine.within({"inputs": Closed(inputs | dict(given))}, action["runs"]["steps"])

    return steps


def _refusing(machine: Machine, repo: FakeRepository) -> Path:
    """What answers a push with a token that only reads, in GitHub's words."""
    folder = machine.folder / "refusing.git"
    _git(machine, "init", "--quiet", "--bare", str(folder))
    said = f"Permission to {repo.full_name}.git denied to github-actions[bot]."
    hook = folder / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    return folder


def _known(given: Given, names: set[str]) -> None:
    more = set(given) - names
    if more:
        raise Unknown(f"the input {', '.join(sorted(more))} of an action is not known here")


def _own(commit: str, name: str) -> str:
    where = name.removeprefix("refs/").removeprefix("heads/") if name != commit else "asked"
    return f"+{commit}:refs/remotes/{'origin' if name.startswith('refs/heads/') else 'at'}/{where}"


def _files(path: Path) -> dict[str, bytes]:
    """What is below a folder, or one file; files whose name begins with a dot are left out."""
    if path.is_file():
        return {path.name: path.read_bytes()}
    found = (one for one in sorted(path.rglob("*")) if one.is_file() and not one.is_symlink())
    named = ((one.relative_to(path), one) for one in found)
    return {
        name.as_posix(): one.read_bytes()
        for name, one in named
        if not any(part.startswith(".") for part in name.parts)
    }


def _git(machine: Machine, *words: str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *words], cwd=machine.workspace, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr.decode()}"
