"""Differences against base: the allowed loss is drawn on the side on which a loss lies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.reports import charts, judged
from llmops.reports.teller import Teller
from llmops.reports.told import content
from llmops.rules.base import Finding, Outcome
from tests.reports import pages


def finding(rule: str, gate: str, bound: str, side: str = "head") -> Finding:
    return Finding(
        rule, gate, Outcome.PASSED, "as told", bound=bound, judged_by=side,
        value=0.1, n=100, base_value=0.1, difference=0.0, difference_interval=(-0.01, 0.01),
    )  # fmt: skip


REGRESSION = finding("regression", "SafetyTest/s/refusal/regression", "margin 0.02")
GATE = "SafetyTest/s/refusal"
BASES = finding("require", GATE, "max 0.03", "base")


@pytest.mark.parametrize(
    ("claims", "where"),
    [
        ((), -0.02),
        ((finding("require", GATE, "min 0.9"),), -0.02),
        ((finding("require", GATE, "max 0.03"),), 0.02),
        ((finding("require", GATE, "max 0.9 min 0.1"),), -0.02),
        ((BASES,), 0.02),
        ((BASES, finding("require", GATE, "min 0.9")), -0.02),
        ((finding("require", "SafetyTest/s/typos", "max 0.03"),), -0.02),
    ],
)  # fmt: skip
def test_a_loss_lies_where_the_checks_own_bound_says(monkeypatch, claims, where: float) -> None:
    drawn: list[charts.Bar] = []
    grouped = charts.grouped

    def seen(title: str, groups: list[charts.Group], heads: tuple[str, ...]) -> charts.Drawing:
        drawn.extend(bar for group in groups for bar in group.bars)
        return grouped(title, groups, heads)

    monkeypatch.setattr(charts, "grouped", seen)
    verdict = replace(pages.FULL.verdict, findings=(REGRESSION, *claims))
    judged.gates(Teller(replace(pages.FULL, verdict=verdict), "en"))
    assert [bar.bounds for bar in drawn] == [(where,)]


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "none of severity high"), ("zh", "没有严重程度为“高”的发现")]
)
def test_what_is_counted_is_a_whole_number_and_its_bound_is_in_the_language(
    lang: str, words: str
) -> None:
    gate = "SafetyTest/s/scan/fail-on"
    found = replace(finding("fail-on", gate, "none of severity high"), value=2.0, metric="findings")
    verdict = replace(pages.FULL.verdict, findings=(found,))
    made = repr(judged.gates(Teller(replace(pages.FULL, verdict=verdict), lang)))
    assert words in made
    assert "text='2'" in made
    assert "2.000" not in made


@pytest.mark.parametrize("advisory", [True, False])
def test_why_no_attempt_is_shown_depends_on_whether_anything_was_counted(advisory: bool) -> None:
    verdict = replace(pages.BARE.verdict, advisory=advisory)
    text = str(content(replace(pages.BARE, verdict=verdict), "en"))
    assert ("attempts per claim are not counted" in text) is advisory
    assert ("no claim was tried anew" in text) is not advisory
