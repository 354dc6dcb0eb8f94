"""Rule `require`: a check's value, with its one-sided bound, is on the right side of its claim."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmops.jobs.make import Made
from llmops.rules.asked import absent, asked, claimed, finding
from llmops.rules.base import Finding
from llmops.rules.claims import kept_cells, summary
from llmops.rules.facts import Facts, Info
from llmops.rules.judged import decided

INFO = Info(
    id="require",
    why="a claim passes only when the rows show it at the stated error rate, not by luck",
    fix="improve the target, or move the bound (which base's policy may want approved)",
    needs_evidence=True,
    controls=("eu-ai-act/art-15", "iso42001/A.6.2.4", "nist-ai-rmf/measure-2.3"),
    good="""\
kind: Evaluation
spec:
  sample: {rows: 200}
  checks: [{name: accuracy, metric: builtin/accuracy, require: {min: 0.9}}]
""",
    bad="""\
kind: Evaluation
spec:
  sample: {rows: 200}  # not even 200 right answers show 0.99
  checks: [{name: accuracy, metric: builtin/accuracy, require: {min: 0.99}}]
""",
)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each `require` of each check, judged for base and then for head."""
    for one in asked(facts, "checks"):
        bound = one.entry["require"]
        missing = absent(facts, one.head)
        if missing is not None:
            outcome, why, hint = missing
            yield replace(finding(facts, one, INFO.id, outcome, why), hint=hint)
            continue
        found = kept_cells(facts, one.head.job.closure, one.check)
        claim = decided(facts, one, bound, found)
        result = claimed(facts, one, INFO.id, claim, bound, one.entry["name"])
        yield replace(result, base_value=base_value(facts, one.exam.before, one.check))


def base_value(facts: Facts, made: Made | None, check: Mapping[str, Any]) -> float | None:
    """The same check on base's target, for the reader; decides nothing."""
    return summary(kept_cells(facts, made.job.closure, check), check) if made is not None else None
