"""Rule `slices`: a check's claim on each value of a column, so that a mean cannot hide a group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from llmops.rules.asked import Asked, absent, asked, claimed, finding, selected
from llmops.rules.base import Finding, Outcome
from llmops.rules.claims import cells, summary
from llmops.rules.facts import Facts, Info, Row
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
    column, bound = one.entry["column"], one.entry["require"]
    present = sorted({_text(row.get("columns", {}).get(column)) for row in rows})
    wanted = [_text(v) for v in one.entry.get("values", [])] or present
    if not wanted or present == [_text(None)]:
        said = f'no case has a column "{column}"' if rows else "no case"
        yield finding(facts, one, INFO.id, Outcome.INCONCLUSIVE, said)
        return
    found = cells(rows, one.check)
    before = one.exam.before
    base_rows = facts.rows(before.job.closure) if before else None
    for value in wanted:
        label = f"{one.check['name']} [{column}={value}]"
        group = selected(_as_text(rows, column), found, column, value)
        claim = decided(facts, one, bound, group)
        result = claimed(facts, one, INFO.id, claim, bound, label)
        was = _value(base_rows, one, column, value)
        yield replace(result, gate=f"{one.gate}[{value}]", base_value=was)


def _value(rows: Sequence[Row] | None, one: Asked, column: str, value: str) -> float | None:
    if not rows:
        return None
    group = selected(_as_text(rows, column), cells(rows, one.check), column, value)
    return summary(group, one.check)


def _as_text(rows: Sequence[Row], column: str) -> list[Row]:
    return [{**r, "columns": {column: _text(r.get("columns", {}).get(column))}} for r in rows]


def _text(value: Any) -> str:
    """A column's value as the word that the slice is called by; a missing one is `(none)`."""
    return "(none)" if value is None else str(value)
