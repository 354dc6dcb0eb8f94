from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def ran(llmops, bank):
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0
    return bank


def runs(repo, job: str) -> list[Path]:
    found = (repo.path / "reports/runs").glob("*/job.json")
    return [p.parent for p in found if json.loads(p.read_bytes())["id"] == job]


def test_evidence_is_found_by_the_first_digits_of_closure_or_digest(llmops, ran) -> None:
    (folder,) = runs(ran, "train/base")
    by_closure = llmops("show", "evidence", folder.name[:12], "-C", ran.path)
    assert by_closure.code == 0
    assert by_closure.out.startswith("train Recipe/base: ok\n")
    digest = by_closure.out.splitlines()[1].split()[1]
    assert llmops("show", "evidence", digest, "-C", ran.path).out == by_closure.out
    assert llmops("show", "evidence", digest[:15] + "…", "-C", ran.path).out == by_closure.out


def test_artifacts_have_sizes_and_what_is_gone_is_told(llmops, ran) -> None:
    (folder,) = runs(ran, "train/base")
    artifact = next((folder / "artifacts").iterdir())
    shown = llmops("show", "evidence", folder.name, "-C", ran.path).out
    assert " B  " in shown
    assert "gone or altered" not in shown
    artifact.rename(folder / "elsewhere")
    assert "gone or altered" in llmops("show", "evidence", folder.name, "-C", ran.path).out


def test_one_case_of_evidence_is_its_row(llmops, ran) -> None:
    (folder, *_) = runs(ran, "evaluate/quality")
    row = json.loads((folder / "artifacts/rows.jsonl").read_bytes().splitlines()[0])
    words = ("show", "evidence", folder.name, "--case", row["id"], "-C", ran.path)
    assert f"answered  {row['response']}" in llmops(*words).out
    found = json.loads(llmops(*words, "--format", "json").out)
    assert found["row"] == row


def test_a_case_is_shown_before_and_after(llmops, ran) -> None:
    (folder, *_) = runs(ran, "evaluate/quality")
    row = json.loads((folder / "artifacts/rows.jsonl").read_bytes().splitlines()[0])
    said = llmops("show", "case", row["id"], "-C", ran.path, "--head", "change")
    assert said.code == 0
    assert said.out.count("Evaluation/quality") == 1  # base's and head's are the same
    assert "before    " in said.out
    assert "after     " in said.out
    by_digest = llmops("show", "case", row["case"], "-C", ran.path, "--head", "change")
    assert by_digest.out == said.out


def test_a_run_is_found_by_name_and_shows_its_files(llmops, ran) -> None:
    said = llmops("show", "run", "train/base", "-C", ran.path)
    assert said.code == 0
    assert said.out.startswith("train/base: finished, ok\n")
    assert "job.json" in said.out


def test_a_run_that_was_stopped_says_why(llmops, ran) -> None:
    (folder,) = runs(ran, "train/base")
    for path in (ran.path / "reports/evidence" / folder.name).iterdir():
        path.unlink()
    (folder / "result.json").unlink()
    assert (
        "stopped before it had a result" in llmops("show", "run", "train/base", "-C", ran.path).out
    )
    (folder / "error.json").write_text('{"message": "no \\u001b[31mspace", "hint": ""}')
    out = llmops("show", "run", "train/base", "-C", ran.path).out
    assert "not judged: no \\x1b[31mspace" in out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("evidence", "zzz"), "write its first digits"),
        (("evidence", ""), "write its first digits"),
        (("evidence", "0000000000000000"), "statements are kept"),
        (("run", "train/bas"), 'did you mean "train/base"?'),
        (("case", "nobody"), ""),
        (("run", "train/base", "--case", "x"), ""),
    ],
)
def test_what_is_not_there_is_wrong_usage(llmops, ran, words: tuple[str, ...], hint: str) -> None:
    said = llmops("show", *words, "-C", ran.path)
    assert said.code == 2
    assert hint in said.err


def test_a_prefix_of_several_names_them(llmops, ran) -> None:
    names = [p.name for p in (ran.path / "reports/runs").iterdir()]
    digits = [n[0] for n in names]
    shared = next((d for d in digits if digits.count(d) > 1), None)
    if shared is None:
        pytest.skip("no two closures begin alike")
    said = llmops("show", "run", shared, "-C", ran.path)
    assert said.code == 2
    assert "say which" in said.err


HOSTILE = "\x1b]0;owned\x07\x1b[2J‮gnp.exe\r\n::error::x"


def test_rows_of_somebody_else_drive_no_terminal(llmops, ran) -> None:
    from llmops.cli import show

    row = {
        "id": HOSTILE, "case": "sha256:" + "0" * 64, "input": HOSTILE, "expected": HOSTILE,
        "response": {"text": HOSTILE}, "columns": {HOSTILE: HOSTILE},
        "cells": {HOSTILE: {"value": None, "valid": False, "reason": HOSTILE}},
    }  # fmt: skip
    one = {"asked_by": "E", "target": "T", "of": "head", "before": row, "after": row}
    text = "\n".join([*show._case_text({"answers": [one]}), *show._row_lines(row)])
    assert not set(text) & set("\x1b\x07\r‮")
    assert "\n::error" not in text


def test_what_a_guardrail_did_is_told_beside_the_answer() -> None:
    from llmops.cli import show

    met = {"guardrail": "g", "stage": "input", "layer": HOSTILE, "rule": "r1", "action": "block"}
    row = {"response": "refuse", "cells": {"refusal": {"value": 1, "valid": True}}, "guard": [met]}
    text = "\n".join(show._sides(None, row))
    assert "block of the input by" in text
    assert "(r1) of Guardrail/g" in text
    assert not set(text) & set("\x1b\x07\r‮")


def test_a_response_file_that_is_damaged_costs_only_what_it_told(llmops, ran) -> None:
    (folder, *_) = runs(ran, "evaluate/quality")
    row = json.loads((folder / "artifacts/rows.jsonl").read_bytes().splitlines()[0])
    for path in (ran.path / "reports/runs").glob("*/artifacts/responses.jsonl"):
        path.write_text("[]\nnot json")
    assert llmops("show", "case", row["id"], "-C", ran.path, "--head", "change").code == 0
