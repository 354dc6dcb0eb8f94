"""Trees over git objects that were handed over: as git reads them, and nothing that git would not.

Real git is the oracle.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llmops.digest import of_bytes
from llmops.errors import GitError
from llmops.source import objects
from llmops.source.objects import Objects, Withheld, packed
from llmops.source.tree import Repository, Tree

Make = Callable[..., Any]
FILES = {
    "specs/数据/客服 对话.yaml": "a: 1\n",
    "specs/with\nnewline.yaml": "c: 3\n",
    "specs.yaml": "sorts before specs/\n",
    "specs0": "sorts after specs/\n",
    "policies/default.yaml": "x: 1\n",
    "empty.yaml": "",
    "binary.bin": b"\x00\xff\n\n100644 blob\x00",
}


def handed(folder: Path) -> dict[str, bytes]:
    """All trees and blobs of a repository, by id."""

    def git(*arguments: str, data: bytes = b"") -> bytes:
        done = subprocess.run(["git", *arguments], cwd=folder, input=data, capture_output=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    listed = git("cat-file", "--batch-all-objects", "--batch-check").decode().splitlines()
    known = [line.split()[:2] for line in listed]
    return {
        oid: packed(kind, git("cat-file", kind, oid)) for oid, kind in known if kind != "commit"
    }


def over(found: Mapping[str, bytes], oid: str, held: Mapping[str, Withheld] | None = None) -> Tree:
    return Tree("handed over", oid, None, False, Objects(found, held or {}))


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_a_tree_is_the_same_over_git_and_over_its_objects(tmp_path: Path, form: str) -> None:
    subprocess.run(["git", "init", "-q", f"--object-format={form}", tmp_path], check=True)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "link").symlink_to("empty.yaml")
    (tmp_path / "run.sh").write_text("x")
    (tmp_path / "run.sh").chmod(0o755)
    repository = Repository.find(tmp_path)
    real = repository.work_tree()
    made = over(handed(tmp_path), real.oid)
    assert dict(made.blobs()) == dict(real.blobs())
    assert list(made.blobs()) == list(real.blobs())
    assert made.refused() == real.refused() != ()
    assert made.read_many(made.blobs()) == real.read_many(real.blobs())
    assert made.digests(made.blobs()) == real.digests(real.blobs())
    for folder in (
        "",
        "policies",
        "specs/数据",
        "nothing",
        "empty.yaml",
        "specs/with\nnewline.yaml",
    ):
        assert made.subtree(folder) == real.subtree(folder), folder


def test_what_is_withheld_is_known_by_its_digest_and_never_read(git_repo: Make) -> None:
    repo = git_repo({"data.jsonl": "secret\n", "a.yaml": "1"})
    tree = Repository.find(repo.path).tree("HEAD")
    found, oid = handed(repo.path), tree.blobs()["data.jsonl"].oid
    del found[oid]
    made = over(found, tree.oid, {oid: Withheld(of_bytes(b"secret\n"), 7)})
    assert dict(made.blobs()) == dict(tree.blobs())
    assert made.digests(["data.jsonl", "a.yaml"]) == tree.digests(["data.jsonl", "a.yaml"])
    with pytest.raises(GitError, match="withheld"):
        made.read("data.jsonl")


def test_what_was_not_handed_over_is_named(git_repo: Make) -> None:
    repo = git_repo({"a/b.yaml": "1", "c.yaml": "2"})
    tree = Repository.find(repo.path).tree("HEAD")
    found = handed(repo.path)
    inner, blob = tree.subtree("a"), tree.blobs()["c.yaml"].oid
    assert inner is not None
    with pytest.raises(GitError, match=f"object {inner} is missing"):
        over({k: v for k, v in found.items() if k != inner}, tree.oid).blobs()
    without = over({k: v for k, v in found.items() if k != blob}, tree.oid)
    assert "c.yaml" in without.blobs()  # nobody reads it, so nobody hands it over
    for ask in (without.read, lambda path: without.digests([path])):
        with pytest.raises(GitError, match=f"object {blob} is missing"):
            ask("c.yaml")


def test_one_bit_of_an_object_makes_it_another(git_repo: Make) -> None:
    repo = git_repo({"a/b.yaml": "1"})
    tree = Repository.find(repo.path).tree("HEAD")
    found = handed(repo.path)
    for oid, data in found.items():
        for bit in range(8 * len(data)):
            spoiled = bytearray(data)
            spoiled[bit // 8] ^= 1 << bit % 8
            with pytest.raises(GitError, match=f"object {oid} is another one"):
                over({**found, oid: bytes(spoiled)}, tree.oid).read("a/b.yaml")


def test_objects_of_another_kind_or_size_are_refused() -> None:
    for data, why in (
        (packed("tree", b""), "is a tree and not a blob"),
        (packed("commit", b""), "not as git writes it"),
        (b"blob 3\0ab", "not as git writes it"),
        (b"blob 02\0ab", "not as git writes it"),
        (b"blob", "not as git writes it"),
        (b"", "not as git writes it"),
    ):
        oid = objects.id_of(data)
        with pytest.raises(GitError, match=why):
            Objects({oid: data}).contents([oid])


ID = bytes(20)


@pytest.mark.parametrize(
    "lines",
    [
        b"100644 b\0" + ID + b"100644 a\0" + ID,
        b"100644 a\0" + ID + b"100644 a\0" + ID,
        b"100644 a\0" + ID + b"40000 a\0" + ID,
        b"100644 ..\0" + ID,
        b"100644 .\0" + ID,
        b"100644 .GIT\0" + ID,
        b"100644 a/b\0" + ID,
        b"100644 \0" + ID,
        b"040000 a\0" + ID,
        b"777 a\0" + ID,
        b"100644 a\0" + ID[:-1],
        b"100644 a",
        b"\xff a\0" + ID,
    ],
)
def test_a_tree_that_git_does_not_write_is_refused(lines: bytes) -> None:
    data = packed("tree", lines)
    oid = objects.id_of(data)
    with pytest.raises(GitError, match="not as git writes it"):
        over({oid: data}, oid).blobs()


def test_few_objects_do_not_become_endless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MOST_FILES", 1000)
    found: dict[str, bytes] = {}
    oid, mode = objects.id_of(packed("blob", b"")), b"100644"
    for _ in range(40):
        lines = b"".join(b"%b %b\0%b" % (mode, name, bytes.fromhex(oid)) for name in (b"a", b"b"))
        data = packed("tree", lines)
        oid, mode = objects.id_of(data), b"40000"
        found[oid] = data
    with pytest.raises(GitError, match="more than 1,000 files"):
        over(found, oid).blobs()
    assert len(Objects(found).trees(oid)) == 40


def test_folders_in_each_other_end_somewhere() -> None:
    found: dict[str, bytes] = {}
    oid, mode = objects.id_of(packed("blob", b"")), b"100644"
    for _ in range(objects.DEEPEST + 3):
        data = packed("tree", b"%b a\0%b" % (mode, bytes.fromhex(oid)))
        oid, mode = objects.id_of(data), b"40000"
        found[oid] = data
    with pytest.raises(GitError, match="deep"):
        over(found, oid).blobs()
