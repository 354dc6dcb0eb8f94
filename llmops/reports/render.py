"""The tables NAME -> renderer, and the three faces that the rest of the program calls.

A renderer is named by its module and imported when it is asked for: a plan as text does not pay
for Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmops.jobs.base import Change, Plan
from llmops.reports.base import Page, Renderer, Style

if TYPE_CHECKING:
    from llmops.rules.base import Verdict

PLANS: Mapping[str, str] = {
    "text": "plan_text.render",
    "json": "plan_json.render",
    "markdown": "plan_markdown.render",
}
VERDICTS: Mapping[str, str] = {
    "text": "text.render",
    "json": "json.render",
    "markdown": "markdown.render",
}
CHANGES: Mapping[str, str] = {
    "text": "changes.text",
    "json": "changes.json_text",
    "markdown": "changes.markdown",
}
FORMATS = tuple(VERDICTS)


def render_plan(plan: Plan, fmt: str, *, width: int = 100, colour: bool = False) -> str:
    """A plan in one of `FORMATS`, without a trailing newline. Raises KeyError for another one."""
    return _renderer(PLANS[fmt])(plan, Page(width, Style(colour)))


def render_verdict(verdict: Verdict, fmt: str, *, width: int = 100, colour: bool = False) -> str:
    """A verdict in one of `FORMATS`, without a trailing newline. Raises KeyError for another."""
    return _renderer(VERDICTS[fmt])(verdict, Page(width, Style(colour)))


def render_changes(
    changes: tuple[Change, ...], fmt: str, *, width: int = 100, colour: bool = False
) -> str:
    """Changes in one of `FORMATS`, without a trailing newline. Raises KeyError for another one."""
    return _renderer(CHANGES[fmt])(changes, Page(width, Style(colour)))


def _renderer(name: str) -> Renderer[Any]:
    module, _, function = name.rpartition(".")
    found: Renderer[Any] = getattr(import_module(f"llmops.reports.{module}"), function)
    return found
