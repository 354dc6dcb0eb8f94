"""What the pipeline decides by itself: where owners stand, which rows count, which base."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llmops.errors import UsageError
from llmops.evidence.rows import anchors_of, rows_of
from llmops.project import Project
from llmops.source.sides import trees
from llmops.static import owners
from tests.conftest import GitRepo


@pytest.mark.parametrize("path", [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"])
def test_owners_are_looked_for_where_github_does(
    git_repo: Callable[..., GitRepo], path: str
) -> None:
    repo = git_repo({path: "* @acme/team-cs\n"})
    assert owners(Project.find(repo.path).repository.tree("main")) == ("* @acme/team-cs",)


def test_without_codeowners_nobody_is_known(git_repo: Callable[..., GitRepo]) -> None:
    assert owners(Project.find(git_repo({"x": "x"}).path).repository.tree("main")) == ()


def test_the_first_commit_has_no_base_and_the_second_has(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo({"x": "1"})
    repository = Project.find(repo.path).repository
    base, head = trees(repository, None, None)
    assert base is None
    assert head.label != "work tree"
    repo.commit({"x": "2"})
    base, _ = trees(repository, None, None)
    assert base is not None
    assert base.label == "main"


def test_uncommitted_work_on_the_first_commit_is_compared_with_it(git_repo) -> None:
    repo = git_repo({"x": "1"})
    repo.write({"x": "2"})
    base, head = trees(Project.find(repo.path).repository, None, None)
    assert base is not None
    assert (base.label, head.label, head.dirty) == ("main", "work tree", True)


def test_a_base_that_is_named_is_never_taken_for_none(git_repo: Callable[..., GitRepo]) -> None:
    repository = Project.find(git_repo({"x": "1"}).path).repository
    base, head = trees(repository, "main", "main")
    assert base is not None
    assert base.oid == head.oid
    for wrong in (("", None), (None, ""), ("gone", None)):
        with pytest.raises(UsageError):
            trees(repository, *wrong)


def test_a_commit_s_own_id_is_not_shown_twice(git_repo: Callable[..., GitRepo]) -> None:
    repo = git_repo({"x": "1"})
    commit = repo.commit({"x": "2"})
    _, head = trees(Project.find(repo.path).repository, "main~1", commit)
    assert head.label == commit[:7]


class Kept:
    """A store with one statement whose rows have the digest that it names, whatever they hold."""

    def __init__(self, file: Path, status: str = "ok") -> None:
        self.file, self.status, self.reads = file, status, 0

    def evidence(self, closure: str) -> Any:
        return SimpleNamespace(result=SimpleNamespace(status=self.status))

    def read(self, closure: str, name: str) -> bytes:
        self.reads += 1
        return self.file.read_bytes()


ROW = '"id": "1", "case": "a", "input": "q", "response": "r", "cells": {"c": {"value": 1}}'


def test_rows_are_read_once(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(f"{{{ROW}}}\n{{{ROW}}}\n")
    kept = Kept(tmp_path / "rows.jsonl")
    rows = rows_of(kept)  # type: ignore[arg-type]
    assert rows("sha256:1") == rows("sha256:1") == [json.loads(f"{{{ROW}}}")] * 2
    assert kept.reads == 1


@pytest.mark.parametrize(
    "text",
    [
        f'{{{ROW}, "v": NaN}}', f'{{{ROW}, "v": Infinity}}', f'{{{ROW}, "v": -Infinity}}', "{",
        "\x00", f"{{{ROW}}}\nnull x", f'{{{ROW}, "v": {"[" * 99999}{"]" * 99999}}}',
        "[]", "null", "{}", f'{{{ROW}, "cells": {{"c": 1}}}}', f'{{{ROW}, "columns": []}}',
        f"{{{ROW}}}".replace('"case": "a", ', ""),
    ],
)  # fmt: skip
def test_rows_that_are_not_rows_are_absent(tmp_path: Path, text: str) -> None:
    (tmp_path / "rows.jsonl").write_text(text)
    assert rows_of(Kept(tmp_path / "rows.jsonl"))("sha256:1") is None  # type: ignore[arg-type]


RATED = f'{ROW}, "rating": 0.5, "control": null'
PLANTED = f'{ROW}, "rating": null, "control": "bad"'


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (f"{{{RATED}}}", True),
        (f"{{{RATED}}}".replace("0.5", "1"), True),
        (f"{{{PLANTED}}}", True),
        (f"{{{RATED}}}".replace("0.5", "null"), False),
        (f"{{{RATED}}}".replace("0.5", "1.5"), False),
        (f"{{{RATED}}}".replace("0.5", "true"), False),
        (f"{{{RATED}}}".replace("0.5", '"1"'), False),
        (f"{{{RATED}}}".replace('"control": null', '"control": "maybe"'), False),
        (f"{{{ROW}}}", False),
    ],
)  # fmt: skip
def test_rated_rows_without_what_people_said_are_absent(
    tmp_path: Path, text: str, whole: bool
) -> None:
    (tmp_path / "anchors.jsonl").write_text(text)
    found = anchors_of(Kept(tmp_path / "anchors.jsonl"))("sha256:1")  # type: ignore[arg-type]
    assert (found is not None) is whole


def test_rows_of_a_failed_job_or_without_a_file_are_absent(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"case": "a"}\n')
    failed = Kept(tmp_path / "rows.jsonl", "quality_failed")
    assert rows_of(failed)("sha256:1") is None  # type: ignore[arg-type]
    assert rows_of(Kept(tmp_path / "none"))("sha256:1") is None  # type: ignore[arg-type]
