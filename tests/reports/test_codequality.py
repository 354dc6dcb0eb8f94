"""The report that GitLab shows on a merge request: its documented shape, and fingerprints."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from llmops.diagnostics import Diagnostic, Severity, Span
from llmops.reports import codequality
from llmops.reports.base import Page
from llmops.reports.escape import hidden
from llmops.rules.base import Outcome
from tests.reports.conftest import EVIL, FAILED, UNSURE, VERDICTS, WAIVED_TONE, a_verdict, require

PAGE = Page()
# As https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format describes it: these
# names, a relative path without "./", a line, one of five severities, fingerprints that differ.
SHAPE = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/).+$"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
MISTAKES = (
    Diagnostic(Span("specs/a.yaml", 12, 5), "unknown-field", 'no field "x"', "did you?"),
    Diagnostic(Span("specs/a.yaml", 12, 5), "unknown-field", 'no field "x"', "did you?"),
    Diagnostic(Span("specs/a.yaml", 40), "unknown-field", 'no field "x"', "did you?"),
    Diagnostic(Span("./specs/推荐.yaml"), "owner", "has no owner", severity=Severity.WARNING),
    Diagnostic(Span(EVIL), EVIL, EVIL, EVIL, Severity.INFO),
)


def entries(text: str) -> list[dict]:
    found: list[dict] = json.loads(text)
    jsonschema.validate(found, SHAPE)
    prints = [one["fingerprint"] for one in found]
    assert len(prints) == len(set(prints))
    return found


@pytest.mark.parametrize("name", VERDICTS)
def test_a_verdict_has_the_documented_shape(name: str) -> None:
    text = codequality.render(VERDICTS[name], PAGE)
    entries(text)
    assert not any(hidden(char) for char in text if char != "\n")


def test_diagnostics_have_the_documented_shape_and_stand_once() -> None:
    found = entries(codequality.diagnostics(MISTAKES, PAGE))
    assert sorted(one["severity"] for one in found) == ["critical", "info", "minor"]
    assert entries(codequality.diagnostics((), PAGE)) == []


def test_how_much_it_weighs_is_how_it_ended() -> None:
    verdict = a_verdict(Outcome.FAILED, WAIVED_TONE, UNSURE, FAILED, VERDICTS["passed"].findings[0])
    found = entries(codequality.render(verdict, PAGE))
    assert [one["severity"] for one in found] == ["critical", "major", "minor"]
    assert found[0]["location"] == {
        "path": "specs/evaluations/support-quality.yaml",
        "lines": {"begin": 14},
    }


def test_a_fingerprint_is_of_rule_and_gate_with_its_slice_and_of_nothing_that_moves() -> None:
    later = replace(FAILED, value=0.6, message="other words", place="specs/x.yaml:99:1")
    other = replace(FAILED, gate=f"{FAILED.gate}[language=zh]")
    one, same, third = (
        entries(codequality.render(a_verdict(Outcome.FAILED, f), PAGE))[0]["fingerprint"]
        for f in (FAILED, later, other)
    )
    assert one == same != third


@pytest.mark.parametrize(
    ("path", "shown"),
    [(".github/x.yml", ".github/x.yml"), ("././a", "a"), ("//etc/x", "etc/x"), ("", "specs")],
)
def test_a_path_is_relative_and_keeps_its_name(path: str, shown: str) -> None:
    found = codequality.diagnostics([Diagnostic(Span(path), "owner", "m")], PAGE)
    assert entries(found)[0]["location"]["path"] == shown


def test_a_report_has_an_end() -> None:
    many = [require(f"c{i}", Outcome.WARNED, 0.5) for i in range(codequality.MOST + 100)]
    found = entries(codequality.render(a_verdict(Outcome.FAILED, *many, FAILED), PAGE))
    assert len(found) == codequality.MOST
    assert found[0]["severity"] == "critical"
