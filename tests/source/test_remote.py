from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmops.errors import GitError, UsageError
from llmops.source.commits import Who
from llmops.source.remote import Remote, clone
from llmops.source.tree import Repository
from tests.conftest import GitRepo
from tests.source.git_server import GitServer, basic, serving

Make = Callable[..., GitRepo]
WHO = Who("llmops", "llmops@example.invalid", 1_790_000_000)
TOKEN = "ghs_canary0123456789"


@pytest.fixture
def there(git_repo: Make) -> GitRepo:
    """The other repository: bare, one commit on main."""
    work = git_repo({"a.yaml": "1"}, name="seed")
    bare = GitRepo(work.path.parent / "served" / "there.git")
    bare.path.parent.mkdir()
    work.git("clone", "--quiet", "--bare", str(work.path), str(bare.path))
    return bare


@pytest.fixture
def here(git_repo: Make, there: GitRepo) -> Repository:
    repo = git_repo({"b.yaml": "2"}, name="here")
    repo.git("remote", "add", "origin", str(there.path))
    return Repository.find(repo.path)


@pytest.fixture
def server(there: GitRepo) -> Iterator[GitServer]:
    with serving(GitServer(there.path.parent)) as found:
        yield found


def test_a_branch_is_pushed_and_fetched_by_another(
    here: Repository, there: GitRepo, git_repo: Make
) -> None:
    remote = Remote(here)
    assert remote.tip("evidence") is None
    first = here.commit_files(None, {"e/1.json": b"{}"}, "first", WHO)
    assert remote.push(first, "evidence")
    assert remote.tip("evidence") == first == there.git("rev-parse", "evidence")
    other = Repository.find(git_repo({"c": "3"}, name="other").path)
    Remote(other, str(there.path)).fetch("refs/heads/evidence:refs/llmops/evidence")
    assert other.tree("refs/llmops/evidence").read("e/1.json") == b"{}"


def test_of_two_writers_on_one_tip_the_slower_is_told(here: Repository, there: GitRepo) -> None:
    remote = Remote(here)
    root = here.commit_files(None, {"1": b"1"}, "root", WHO)
    assert remote.push(root, "evidence")
    ours = here.commit_files(root, {"ours": b""}, "ours", WHO)
    theirs = here.commit_files(root, {"theirs": b""}, "theirs", WHO)
    assert remote.push(theirs, "evidence")
    assert not remote.push(ours, "evidence")
    assert there.git("rev-parse", "evidence") == theirs
    stranger = here.commit_files(None, {"2": b"2"}, "another root", WHO)
    assert not remote.push(stranger, "evidence"), "a branch that somebody just made is not replaced"


def test_of_many_writers_at_once_one_wins_and_none_fails(here: Repository) -> None:
    remote = Remote(here)
    roots = [here.commit_files(None, {f"{n}": b""}, "root", WHO) for n in range(6)]
    won: list[bool] = []
    threads = [
        threading.Thread(target=lambda one=one: won.append(remote.push(one, "evidence")))
        for one in roots
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True]


def test_a_branch_that_is_not_there_is_told_by_its_name(here: Repository, there: GitRepo) -> None:
    with pytest.raises(GitError, match=r"it has no such branch .*refs/heads/gone"):
        Remote(here).fetch("refs/heads/gone:refs/x")


def test_what_is_no_repository_and_what_no_remote_are_told(
    here: Repository, tmp_path: Path
) -> None:
    with pytest.raises(GitError, match="no repository is there"):
        Remote(here, str(tmp_path)).tip("main")
    with pytest.raises(GitError, match='no remote is called "upstream"'):
        Remote(here, "upstream").tip("main")


def test_protocols_that_run_or_trust_anything_are_refused(here: Repository, tmp_path: Path) -> None:
    for url in ("git://example.invalid/x", "http://example.invalid/x", "ftp://example.invalid/x"):
        with pytest.raises(GitError, match="is not reached over"):
            Remote(here, url).tip("main")
    with pytest.raises(GitError):
        Remote(here, f"ext::touch {tmp_path}/ran").tip("main")
    with pytest.raises(GitError):
        Remote(here, f"--upload-pack=touch {tmp_path}/ran").tip("main")
    assert not (tmp_path / "ran").exists()


def test_hooks_of_the_repository_do_not_run(here: Repository, tmp_path: Path) -> None:
    hook = here.root / ".git" / "hooks" / "pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    hook.chmod(0o755)
    assert Remote(here).push(here.commit_files(None, {"1": b""}, "x", WHO), "evidence")
    assert not (tmp_path / "ran").exists()


def test_a_server_whose_rules_refuse_is_not_somebody_faster(
    here: Repository, there: GitRepo
) -> None:
    hook = there.path / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitError, match="its rules refuse the push") as caught:
        Remote(here).push(here.commit_files(None, {"1": b""}, "x", WHO), "evidence")
    assert "let this writer past the rules" in caught.value.hint


def test_the_token_goes_to_its_host_in_a_header_and_nowhere_else(
    here: Repository, server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = TOKEN
    seen = tmp_path / "argv"
    _spy(tmp_path / "bin", seen)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    remote = Remote(here, f"{server.url}/there.git", TOKEN)
    assert remote.push(here.commit_files(None, {"1": b""}, "x", WHO), "evidence")
    assert remote.tip("evidence")
    folder = tmp_path / "clone"
    clone(f"{server.url}/there.git", folder, TOKEN)
    assert basic(TOKEN) in {given for _, given in server.seen}
    hidden = (TOKEN, basic(TOKEN)[6:])
    argv = seen.read_text()
    files = [one.read_bytes() for top in (folder, here.root) for one in top.rglob("*")
             if one.is_file()]  # fmt: skip
    for word in hidden:
        assert word not in argv
        assert word not in repr(remote)
        assert not any(word.encode() in data for data in files)


def _spy(folder: Path, seen: Path) -> None:
    """A `git` that writes down its arguments and then is git."""
    import shutil

    folder.mkdir()
    real = shutil.which("git")
    (folder / "git").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> "{seen}"\nexec {real} "$@"\n')
    (folder / "git").chmod(0o755)


def test_without_a_token_a_server_that_asks_is_told_and_nobody_is_prompted(
    here: Repository, server: GitServer
) -> None:
    server.token = TOKEN
    with pytest.raises(GitError, match="it asks who you are") as caught:
        Remote(here, f"{server.url}/there.git").tip("main")
    assert "GITHUB_TOKEN" in caught.value.hint


def test_a_wrong_token_and_one_that_may_only_read_are_told_apart(
    here: Repository, server: GitServer
) -> None:
    server.token, server.readers = TOKEN, frozenset({"reader"})
    with pytest.raises(GitError, match="it does not know the token") as caught:
        Remote(here, f"{server.url}/there.git", "wrong-one").tip("main")
    assert "wrong-one" not in str(caught.value) + caught.value.hint
    reader = Remote(here, f"{server.url}/there.git", "reader")
    assert reader.tip("main")
    with pytest.raises(GitError, match="it does not allow that") as caught:
        reader.push(here.commit_files(None, {"1": b""}, "x", WHO), "evidence")
    assert "contents: write" in caught.value.hint


def test_a_token_does_not_follow_a_redirect(
    here: Repository, server: GitServer, there: GitRepo
) -> None:
    with serving(GitServer(there.path.parent, status=301, location=server.url)) as moved:
        with pytest.raises(GitError, match="it has moved"):
            Remote(here, f"{moved.url}/there.git", TOKEN).tip("main")
        assert server.seen == []


def test_a_server_that_is_away_is_told(here: Repository, server: GitServer) -> None:
    with pytest.raises(GitError, match="it cannot be reached"):
        Remote(here, "http://127.0.0.1:9/there.git", TOKEN).tip("main")
    server.status = 503
    with pytest.raises(GitError, match="it cannot be reached"):
        Remote(here, f"{server.url}/there.git").tip("main")


def test_a_clone_has_all_branches_and_nothing_checked_out(there: GitRepo, tmp_path: Path) -> None:
    there.git("branch", "second", "main")
    made = clone(str(there.path), tmp_path / "clone")
    assert sorted(one.name for one in made.root.iterdir()) == [".git"]
    assert made.tree("origin/main").read("a.yaml") == b"1"
    assert made.commit("origin/second") == there.git("rev-parse", "main")


def test_a_password_in_an_address_is_neither_kept_nor_shown(
    here: Repository, tmp_path: Path
) -> None:
    url = f"https://user:{TOKEN}@127.0.0.1:9/x.git"
    with pytest.raises(UsageError, match="has a password in it") as caught:
        clone(url, tmp_path / "clone")
    assert TOKEN not in str(caught.value)
    with pytest.raises(GitError) as refused:
        Remote(here, url).tip("main")
    assert TOKEN not in str(refused.value)
    assert Remote(here, url).address == "https://127.0.0.1:9/x.git"


@pytest.mark.parametrize("name", ["", "-d", "a..b", "a b", "x.lock", "a//b", "/a", "a/", "a@{1}"])
def test_what_cannot_be_a_branch_is_refused(here: Repository, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a branch"):
        Remote(here).tip(name)


def test_many_files_are_one_commit_and_the_work_tree_stays(here: Repository) -> None:
    before = subprocess.run(
        ["git", "for-each-ref"], cwd=here.root, capture_output=True, check=True
    ).stdout
    files = {f"evidence/{n % 256:02x}/{n}.json": f"{n}".encode() for n in range(2000)}
    made = here.commit_files(None, files, "many", WHO)
    assert made == here.commit_files(None, files, "many", WHO), "the same values, the same commit"
    assert here.tree(made).read_many(files) == files
    more = here.commit_files(made, {"evidence/00/0.json": None, 'q"ü 数.txt': b"\0"}, "on", WHO)
    assert set(here.tree(more).blobs()) == {*files, 'q"ü 数.txt'} - {"evidence/00/0.json"}
    assert here.changed(made, more) == ('q"ü 数.txt',)
    assert len(here.changed(None, made)) == 2000
    after = subprocess.run(
        ["git", "for-each-ref"], cwd=here.root, capture_output=True, check=True
    ).stdout
    assert after == before
    assert not here.work_tree().dirty


@pytest.mark.parametrize(
    "path",
    ["../x", "/x", "a//b", ".git/config", "a/.GIT/x", "git~1", "a\nb", "a\\b", "c:x", "", "a/"],
)
def test_a_path_that_git_would_not_check_out_is_refused(here: Repository, path: str) -> None:
    with pytest.raises(UsageError, match="cannot be the path of a file"):
        here.commit_files(None, {path: b""}, "x", WHO)
