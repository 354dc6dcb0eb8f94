"""Kind SafetyTest: what is tried makes jobs, what must hold of it makes none."""

from __future__ import annotations

from typing import get_args

import pytest

from llmops.specs.base import Ref
from llmops.specs.load import load_one
from llmops.specs.metrics import METRICS, OF_BANKS, OF_EVALUATIONS, TRANSFORMATIONS
from llmops.specs.safety_test import Transformation
from tests.specs.examples import SAFETY_TEST, document, spec


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("severity: high", "severity: low", {"gate"}),
        ("min_per_class: 20", "min_per_class: 30", {"gate"}),
        ("gate: false", "gate: true", {"gate"}),
        ("require: {min: 0.95}", "require: {min: 0.5}", {"gate"}),
        ("margin: 0.02", "margin: 0.03", {"gate"}),
        ("rows: 300", "rows: 200", {"generate", "evaluate"}),
        ("rows: 400", "rows: 200", {"scan"}),
        ("gender, religion, country", "gender", {"scan"}),
        ("ethical_bias, ", "", {"scan"}),
        ("[zh, en]", "[zh]", {"scan"}),
        ("cannot help", "will not help", {"evaluate"}),
        ("target: Application/assistant", "target: Recipe/other", {"generate", "scan"}),
    ],
)
def test_a_change_touches_what_its_role_says(before: str, after: str, parts: set[str]) -> None:
    text = SAFETY_TEST.replace(before, after)
    assert text != SAFETY_TEST
    old, new = spec("support-redteam").projections, spec("support-redteam", text).projections
    assert {key for key in old | new if old.get(key) != new.get(key)} == parts


def test_target_and_data_are_references() -> None:
    target, *data = spec("support-redteam").references
    assert target.target == Ref("Application", "assistant")
    assert [(use.target.name, use.part) for use in data] == [
        ("support", "test"), ("support", "test"), ("refuse-bank", None),
        ("not-refuse-bank", "all"),
    ]  # fmt: skip


def test_cases_are_english_where_nothing_is_said() -> None:
    text = SAFETY_TEST.replace("  languages: [zh, en]\n", "")
    assert spec("support-redteam", text).spec["languages"] == ["en"]


def test_a_transformation_is_a_metric_of_scans_only() -> None:
    assert get_args(Transformation) == TRANSFORMATIONS
    assert {f"giskard/{name}" for name in TRANSFORMATIONS} | set(OF_EVALUATIONS) == set(METRICS)
    assert set(OF_BANKS) < set(OF_EVALUATIONS)


def test_a_suite_that_is_only_reported_needs_no_check() -> None:
    text = """
apiVersion: llmops/v1alpha1
kind: SafetyTest
metadata: {name: looks}
spec:
  target: Recipe/x
  suites:
    - {name: scan, gate: false, giskard: {detectors: [text_perturbation], dataset: rows#test}}
"""
    found, told = load_one(document("looks", text))
    assert found is not None
    assert not told
    _, told = load_one(document("looks", text.replace("gate: false, ", "")))
    assert [d.rule for d in told] == ["unjudged"]
