"""The examples of `--help`: every one is read, and those that need no training are run."""

from __future__ import annotations

import importlib
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from llmops.cli.main import COMMANDS, _parser
from tests.conftest import GitRepo

ROOT = Path(__file__).parents[2]


def modules() -> list[tuple[str, str]]:
    """Every command, and every action of one, with its module."""
    found = []
    for name, (_, module) in COMMANDS.items():
        found.append((name, module))
        inside = getattr(importlib.import_module(module), "SUBCOMMANDS", {})
        found += [(f"{name} {action}", inner) for action, (_, inner) in inside.items()]
    return found


def examples(module: str) -> list[str]:
    text = importlib.import_module(module).EXAMPLES.replace("\\\n", "")
    return [line.strip() for line in text.splitlines()]


ALL = [line for _, module in modules() for line in examples(module)]
# What is read only: it works for longer than a test may, or on files that are not there.
READ_ONLY = (
    "run", "demo", "import", "export", "policy drill --yes", "policy test", "prompt render",
    "prompt test", "init my-labels", "doctor", "gate --publish", "app --repos", "evidence pack",
    "evidence admit", "evidence pull --plan", "evidence push --remote", "gc --keep-days 7 --also",
    "log", "bundle", "verify",
    "keys init --owner ann --add", "keys rotate", "keys revoke", "keys sign",
)  # fmt: skip
# Whose answer is not 0 in a repository where nothing ran yet.
ONES = ("gate",)
# What is not there before anything ran.
NOT_THERE = ("show case",)


@pytest.mark.parametrize(("name", "module"), modules())
def test_there_are_two_examples_and_more_of_each(name: str, module: str) -> None:
    lines = examples(module)
    assert len(lines) >= 2
    assert len(set(lines)) == len(lines)
    assert all(line.startswith(f"llmops {name} ") or line == f"llmops {name}" for line in lines)


@pytest.mark.parametrize("line", dict.fromkeys(ALL))
def test_an_example_is_accepted_by_the_parser(line: str, monkeypatch) -> None:
    for name in list(os.environ):
        if name.startswith("LLMOPS_"):
            monkeypatch.delenv(name)
    words = shlex.split(line)[1:]
    assert _parser(words[0]).parse_args(words).command == words[0]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    """This project's own specs in a repository, with a branch that changes one of them."""
    repo = GitRepo(tmp_path_factory.mktemp("examples"))
    repo.git("init", "--quiet", "--initial-branch=main")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "specs", "policies", ".github"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, tracked.decode().split("\0")):
        place = repo.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place)
    repo.git("add", "--all")
    repo.git("commit", "--quiet", "--message", "main")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    recipe = "specs/recipes/support-lora.yaml"
    text = (repo.path / recipe).read_text("utf-8")
    repo.git("switch", "--quiet", "--create", "my-branch")
    repo.commit({recipe: text.replace("r: 8", "r: 16")})
    repo.git("switch", "--quiet", "main")
    return repo


@pytest.mark.parametrize(
    "line", [x for x in dict.fromkeys(ALL) if not x.removeprefix("llmops ").startswith(READ_ONLY)]
)
def test_an_example_does_what_it_says(
    llmops, bench: GitRepo, tmp_path: Path, monkeypatch, line: str
) -> None:
    place = tmp_path / "here"
    subprocess.run(
        ["git", "clone", "--quiet", "--shared", bench.path, place], check=True, capture_output=True
    )
    subprocess.run(
        ["git", "branch", "--quiet", "my-branch", "origin/my-branch"], cwd=place, check=True
    )
    (empty := tmp_path / "empty").mkdir()
    monkeypatch.chdir(empty if line.startswith("llmops init ") else place)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Test")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "test@example.invalid")
    words = line.removeprefix("llmops ")
    said = llmops(*shlex.split(words))
    assert said.code == (1 if words.startswith(ONES) else 2 if words.startswith(NOT_THERE) else 0)
