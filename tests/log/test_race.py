"""Many writers at once: processes of their own, real git, one log without a gap or a double."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops import merkle
from llmops.log.base import Source
from llmops.log.checkpoint import by_one_of
from tests.conftest import GitRepo
from tests.log.conftest import PEN, envelope, log_of

ROOT = Path(__file__).parents[2]
# Arguments: folder, the remote's ("" for none), the writer's name, how many appends.
WRITER = """
import sys
from pathlib import Path
from tests.log.conftest import PEN, adding, log_of
folder, there, name, many = sys.argv[1:]
log = log_of(Path(folder), Path(there) if there else None)
for number in range(int(many)):
    word = f"{name}-{number}"
    made = log.append(adding(word), [word.encode()], PEN)
    assert made.size == made.first + 1, made
    print(made.tries)
"""


def written(repos: list[Path], there: Path | None, writers: int, appends: int) -> list[int]:
    """Writers in processes of their own, one repository after another; the tries of each append."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(repos[n % len(repos)]), str(there or ""), f"w{n}",
             str(appends)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for n in range(writers)
    ]  # fmt: skip
    tries: list[int] = []
    for process in started:
        out, said = process.communicate(timeout=1500)
        assert process.returncode == 0, said.decode()
        tries += map(int, out.split())
    return tries


def whole(source: Source, writers: int, appends: int) -> None:
    """Every entry of every writer once, each writer's in its order, under one signed root."""
    entries = list(source.entries())
    wanted = [envelope(f"w{n}-{at}") for n in range(writers) for at in range(appends)]
    assert sorted(entries) == sorted(wanted)
    place = {data: number for number, data in enumerate(entries)}
    for n in range(writers):
        own = [place[envelope(f"w{n}-{at}")] for at in range(appends)]
        assert own == sorted(own)
    said = by_one_of(source.checkpoint() or b"", [PEN.public])
    assert (said.size, said.root) == (len(entries), merkle.root(map(merkle.leaf, entries)))


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    path = tmp_path / "there.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


def test_three_writers_in_one_repository_leave_no_gap(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo({"a.txt": "a"}).path
    written([repo], None, 3, 3)
    whole(log_of(repo).source(), 3, 3)


def test_two_clones_that_share_a_log_leave_no_gap(
    git_repo: Callable[..., GitRepo], shared: Path
) -> None:
    repos = [git_repo({"a.txt": "a"}, name=f"r{n}").path for n in range(2)]
    written(repos, shared, 2, 2)
    whole(log_of(repos[0], shared).source(), 2, 2)


@pytest.mark.slow
def test_twenty_writers_with_fifty_appends_each_make_a_thousand_entries(
    git_repo: Callable[..., GitRepo], shared: Path
) -> None:
    repos = [git_repo({"a.txt": "a"}, name=f"r{n}").path for n in range(20)]
    tries = written(repos, shared, 20, 50)
    whole(log_of(repos[0], shared).source(), 20, 50)
    print(f"most tries {max(tries)}, all tries {sum(tries)}")


@pytest.mark.slow
def test_twenty_writers_in_one_repository_make_a_thousand_entries(
    git_repo: Callable[..., GitRepo],
) -> None:
    repo = git_repo({"a.txt": "a"}).path
    tries = written([repo], None, 20, 50)
    whole(log_of(repo).source(), 20, 50)
    print(f"most tries {max(tries)}, all tries {sum(tries)}")


@pytest.mark.slow
def test_ten_clones_with_two_writers_each_leave_no_gap(
    git_repo: Callable[..., GitRepo], shared: Path
) -> None:
    """Processes of one clone fetch, push and move its refs at the same time."""
    repos = [git_repo({"a.txt": "a"}, name=f"r{n}").path for n in range(10)]
    written(repos, shared, 20, 10)
    whole(log_of(repos[0], shared).source(), 20, 10)
