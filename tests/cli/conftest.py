"""The command line as a user has it: arguments in; exit code, standard output and error out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmops.cli.main import main
from llmops.executors.local import LocalExecutor
from llmops.executors.run import EXECUTORS
from tests.conftest import GitRepo
from tests.scenarios.story import HERE, Scenario

GOOD = Scenario(HERE / "good")


@dataclass(frozen=True)
class Said:
    """What a command did. It never shows a traceback."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine reaches the commands; jobs are done by made-up workers."""
    monkeypatch.setenv("LLMOPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))  # nobody's own key
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("LLMOPS_OFFLINE", "1")  # so that what `--offline` sets is undone
    monkeypatch.delenv("LLMOPS_OFFLINE")
    monkeypatch.setenv("COLUMNS", "100")
    worker = (sys.executable, "-I", "-S", str(HERE / "worker.py"), str(GOOD.path / "world.json"))
    monkeypatch.setitem(EXECUTORS, "local", lambda: LocalExecutor(worker))  # type: ignore[arg-type]


@pytest.fixture
def llmops(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """`llmops("plan", "-C", path)`: one command line, in this process."""

    def run(*words: str | Path) -> Said:
        capfd.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as ended:  # argparse: --help, --version, wrong usage
            code = ended.code if isinstance(ended.code, int) else 1
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return Said(code, out, err)

    return run


@pytest.fixture
def bank(git_repo: Callable[..., GitRepo]) -> GitRepo:
    """A repository with a good change on branch `change`; the work tree is at main."""
    repo = git_repo(GOOD.files("base"))
    repo.git("switch", "--quiet", "--create", "change")
    repo.commit(GOOD.files("head"))
    repo.git("switch", "--quiet", "main")
    return repo
