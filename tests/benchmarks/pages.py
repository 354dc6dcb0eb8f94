"""Seconds for one HTML report with 10,000 cases that got worse, and for escaping their text."""

from __future__ import annotations

import time
from dataclasses import replace

from markupsafe import escape

from llmops.reports import html
from llmops.rules.base import Case
from tests.reports import pages

COUNT = 10_000
QUESTION = "我的卡被取款机吞了, what now? <b>It says \u202e error</b> & nothing else. " * 3
ANSWER = "card_swallowed: please call the number on the back of your card. " * 3


def per_page() -> tuple[float, float]:
    """Seconds of rendering, and of escaping every text of the cases once."""
    cases = tuple(Case(f"case-{i}", QUESTION, ANSWER, ANSWER, QUESTION) for i in range(COUNT))
    report = replace(pages.FULL, lost=(pages.lost(cases, COUNT),))
    html.render(pages.FULL, "en")  # templates are compiled once in a process
    started = time.perf_counter()
    page = html.render(report, "en")
    ours = time.perf_counter() - started
    assert page.count("<tr>") > COUNT
    started = time.perf_counter()
    for case in cases:
        for text in (case.input, case.expected, case.before, case.after):
            escape(text or "")
    return ours, time.perf_counter() - started
