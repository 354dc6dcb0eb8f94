"""A row of an evaluation -> its cells, scored again by exact metrics, as the worker scores them.

In: the job, a row with what was asked, expected and answered. Out: the values of the checks that
need no more than that. Nothing is asked of a model or a judge; nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.jobs.base import Job
from llmops.workers import builtin_metrics, evaluate
from llmops.workers.measure import Answered, Unscorable

# Metrics that read no more than the row has: expected answer and response.
_OF_ROWS = ("accuracy", "exact_match", "token_f1", "rouge_l", "matches")


def checks(job: Job) -> tuple[evaluate.Check, ...]:
    """The checks of an evaluation that are exact, ready to score."""
    found = []
    for given in job.spec["checks"]:
        engine, _, short = str(given["metric"]).partition("/")
        if engine == "builtin":
            metric = builtin_metrics.metric(short, given.get("with") or {}, Path())
            found.append(evaluate.Check(str(given["name"]), str(given["metric"]), metric))
    return tuple(found)


def cells(row: Mapping[str, Any], exact: tuple[evaluate.Check, ...]) -> Iterator[tuple[str, Any]]:
    """Check -> its value by our own scoring, None where it cannot be scored.

    A cell that is invalid, and a row without an answer, say nothing that could be held against us.
    A row may be anything that JSON can say: whoever made it signed for a digest, not for a shape.
    """
    for check in exact:
        if check.metric_name.partition("/")[2] not in _OF_ROWS:
            continue
        answer = row.get("response")
        if said(row, check.name) is None or not isinstance(answer, str):
            continue
        answered = Answered(str(row.get("id")), str(row.get("input")), row.get("expected"), answer)
        try:
            yield check.name, check.metric.score(answered)
        except (Unscorable, TypeError, AttributeError):
            yield check.name, None


def said(row: Mapping[str, Any], check: str) -> Any:
    """The value that a row has for a check, None where it has none."""
    listed = row.get("cells")
    cell = listed.get(check) if isinstance(listed, Mapping) else None
    return cell.get("value") if isinstance(cell, Mapping) else None
