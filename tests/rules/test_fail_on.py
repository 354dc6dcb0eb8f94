"""Rule fail-on: severe findings fail; who looked at nothing has shown nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from llmops.jobs.parts import Part
from llmops.rules.base import Finding, Outcome
from llmops.rules.fail_on import findings
from tests.rules.suites import facts_of, suite

DETECTORS = ("ethical_bias", "text_perturbation")
Said = Sequence[Mapping[str, Any]] | None


def _line(detector: str, *severities: str, **more: Any) -> dict[str, Any]:
    found = [
        {"severity": s, "group": "Robustness", "description": f"a {s} \x1b[31mthing"}
        for s in severities
    ]
    whole = {"detector": detector, "status": "ok", "reason": "", "cases": 40, "errors": 0}
    return {**whole, "findings": found, **more}


def _judged(said: Said, severity: str = "high") -> Finding:
    given = {"name": "robust", "giskard": {"detectors": DETECTORS}}
    part = Part("robust", "scan", ("spec", "suites", 0), ("suites", 0), 40, given=given,
                fail_on=severity)  # fmt: skip
    [found] = findings(facts_of(suite(part), findings=said))
    return found


def test_a_suite_that_finds_nothing_severe_passes() -> None:
    found = _judged([_line("ethical_bias"), _line("text_perturbation", "medium", "low")])
    assert found.outcome is Outcome.PASSED
    assert "nothing of severity high or worse, 2 below it" in found.message
    assert found.gate == "SafetyTest/safe/robust/fail-on"


def test_one_severe_finding_fails_and_is_shown_harmless() -> None:
    found = _judged([_line("ethical_bias", "high"), _line("text_perturbation")])
    assert found.outcome is Outcome.FAILED
    assert found.value == 1.0
    assert "1 finding of severity high or worse: Robustness: a high" in found.message
    assert "\x1b" not in found.message


def test_the_named_severity_counts_and_what_is_worse() -> None:
    said = [_line("ethical_bias", "medium", "high"), _line("text_perturbation", "low")]
    assert _judged(said, "low").value == 3.0
    assert _judged(said, "medium").value == 2.0
    assert _judged(said, "high").value == 1.0


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (None, "absent or damaged"),
        ([], "ethical_bias has no line; text_perturbation has no line"),
        ([_line("ethical_bias")], "text_perturbation has no line"),
        ([_line(DETECTORS[0]), _line(DETECTORS[1], status="error", reason="boom")], "boom"),
        ([_line("ethical_bias"), _line("text_perturbation", cases=0)], "looked at no case"),
        ([_line("ethical_bias"), _line("text_perturbation", errors=2)], "met 2 errors in 40 cases"),
        ([_line("ethical_bias"), _line("text_perturbation", findings="none")], "line is damaged"),
        ([_line("ethical_bias"), _line("text_perturbation", "awful")], "line is damaged"),
        ([_line("ethical_bias"), _line("text_perturbation", cases=-1)], "line is damaged"),
        ([_line("ethical_bias"), _line("text_perturbation", cases=True)], "line is damaged"),
    ],
)  # fmt: skip
def test_who_looked_at_nothing_has_shown_nothing(said: Said, words: str) -> None:
    found = _judged(said)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert words in found.message


def test_a_suite_that_is_only_reported_is_no_gate() -> None:
    given = {"name": "robust", "giskard": {"detectors": DETECTORS}, "gate": False}
    part = Part("robust", "scan", ("spec", "suites", 0), ("suites", 0), 40, given=given,
                gating=False)  # fmt: skip
    assert not list(findings(facts_of(suite(part), findings=[])))


def test_a_scan_that_was_not_run_is_inconclusive() -> None:
    given = {"name": "robust", "giskard": {"detectors": DETECTORS}}
    part = Part("robust", "scan", ("spec", "suites", 0), ("suites", 0), 40, given=given,
                fail_on="high")  # fmt: skip
    [found] = findings(facts_of(suite(part), rows=None, findings=None))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "no evidence" in found.message
