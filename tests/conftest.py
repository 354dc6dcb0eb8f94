"""What all rooms' tests share: golden files and real git repositories in temporary folders."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

# No key of whoever runs the tests signs anything in them.
os.environ["XDG_CONFIG_HOME"] = f"{os.devnull}/config"
for _name in ("LLMOPS_KEY", "LLMOPS_SIGNING_KEY"):
    os.environ.pop(_name, None)

GOLDEN = Path(__file__).parent / "golden"

settings.register_profile("llmops", deadline=None, derandomize=True, database=None)
settings.load_profile("llmops")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the golden files with what the tests produce now; review them like code",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that train come first: a worker of the suite takes whole files, small ones last.

    Groups of xdist would be finer, but 3.8 marks them by an attribute that the items of pytest 9.2
    no longer have, and ignores them.
    """
    items.sort(key=lambda item: not item.path.is_relative_to(GOLDEN.parent / "workers"))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str | Path, str], None]:
    """`golden(path, text)` compares with a file (relative to tests/golden), or rewrites it."""
    update = request.config.getoption("--update-golden")

    def compare(path: str | Path, text: str) -> None:
        file = GOLDEN / path
        if update:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="")
            return
        assert file.exists(), f"{file} is missing: run pytest --update-golden and review it"
        expected = file.read_bytes().decode("utf-8")
        assert text == expected, f"differs from {file}; if meant: pytest --update-golden"

    return compare


Files = Mapping[str, str | bytes | None]


@dataclass(frozen=True)
class GitRepo:
    """A real repository with an identity and a history of its own, blind to the user's settings."""

    path: Path

    def git(self, *arguments: str) -> str:
        """Run git here; what it printed, without the last line break."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        for role in ("AUTHOR", "COMMITTER"):
            environment |= {
                f"GIT_{role}_NAME": "Test",
                f"GIT_{role}_EMAIL": "test@example.invalid",
                f"GIT_{role}_DATE": "2026-11-22T08:00:00Z",
            }
        command = ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"]
        done = subprocess.run(
            [*command, *arguments], cwd=self.path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.removesuffix("\n")

    def write(self, files: Files) -> None:
        """Write files into the work tree; None deletes one."""
        for name, content in files.items():
            file = self.path / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files, message: str = "change") -> str:
        """Write files, commit all that is there, and give the commit's id."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def git_repo(tmp_path: Path) -> Callable[..., GitRepo]:
    """`git_repo(files, name="repo")`: a new repository on branch main; files, if any, committed."""

    def make(files: Files | None = None, name: str = "repo") -> GitRepo:
        repo = GitRepo(tmp_path / name)
        repo.path.mkdir(parents=True)
        repo.git("init", "--quiet")
        if files is not None:
            repo.commit(files, "first")
        return repo

    return make


@pytest.fixture(autouse=True)
def _as_github_describes_it(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test asks of the fake GitHub is held against GitHub's own description.

    Where that was downloaded (see `tests/github/openapi.py`). A test that sends what is wrong on
    purpose says so by `fake.undescribed = True`.
    """
    yield
    server = sys.modules.get("tests.github.server")
    for fake in list(server.FakeGitHub.alive) if server else ():
        if not fake.undescribed:
            fake.assert_described()
