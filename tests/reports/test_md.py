"""The Markdown page, the summary of a step, and the numbers for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace

import pytest

from llmops.reports import csv as csv_pages
from llmops.reports import md, report_json, summary
from llmops.reports.phrase import LANGS, Lang
from llmops.reports.render import REPORTS, render_report
from llmops.rules.base import Case
from tests.reports import pages
from tests.reports.conftest import EVIL


@pytest.mark.parametrize("lang", LANGS)
def test_markdown_reads_as_agreed(golden, lang: Lang) -> None:
    golden(f"reports/report-full.{lang}.md", md.render(pages.FULL, lang) + "\n")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("render", [md.render, summary.render])
def test_hostile_text_is_inert_in_markdown(render, lang: Lang) -> None:
    page = render(pages.evil(), lang)
    outside = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", page)
    assert not re.search(r"(?<![\\`])<(?!sub>|/sub>|span>\$|/span>)", outside)
    assert not re.search(r"@octocat|(?<!\\)\[x\]|://evil|www\.evil", outside)
    assert "\x1b" not in page
    assert "\u202e" not in page


def test_a_summary_keeps_its_verdict_within_the_limit() -> None:
    cases = tuple(
        Case(f"c{i}", "字" * 600, "字" * 600, "字" * 600, "字" * 600) for i in range(5_000)
    )
    lost = tuple(replace(pages.lost(cases, 5_000), gate=f"Evaluation/e{i}/x") for i in range(4))
    big = replace(pages.FULL, lost=lost)
    text = summary.render(big, "zh")
    assert len(text.encode("utf-8")) <= summary.LIMIT_BYTES
    assert "未通过" in text.splitlines()[2]
    assert "另有 1 节因篇幅未列出" in text
    assert "more sections" not in text


def test_a_summary_is_read_once_so_it_leaves_out_the_method() -> None:
    text = summary.render(pages.FULL, "en")
    assert "Method, in plain words" not in text
    assert "What ran, what was reused, and why" in text


@pytest.mark.parametrize("lang", LANGS)
def test_numbers_are_a_table_of_rfc_4180(lang: Lang) -> None:
    text = csv_pages.render(pages.FULL, lang)
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert {len(row) for row in rows} == {6}
    assert any(row[4] == "0.612" and row[5] == pages.EVIDENCE for row in rows)
    assert any(row[4] == "-0.261" for row in rows)


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", " =1", "\r=1", "|calc", "%0A=1", "=cmd|' /C x'!A0",
     "−2+3", "\ufeff=1", "\u200b=1", "＝1+1"],
)  # fmt: skip
def test_no_cell_is_a_formula(value: str) -> None:
    assert csv_pages.safe(value)[0] not in "=+-@\t\r|%−"
    assert csv_pages.safe(value)[0] in "'\\"


@pytest.mark.parametrize("value", ["-0.261", "1,200", "4.0e-05", "0"])
def test_a_number_stays_a_number(value: str) -> None:
    assert csv_pages.safe(value) == value
    assert csv_pages.safe(value.replace("-", "−")) == value


def test_hostile_text_is_inert_in_a_spreadsheet() -> None:
    text = csv_pages.render(pages.evil(), "en")
    for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))):
        for cell in row:
            assert cell.isprintable()
            assert not re.match(r"[=+@|%]|-(?![\d.,e]+$)", cell)


def test_json_holds_every_value_and_hides_nothing() -> None:
    told = json.loads(report_json.render(pages.FULL, "en"))
    assert told["verdict"]["outcome"] == "failed"
    assert told["lost"][0]["cases"][0]["after"] == "lost_card"
    assert told["curves"][0]["points"][0] == [1, 3.0726]
    assert told["format_version"] == 1
    assert json.loads(report_json.render(pages.evil(), "zh"))["title"][""] == EVIL
    assert report_json.render(pages.evil(), "zh") == report_json.render(pages.evil(), "en")


def test_every_format_has_a_file_and_only_what_is_told_has_two() -> None:
    found = [name for name, _ in render_report(pages.BARE, tuple(REPORTS), LANGS)]
    assert found == [
        "report.html", "report.zh.html", "report.md", "report.zh.md", "summary.md",
        "summary.zh.md", "numbers.csv", "numbers.zh.csv", "report.json", "report.sarif",
        "report.junit.xml",
    ]  # fmt: skip
    assert [name for name, _ in render_report(pages.BARE, ["html"], ["zh"])] == ["report.zh.html"]
    (_, text), = render_report(pages.BARE, ["html"], ["zh"])  # fmt: skip
    assert "English version" not in text
