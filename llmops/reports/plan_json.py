"""Plan -> `plan.json`: what `run` takes verbatim and tools read; `wire.plan_from_json` reads it."""

from __future__ import annotations

from llmops.jobs.base import Plan
from llmops.jobs.wire import to_json
from llmops.reports.base import Page
from llmops.reports.data import dumps


def render(plan: Plan, page: Page) -> str:
    """The plan as JSON, without loss."""
    return dumps(to_json(plan))
