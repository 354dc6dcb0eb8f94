"""`llmops verify`: exit codes, the anchor, what is remembered, and what cannot be read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.world import ROOT, World, story

LATER = ("--now", "2027-01-01T00:00:00Z")
PINNED = ("--root", ROOT.digest)
Verify = Callable[..., Any]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return story(tmp_path / "world")


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


def test_what_landed_is_asked_with_git(verify: Verify, world: World, llmops: Any) -> None:
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
