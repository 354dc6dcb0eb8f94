from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from llmops.rules import profile
from llmops.rules.base import Finding, Outcome
from tests.rules.test_percentiles import rows, waits
from tests.rules.world import World, right, row
from tests.trees import BANK, changed, spec

POLICY = "policies/default.yaml"
E = "specs/evaluations/quality.yaml"
LITERAL = changed(POLICY, "rules:", "profile: literal\n  rules:")


def required(files: Mapping[str, str], found: Any, **given: Any) -> Finding:
    (finding,) = World(files, files, lambda m: found, **given).found("require")
    return finding


@pytest.mark.parametrize(("k", "n", "t", "literal", "assured"), [
    (285, 300, 0.95, Outcome.PASSED, Outcome.INCONCLUSIVE),
    (284, 300, 0.95, Outcome.FAILED, Outcome.INCONCLUSIVE),
    (292, 300, 0.95, Outcome.PASSED, Outcome.PASSED),
    (900, 1000, 0.9, Outcome.PASSED, Outcome.INCONCLUSIVE),
    (899, 1000, 0.9, Outcome.FAILED, Outcome.INCONCLUSIVE),
])  # fmt: skip
def test_the_policy_chooses_between_the_number_and_its_bound(
    k: int, n: int, t: float, literal: Outcome, assured: Outcome
) -> None:
    for files, expected in ((BANK, assured), (LITERAL, literal)):
        asked = changed(E, "rows: 200", f"rows: {n}", changed(E, "min: 0.8", f"min: {t}", files))
        found = required(asked, right(k, n))
        assert found.outcome is expected
        assert found.literal == literal.word


def test_a_pass_by_the_number_says_that_the_bound_does_not_show_it() -> None:
    asked = changed(E, "rows: 200", "rows: 300", changed(E, "min: 0.8", "min: 0.95", LITERAL))
    found = required(asked, right(285, 300))
    assert found.not_shown == "the bound says inconclusive"
    assert found.message.startswith("passed by the point rule; accuracy 0.950 is not shown")
    verdict = World(asked, asked, lambda m: right(285, 300)).verdict()
    assert verdict.profile == "literal"
    assert any(one.what == found.gate and one.kind == "gate" for one in verdict.unshown)


def test_at_most_is_read_literally_too() -> None:
    asked = changed(E, "rows: 200", "rows: 300")
    asked = changed(E, "require: {min: 0.8}", "require: {max: 0.05}", asked)
    assert required(asked, right(15, 300)).literal == "passed"
    assert required(asked, right(16, 300)).literal == "failed"
    assert required(asked, right(8, 300)).outcome is Outcome.PASSED
    assert required(asked, right(9, 300)).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("values", [
    None, [None], [float("nan")], [1.0, None], [1.0, 3.0],
])  # fmt: skip
def test_without_a_number_neither_profile_decides(values: list[float | None] | None) -> None:
    found = None if values is None else [row(i, {"accuracy": v}) for i, v in enumerate(values)]
    for files in (BANK, LITERAL):
        finding = required(files, found)
        assert finding.outcome is Outcome.INCONCLUSIVE
        assert finding.literal == ""


def test_slices_and_percentiles_have_both() -> None:
    world = World(LITERAL, LITERAL, lambda m: right(199, 200))
    assert {f.literal for f in world.found("slices")} == {"passed"}
    literal = changed(POLICY, "rules:", "profile: literal\n  rules:", waits("max: 100"))
    few = [50.0] * 19 + [500.0]  # 95 of 100 are at most 100, which 20 cases do not show
    found = required(literal, rows(few))
    assert (found.outcome, found.literal) == (Outcome.PASSED, "passed")
    assert found.not_shown
    assert required(literal, rows([50.0] * 18 + [500.0] * 2)).outcome is Outcome.FAILED
    assert required(waits("max: 100"), rows(few)).outcome is Outcome.INCONCLUSIVE


def test_an_allowed_invalid_cell_counts_as_the_worst_value_of_a_percentile() -> None:
    allowed = changed(E, "sample:", "on_case_error: {max: 0.1}\n  sample:", waits("max: 100"))
    assert required(allowed, rows([50.0] * 19 + [None])).literal == "passed"
    assert required(allowed, rows([50.0] * 18 + [None, 500.0])).literal == "failed"


def test_the_strictest_policy_decides() -> None:
    rule = "rules: [{name: pins, rule: pinned-revision}]"
    other = {**LITERAL, "policies/other.yaml": spec("Policy", "other", rule)}
    assert profile.of(World(other, other).facts()) == "assured"
    both = {**LITERAL, "policies/other.yaml": spec("Policy", "other", f"profile: literal\n{rule}")}
    assert profile.of(World(both, both).facts()) == "literal"


def test_head_cannot_choose_the_point_rule_for_itself() -> None:
    asked = changed(E, "rows: 200", "rows: 300", changed(E, "min: 0.8", "min: 0.95"))
    head = changed(POLICY, "rules:", "profile: literal\n  rules:", asked)
    verdict = World(head, asked, lambda m: right(285, 300)).verdict()
    assert verdict.profile == "assured"
    assert verdict.outcome is Outcome.INCONCLUSIVE
    (loosened,) = (one for one in verdict.loosened if one.what == "Policy/default profile")
    assert "Evaluation/quality/accuracy" in loosened.newly_passes


def test_a_mean_that_rounding_puts_below_its_bound_meets_it() -> None:
    assert profile.said(0.7 - 1e-16, {"min": 0.7}) == "passed"
    assert profile.said(0.69999, {"min": 0.7}) == "failed"
    assert profile.said(0.5, {"min": 0.4, "max": 0.45}) == "failed"
    assert profile.said(None, {"min": 0.4}) == ""
