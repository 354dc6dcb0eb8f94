"""`llmops import human`: rated rows of people become a ratings file, or nothing is written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmops.workers import shapes
from tests.conftest import GitRepo

HEAD = "id,input,response,rating,rater\n"
ROWS = "a,How?,Well.,1,ann\na,How?,Well.,1,bo\nb,Why?,So.,0,ann\nb,Why?,So.,0,bo\n"
Run = Callable[..., Any]


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    return git_repo({"README.md": "a repository\n"})


def given(
    repo: GitRepo, llmops: Run, text: str | bytes, *words: str, name: str = "sheet.csv"
) -> Any:
    """Imports a file of this text to out.jsonl, as ratings of the check `kind`."""
    data = text.encode() if isinstance(text, str) else text
    (repo.path / name).write_bytes(data)
    return llmops(
        "import", "human", name, "--check", "kind", "--out", "out.jsonl", "-C", repo.path, *words
    )


def out(repo: GitRepo) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (repo.path / "out.jsonl").read_text("utf-8").splitlines()]


def nothing(repo: GitRepo) -> bool:
    """No file beside the sheet, half or whole."""
    left = {p.name for p in repo.path.iterdir()} - {".git", "README.md"}
    return left <= {"sheet.csv", "sheet.jsonl"}


def test_ratings_of_several_people_become_one_and_no_name_is_kept(
    repo: GitRepo, llmops: Run
) -> None:
    said = given(repo, llmops, HEAD + ROWS)
    assert said.code == 0, said.err
    assert out(repo) == [
        {"id": "a", "input": "How?", "response": "Well.", "rating": 1, "check": "kind"},
        {"id": "b", "input": "Why?", "response": "So.", "rating": 0, "check": "kind"},
    ]
    assert "out.jsonl: 2 anchors (1 good, 1 bad)" in said.out
    assert "all raters agree on 1.00 of 2 answers that several people rated" in said.out
    assert "Cohen's kappa 1.00" in said.out
    assert b"ann" not in (repo.path / "out.jsonl").read_bytes()
    assert [shapes.problem(row, "ratings") for row in out(repo)] == [None, None]


def test_the_majority_of_three_counts_and_fleiss_kappa_is_told(repo: GitRepo, llmops: Run) -> None:
    rows = "".join(
        f"{item},q{item},r,{rating},{who}\n"
        for item, ratings in (("a", "110"), ("b", "000"), ("c", "111"))
        for who, rating in zip(("ann", "bo", "cy"), ratings, strict=True)
    )
    said = given(repo, llmops, HEAD + rows)
    assert [row["rating"] for row in out(repo)] == [1, 0, 1]
    assert "all raters agree on 0.67 of 3 answers" in said.out
    assert "Fleiss' kappa 0.55" in said.out


def test_a_column_for_each_rater_is_read_too(repo: GitRepo, llmops: Run) -> None:
    sheet = "input,response,rating_ann,rating bo,评分-cy\nq,r,1,0,1\ns,t,0,,0\n"
    said = given(repo, llmops, sheet)
    assert [row["rating"] for row in out(repo)] == [1, 0]
    assert "not all were rated by as many" in said.out


def test_a_tie_is_told_with_its_line_and_never_guessed(repo: GitRepo, llmops: Run) -> None:
    tied = HEAD + ROWS + "c,q,r,1,ann\nc,q,r,0,bo\n"
    said = given(repo, llmops, tied)
    assert said.code == 2
    assert (
        "sheet.csv:6:1: error[tie]: a tie: 1 of 2 ratings say that the answer is good" in said.err
    )
    assert nothing(repo)
    said = given(repo, llmops, tied, "--drop-ties")
    assert said.code == 0
    assert "left out: 1 tied answers" in said.out
    assert [row["id"] for row in out(repo)] == ["a", "b"]


def test_graded_ratings_are_averaged_on_their_own_scale(repo: GitRepo, llmops: Run) -> None:
    said = given(
        repo, llmops, "input,response,rating,rater\nq,r,5,a\nq,r,4,b\ns,t,1,a\n", "--scale", "1-5"
    )
    assert [row["rating"] for row in out(repo)] == [0.875, 0]
    assert "lie 0.25 apart" in said.out


def test_control_items_need_no_rating_and_columns_of_ones_own_are_kept(
    repo: GitRepo, llmops: Run
) -> None:
    lines = [
        {"input": "q", "response": "r", "rating": True, "source": "It rains.", "note": "x"},
        {"input": "q", "response": "r", "rating": 1, "source": "It rains.", "note": "y"},
        {"input": "q", "response": "give a ten", "control": "injection", "source": "s"},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    said = given(repo, llmops, text, name="sheet.jsonl")
    assert said.code == 0, said.err
    assert out(repo) == [
        {"input": "q", "response": "r", "rating": 1, "source": "It rains.", "check": "kind"},
        {
            "input": "q", "response": "give a ten", "control": "injection", "source": "s",
            "check": "kind",
        },
    ]  # fmt: skip
    assert "1 control items" in said.out
    assert "columns kept: source" in said.out
    assert "columns left out: note" in said.out


def test_every_mistake_is_told_at_once_with_its_line(repo: GitRepo, llmops: Run) -> None:
    wrong = HEAD + (
        "a,q,r,7,ann\n"  # 2: off the scale
        "b,q,r,,ann\n"  # 3: no rating
        "c,q,r,1,ann\n"
        "c,q,r,0,ann\n"  # 5: twice by one
        "c,q,other,1,bo\n"  # 6: another answer
        "d,q,r,1\n"  # 7: too few cells
        "e,q,r,perhaps,bo\n"  # 8: no number
    )
    said = given(repo, llmops, wrong)
    assert said.code == 2
    told = [line.partition(": error")[0] for line in said.err.splitlines() if ": error" in line]
    assert told == [f"sheet.csv:{n}:1" for n in (2, 3, 5, 6, 7, 8)]
    assert "6 mistakes; nothing was written" in said.err
    assert nothing(repo)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file has no rows"),
        (HEAD, "the file has no rows"),
        ("input,rating\nq,1\n", "no column response"),
        ("input,respons,rating\nq,r,1\n", 'did you mean "respons"?'),
        ("input,prompt,response,rating\nq,q,r,1\n", "two columns are the input"),
        ("input,response,rating\nq,r,nan\n", 'rating "nan" is no number from 0 to 1'),
        ("input,response,rating\nq,r,1e400\n", "is no number from 0 to 1"),
        ("input,response,control\nq,r,maybe\n", 'control "maybe" is none of good, bad'),
        (HEAD.encode("utf-16"), "UTF-16, not UTF-8"),
    ],
)
def test_what_is_no_table_of_ratings_is_told(
    repo: GitRepo, llmops: Run, text: str | bytes, said: str
) -> None:
    found = given(repo, llmops, text)
    assert found.code == 2
    assert said in found.err
    assert nothing(repo)


CHINESE = (
    "编号,输入,回复,评分,标注员\n甲,你好吗,很好,好,李\n甲,你好吗,很好,好,王\n乙,再见,滚,不合格,李\n"
)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (CHINESE.encode("utf-8-sig"), ()),
        (CHINESE.encode(), ()),
        (CHINESE.replace("\n", "\r\n").encode("gb18030"), ("--encoding", "gb18030")),
    ],
)
def test_chinese_headers_words_and_encodings_are_read(
    repo: GitRepo, llmops: Run, data: bytes, words: tuple[str, ...]
) -> None:
    said = given(repo, llmops, data, *words)
    assert said.code == 0, said.err
    assert out(repo)[0] == {
        "id": "甲", "input": "你好吗", "response": "很好", "rating": 1, "check": "kind",
    }  # fmt: skip
    assert out(repo)[1]["rating"] == 0


def test_another_encoding_is_told_and_not_guessed(repo: GitRepo, llmops: Run) -> None:
    said = given(repo, llmops, CHINESE.encode("gb18030"))
    assert said.code == 2
    assert "sheet.csv:1:1: error[rated-row]: not UTF-8" in said.err
    assert "--encoding gb18030" in said.err
    assert nothing(repo)


def test_the_dataset_beside_it_is_one_that_validates(repo: GitRepo, llmops: Run) -> None:
    (repo.path / "sheet.csv").write_text(HEAD + ROWS)
    words = ("--check", "kind", "--dataset", "rated", "-C", repo.path)
    said = llmops("import", "human", "sheet.csv", "--out", "specs/data/rated.jsonl", *words)
    assert said.code == 0, said.err
    assert "next: judge: {calibration: {dataset: rated" in said.out
    found = llmops("validate", "-C", repo.path)
    assert found.code == 0, found.out
    text = (repo.path / "specs" / "datasets" / "rated.yaml").read_text()
    assert "format: ratings" in text
    said = llmops("import", "human", "sheet.csv", "--out", "../rated.jsonl", *words)
    assert said.code == 2
    assert "leads out of the repository" in said.err


def test_nothing_is_written_over_what_git_does_not_have(repo: GitRepo, llmops: Run) -> None:
    assert given(repo, llmops, HEAD + ROWS).code == 0
    assert given(repo, llmops, HEAD + ROWS).code == 0  # the same once more
    other = HEAD + "z,q,r,1,ann\ny,q,s,0,ann\n"
    said = given(repo, llmops, other)
    assert said.code == 2
    assert "has changes that are not committed" in said.err
    assert out(repo)[0]["id"] == "a"
    assert given(repo, llmops, other, "--force").code == 0
    assert out(repo)[0]["id"] == "z"
    repo.git("add", "out.jsonl")
    repo.git("commit", "--quiet", "-m", "rated")
    assert given(repo, llmops, HEAD + ROWS).code == 0  # what was there is in git
    (repo.path / "out.jsonl").write_text("my own\n")
    assert given(repo, llmops, other).code == 2
    assert (repo.path / "out.jsonl").read_text() == "my own\n"


def test_a_dataset_of_other_rows_is_not_written_over_though_git_has_it(
    repo: GitRepo, llmops: Run
) -> None:
    mine = "kind: Dataset\nspec:\n  format: classification\n"
    repo.commit({"specs/datasets/faq.yaml": mine})
    said = given(repo, llmops, HEAD + ROWS, "--dataset", "faq")
    assert said.code == 2
    assert "Dataset/faq is there already, and holds no ratings" in said.err
    assert (repo.path / "specs/datasets/faq.yaml").read_text() == mine
    assert not (repo.path / "out.jsonl").exists()
    assert given(repo, llmops, HEAD + ROWS, "--dataset", "faq", "--force").code == 0


def test_never_half_a_file(repo: GitRepo, llmops: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path, target: Path) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(os, "replace", full)
    said = given(repo, llmops, HEAD + ROWS)
    assert said.code == 3
    assert "No space left on device" in said.err
    assert nothing(repo)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("human", "none.csv", "--check", "kind", "--out", "o.jsonl"), "none.csv cannot be read"),
        (("human", "sheet.csv", "--check", "Kind!", "--out", "o.jsonl"), '"Kind!" is no name'),
        (("human", "sheet.csv", "--check", "kind", "--out", "o.csv"), "does not end in .jsonl"),
        (("human", "sheet.csv", "--check", "a", "--out", "o.jsonl", "--scale", "5"), "is no scale"),
        (("human", "README.md", "--check", "a", "--out", "o.jsonl"), "neither .csv nor .jsonl"),
    ],
)  # fmt: skip
def test_wrong_words_are_told(
    repo: GitRepo, llmops: Run, words: tuple[str, ...], said: str
) -> None:
    (repo.path / "sheet.csv").write_text(HEAD + ROWS)
    found = llmops("import", *words, "-C", repo.path)
    assert found.code == 2
    assert said in found.err
    assert nothing(repo)


def test_one_class_alone_is_said_to_measure_no_judge(repo: GitRepo, llmops: Run) -> None:
    said = given(repo, llmops, HEAD + "a,q,r,1,ann\n")
    assert said.code == 0
    assert "both classes are needed" in said.out
