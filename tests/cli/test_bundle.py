"""`llmops bundle`: one file for an auditor, whole or not there."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.audit import container
from llmops.audit.source import Bundle
from llmops.audit.verify import Asked, verify
from llmops.signing import dsse
from tests.audit.small import small
from tests.audit.world import ROOT, World, story
from tests.disk import Failing, Recording

NOW = "2027-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One that tests only read."""
    return story(tmp_path_factory.mktemp("story") / "world")


@pytest.fixture
def bundle(llmops, world: World, tmp_path: Path) -> Callable[..., Any]:
    def run(*words: str):
        return llmops("bundle", *words, "-C", str(world.repo.path))

    return run


def test_a_bundle_of_a_real_story_verifies(bundle, tmp_path: Path) -> None:
    place = tmp_path / "审计.zip"
    done = bundle("--out", str(place))
    assert done.code == 0, done.err
    assert "3 verdicts" in done.out
    assert "note:" not in done.out
    found = Bundle.at(place)
    answer = verify(found, Asked(NOW, {ROOT.digest: "the test"}))
    assert [flaw.what for flaw in answer.flaws] == []
    assert answer.verified
    assert set(found.pages()) == {
        "report/report.html", "report/report.json", "report/report.zh.html",
    }  # fmt: skip


def test_a_bundle_is_made_without_a_key_and_is_the_same_every_time(
    bundle, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    one, other = tmp_path / "1.zip", tmp_path / "2.zip"
    for place in (one, other):
        assert bundle("--out", str(place)).code == 0
    assert one.read_bytes() == other.read_bytes()


def test_no_question_of_a_dataset_is_in_a_bundle(bundle, world: World, tmp_path: Path) -> None:
    """Not in what was signed either, which stands there as base64."""
    place = tmp_path / "a.zip"
    assert bundle("--out", str(place)).code == 0
    found = Bundle.at(place)
    said = [place.read_bytes(), *(dsse.decode(one).payload for one in found.entries())]
    asked = [
        json.loads(line)["question"].encode()
        for path in (world.repo.path / "specs" / "data").glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    assert len(asked) > 100
    assert not [one for one in asked if any(one in text for text in said)]


def test_cases_are_shown_as_the_auditor_chooses(bundle, tmp_path: Path) -> None:
    place = tmp_path / "a.zip"
    done = bundle("--out", str(place), "--open", "5", "--seed", "heads or tails")
    assert "5 cases are in it in plain text" in done.out
    found = Bundle.at(place)
    assert found.opened is not None
    assert len(found.opened.shown) == 5
    answer = verify(found, Asked(NOW, {ROOT.digest: "the test"}))
    assert answer.verified, answer.flaws
    assert answer.counts["lines"] == 5


def test_without_a_place_it_lies_where_git_does_not_look(bundle, world: World) -> None:
    done = bundle()
    assert done.code == 0
    assert done.out.startswith("reports/bundle.zip: ") or "reports/bundle.zip: " in done.out
    assert (world.repo.path / "reports" / "bundle.zip").is_file()
    assert world.repo.git("status", "--porcelain") == ""
    (world.repo.path / "reports" / "bundle.zip").unlink()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--open", "-1"), "--open -1 is not between 0 and 10,000"),
        (("--open", "10001"), "--open 10001 is not between 0 and 10,000"),
        (("--seed", "x"), "--seed chooses cases to show, and none are asked for"),
        (("--open", "1", "--seed", "x" * 201), "is no line of at most 200 characters"),
        (("--open", "1", "--seed", "a\nb"), "is no line of at most 200 characters"),
        (("--open", "1", "--seed", "a\u202eb"), "is no line of at most 200 characters"),
        (("--open", "x"), "is no whole number"),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(bundle, words: tuple[str, ...], what: str) -> None:
    done = bundle(*words)
    assert done.code == 2
    assert what in done.err


def test_a_repository_without_a_log_has_nothing_to_bundle(llmops, git_repo) -> None:
    repo = git_repo({"a": "1"})
    done = llmops("bundle", "-C", str(repo.path))
    assert done.code == 2
    assert "no log to bundle" in done.err
    assert "llmops keys init" in done.err
    assert not (repo.path / "reports").exists()


def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left(bundle, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "a.zip", tmp_path):
        done = bundle("--out", str(place))
        assert done.code == 3
        assert "cannot write" in done.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


@pytest.fixture(scope="module")
def little(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose log was signed by hand: its bundle is made in no time."""
    return small(tmp_path_factory.mktemp("small")).repo.path


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
def test_a_full_disk_leaves_nothing_under_the_name(
    llmops, little: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Whichever operation is the first that fails."""
    out = tmp_path / "out"
    out.mkdir()
    place = out / "a.zip"
    for at in range(1, 20):
        disk = Failing(out, at=at, number=number)
        with monkeypatch.context() as patch:
            disk.shim(patch)
            done = llmops("bundle", "--out", str(place), "-C", str(little))
        if disk.seen < at:
            break
        assert done.code == 3, at
        assert os.strerror(number) in done.err
        assert "a.zip" in done.err
        assert not place.exists() or container.read(place.read_bytes()).damage is None
        assert [p.name for p in out.iterdir() if p != place] == []
    else:
        pytest.fail("it never came to an end")
    assert done.code == 0
    assert container.read(place.read_bytes()).damage is None


def test_who_is_killed_while_writing_leaves_no_half_of_a_bundle(
    llmops, little: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the power goes: nothing, or all of it."""
    out, kept = tmp_path / "out", tmp_path / "kept"
    out.mkdir()
    kept.mkdir()
    disk = Recording(out, kept=kept)
    with monkeypatch.context() as patch:
        disk.shim(patch)
        assert llmops("bundle", "--out", str(out / "a.zip"), "-C", str(little)).code == 0
    disk.keep()
    states = list(disk.states())
    assert len(states) > 3
    whole = [state for state in states if (state / "a.zip").exists()]
    assert whole
    for state in whole:
        assert container.read((state / "a.zip").read_bytes()).damage is None
