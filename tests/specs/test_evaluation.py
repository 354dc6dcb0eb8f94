"""Kind Evaluation: metrics and cases make jobs, bounds make none."""

from __future__ import annotations

import pytest

from llmops.specs.base import Ref
from llmops.specs.metrics import ANNOUNCED, METRICS, REQUIRED
from tests.specs.examples import EVALUATION, spec


@pytest.mark.parametrize(
    ("before", "after", "parts"),
    [
        ("require: {min: 0.8}", "require: {min: 0.9}", {"gate"}),
        ("margin: 0.01, prove: true", "margin: 0.02", {"gate"}),
        ("pass_at: 0.7", "pass_at: 0.5", {"gate"}),
        ("alpha: 0.05", "alpha: 0.01", {"gate"}),
        ("on_case_error: {max: 0.005}", "on_case_error: {max: 0}", {"gate"}),
        ("gap: {max: 0.2, prove: false}", "gap: {max: 0.3}", {"gate"}),
        ("regression: {margin: 0.1, prove: false}", "regression: {margin: 0.2}", {"gate"}),
        ("pairs: bias-pairs#test", "pairs: bias-pairs#all", {"generate", "evaluate"}),
        ("values: [known, new]", "values: [new]", {"gate"}),
        ("metric: builtin/token_f1", "metric: builtin/rouge_l", {"evaluate"}),
        ("ignore_case: false", "ignore_case: true", {"evaluate"}),
        ("rows: 800", "rows: 801", {"generate", "evaluate"}),
        ("dataset: support#test", "dataset: support#train", {"generate", "evaluate"}),
        ("target: Application/assistant", "target: Recipe/support-lora", {"generate"}),
        ("top_p: 1.0", "top_p: 0.5", {"generate"}),
    ],
)
def test_a_change_touches_what_its_role_says(before: str, after: str, parts: set[str]) -> None:
    text = EVALUATION.replace(before, after)
    assert text != EVALUATION
    old, new = spec("support-quality").projections, spec("support-quality", text).projections
    assert {key for key in old | new if old.get(key) != new.get(key)} == parts


def test_target_and_dataset_are_references() -> None:
    target, dataset, judge, rated, pairs = spec("support-quality").references
    assert target.target == Ref("Application", "assistant")
    assert (dataset.target, dataset.part) == (Ref("Dataset", "support"), "test")
    assert judge.target == Ref("Model", "judge-large")
    assert (rated.target, rated.part) == (Ref("Dataset", "judge-anchors"), "test")
    assert (pairs.target, pairs.part) == (Ref("Dataset", "bias-pairs"), "test")


def test_an_announced_metric_is_not_a_built_one() -> None:
    announced = {f"{engine}/{name}" for engine, names in ANNOUNCED.items() for name in names}
    assert announced & set(METRICS) == set()
    assert all(set(names) <= set(METRICS[metric]) for metric, names in REQUIRED.items())
