"""Verdict or plan -> what a step writes to `$GITHUB_OUTPUT` and `$GITHUB_STEP_SUMMARY`.

A value of several lines stands between delimiters that nobody can guess, so that no text of others
can end it and set an output of its own; the delimiter is an argument, for this room has no chance.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Mapping

from llmops.jobs.base import Plan
from llmops.reports import github_limits as limits
from llmops.reports import markdown, plan_markdown, verdict_words
from llmops.reports.base import Page
from llmops.reports.blocks import fit
from llmops.reports.escape import text
from llmops.rules.base import Verdict

NAMES = (
    "verdict", "has_jobs", "jobs", "cost_usd", "report_path", "comment_url", "evidence_digest",
)  # fmt: skip


def outputs(values: Mapping[str, str], delimiter: str) -> str:
    """Lines for `$GITHUB_OUTPUT`, each value exactly as given.

    `delimiter`: at least 32 characters of chance, new for every call. Raises ValueError for a name
    that is none of `NAMES`, and for a value that holds the delimiter.
    """
    if len(delimiter) < 32 or not delimiter.isalnum():
        raise ValueError("a delimiter has at least 32 letters and digits")
    return "".join(_output(name, value, delimiter) for name, value in values.items())


def _output(name: str, value: str, delimiter: str) -> str:
    if name not in NAMES:
        raise ValueError(f'no output is named "{name}"')
    if delimiter in value:
        raise ValueError(f"the value of {name} holds the delimiter")
    if value.isprintable() and "\n" not in value:
        return f"{name}={value}\n"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def step_summary(verdict: Verdict) -> str:
    """The comment's Markdown, then every job of the plan: at most 900 KiB."""
    head = f"### {verdict.outcome.mark} llmops: {text(verdict_words.headline(verdict))}"
    parts = (*markdown.sections(verdict), *plan_markdown.job_list(verdict.plan))
    return fit(head, parts, markdown.foot(verdict), limits.STEP_SUMMARY_BYTES)


def plan_summary(plan: Plan) -> str:
    """The plan as the step of the plan job shows it."""
    return plan_markdown.render(plan, Page())
