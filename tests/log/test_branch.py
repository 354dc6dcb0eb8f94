"""The log on its branch: who appends, who was faster, and what is no log any more."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from llmops import merkle
from llmops.errors import GitError, LogError
from llmops.log.base import BRANCH, Known
from llmops.log.branch import SEEN, Appended, Log
from llmops.log.checkpoint import decode
from llmops.signing.base import Signer
from tests.conftest import GitRepo
from tests.log.conftest import PEN, adding, envelope, log_of

REF = f"refs/heads/{BRANCH}"


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo({"a.txt": "a"})


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A bare repository that clones share."""
    path = tmp_path / "there.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


def append(log: Log, *words: object, blobs: Sequence[bytes] = (), pen: Signer = PEN) -> Appended:
    return log.append(adding(*words), blobs, pen, pause=lambda _: None)


def entries(log: Log) -> list[bytes]:
    return list(log.source().entries())


def test_an_append_makes_one_commit_with_entries_blobs_and_a_checkpoint(repo: GitRepo) -> None:
    log = log_of(repo.path)
    made = append(log, "one", "two", blobs=[b"rows"])
    assert (made.first, made.size, made.tries) == (0, 2, 1)
    assert entries(log) == [envelope("one"), envelope("two")]
    assert made.root == merkle.root(map(merkle.leaf, entries(log)))
    source = log.source()
    assert source.checkpoint() == made.note
    assert decode(made.note).size == 2
    assert [source.blob(digest) for digest in source.digests] == [b"rows"]
    assert source.strange == ()
    assert repo.git("rev-list", "--count", BRANCH) == "1"
    assert repo.git("status", "--porcelain") == ""


def test_the_next_append_stands_on_the_first_and_nothing_is_put_twice(repo: GitRepo) -> None:
    log = log_of(repo.path)
    first = append(log, "one", blobs=[b"rows"])
    again = append(log, "one", blobs=[b"rows"])
    assert (again.first, again.size, again.commit) == (1, 1, first.commit)
    assert again.note == first.note
    assert append(log, "one", "two", blobs=[b"rows", b"more"]).size == 2
    assert len(log.source().digests) == 2


def test_where_there_is_no_log_there_is_nothing_to_read(repo: GitRepo) -> None:
    source = log_of(repo.path).source()
    assert (source.checkpoint(), list(source.entries()), source.blob("sha256:ab")) == (
        None, [], None,
    )  # fmt: skip
    assert append(log_of(repo.path)).commit is None
    assert repo.git("branch", "--list", BRANCH) == ""


def test_who_was_slower_is_asked_again_with_what_the_other_wrote(repo: GitRepo) -> None:
    log, other = log_of(repo.path), log_of(repo.path)
    asked: list[int] = []

    def build(known: Known) -> Sequence[bytes]:
        asked.append(known.size)
        if len(asked) == 1:
            append(other, "faster")
        return [envelope("slower")]

    made = log.append(build, (), PEN, pause=lambda _: None)
    assert (asked, made.first, made.tries) == ([0, 1], 1, 2)
    assert entries(log) == [envelope("faster"), envelope("slower")]


def test_a_log_that_is_shared_follows_the_remote(
    repo: GitRepo, there: Path, git_repo: Callable[..., GitRepo]
) -> None:
    other = git_repo({"a.txt": "b"}, name="other")
    mine, theirs = log_of(repo.path, there), log_of(other.path, there)
    append(mine, "one")
    append(theirs, "two")
    assert append(mine, "three").size == 3
    assert entries(mine) == [envelope(word) for word in ("one", "two", "three")]
    assert repo.git("rev-parse", BRANCH) == mine.source().tree.commit  # type: ignore[union-attr]
    assert repo.git("for-each-ref", "--format=%(refname)", "refs/llmops/").startswith(SEEN)
    assert len(repo.git("for-each-ref", "refs/llmops/").splitlines()) == 1


def test_always_somebody_faster_ends_in_words(
    repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmops.log.branch._TRIES", 3)
    log, other = log_of(repo.path), log_of(repo.path)

    def build(known: Known) -> Sequence[bytes]:
        append(other, f"faster {known.size}")
        return [envelope("slower")]

    with pytest.raises(GitError, match="somebody was faster 3 times"):
        log.append(build, (), PEN, pause=lambda _: None)
    assert len(entries(log)) == 3


def test_a_branch_that_was_rewound_is_told_and_left_alone(repo: GitRepo) -> None:
    log = log_of(repo.path)
    first = append(log, "one")
    append(log, "two")
    repo.git("update-ref", REF, first.commit or "")
    with pytest.raises(LogError, match=r"was rewound: 2 entries .* now it has 1 entry"):
        append(log, "three")
    assert repo.git("rev-parse", BRANCH) == first.commit


def test_the_lock_of_a_git_that_was_killed_is_named(repo: GitRepo) -> None:
    log = log_of(repo.path)
    append(log, "one")
    lock = repo.path / ".git" / "refs" / "heads" / f"{BRANCH}.lock"
    lock.touch()
    os.utime(lock, (1, 1))
    with pytest.raises(GitError, match="refs/heads/llmops-log is locked, and by nobody") as caught:
        append(log, "two")
    assert f"remove {lock}, then try again" in caught.value.hint
    lock.unlink()
    assert append(log, "two").size == 2
