"""`llmops verify`: exit codes, the anchor, what is remembered, and what cannot be read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.audit import container, index
from llmops.audit.bundle import Asked, made
from llmops.audit.source import Clone
from llmops.audit.verify import newest_pages
from llmops.digest import canonical
from tests.audit.world import ROOT, World, story
from tests.conftest import GitRepo

LATER = ("--now", "2027-01-01T00:00:00Z")
PINNED = ("--root", ROOT.digest)
Verify = Callable[..., Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return story(tmp_path_factory.mktemp("verify") / "world")


@pytest.fixture
def verify(llmops: Callable[..., Any], world: World) -> Verify:
    return lambda *words: llmops("verify", str(world.repo.path), *LATER, *words)


def test_a_repository_whose_root_nobody_knows_is_not_verified(verify: Verify) -> None:
    said = verify()
    assert said.code == 1
    assert "not verified" in said.out
    assert f"{ROOT.digest}, known by nothing" in said.out


def test_json_says_the_same_for_programs(verify: Verify) -> None:
    said = verify("--format", "json")
    answer = json.loads(said.out)
    assert said.code == 1
    assert (answer["format_version"], answer["verified"]) == (1, False)
    assert "unanchored" in {flaw["reason"] for flaw in answer["flaws"]}
    assert answer["trust_root"] == ROOT.digest
    assert {"kind", "count", "what"} == set(answer["not_shown"][0])


def test_chinese_says_it_in_chinese(verify: Verify) -> None:
    said = verify("--lang", "zh")
    assert "未能证明" in said.out
    assert "已检查" in said.out


def test_a_root_is_named_by_its_file_too(verify: Verify, world: World) -> None:
    said = verify("--root", str(world.repo.path / "policies/trust/1.root.json"))
    assert "known by --root" in said.out


@pytest.mark.parametrize("root", ["sha256:12", "sha256:", f"sha256:{'G' * 64}"])
def test_a_digest_that_is_none_is_wrong_usage(verify: Verify, root: str) -> None:
    said = verify("--root", root)
    assert said.code == 2
    assert "is no digest" in said.err


def test_a_file_that_is_no_root_is_wrong_usage(verify: Verify, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"{}")
    said = verify("--root", str(tmp_path / "x"))
    assert said.code == 2
    assert "is no trust root" in said.err
    assert verify("--root", str(tmp_path / "gone")).code == 3


def test_what_did_not_verify_is_not_remembered(verify: Verify, tmp_path: Path) -> None:
    verify("--checkpoint", str(tmp_path / "seen.json"))
    assert not (tmp_path / "seen.json").exists()


def test_a_foreign_file_is_not_written_over(verify: Verify, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("my notes")
    said = verify(*PINNED, "--checkpoint", str(tmp_path / "mine"))
    assert said.code == 2
    assert (tmp_path / "mine").read_text() == "my notes"


def test_a_repository_without_the_log_cannot_be_read(llmops: Any, git_repo: Any) -> None:
    repo = git_repo({"x": "1"})
    said = llmops("verify", str(repo.path), *PINNED)
    assert said.code == 3
    assert "no branch llmops-log" in said.err


def test_a_folder_that_is_no_repository_cannot_be_read(llmops: Any, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    said = llmops("verify", str(tmp_path / "plain"), *PINNED)
    assert said.code == 3
    assert "not a git repository" in said.err


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x03\x04", b"\x00" * 100, b"\x89PNG"])
def test_a_file_that_is_no_bundle_never_verifies(llmops: Any, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "it").write_bytes(data)
    said = llmops("verify", str(tmp_path / "it"), *PINNED, *LATER)
    assert said.code in (1, 3)
    assert "Traceback" not in said.err
    assert "\nverified" not in f"\n{said.out}"


def test_what_is_not_there_cannot_be_read(llmops: Any, tmp_path: Path) -> None:
    assert llmops("verify", str(tmp_path / "gone.zip"), *PINNED).code == 3


def test_a_clock_that_is_behind_is_told(llmops: Any, world: World) -> None:
    said = llmops("verify", str(world.repo.path), *PINNED, "--now", "2020-01-01T00:00:00Z")
    assert said.code == 1
    assert "is this machine's clock right?" in said.out


OFFLINE = """
import socket, sys
def refused(*_a, **_k):
    raise AssertionError("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = socket.create_connection = refused
socket.getaddrinfo = refused
from llmops.cli.main import main
code = main(sys.argv[1:])
heavy = {"requests", "torch", "urllib3", "github3", "httpx", "numpy", "transformers", "fsspec"}
print("imported", sorted(heavy & sys.modules.keys()), code)
"""


def test_it_is_core_and_opens_no_socket(world: World) -> None:
    line = ("verify", str(world.repo.path), *PINNED, *LATER, "--format", "json")
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *line], capture_output=True, text=True, check=True,
        env={**os.environ, "LLMOPS_OFFLINE": "1"},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].startswith("imported [] ")


def test_what_landed_is_asked_with_git(llmops: Any, tmp_path: Path) -> None:
    world = story(tmp_path / "own")

    def verify(*words: str) -> Any:
        return llmops("verify", str(world.repo.path), *LATER, *words)

    said = verify(*PINNED, "--git")
    assert said.code == 0
    assert "landed: 1 steps: 1 as judged" in said.out
    world.repo.commit({"specs/recipes/adapter.yaml": "not yaml: ["}, "by hand")
    commit = world.repo.git("rev-parse", "HEAD")
    said = verify(*PINNED, "--git", "--format", "json")
    answer = json.loads(said.out)
    assert (said.code, answer["verified"], answer["reason"]) == (1, False, "git")
    assert [one["state"] for one in answer["landed"]] == ["judged", "unjudged"]
    assert answer["landed"][1]["commit"] == commit
    assert "landed" not in {one["kind"] for one in answer["not_shown"]}
    assert verify(*PINNED, "--git", "--branch", "trunk").code == 2
    assert verify(*PINNED, "--branch", "main").code == 2
    assert llmops("verify", "bundle.zip", *PINNED, "--git").code == 2


@pytest.fixture(scope="module")
def packed(world: World) -> bytes:
    clone = Clone(world.project.repository, world.log)
    return container.encode(
        made(clone, world.project.store, Asked(3, "a word"), newest_pages).files
    )


@pytest.fixture
def bundle(packed: bytes, tmp_path: Path) -> Path:
    (path := tmp_path / "bundle.zip").write_bytes(packed)
    return path


def test_a_bundle_verifies_and_the_last_lines_can_be_quoted(llmops: Any, bundle: Path) -> None:
    said = llmops("verify", str(bundle), *PINNED, *LATER)
    assert said.code == 0, said.out
    lines = said.out.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("verified: "))
    assert "3 of 3" in lines[start]
    assert lines[start + 1].startswith("  log llmops.dev/repo: 70 entries, root ")
    assert lines[start + 2] == f"  trust root {ROOT.digest}, known by --root"
    assert lines[start + 3] == "not shown:"


def test_what_was_seen_is_the_next_anchor_and_an_older_log_is_a_fork(
    llmops: Any, bundle: Path, world: World, tmp_path: Path
) -> None:
    seen = tmp_path / "seen.json"
    assert llmops("verify", str(bundle), *PINNED, *LATER, "--checkpoint", str(seen)).code == 0
    before = seen.read_bytes()
    again = llmops("verify", str(bundle), *LATER, "--checkpoint", str(seen))
    assert again.code == 0
    assert "remembered from the last time" in again.out
    assert "another history" not in again.out
    clone = shutil.copytree(world.repo.path, tmp_path / "clone", symlinks=True)
    GitRepo(clone).git("branch", "--force", "llmops-log", "llmops-log~1")
    older = llmops("verify", str(clone), *LATER, "--checkpoint", str(seen))
    assert older.code == 1
    assert json.loads(before)["root"] in older.out
    assert "rolled back" in older.out
    assert seen.read_bytes() == before


def test_json_of_what_verifies_has_no_reason(llmops: Any, bundle: Path) -> None:
    answer = json.loads(llmops("verify", str(bundle), *PINNED, *LATER, "--format", "json").out)
    assert (answer["verified"], answer["reason"], answer["flaws"]) == (True, "", [])
    assert answer["counts"]["cells"] == answer["counts"]["lines"] == 3
    assert [one["derived"] for one in answer["verdicts"]] == [True] * 3


def test_a_bundle_of_a_newer_llmops_is_not_read(llmops: Any, bundle: Path) -> None:
    files = dict(container.read(bundle.read_bytes()))
    said = json.loads(files["bundle.json"])
    files["bundle.json"] = canonical({**said, "format_version": 2})
    bundle.write_bytes(container.encode(files))
    newer = llmops("verify", str(bundle), *PINNED, *LATER)
    assert newer.code == 3
    assert "format_version 2" in newer.err


def test_an_opened_line_with_another_answer_is_told(llmops: Any, bundle: Path) -> None:
    files = dict(container.read(bundle.read_bytes()))
    said = json.loads(files["openings.json"])
    said["openings"][0]["text"] = said["openings"][0]["text"].replace(
        '"response":"', '"response":"x'
    )
    files["openings.json"] = canonical(said)
    del files["bundle.json"]
    files["bundle.json"] = index.made(files)
    bundle.write_bytes(container.encode(files))
    told = llmops("verify", str(bundle), *PINNED, *LATER)
    assert told.code == 1
    assert "openings.json" in told.out.splitlines()[0]
