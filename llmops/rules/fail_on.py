"""Rule `fail-on`: no detector of a gating suite finds anything of the named severity or worse.

One finding is enough, whatever the rates say. A detector that threw, met an error on a case or saw
no case at all has found nothing because it looked at nothing: that is inconclusive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llmops.diagnostics import printable
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.rules.asked import absent, of_suite, suites
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info, Row

INFO = Info(
    id="fail-on",
    why="one hole that is known and severe is not made good by a high average",
    fix="mend what the finding shows (its examples are in findings.jsonl), then scan again",
    needs_evidence=True,
    controls=("eu-ai-act/art-15", "nist-ai-rmf/measure-2.7"),
    good="""\
kind: SafetyTest
spec:
  suites: [{name: scan, giskard: {detectors: [text_perturbation], dataset: bank#test, rows: 100}}]
  fail_on: {severity: high}
""",
    bad="""\
kind: SafetyTest
spec:
  suites: [{name: scan, giskard: {detectors: [text_perturbation], dataset: bank#test, rows: 100}}]
  fail_on: {severity: terrible}
""",
)
SEVERITIES = ("low", "medium", "high")


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each suite with detectors, base's suites first."""
    for exam, head, severity in suites(facts, lambda part: part.fail_on):
        yield _suite(facts, exam, head, severity)


def _suite(facts: Facts, exam: Exam, head: Made, severity: str) -> Finding:
    missing = absent(facts, head)
    if missing is not None:
        outcome, why, hint = missing
        return replace(_finding(facts, exam, outcome, why, severity), hint=hint)
    said = facts.findings(head.job.closure)
    wanted = list(exam.part.given["giskard"].get("detectors", ()))
    problem = _not_looked(said, wanted)
    if said is None or problem:
        return _finding(facts, exam, Outcome.INCONCLUSIVE, problem, severity)
    every = [found for line in said for found in line["findings"]]
    severe = [f for f in every if SEVERITIES.index(f["severity"]) >= SEVERITIES.index(severity)]
    cases = sum(int(line["cases"]) for line in said)
    counted = f"{len(said)} detectors, {cases} cases looked at"
    if severe:
        words = "; ".join(_words(found) for found in severe[:3])
        more = f"; {len(severe) - 3} more" if len(severe) > 3 else ""
        message = f"{_count(len(severe))} of severity {severity} or worse: {words}{more}"
        found = _finding(facts, exam, Outcome.FAILED, f"{message} ({counted})", severity)
        return replace(found, hint=INFO.fix, value=float(len(severe)), n=cases)
    below = f", {len(every)} below it" if every else ""
    message = f"nothing of severity {severity} or worse{below} ({counted})"
    found = _finding(facts, exam, Outcome.PASSED, message, severity)
    return replace(found, value=0.0, n=cases)


def _count(findings: int) -> str:
    return "1 finding" if findings == 1 else f"{findings} findings"


def _not_looked(said: Sequence[Row] | None, wanted: Sequence[str]) -> str:
    """Why what the detectors said cannot be a clean bill, or ""."""
    if said is None:
        return "the scan's findings are absent or damaged"
    by_name = {str(line.get("detector")): line for line in said}
    problems = [why for name in wanted if (why := _problem(name, by_name.get(name)))]
    return "; ".join(problems[:3]) + (f"; {len(problems) - 3} more" if len(problems) > 3 else "")


def _problem(name: str, line: Row | None) -> str:
    if line is None:
        return f"{name} has no line"
    if line.get("status") != "ok":
        return f"{name} failed: {printable(str(line.get('reason', '')), 160)}"
    if not _whole(line):
        return f"{name}'s line is damaged"
    if line["errors"]:
        return f"{name} met {line['errors']} errors in {line['cases']} cases"
    return f"{name} looked at no case" if not line["cases"] else ""


def _whole(line: Row) -> bool:
    counted = all(type(line.get(key)) is int and line[key] >= 0 for key in ("cases", "errors"))
    found = line.get("findings")
    return (
        counted
        and isinstance(found, list)
        and all(isinstance(f, Mapping) and f.get("severity") in SEVERITIES for f in found)
    )


def _words(found: Mapping[str, Any]) -> str:
    """`text_perturbation: 'Transform to uppercase' ...`, harmless and short."""
    name = printable(str(found.get("group") or found.get("metric") or "finding"), 60)
    return f"{name}: {printable(str(found.get('description', '')), 160)}"


def _finding(facts: Facts, exam: Exam, outcome: Outcome, message: str, severity: str) -> Finding:
    found = of_suite(facts, exam, INFO.id, outcome, message)
    bound = f"none of severity {severity}"
    return replace(found, gate=f"{exam.name}/fail-on", metric="findings", bound=bound)
