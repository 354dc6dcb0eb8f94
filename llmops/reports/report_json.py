"""Report -> one JSON object: every value of the report, its verdict and its plan, for tools."""

from __future__ import annotations

from dataclasses import fields

from llmops.jobs.wire import to_json
from llmops.reports.data import dumps, plain
from llmops.reports.phrase import Lang
from llmops.reports.report import Report


def render(report: Report, lang: Lang, other: str = "") -> str:
    """The report as JSON, the same in every language."""
    verdict = report.verdict
    judged = {f.name: plain(getattr(verdict, f.name)) for f in fields(verdict) if f.name != "plan"}
    made = {f.name: plain(getattr(report, f.name)) for f in fields(report) if f.name != "verdict"}
    return dumps({**made, "verdict": {**judged, "plan": to_json(verdict.plan)}})
