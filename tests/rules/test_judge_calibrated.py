"""A policy can ask that no judge of unknown errors decides anything."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.rules.base import Finding, Outcome
from tests.rules.test_calibrated import CALIBRATED, KIND, PLAIN
from tests.rules.world import World
from tests.trees import changed

ASKS = "  - {name: judges, rule: judge-calibrated, severity: %s}\n  approvals:"


def found(files: Mapping[str, str], severity: str = "error") -> list[Finding]:
    asked = changed("policies/default.yaml", "approvals:", ASKS % severity, files)
    return World(asked, asked).found("judge-calibrated")


def test_a_judge_without_calibration_may_not_decide() -> None:
    (one,) = found(PLAIN)
    assert one.outcome is Outcome.FAILED
    assert one.message == "Evaluation/kind lets a judge of unknown errors decide kind"
    assert one.place.startswith(f"{KIND}:")
    (warned,) = found(PLAIN, "warning")
    assert warned.outcome is Outcome.WARNED


def test_a_calibrated_judge_may() -> None:
    assert found(CALIBRATED) == []


def test_a_judge_that_decides_nothing_need_not_be_calibrated() -> None:
    assert found(changed(KIND, ", require: {min: 0.8}", "", PLAIN)) == []


def test_a_slice_of_a_judged_check_decides_too() -> None:
    bare = changed(KIND, ", require: {min: 0.8}", "", PLAIN)
    sliced = {**bare, KIND: bare[KIND] + (
        "  slices: [{name: by-language, column: language, check: kind, require: {min: 0.7}}]\n"
    )}  # fmt: skip
    assert [one.message for one in found(sliced)] == [
        "Evaluation/kind lets a judge of unknown errors decide kind"
    ]


def test_it_is_asked_before_anything_has_run() -> None:
    from llmops.rules.verdict import INFOS

    assert INFOS["judge-calibrated"].needs_evidence is False
