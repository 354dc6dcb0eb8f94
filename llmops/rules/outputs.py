"""A changed Prompt -> answers before and after, whether better or worse: what a reviewer looks at.

The cases are the first in the order in which they were asked, which follows from digests of the
cases alone: nobody chose them. Read from kept rows; a base that was not measured shows nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmops.jobs.exam import Exam
from llmops.rules.base import Case, Outputs
from llmops.rules.facts import Facts, Row
from llmops.specs.base import Ref

MOST = 5


def changed(facts: Facts) -> Outputs | None:
    """The answers that changed in the first exam of a target whose Prompt changed."""
    moved = {c.ref for c in facts.plan.changes if c.ref.kind == "Prompt" and c.action == "changed"}
    for exam in facts.exams if moved else ():
        reached = moved & set(facts.head.reach(exam.target)) if exam.head is not None else set()
        rows = _both(facts, exam) if reached else None
        if rows is not None:
            return _compared(reached, *rows)
    return None


def _both(facts: Facts, exam: Exam) -> tuple[Sequence[Row], Sequence[Row]] | None:
    """The rows of base's target and of head's, where both are kept."""
    if exam.before is None or exam.head is None or exam.part.way != "evaluate":
        return None
    base, head = facts.rows(exam.before.job.closure), facts.rows(exam.head.job.closure)
    return (base, head) if base and head else None


def _compared(prompts: set[Ref], base: Sequence[Row], head: Sequence[Row]) -> Outputs:
    before = {row["case"]: row for row in base}
    both = [(before[row["case"]], row) for row in head if row["case"] in before]
    other = [(old, new) for old, new in both if old.get("response") != new.get("response")]
    cases = tuple(
        Case(
            id=str(new["id"]),
            input=str(new["input"]),
            expected=_text(new.get("expected")),
            before=_said(old.get("response")),
            after=_text(new.get("response")),
        )
        for old, new in other[:MOST]
    )
    return Outputs(tuple(sorted(map(str, prompts))), cases, len(other), len(both))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _said(value: object) -> str | None:
    return None if value is None else str(value)
