"""The tables NAME -> renderer, and the three faces that the rest of the program calls."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.jobs.base import Change, Plan
from llmops.reports import changes as _changes
from llmops.reports import json, markdown, plan_json, plan_markdown, plan_text, text
from llmops.reports.base import Page, Renderer, Style
from llmops.rules.base import Verdict

PLANS: Mapping[str, Renderer[Plan]] = {
    "text": plan_text.render,
    "json": plan_json.render,
    "markdown": plan_markdown.render,
}
VERDICTS: Mapping[str, Renderer[Verdict]] = {
    "text": text.render,
    "json": json.render,
    "markdown": markdown.render,
}
CHANGES: Mapping[str, Renderer[tuple[Change, ...]]] = {
    "text": _changes.text,
    "json": _changes.json_text,
    "markdown": _changes.markdown,
}
FORMATS = tuple(VERDICTS)


def render_plan(plan: Plan, fmt: str, *, width: int = 100, colour: bool = False) -> str:
    """A plan in one of `FORMATS`, without a trailing newline. Raises KeyError for another one."""
    return PLANS[fmt](plan, Page(width, Style(colour)))


def render_verdict(verdict: Verdict, fmt: str, *, width: int = 100, colour: bool = False) -> str:
    """A verdict in one of `FORMATS`, without a trailing newline. Raises KeyError for another."""
    return VERDICTS[fmt](verdict, Page(width, Style(colour)))


def render_changes(
    changes: tuple[Change, ...], fmt: str, *, width: int = 100, colour: bool = False
) -> str:
    """Changes in one of `FORMATS`, without a trailing newline. Raises KeyError for another one."""
    return CHANGES[fmt](changes, Page(width, Style(colour)))
