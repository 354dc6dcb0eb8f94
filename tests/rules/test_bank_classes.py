"""Rule bank-classes: a bank says something of each class, or nothing."""

from __future__ import annotations

from typing import Any

from llmops.jobs.parts import Part
from llmops.rules.bank_classes import findings
from llmops.rules.base import Finding, Outcome
from tests.rules.suites import facts_of, suite
from tests.rules.test_loosening_safety import PATH, SAFE
from tests.rules.world import World
from tests.trees import changed


def _judged(*classes: str | None, least: int = 2) -> Finding:
    rows: list[dict[str, Any]] = [
        {"id": str(i), "case": str(i), "columns": {} if c is None else {"risk": c}}
        for i, c in enumerate(classes)
    ]
    part = Part("refuse", "bank", ("spec", "suites", 0), ("suites", 0), 9, classes=least)
    [found] = findings(facts_of(suite(part), rows=rows))
    return found


def test_enough_of_each_class_passes() -> None:
    found = _judged("a", "a", "b", "b", "b")
    assert found.outcome is Outcome.PASSED
    assert "each of 2 classes has at least 2 rows" in found.message


def test_a_class_with_too_few_rows_is_named() -> None:
    found = _judged("a", "a", "毒品", least=2)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "1 of 2 classes have fewer than 2 rows: 毒品 1" in found.message


def test_a_bank_without_classes_shows_nothing() -> None:
    for classes in ((None, None), ("a", "a", None), ()):
        found = _judged(*classes)
        assert found.outcome is Outcome.INCONCLUSIVE
        assert 'have no class in column "risk"' in found.message


def test_hostile_names_of_classes_are_harmless() -> None:
    assert "\x1b" not in _judged("\x1b[2J", "a", "a").message


def test_a_bank_that_was_not_asked_is_inconclusive() -> None:
    part = Part("refuse", "bank", ("spec", "suites", 0), ("suites", 0), 9, classes=2)
    [found] = findings(facts_of(suite(part), rows=None))
    assert found.outcome is Outcome.INCONCLUSIVE


def test_the_plan_says_that_a_bank_cannot_hold_two_classes_of_so_many() -> None:
    for least, decidable in ((25, None), (26, False)):
        files = changed(PATH, "min_per_class: 5", f"min_per_class: {least}", SAFE)
        (gate,) = [g for g in World(files, files).facts().plan.gates if g.kind == "classes"]
        assert gate.rows == 50
        assert gate.decidable is decidable
        assert gate.needed == (None if decidable is None else 52)
