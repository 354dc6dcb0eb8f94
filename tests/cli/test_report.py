from __future__ import annotations

import json
from pathlib import Path

import pytest

WORDS = ("--head", "change", "--now", "2026-11-23T08:00:00Z")


@pytest.fixture
def ran(llmops, bank):
    assert llmops("run", "-C", bank.path, "--head", "change").code == 0
    return bank


def pages(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_both_languages_are_written_from_the_same_evidence(llmops, ran) -> None:
    said = llmops("report", "-C", ran.path, *WORDS)
    assert said.code == 0
    folder = ran.path / "reports" / "pages"
    assert sorted(pages(folder)) == ["report.html", "report.zh.html"]
    assert [line.rpartition("/")[2] for line in said.out.split()] == sorted(pages(folder))
    assert "Verdict: <strong>passed" in (folder / "report.html").read_text("utf-8")
    assert "结论：<strong>通过" in (folder / "report.zh.html").read_text("utf-8")


def test_two_reports_of_the_same_evidence_are_the_same_bytes(llmops, ran, tmp_path) -> None:
    for name in ("one", "two"):
        words = ("--format", "html,md,summary,csv,json,sarif,junit", "--out", tmp_path / name)
        assert llmops("report", "-C", ran.path, *WORDS, *words).code == 0
    assert pages(tmp_path / "one") == pages(tmp_path / "two")
    assert len(pages(tmp_path / "one")) == 11


def test_a_report_without_evidence_says_what_is_not_measured(llmops, bank) -> None:
    assert llmops("report", "-C", bank.path, *WORDS, "--lang", "en").code == 0
    page = (bank.path / "reports/pages/report.html").read_text("utf-8")
    assert "not run yet" in page
    assert "Verdict: <strong>inconclusive" in page


def test_a_damaged_artifact_is_a_gap_and_a_warning(llmops, ran) -> None:
    for file in (ran.path / "reports/runs").glob("*/artifacts/funnel.json"):
        file.write_text("[1]")
    said = llmops("report", "-C", ran.path, *WORDS, "--lang", "en")
    assert said.code == 0
    page = (ran.path / "reports/pages/report.html").read_text("utf-8")
    assert "the kept artifact is gone or damaged" in page


def test_the_verdict_in_json_is_that_of_gate(llmops, ran, tmp_path) -> None:
    assert llmops("report", "-C", ran.path, *WORDS, "--format", "json", "--out", tmp_path).code == 0
    told = json.loads((tmp_path / "report.json").read_text("utf-8"))
    judged = json.loads(llmops("gate", "-C", ran.path, *WORDS, "--format", "json").out)
    assert told["verdict"] == judged


@pytest.mark.parametrize(
    "words",
    [("--lang", "fr"), ("--lang", ","), ("--format", "pdf"), ("--cases", "-1"), ("--now", "x")],
)
def test_what_is_not_known_is_wrong_usage(llmops, ran, words) -> None:
    said = llmops("report", "-C", ran.path, *words)
    assert said.code == 2
    assert not (ran.path / "reports" / "pages").exists()


def test_pages_are_never_written_through_a_link(llmops, ran, tmp_path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (ran.path / "reports" / "pages").symlink_to(tmp_path / "elsewhere")
    said = llmops("report", "-C", ran.path, *WORDS)
    assert said.code == 3
    assert "is a link" in said.err
    assert not pages(tmp_path / "elsewhere")


def test_a_folder_in_the_place_of_a_page_is_told(llmops, ran, tmp_path) -> None:
    (tmp_path / "report.html").mkdir()
    said = llmops("report", "-C", ran.path, *WORDS, "--out", tmp_path)
    assert said.code == 3
    assert "is a folder" in said.err


def test_no_page_holds_a_secret_of_whoever_writes_it(
    llmops, ran, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A word that every page has stands for it."""
    words = (
        "report",
        "-C",
        ran.path,
        *WORDS,
        "--format",
        "html,md,json",
        "--out",
        tmp_path / "pages",
    )
    assert llmops(*words).code == 0
    pages = [path.read_text("utf-8") for path in (tmp_path / "pages").iterdir()]
    assert all("accuracy" in page for page in pages)
    monkeypatch.setenv("PLANTED_API_KEY", "accuracy")
    assert llmops(*words).code == 0
    assert not [
        path for path in (tmp_path / "pages").iterdir() if "accuracy" in path.read_text("utf-8")
    ]
