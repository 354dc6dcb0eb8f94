"""Waived is never hidden: every surface says of a waived gate what was found, and by whose word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.reports.render import REPORTS, VERDICTS, render_report, render_verdict
from llmops.reports.report import Report
from llmops.rules.base import Outcome, Verdict
from tests.reports.conftest import (
    TONE,
    WAIVED_TONE,
    WAIVER,
    WAIVERS,
    a_verdict,
)  # fmt: skip
from tests.reports.conftest import (
    VERDICTS as FIXED,
)
from tests.reports.pages import FULL

WAIVED = a_verdict(Outcome.WARNED, WAIVED_TONE, waivers=WAIVERS)
SAID = (WAIVER, "2026-12-15", "CS-1207", "lihua", "tone")
PAGED = ("html", "md", "summary", "csv")


def report_of(verdict: Verdict) -> Report:
    return replace(FULL, verdict=replace(verdict, plan=FULL.verdict.plan))


def surfaces(verdict: Verdict) -> dict[str, str]:
    """Every text that any command makes of a verdict, by format and language."""
    found = {f"gate {fmt}": render_verdict(verdict, fmt, width=400) for fmt in VERDICTS}
    for fmt in REPORTS:
        for name, text in render_report(report_of(verdict), (fmt,), ("en", "zh")):
            found[f"report {name}"] = text
    return found


SURFACES = surfaces(WAIVED)


@pytest.mark.parametrize("name", SURFACES)
def test_every_surface_names_the_waiver_its_owner_ticket_and_last_day(name: str) -> None:
    text = SURFACES[name].replace("\\", "").replace("&nbsp;", " ")
    assert [word for word in SAID if word not in text] == []
    assert "23" in text


@pytest.mark.parametrize("name", SURFACES)
def test_every_surface_says_what_was_found_before_that_it_is_waived(name: str) -> None:
    text = SURFACES[name].replace("\\", "")
    if name.endswith("csv"):  # a table of numbers: the word beside each says it
        assert "warned (failed, waived)" in text or "有警告（未通过，已豁免）" in text
    elif ".zh." in name:
        assert text.index("低于下限 0.8") < text.index("豁免至 2026-12-15")
    else:
        assert text.index(TONE[:40]) < text.index("waived until 2026-12-15")


@pytest.mark.parametrize("name", [n for n in SURFACES if "csv" not in n])
def test_every_surface_counts_it_and_says_what_it_would_be(name: str) -> None:
    text = SURFACES[name].replace("&nbsp;", " ")
    counted = ("1 waived", "1 gate waived", "1 项经豁免", '"waived_by"')
    lists = ("junit", "junit.xml", "codequality")  # which have no totals
    assert any(word in text for word in counted) or name.endswith(lists), name
    assert "failed" in text or "未通过" in text or name.endswith(("junit", "junit.xml", "github"))


@pytest.mark.parametrize("fmt", ["text", "markdown", "json", *PAGED])
def test_a_waiver_that_is_not_in_use_is_listed_too(fmt: str) -> None:
    unused = a_verdict(Outcome.PASSED, FIXED["quiet"].findings[0], waivers=WAIVERS[1:])
    found = {n: t for n, t in surfaces(unused).items() if n.endswith(fmt) or f".{fmt}" in n}
    for name, text in found.items() if fmt in PAGED else [(fmt, render_verdict(unused, fmt))]:
        assert "w-2026-007" in text, name
        assert "w-2026-001" in text, name


def test_what_is_waived_is_a_warning_for_code_scanning_and_no_suppression() -> None:
    text = render_verdict(WAIVED, "sarif")
    assert '"level": "warning"' in text
    assert "suppress" not in text
    assert f'"waived_by": "{WAIVER}"' in text
    assert '"unwaived": "failed"' in text
