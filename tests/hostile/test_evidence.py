"""Evidence, rows and results that were changed by hand between the run and the gate.

Nobody's hand makes a verdict better: what is not as its digest says is as good as absent, which is
inconclusive, and its job is planned again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from llmops.digest import of_file
from tests.conftest import GitRepo

Edit = Callable[[Path], None]


def judge(reports: Path) -> str:
    """The hexadecimal name of the evaluation that the gate reads."""
    found = [
        folder.name
        for folder in (reports / "runs").iterdir()
        if json.loads((folder / "job.json").read_text())["type"] == "evaluate"
    ]
    assert len(found) == 1
    return found[0]


def rows(reports: Path) -> Path:
    return reports / "runs" / judge(reports) / "artifacts" / "rows.jsonl"


def statement(reports: Path) -> Path:
    (found,) = (reports / "evidence" / judge(reports)).iterdir()
    return found


def all_correct(reports: Path) -> None:
    found = [json.loads(line) for line in rows(reports).read_text().splitlines()]
    for row in found:
        for cell in row["cells"].values():
            cell["value"] = 1.0
    rows(reports).write_text("".join(json.dumps(row) + "\n" for row in found))


def forged_result(reports: Path) -> None:
    all_correct(reports)
    file = rows(reports).parents[1] / "result.json"
    result = json.loads(file.read_text())
    for artifact in result["artifacts"]:
        if artifact["name"] == "rows.jsonl":
            artifact["digest"] = of_file(rows(reports))
    file.write_text(json.dumps(result))


def one_bit(reports: Path) -> None:
    data = bytearray(rows(reports).read_bytes())
    data[100] ^= 1
    rows(reports).write_bytes(data)


def linked(reports: Path) -> None:
    shutil.copy(rows(reports), reports / "elsewhere")
    rows(reports).unlink()
    rows(reports).symlink_to(reports / "elsewhere")


def a_pipe(reports: Path) -> None:
    rows(reports).unlink()
    os.mkfifo(rows(reports))


def edited_statement(reports: Path) -> None:
    text = statement(reports).read_text()
    assert '"status":"ok"' in text
    statement(reports).write_text(text.replace('"seed":', '"seed": '))


def of_another_closure(reports: Path) -> None:
    place = statement(reports)
    other = next(f for f in (reports / "evidence").iterdir() if f.name != judge(reports))
    (theirs,) = other.iterdir()
    shutil.copy(theirs, place.parent / theirs.name)
    place.unlink()


EDITS: list[Edit] = [
    all_correct, forged_result, one_bit, linked, a_pipe, edited_statement, of_another_closure,
    lambda reports: rows(reports).unlink(),
    lambda reports: statement(reports).unlink(),
    lambda reports: statement(reports).write_bytes(b"\0\xff"),
    lambda reports: statement(reports).write_bytes(b""),
    lambda reports: shutil.rmtree(reports / "evidence"),
    lambda reports: shutil.rmtree(reports / "runs"),
]  # fmt: skip


@pytest.fixture
def reports(llmops, bank: GitRepo) -> Path:
    """A store in which everything was run and passes."""
    assert llmops("run", "-C", bank.path, "--accept-undecidable").code == 0
    assert llmops("gate", "-C", bank.path).code == 0
    return bank.path / "reports"


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_edited_is_never_passed_and_made_again(llmops, bank, reports, edit: Edit) -> None:
    before = rows(reports).read_bytes()
    edit(reports)
    said = llmops("gate", "-C", bank.path)
    assert said.code == 1
    assert "Verdict: inconclusive" in said.out
    assert "no evidence for evaluate/" in said.out
    planned = llmops("plan", "-C", bank.path).out
    assert "Plan: nothing to run" not in planned
    assert "is gone from the store" in planned or "no evidence yet" in planned
    again = llmops("run", "-C", bank.path, "--accept-undecidable")
    assert again.code == 0
    assert llmops("gate", "-C", bank.path).code == 0
    assert rows(reports).read_bytes() == before


def test_what_was_found_damaged_is_told_with_its_place(llmops, bank, reports) -> None:
    one_bit(reports)
    said = llmops("gate", "-C", bank.path)
    assert "warning: artifact " in said.err
    assert f"runs/{judge(reports)}/artifacts/rows.jsonl is sha256:" in said.err


def test_where_nothing_may_be_written_it_is_judged_and_run_says_what_to_do(
    llmops, bank, reports
) -> None:
    """A store that another user made: what it holds still counts."""
    shutil.rmtree(reports / "runs")
    (reports / "runs").write_text("in the way")
    assert llmops("gate", "-C", bank.path).code == 1
    said = llmops("run", "-C", bank.path, "--accept-undecidable")
    assert said.code == 3
    assert "cannot write" in said.out
    assert "hint: move away what stands in its place" in said.out
