"""Bounds that no value of their metric can meet or miss are told before anything runs."""

from __future__ import annotations

import pytest

from llmops.diagnostics import Severity
from tests.trees import BANK, changed, read

E = "specs/evaluations/quality.yaml"
CHECK = "metric: builtin/accuracy, require: {min: 0.8}, regression: {margin: 0.02}"


def said(check: str, slice_: str = "require: {min: 0.7}") -> list[tuple[str, str, bool]]:
    """Rule, message and whether it is an error, for one check in the small tree."""
    files = changed(E, CHECK, check)
    files = changed(E, "require: {min: 0.7}", slice_, files)
    found = read(files).diagnostics
    return [(d.rule, d.message, d.severity is Severity.ERROR) for d in found]


@pytest.mark.parametrize("metric", ["accuracy", "token_f1"])
@pytest.mark.parametrize("bound", ["min: 1.2", "min: -0.1", "max: -0.1", "max: 1.2"])
def test_a_bound_outside_the_range_of_its_metric_is_an_error(metric: str, bound: str) -> None:
    (found,) = said(f"metric: builtin/{metric}, require: {{{bound}}}")
    assert found[0] == "outside-range"
    assert found[2]
    assert bound.replace(":", "") in found[1]


@pytest.mark.parametrize("bound", ["min: 0", "max: 1"])
def test_a_bound_that_always_holds_is_warned_of(bound: str) -> None:
    (found,) = said(f"metric: builtin/accuracy, require: {{{bound}}}")
    assert found[0] == "claims-nothing"
    assert not found[2]


@pytest.mark.parametrize("bound", ["min: 1", "max: 0", "min: 0.01", "max: 0.99"])
def test_a_bound_inside_the_range_is_nothing_to_tell(bound: str) -> None:
    assert said(f"metric: builtin/accuracy, require: {{{bound}}}") == []


def test_a_time_has_a_range_too() -> None:
    timed = "metric: builtin/latency_ms, statistic: p95, require:"
    slices = "require: {max: 900}"
    assert [one[0] for one in said(f"{timed} {{max: -5}}", slices)] == ["outside-range"]
    assert [one[0] for one in said(f"{timed} {{min: 0}}", slices)] == ["claims-nothing"]
    assert said(f"{timed} {{max: 1800}}", slices) == []


def test_a_mean_without_a_limit_is_untestable_and_the_hint_names_percentiles() -> None:
    files = changed(E, CHECK, "metric: builtin/latency_ms, require: {max: 1800}")
    found = [d for d in read(files).diagnostics if d.rule == "untestable"]
    assert "statistic: p95" in found[0].hint
    assert "pass_at" in found[0].hint


def test_a_percentile_of_right_and_wrong_says_nothing() -> None:
    (found,) = said("metric: builtin/accuracy, statistic: p95, require: {min: 0.5}")
    assert found[0] == "wrong-value"


@pytest.mark.parametrize(("value", "rule"), [
    ("-1", "outside-range"), ("2", "outside-range"), ("0", "claims-nothing"),
])  # fmt: skip
def test_pass_at_lies_within_the_range_of_the_metric(value: str, rule: str) -> None:
    found = said(f"metric: builtin/token_f1, pass_at: {value}, require: {{min: 0.5}}")
    assert [one[0] for one in found] == [rule]


def test_pass_at_makes_a_share_of_any_metric() -> None:
    assert said("metric: builtin/tokens, pass_at: 50, require: {max: 0.5}") == []
    found = said("metric: builtin/tokens, pass_at: 50, require: {max: 5}")
    assert [one[0] for one in found] == ["outside-range"]


@pytest.mark.parametrize(("margin", "rule"), [("1", "claims-nothing"), ("1.5", "outside-range")])
def test_a_margin_that_nothing_can_exceed_claims_nothing(margin: str, rule: str) -> None:
    found = said(f"metric: builtin/accuracy, regression: {{margin: {margin}}}")
    assert [one[0] for one in found] == [rule]


def test_the_bound_of_a_slice_is_held_against_its_check() -> None:
    found = said("metric: builtin/accuracy, require: {min: 0.5}", "require: {min: 1.5}")
    assert [one[0] for one in found] == ["outside-range"]


def test_the_bound_of_a_guardrails_test_is_a_share() -> None:
    from tests.trees import spec

    guard = spec("Guardrail", "guard", (
        "input: [{name: ids, action: block, regex: {pattern: 'A-[0-9]+'}}]\n"
        "tests: [{name: stops, dataset: bank#test, stage: input, expect: block,"
        " require: {min: 95}}]"
    ))  # fmt: skip
    found = read({**BANK, "specs/guardrails/guard.yaml": guard}).diagnostics
    assert [d.rule for d in found] == ["outside-range"]
