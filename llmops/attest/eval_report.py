"""All that a verdict says, and all that it takes as given: predicate `eval-report/v1`. Dry.

Left out is what the trees say already (values of changed fields), what people wrote or a model
answered (worst cases, changed outputs), and what depends on the machine and on what else had run
by then (estimates, why a step runs). The rest must follow, byte for byte, from `given`, the log,
the rows and the two trees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from llmops.attest.given import Given
from llmops.attest.plain import plain
from llmops.attest.subject import closure_of, statement
from llmops.graph.base import Change
from llmops.jobs.base import Plan
from llmops.log.base import EVAL_REPORT
from llmops.rules.base import Verdict

# Fields of a verdict that are no part of the report as they are.
ASIDE = frozenset(
    (
        "plan", "base", "head", "changes", "worst_cases", "outputs", "advisory",
        "judged_at", "tool_version", "extra",
    )
)  # fmt: skip


def made(verdict: Verdict, given: Given) -> dict[str, Any]:
    """The statement."""
    said = {f.name: plain(getattr(verdict, f.name)) for f in fields(verdict) if f.name not in ASIDE}
    predicate = {
        **said,
        "closure": closure_of(verdict.plan),
        "jobs": list(_jobs(verdict.plan)),
        "changes": [_changed(change) for change in verdict.changes],
        "given": given.to_json(),
    }
    return statement(verdict, EVAL_REPORT, predicate)


def _jobs(plan: Plan) -> Iterator[dict[str, Any]]:
    """Each job that some gate needs, with the evidence that it has; sorted, each once."""
    found = {
        (job.closure, job.side): {
            "id": job.id,
            "type": job.type,
            "subject": str(job.subject),
            "side": job.side,
            "closure": job.closure,
            "evidence": step.evidence,
        }
        for step in plan.steps
        for job in (step.job,)
    }
    return (found[key] for key in sorted(found))


def _changed(change: Change) -> dict[str, Any]:
    """What changed, by name; the values are in the trees, where what is secret can be mended."""
    return {
        "ref": str(change.ref),
        "action": change.action,
        "path": change.path,
        "category": change.category,
        "fields": [one.path for one in change.fields],
        "through": list(change.through),
    }
