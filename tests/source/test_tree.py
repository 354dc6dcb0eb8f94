from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import of_bytes
from llmops.errors import GitError, UsageError
from llmops.source.tree import Repository

Make = Callable[..., Any]

AWKWARD = {
    "specs/数据/客服 对话.yaml": "a: 1\n",
    "specs/with space.yaml": "b: 2\n",
    "specs/with\nnewline.yaml": "c: 3\n",
    'specs/with "quote" and \\.yaml': "d: 4\n",
    "specs/tab\there.yaml": "e: 5\n",
    "empty.yaml": "",
    "binary.bin": b"\x00\xff\n\n100644 blob\x00",
}


def test_a_revision_gives_the_bytes_that_were_committed(git_repo: Make) -> None:
    repo = git_repo(AWKWARD)
    tree = Repository.find(repo.path).tree("main")
    expected = {k: v.encode() if isinstance(v, str) else v for k, v in AWKWARD.items()}
    assert tree.read_many(tree.blobs()) == expected
    assert tree.digests(tree.blobs()) == {path: of_bytes(data) for path, data in expected.items()}
    assert all(blob.size == len(expected[path]) for path, blob in tree.blobs().items())
    assert tree.oid == repo.git("rev-parse", "main^{tree}")
    assert tree.commit == repo.git("rev-parse", "main")
    assert tree.label == repo.git("rev-parse", "main")[:7]
    assert not tree.dirty


def test_the_repository_is_found_from_a_folder_below(git_repo: Make) -> None:
    repo = git_repo(AWKWARD)
    assert Repository.find(repo.path / "specs" / "数据").root == repo.path.resolve()


def test_a_tree_is_read_as_it_was_though_the_disk_has_changed(git_repo: Make) -> None:
    repo = git_repo({"a.yaml": "old"})
    tree = Repository.find(repo.path).tree("HEAD")
    repo.commit({"a.yaml": "new"})
    assert tree.read("a.yaml") == b"old"


def test_an_unknown_path_is_a_key_error(git_repo: Make) -> None:
    tree = Repository.find(git_repo({"a": "1"}).path).tree("HEAD")
    with pytest.raises(KeyError):
        tree.read("b")
    assert tree.read_many([]) == {}


def test_symlinks_submodules_and_names_that_are_not_utf8_are_refused(git_repo: Make) -> None:
    inner = git_repo({"x": "1"}, name="inner")
    repo = git_repo({"a.yaml": "1", "b.sh": "2"})
    (repo.path / "link.yaml").symlink_to("/etc/passwd")
    (repo.path / "b.sh").chmod(0o755)
    (repo.path / os.fsdecode(b"caf\xe9.yaml")).write_text("x")
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    repo.commit({})
    repository = Repository.find(repo.path)
    for tree in (repository.tree("HEAD"), repository.work_tree()):
        assert set(tree.blobs()) == {".gitmodules", "a.yaml", "b.sh"}
        assert tree.blobs()["b.sh"].mode == "100755"
        refused = {blob.path: blob.mode for blob in tree.refused()}
        expected = {"link.yaml": "120000", "sub": "160000", os.fsdecode(b"caf\xe9.yaml"): "100644"}
        assert refused == expected
        assert tree.subtree("sub") is None


def test_a_clean_work_tree_is_the_tree_of_head(git_repo: Make) -> None:
    repository = Repository.find(git_repo(AWKWARD).path)
    work = repository.work_tree()
    assert work == repository.tree("HEAD")
    assert not work.dirty


def test_the_work_tree_has_what_is_changed_deleted_new_but_not_ignored(git_repo: Make) -> None:
    repo = git_repo({"same": "1", "changed": "2", "gone": "3", ".gitignore": "*.log\n"})
    repo.write({"changed": "two", "gone": None, "new/客 服.yaml": "4", "x.log": "5"})
    work = Repository.find(repo.path / "new").work_tree()
    assert work.dirty
    assert work.label == "work tree"
    assert work.commit is None
    assert {path: work.read(path) for path in work.blobs()} == {
        ".gitignore": b"*.log\n",
        "same": b"1",
        "changed": b"two",
        "new/客 服.yaml": b"4",
    }
    assert repo.git("cat-file", "-t", work.oid) == "tree"


def test_the_work_tree_gets_the_id_that_a_commit_of_it_would_get(git_repo: Make) -> None:
    repo = git_repo({"a": "1"})
    repo.git("config", "core.autocrlf", "input")
    repo.write({"a": "one\r\ntwo\r\n", "b/c": "3"})
    work = Repository.find(repo.path).work_tree()
    repo.commit({})
    assert work.oid == repo.git("rev-parse", "HEAD^{tree}")


def test_the_users_index_is_never_touched(git_repo: Make) -> None:
    repo = git_repo({"a": "1", "b": "2"})
    repo.write({"a": "staged"})
    repo.git("add", "a")
    repo.write({"a": "not staged", "c": "new"})
    index = repo.path / ".git" / "index"
    before = index.read_bytes(), index.stat().st_mtime_ns, sorted(os.listdir(repo.path / ".git"))
    work = Repository.find(repo.path).work_tree()
    assert work.read("a") == b"not staged"
    after = index.read_bytes(), index.stat().st_mtime_ns, sorted(os.listdir(repo.path / ".git"))
    assert after == before
    assert repo.git("diff", "--cached", "--name-only") == "a"


def test_a_staged_file_that_was_deleted_is_not_in_the_work_tree(git_repo: Make) -> None:
    repo = git_repo({"a": "1"})
    repo.write({"b": "2"})
    repo.git("add", "b")
    repo.write({"b": None})
    assert set(Repository.find(repo.path).work_tree().blobs()) == {"a"}


def test_a_folder_in_place_of_a_file_is_taken(git_repo: Make) -> None:
    repo = git_repo({"a": "1", "d/x": "2"})
    repo.write({"a": None, "d/x": None})
    (repo.path / "d").rmdir()
    repo.write({"a/b": "3", "d": "4"})
    tree = Repository.find(repo.path).work_tree()
    assert {path: tree.read(path) for path in tree.blobs()} == {"a/b": b"3", "d": b"4"}


def test_a_repository_without_commits_has_a_work_tree_and_an_empty_base(git_repo: Make) -> None:
    repo = git_repo()
    repo.write({"a.yaml": "1"})
    repository = Repository.find(repo.path)
    assert repository.commit("HEAD") is None
    assert repository.work_tree().read("a.yaml") == b"1"
    assert repository.work_tree().dirty
    assert repository.empty().blobs() == {}
    with pytest.raises(UsageError, match='no commit is named "HEAD"'):
        repository.tree("HEAD")


def test_a_merge_that_stopped_in_a_conflict_still_gives_a_work_tree(git_repo: Make) -> None:
    repo = _diverged(git_repo, "ours\n", "theirs\n")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    merge = ["git", "-c", "user.name=n", "-c", "user.email=e", "merge", "side"]
    assert subprocess.run(merge, cwd=repo.path, env=environment, capture_output=True).returncode
    assert b"<<<<<<<" in Repository.find(repo.path).work_tree().read("a")


def test_detached_head_and_linked_worktree_work(git_repo: Make, tmp_path: Path) -> None:
    repo = git_repo({"a": "1"})
    first = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "2"})
    repo.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), first)
    (tmp_path / "linked" / "b").write_text("3")
    linked = Repository.find(tmp_path / "linked")
    assert linked.root == (tmp_path / "linked").resolve()
    assert linked.commit("HEAD") == first
    work = linked.work_tree()
    assert (work.read("a"), work.read("b")) == (b"1", b"3")
    assert not Repository.find(repo.path).work_tree().dirty


def test_a_shallow_clone_says_so_and_hints_at_it(git_repo: Make, tmp_path: Path) -> None:
    repo = git_repo({"a": "1"})
    first = repo.git("rev-parse", "HEAD")
    repo.commit({"a": "2"})
    repo.git("clone", "--quiet", "--depth=1", f"file://{repo.path}", str(tmp_path / "clone"))
    clone = Repository.find(tmp_path / "clone")
    assert clone.is_shallow()
    assert not Repository.find(repo.path).is_shallow()
    assert clone.tree("HEAD").read("a") == b"2"
    with pytest.raises(UsageError) as caught:
        clone.tree(first)
    assert "--unshallow" in caught.value.hint


def test_a_merge_has_both_sides(git_repo: Make) -> None:
    repo = git_repo({"a": "1\n", "b": "1\n"})
    repo.git("branch", "side")
    repo.commit({"a": "2\n"})
    repo.git("checkout", "--quiet", "side")
    repo.commit({"b": "2\n"})
    repository = Repository.find(repo.path)
    merged = repository.merged("main", "side")
    assert (merged.read("a"), merged.read("b")) == (b"2\n", b"2\n")
    assert merged.commit is None
    assert not merged.dirty
    side, main = repo.git("rev-parse", "side"), repo.git("rev-parse", "main")
    assert merged.label == f"{side[:7]} merged into {main[:7]}"
    assert not repo.git("status", "--porcelain")


def test_merging_a_descendant_gives_its_own_tree_and_commit(git_repo: Make) -> None:
    repo = git_repo({"a": "1"})
    repo.git("branch", "old")
    head = repo.commit({"a": "2"})
    repository = Repository.find(repo.path)
    assert repository.merged("old", "main") == repository.tree(head)
    assert repository.merge_base("old", "main") == repo.git("rev-parse", "old")


def test_a_conflict_names_the_files_and_is_a_usage_error(git_repo: Make) -> None:
    repo = _diverged(git_repo, "ours\n", "theirs\n")
    with pytest.raises(UsageError) as caught:
        Repository.find(repo.path).merged("main", "side")
    assert caught.value.message == "side does not merge into main: conflict in a, 客 服"
    assert caught.value.exit_code == 2


def test_histories_without_a_common_commit_cannot_be_merged(git_repo: Make) -> None:
    repo = git_repo({"a": "1"})
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.commit({"a": "2"})
    repository = Repository.find(repo.path)
    with pytest.raises(UsageError, match="no common ancestor"):
        repository.merged("main", "other")
    assert repository.merge_base("main", "other") is None


def test_folders_have_the_ids_of_their_trees(git_repo: Make) -> None:
    repo = git_repo({"specs/[a]*/x y.yaml": "1", "specs/b": "2", "top": "3"})
    tree = Repository.find(repo.path / "specs").tree("HEAD")
    assert tree.subtree("") == tree.oid
    assert tree.subtree("specs") == repo.git("rev-parse", "HEAD:specs")
    assert tree.subtree("specs/[a]*/") == repo.git("rev-parse", "HEAD:specs/[a]*")
    assert tree.subtree("specs/b") is None
    assert tree.subtree("spec") is None
    assert tree.subtree("nowhere") is None


@pytest.mark.parametrize(
    "rev", ["nope", "", "--help", "-h", "main\nmain", "main\0", "HEAD:a", "HEAD^{blob}", "客服"]
)
def test_what_names_no_commit_is_a_usage_error(git_repo: Make, rev: str) -> None:
    repository = Repository.find(git_repo({"a": "1"}).path)
    assert repository.commit(rev) is None
    with pytest.raises(UsageError, match="no commit is named"):
        repository.tree(rev)
    with pytest.raises(UsageError, match="no commit is named"):
        repository.merged("main", rev)


def test_a_branch_known_only_on_the_remote_is_hinted_at(git_repo: Make, tmp_path: Path) -> None:
    repo = git_repo({"a": "1"})
    repo.git("branch", "release")
    repo.git("clone", "--quiet", str(repo.path), str(tmp_path / "clone"))
    with pytest.raises(UsageError) as caught:
        Repository.find(tmp_path / "clone").tree("release")
    assert caught.value.hint == "did you mean origin/release?"


def test_tags_and_tree_ids_name_trees(git_repo: Make) -> None:
    repo = git_repo({"a": "1"})
    repo.git("tag", "-a", "v1", "-m", "v1")
    repository = Repository.find(repo.path)
    by_tag = repository.tree("v1")
    by_tree = repository.tree(by_tag.oid)
    assert by_tag.commit == repo.git("rev-parse", "HEAD")
    assert (by_tree.oid, by_tree.commit) == (by_tag.oid, None)


def test_outside_a_repository_is_a_git_error(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Repository.find(tmp_path)
    with pytest.raises(GitError, match="there is no folder"):
        Repository.find(tmp_path / "nowhere")


def test_a_bare_repository_is_a_git_error(git_repo: Make, tmp_path: Path) -> None:
    repo = git_repo({"a": "1"})
    repo.git("clone", "--quiet", "--bare", str(repo.path), str(tmp_path / "bare"))
    with pytest.raises(GitError, match="no work tree"):
        Repository.find(tmp_path / "bare")


def test_no_git_on_the_path_is_a_git_error(
    git_repo: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = git_repo({"a": "1"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed"):
        Repository.find(repo.path)


def test_a_missing_object_is_a_git_error(git_repo: Make) -> None:
    repo = git_repo({"a": "1"})
    tree = Repository.find(repo.path).tree("HEAD")
    oid = tree.blobs()["a"].oid
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(GitError, match=f"object {oid} is missing"):
        tree.read("a")


def test_variables_of_a_hook_do_not_lead_elsewhere(
    git_repo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = git_repo({"other": "1"}, name="other")
    repo = git_repo({"a": "1"})
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.path / ".git" / "index"))
    repository = Repository.find(repo.path)
    assert repository.root == repo.path.resolve()
    assert set(repository.work_tree().blobs()) == {"a"}


def test_nothing_of_the_repository_is_executed(git_repo: Make, tmp_path: Path) -> None:
    repo = git_repo({"a": "1", ".gitattributes": "* diff=evil merge=evil\n"})
    ran = tmp_path / "ran"
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    script.chmod(0o755)
    for hook in ("post-index-change", "pre-commit", "post-checkout", "reference-transaction"):
        (repo.path / ".git" / "hooks").mkdir(exist_ok=True)
        (repo.path / ".git" / "hooks" / hook).symlink_to(script)
    for key in ("core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv"):
        repo.git("config", key, str(script))
    ran.unlink(missing_ok=True)
    repo.write({"a": "2", "b": "3"})
    repository = Repository.find(repo.path)
    repository.work_tree().read_many(["a", "b"])
    repository.merged("main", "main")
    assert not ran.exists()


def test_many_files_are_read_by_one_process(
    git_repo: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = git_repo({f"specs/{n}.yaml": f"a: {n}\n" * 40 for n in range(300)})
    tree = Repository.find(repo.path).tree("HEAD")
    paths = list(tree.blobs())
    started: list[Any] = []
    run = subprocess.run

    def counted(*arguments: Any, **more: Any) -> Any:
        started.append(arguments)
        return run(*arguments, **more)

    monkeypatch.setattr(subprocess, "run", counted)
    assert len(tree.read_many(paths)) == 300
    assert len(started) == 1


def _diverged(git_repo: Make, ours: str, theirs: str) -> Any:
    repo = git_repo({"a": "1\n", "客 服": "1\n"})
    repo.git("branch", "side")
    repo.commit({"a": ours, "客 服": ours})
    repo.git("checkout", "--quiet", "side")
    repo.commit({"a": theirs, "客 服": theirs})
    repo.git("checkout", "--quiet", "main")
    return repo


def test_the_authors_of_a_change_are_those_of_its_own_commits(git_repo: Make) -> None:
    repo = git_repo({"a": "1"})
    first = repo.git("rev-parse", "HEAD").strip()
    repo.write({"a": "2"})
    repo.git("commit", "-qam", "x", "--author", "李华 <lihua@example.com>")
    found = Repository.find(repo.path)
    assert found.authors(first, "HEAD") == {"李华", "lihua@example.com", "lihua"}
    assert found.authors("HEAD", "HEAD") == frozenset()
