"""Policies have unit tests: real rules, made-up rows, no model, no verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llmops.rules.rehearsal import Line, rehearse
from tests.graph.test_planted import soil_of
from tests.rules.test_waiver import waivers
from tests.trees import changed, spec

ROOT = Path(__file__).parents[2]
POLICY = "policies/default.yaml"
GATE = "Evaluation/quality/accuracy"
LICENCES = "rules:\n    - {name: licences, rule: license, with: {allow: [Apache-2.0, MIT]}}"
TREE = changed(POLICY, "rules:", LICENCES)
EVALUATION = "specs/evaluations/quality.yaml"


def play(test: str, files: Mapping[str, str] = TREE, **given: Any) -> list[Line]:
    """The lines of one test, written as the map that stands in a policy."""
    text = files[POLICY] + f"  tests:\n    - {{name: t, {test}}}\n"
    return list(rehearse(soil_of({**files, POLICY: text}), **given))


def one(test: str, files: Mapping[str, str] = TREE) -> Line:
    (line,) = play(test, files)
    return line


def test_a_tree_without_a_fault_passes_its_own_policies() -> None:
    line = one("expect: passed")
    assert (line.held, line.got, line.gate) == (True, "passed", "")


@pytest.mark.parametrize(
    ("licence", "word"), [("GPL-3.0-only", "failed"), ("MIT", "passed"), ("Apache-2.0", "passed")]
)
def test_a_licence_is_refused_or_not(licence: str, word: str) -> None:
    line = one(f"set: {{Model/tiny.license: {licence}}}, expect: {{licences: {word}}}")
    assert line.held, line
    whole = one(
        f"set: {{Model/tiny.license: {licence}}}, expect: {{Policy/default/licences: failed}}"
    )
    assert whole.got == word


@pytest.mark.parametrize(
    ("right", "of", "word"),
    [
        (240, 300, "inconclusive"), (300, 300, "passed"), (180, 300, "failed"),
        (900, 1000, "passed"), (820, 1000, "inconclusive"), (821, 1000, "inconclusive"),
        (822, 1000, "passed"), (0, 1, "inconclusive"), (1, 1, "inconclusive"),
    ],
)  # fmt: skip
def test_counts_are_judged_as_a_bound_is(right: int, of: int, word: str) -> None:
    """822 of 1,000 is the first that shows 0.80 (exact binomial, one-sided 95 %)."""
    counts = f"counts: {{{GATE}: {{right: {right}, of: {of}}}}}"
    line = one(f"{counts}, expect: {{{GATE}: passed}}")
    assert line.got == word, line.message
    assert f"n = {of}" in line.message


def test_a_value_of_a_slice_is_counted_by_itself() -> None:
    gate = "Evaluation/quality/by-language[zh]"
    expected = f'expect: {{"{gate}": failed, {GATE}: passed}}'
    test = f'counts: {{"{gate}": {{right: 60, of: 100}}}}, {expected}'
    found = {line.gate: line.got for line in play(test)}
    assert found == {gate: "failed", GATE: "passed"}


def test_a_whole_slice_is_expected_by_its_worst_value() -> None:
    gate = "Evaluation/quality/by-language"
    test = f'counts: {{"{gate}[zh]": {{right: 60, of: 100}}}}, expect: {{{gate}: failed}}'
    assert one(test).held


@pytest.mark.parametrize(("low", "word"), [(0.7, "inconclusive"), (0.9, "passed")])
def test_a_lower_bound_needs_approval_and_a_higher_does_not(low: float, word: str) -> None:
    path = f'"Evaluation/quality.checks[accuracy].require.min": {low}'
    assert one(f"set: {{{path}}}, expect: {{policy-looser: {word}}}").held


def test_what_is_removed_is_judged_as_a_pull_request_would_be() -> None:
    assert one("remove: [Evaluation/quality], expect: {policy-looser: inconclusive}").held
    slices = '"Evaluation/quality.slices[by-language]"'
    assert one(f"remove: [{slices}], expect: {{policy-looser: inconclusive}}").held


def test_where_the_rules_find_something_else_the_test_says_what() -> None:
    line = one(f"counts: {{{GATE}: {{right: 10, of: 100}}}}, expect: {{{GATE}: passed}}")
    assert not line.held
    assert line.got == "failed"
    assert line.message.startswith("accuracy 0.100 is below the minimum 0.8")
    assert line.place.startswith("policies/default.yaml:")


@pytest.mark.parametrize(
    ("test", "why"),
    [
        ("set: {Model/none.license: MIT}, expect: passed", "no spec is called"),
        ("set: {Model/tiny.licence: MIT}, expect: passed", "Model has no field"),
        (f"expect: {{{GATE}s: passed}}", f'did you mean "{GATE}"?'),
        ("expect: {licence: failed}", "no gate or rule is called"),
        ("counts: {Evaluation/quality/acuracy: {right: 1, of: 2}}, expect: passed", "no gate"),
        (f"counts: {{{GATE}/regression: {{right: 1, of: 2}}}}, expect: passed", "has no rows"),
        ("counts: {Policy/default/licences: {right: 1, of: 2}}, expect: passed", "has no rows"),
        (f'counts: {{{GATE}: {{right: 1, of: 2}}, "Evaluation/quality/by-language[zh]":'
         " {right: 1, of: 2}}, expect: passed", "count one of them alone"),
    ],
)  # fmt: skip
def test_a_test_that_plants_nothing_never_holds(test: str, why: str) -> None:
    for line in play(test):
        assert not line.held
        assert line.got == ""
        assert why in line.message


@pytest.mark.parametrize("day", ["1970-01-01", "1970-02-01", "2026-12-15"])
def test_waivers_do_not_reach_a_test(day: str) -> None:
    """It says the same on every day, whether a waiver counts, has expired or is too long."""
    files = {**waivers(f"{GATE} {day}"), POLICY: TREE[POLICY]}
    assert one("expect: passed", files).held
    line = one(f"counts: {{{GATE}: {{right: 10, of: 100}}}}, expect: {{{GATE}: failed}}", files)
    assert line.held, line


def test_only_the_named_tests_are_played() -> None:
    assert play("expect: passed", wanted=["other"]) == []
    assert len(play("expect: passed", wanted=["t"])) == 1
    assert len(play("expect: passed", wanted=["Policy/default/t"])) == 1


def test_checks_of_every_form_have_rows_on_both_sides() -> None:
    """A score, a percentile, a share of rare events, a `pass_at`: right is what the check asks."""
    checks = (
        "    - {name: f1, metric: builtin/token_f1, require: {min: 0.8}}\n"
        "    - {name: p95, metric: builtin/latency_ms, statistic: p95, require: {max: 800}}\n"
        "    - {name: refuses, metric: builtin/refusal, require: {max: 0.1}}\n"
        "    - {name: short, metric: builtin/tokens, pass_at: 100.0, require: {max: 0.2}}\n"
    )
    files = changed(EVALUATION, "  slices:", f"{checks}  slices:", TREE)
    for name in ("f1", "p95", "refuses", "short"):
        gate = f"Evaluation/quality/{name}"
        for right, word in ((1000, "passed"), (500, "failed")):
            test = f"counts: {{{gate}: {{right: {right}, of: 1000}}}}, expect: {{{gate}: {word}}}"
            line = one(test, files)
            assert line.held, (name, line)


def test_a_high_bound_gets_rows_enough_to_be_shown() -> None:
    files = changed(EVALUATION, "{min: 0.8}", "{min: 0.9995}", TREE)
    assert one(f"expect: {{{GATE}: passed}}", files).held


def test_gaps_pairs_ages_and_budgets_hold_in_a_tree_without_a_fault() -> None:
    swaps = spec(
        "Dataset", "swaps",
        "sources: [{name: all, file: specs/data/bank.jsonl, license: MIT, origin: synthetic}]\n"
        "format: qa",
    )  # fmt: skip
    more = (
        "slices:\n"
        "    - {name: fair, column: language, check: accuracy, gap: {max: 0.2}}\n"
        "    - {name: swap, pairs: swaps, check: accuracy, gap: {max: 0.2}}\n"
    )
    files = changed(EVALUATION, "slices:\n", more, {**TREE, "specs/datasets/swaps.yaml": swaps})
    asks = "max_evidence_age_days: 30\n  budgets: {per_pull_request: {cpu_hours: 9}}\n  rules:"
    files = changed(POLICY, "rules:", asks, files)
    line = one("expect: passed", files)
    assert line.held, line


def test_a_test_changes_neither_looser_nor_verdict() -> None:
    from tests.rules.world import World, right

    tested = {**TREE, POLICY: TREE[POLICY] + "  tests: [{name: t, expect: failed}]\n"}
    for base, head in ((TREE, tested), (tested, TREE)):
        verdict = World(head, base, lambda m: right(195, 200)).verdict()
        assert verdict.loosened == ()
        assert verdict.outcome.word == "passed"


def test_the_tests_of_this_repository_s_policies_hold() -> None:
    files = {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
        for folder in ("specs", "policies")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and path.suffix in (".yaml", ".jsonl", ".txt")
    }
    owners = tuple((ROOT / ".github/CODEOWNERS").read_text("utf-8").splitlines())
    lines = rehearse(soil_of(files), owners)
    assert len(lines) >= 12
    assert [line for line in lines if not line.held] == []


def test_a_policy_s_test_fails_when_its_rule_is_taken_out() -> None:
    """The tests of policies can fail: without the rule nothing refuses."""
    test = "set: {Model/tiny.license: GPL-3.0-only}, expect: {licences: failed}"
    gone = one(test, changed(POLICY, LICENCES, "rules:", TREE))
    assert not gone.held
    assert "no gate or rule is called" in gone.message
    mild = changed(POLICY, "MIT]}}", "MIT]}, severity: warning}", TREE)
    assert one(test, mild).got == "warned"


def test_safety_suites_and_guardrails_have_rows_too() -> None:
    files = {
        **TREE,
        "specs/datasets/attacks.yaml": spec(
            "Dataset", "attacks",
            "purpose: [attack]\nsources: [{name: all, file: specs/data/bank.jsonl,"
            " license: Apache-2.0, origin: synthetic}]\nformat: attack",
        ),
        "specs/safety/safe.yaml": spec(
            "SafetyTest", "safe",
            "target: Application/bot\nsuites:\n"
            "  - {name: scan, giskard: {detectors: [ethical_bias], transformations: [typos],"
            " dataset: bank#test}}\n"
            "  - {name: bank, bank: {dataset: attacks, min_per_class: 20}}\n"
            "checks:\n  - {name: typos, suite: scan, metric: giskard/typos, require: {min: 0.8}}\n"
            "  - {name: refuses, suite: bank, metric: builtin/refusal, require: {min: 0.9}}\n"
            "fail_on: {severity: high}",
        ),
    }  # fmt: skip
    assert one("expect: passed", files).held
    for gate in ("SafetyTest/safe/typos", "SafetyTest/safe/refuses"):
        test = f"counts: {{{gate}: {{right: 10, of: 100}}}}, expect: {{{gate}: failed}}"
        assert one(test, files).held
    assert one("expect: {SafetyTest/safe/scan/fail-on: passed}", files).held


@pytest.mark.parametrize(
    ("right", "word"), [(1000, "passed"), (860, "passed"), (810, "inconclusive"), (700, "failed")]
)
def test_a_judged_gate_is_played_with_a_judge_that_makes_no_mistake(right: int, word: str) -> None:
    from tests.rules.test_calibrated import CALIBRATED

    gate = "Evaluation/kind/kind"
    assert one("expect: passed", CALIBRATED).held
    counts = f"counts: {{{gate}: {{right: {right}, of: 1000}}}}"
    line = one(f"{counts}, expect: {{{gate}: {word}}}", CALIBRATED)
    assert line.held, line
    assert "corrected by 8000 anchors" in line.message
