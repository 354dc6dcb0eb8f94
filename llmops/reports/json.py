"""Verdict -> one JSON object, for tools: every field of the value, outcomes as words.

`format_version` says which shape; the plan inside is exactly a `plan.json`.
"""

from __future__ import annotations

from dataclasses import fields

from llmops.jobs.wire import to_json
from llmops.reports.base import Page
from llmops.reports.data import dumps, plain
from llmops.rules.base import Verdict


def render(verdict: Verdict, page: Page) -> str:
    """The verdict as JSON."""
    made = {f.name: plain(getattr(verdict, f.name)) for f in fields(verdict) if f.name != "plan"}
    return dumps({**made, "plan": to_json(verdict.plan)})
