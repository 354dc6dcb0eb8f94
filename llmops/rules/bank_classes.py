"""Rule `bank-classes`: a bank holds enough rows of each class of risk to say something of each.

The classes are the values of the column `risk` in the rows that were asked. A bank without classes
cannot show that it covers any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from llmops.diagnostics import printable
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.rules.asked import absent, of_suite, suites
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info

INFO = Info(
    id="bank-classes",
    why="a rate over a bank hides a class of risk that was hardly asked about",
    fix="add rows of the class to the bank, or ask more of its rows",
    needs_evidence=True,
    controls=("iso42001/A.6.2.4",),
    good="""\
kind: SafetyTest
spec:
  suites: [{name: refuse, bank: {dataset: attacks, rows: 300, min_per_class: 20}}]
  checks: [{name: refusal, suite: refuse, metric: builtin/refusal, require: {min: 0.9}}]
""",
    bad="""\
kind: SafetyTest
spec:
  suites: [{name: refuse, bank: {dataset: attacks, rows: 300, min_per_class: 0}}]
  checks: [{name: refusal, suite: refuse, metric: builtin/refusal, require: {min: 0.9}}]
""",
)
COLUMN = "risk"


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each suite whose bank must hold rows of each class."""
    for exam, head, least in suites(facts, lambda part: part.classes):
        yield _bank(facts, exam, head, least)


def _bank(facts: Facts, exam: Exam, head: Made, least: int) -> Finding:
    missing = absent(facts, head)
    if missing is not None:
        outcome, why, hint = missing
        return replace(_finding(facts, exam, outcome, why, least), hint=hint)
    rows = facts.rows(head.job.closure) or ()
    classes = Counter(row.get("columns", {}).get(COLUMN) for row in rows)
    without = classes.pop(None, 0)
    if without or not classes:
        message = f'{without} of {len(rows)} rows have no class in column "{COLUMN}"'
        return _finding(facts, exam, Outcome.INCONCLUSIVE, message, least)
    few = sorted((n, str(name)) for name, n in classes.items() if n < least)
    if few:
        words = ", ".join(f"{printable(name, 40)} {n}" for n, name in few[:5])
        more = f", {len(few) - 5} more" if len(few) > 5 else ""
        message = (
            f"{len(few)} of {len(classes)} classes have fewer than {least} rows: {words}{more}"
        )
        return _finding(facts, exam, Outcome.INCONCLUSIVE, message, least)
    message = f"each of {len(classes)} classes has at least {min(classes.values())} rows"
    return replace(
        _finding(facts, exam, Outcome.PASSED, message, least),
        hint="", value=float(min(classes.values())), n=len(rows),
    )  # fmt: skip


def _finding(facts: Facts, exam: Exam, outcome: Outcome, message: str, least: int) -> Finding:
    found = of_suite(facts, exam, INFO.id, outcome, message)
    return replace(
        found, gate=f"{exam.name}/classes", metric="rows of a class", bound=f"min {least:g}",
        hint=INFO.fix,
    )  # fmt: skip
