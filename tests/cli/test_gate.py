from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def ran(llmops, bank):
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0
    return bank


def test_a_good_change_passes(llmops, ran) -> None:
    said = llmops("gate", "-C", ran.path, "--head", "change")
    assert said.code == 0
    assert said.out.rstrip().splitlines()[-1] == "Verdict: passed — 4 gates"


def test_without_evidence_nothing_passes(llmops, bank) -> None:
    said = llmops("gate", "-C", bank.path, "--head", "change")
    assert said.code == 1
    assert "no evidence for evaluate/quality" in said.out


def test_json_parses_and_is_the_same_every_time(llmops, ran) -> None:
    words = ("gate", "-C", ran.path, "--head", "change", "--format", "json")
    first = llmops(*words, "--now", "2026-11-23T08:00:00Z").out
    assert json.loads(first)["outcome"] == "passed"
    assert first == llmops(*words, "--now", "2026-11-23T08:00:00+00:00").out


def test_markdown_is_the_comment(llmops, ran) -> None:
    out = llmops("gate", "-C", ran.path, "--head", "change", "--format", "markdown").out
    assert out.startswith("<!-- llmops:gate v1 tree=")


def test_a_time_that_is_none_is_wrong_usage(llmops, ran) -> None:
    said = llmops("gate", "-C", ran.path, "--now", "yesterday")
    assert said.code == 2
    assert '"yesterday"' in said.err


def test_a_loosened_bound_waits_for_the_approval_that_base_names(llmops, ran) -> None:
    text = (ran.path / "specs/evaluations/quality.yaml").read_text()
    ran.write({"specs/evaluations/quality.yaml": text.replace("min: 0.80", "min: 0.60")})
    assert llmops("gate", "-C", ran.path).code == 1
    assert llmops("gate", "-C", ran.path, "--approved", "team-cs:li").code == 1
    approved = llmops("gate", "-C", ran.path, "--approved", "team-compliance:wang")
    assert approved.code == 0
    assert "Verdict: warned" in approved.out


@pytest.mark.parametrize("text", ["wang", ":wang", "team:", ""])
def test_an_approval_names_team_and_person(llmops, ran, text: str) -> None:
    assert llmops("gate", "-C", ran.path, "--approved", text).code == 2


def test_a_partial_verdict_is_never_passed(llmops, ran) -> None:
    said = llmops("gate", "-C", ran.path, "--head", "change", "--select", "Evaluation/quality")
    assert "Verdict: warned" in said.out
    assert "partial" in said.out


def rows(path: Path) -> list[Path]:
    return sorted((path / "reports/runs").glob("*/artifacts/rows.jsonl"))


@pytest.mark.parametrize("damage", ["gone", "changed", "statement"])
def test_damaged_evidence_is_told_and_never_passes(llmops, ran, damage: str) -> None:
    if damage == "statement":
        for file in (ran.path / "reports/evidence").glob("*/*.json"):
            file.write_text(file.read_text().replace("ok", "OK"))
    for file in rows(ran.path):
        if damage == "gone":
            file.unlink()
        elif damage == "changed":
            file.write_text(file.read_text().replace("0", "1"))
    said = llmops("gate", "-C", ran.path, "--head", "change")
    assert said.code == 1
    assert "Verdict: inconclusive" in said.out
    if damage != "gone":
        assert "llmops: warning: " in said.err
    assert "to run" in llmops("plan", "-C", ran.path, "--head", "change").out


def test_mistakes_of_head_are_no_verdict(llmops, ran) -> None:
    ran.write({"specs/applications/bot.yaml": "kind: Application\n"})
    said = llmops("gate", "-C", ran.path)
    assert said.code == 2
    assert "Verdict" not in said.out
