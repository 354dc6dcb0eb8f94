"""Rule `slices`: a check's claim on each value of a column, so that a mean cannot hide a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmops.rules.asked import Asked, absent, asked, claimed, finding
from llmops.rules.base import Finding, Outcome
from llmops.rules.claims import kept_cells, summary
from llmops.rules.facts import Facts, Info, Row
from llmops.rules.groups import groups, nothing
from llmops.rules.judged import decided

INFO = Info(
    id="slices",
    why="a better mean can hide a group that got worse",
    fix="give the group more or better training rows, or rehearse what the base already knew",
    needs_evidence=True,
    controls=("nist-ai-rmf/measure-2.11", "iso42001/A.6.2.4"),
    good="""\
kind: Evaluation
spec:
  slices: [{name: by-language, column: language, check: accuracy, require: {min: 0.8}}]
""",
    bad="""\
kind: Evaluation
spec:
  slices: [{name: by-language, column: langauge, check: accuracy, require: {min: 0.8}}]
""",
)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each value of each slice."""
    for one in asked(facts, "slices"):
        missing = absent(facts, one.head)
        if missing is not None:
            outcome, why, hint = missing
            yield replace(finding(facts, one, INFO.id, outcome, why), hint=hint)
            continue
        yield from _values(facts, one, facts.rows(one.head.job.closure) or ())


def _values(facts: Facts, one: Asked, rows: Sequence[Row]) -> Iterator[Finding]:
    column, bound, name = one.entry["column"], one.entry["require"], one.check["name"]
    found = groups(rows, one.entry)
    if found is None:
        yield finding(facts, one, INFO.id, Outcome.INCONCLUSIVE, nothing(rows, one.entry))
        return
    known, before = kept_cells(facts, one.head.job.closure, one.check), one.exam.before
    base_rows = (facts.rows(before.job.closure) if before else None) or ()
    base_known = kept_cells(facts, before.job.closure, one.check) if before else None
    base_found = groups(base_rows, one.entry) or {}
    for value, cases in found.items():
        claim = decided(facts, one, bound, known.among(cases))
        label = f"{name} [{column}={value}]"
        result = claimed(facts, one, INFO.id, claim, bound, label)
        was = base_known.among(base_found.get(value, frozenset())) if base_known else ()
        assert result.tested is not None
        yield replace(
            result,
            gate=f"{one.gate}[{value}]",
            base_value=summary(was, one.check),
            tested=replace(result.tested, column=str(column), group=value),
        )
