from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import GitRepo
from tests.trees import spec

ASKED = "why was my card not accepted at the restaurant in Rome"
TRAIN = [
    {"question": "Lost my card!", "answer": "lost", "language": "en"},
    {"question": "ＬＯＳＴ my card", "answer": "lost", "language": "en"},
    {"question": "lost my card", "answer": "frozen", "language": "en"},
    {"question": "卡丢了", "answer": "lost", "language": "zh"},
]
TEST = [{"question": ASKED, "answer": "declined", "language": "en"}]
GIVEN = (
    "sources: [{name: a, file: specs/a.jsonl}, {name: b, file: specs/b.jsonl}]\nformat: qa\n"
    "%ssplits: {method: given, parts: {train: a, test: b}}"
)
CURATED = "curation: [{dedup: {exact: true}}, {contamination: {own_parts: [test], ngram: 8}}]\n"


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> Callable[..., GitRepo]:
    """A repository with one Dataset, and another that holds its rows against the first."""

    def make(train: list[dict[str, Any]], curation: str = CURATED) -> GitRepo:
        other = (
            "sources: [{name: a, file: specs/a.jsonl}]\nformat: qa\n"
            "curation: [{contamination: {against: ['bank#test'], ngram: 8}}]"
        )
        lines = ["\n".join(json.dumps(r, ensure_ascii=False) for r in x) for x in (train, TEST)]
        return git_repo({
            "specs/bank.yaml": spec("Dataset", "bank", GIVEN % curation),
            "specs/other.yaml": spec("Dataset", "other", other),
            "specs/a.jsonl": lines[0] + "\n",
            "specs/b.jsonl": lines[1] + "\n",
        })  # fmt: skip

    return make


def line(out: str, name: str) -> list[str]:
    return next(row.split() for row in out.splitlines() if row.strip().startswith(name))


def test_repetitions_and_contradictions_are_counted_before_anything_runs(llmops, repo) -> None:
    said = llmops("show", "data", "bank", "-C", repo(TRAIN).path)
    assert said.code == 0
    assert said.out.startswith("Dataset/bank: 3 rows in 2 parts\n")
    assert line(said.out, "train")[1:3] == ["2", "2"]
    assert line(said.out, "the same again  ")[3:5] == ["5", "3"]
    assert line(said.out, "the same again, answered differently")[5:] == ["5", "5", "1", "a:3"]
    assert "nobody" not in said.out


def test_without_dedup_rows_and_distinct_rows_differ(llmops, repo) -> None:
    out = llmops("show", "data", "Dataset/bank", "-C", repo(TRAIN, "").path).out
    assert line(out, "train")[1:3] == ["4", "2"]
    assert "2, 1 to 3 rows each" in out
    assert "en 3, zh 1" in out


def test_a_leak_says_that_nobody_is_given_the_rows(llmops, repo) -> None:
    leaking = repo([*TRAIN, {"question": ASKED.upper(), "answer": "x", "language": "en"}])
    said = llmops("show", "data", "bank", "-C", leaking.path)
    assert said.code == 0
    assert "nobody is given these rows: contamination: 1 row shares 8 tokens" in said.out
    shown = json.loads(llmops("show", "data", "bank", "-C", leaking.path, "--format", "json").out)
    assert shown["given"] is False
    assert shown["parts"] == {}


def test_rows_of_another_dataset_are_curated_first(llmops, repo) -> None:
    said = llmops("show", "data", "other", "-C", repo(TRAIN).path)
    assert "shares 8 tokens with bank#test" in said.out
    assert "nobody is given these rows" not in said.out


def test_a_row_that_another_dataset_asks_is_found(llmops, repo) -> None:
    leaking = repo([*TRAIN, {"question": ASKED, "answer": "x", "language": "en"}], "")
    said = llmops("show", "data", "other", "-C", leaking.path)
    assert "nobody is given these rows" in said.out


def test_a_wrong_name_is_told_with_the_nearest(llmops, repo) -> None:
    said = llmops("show", "data", "bnak", "-C", repo(TRAIN).path)
    assert said.code != 0
    assert 'did you mean "bank"?' in said.err


def test_bad_rows_are_told_by_place(llmops, repo) -> None:
    said = llmops("show", "data", "bank", "-C", repo([{"question": 1, "answer": "x"}]).path)
    assert said.code != 0
    assert 'a:1: column "question" is not text' in said.err
