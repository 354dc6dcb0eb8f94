"""Rule evidence-present: each Application that a policy is for is judged by the kinds it names."""

from __future__ import annotations

from collections.abc import Mapping

from llmops.rules.base import Outcome
from tests.rules.test_loosening_safety import SAFE
from tests.rules.world import World
from tests.trees import changed, spec

POLICY = "policies/default.yaml"
APP = "specs/applications/bot.yaml"
GUARD = "specs/guardrails/guard.yaml"
KINDS = changed(
    POLICY, "rule: evidence-present",
    "rule: evidence-present, with: {kinds: [SafetyTest, Guardrail]}", SAFE,
)  # fmt: skip
GUARDED = {
    **changed(APP, "prompt: ask", "prompt: ask\n  guardrails: [guard]", KINDS),
    GUARD: spec("Guardrail", "guard", (
        "input: [{name: bad, regex: {pattern: 'bad+'}, action: block}]\n"
        "tests: [{name: blocks, dataset: refuse, expect: block, require: {min: 0.5}}]"
    )),
}  # fmt: skip


def said(files: Mapping[str, str]) -> list[str]:
    found = World(files, files).found("evidence-present")
    assert all(f.outcome is Outcome.INCONCLUSIVE for f in found)
    return [f.message for f in found]


def test_an_application_with_all_of_the_kinds_holds() -> None:
    assert said(GUARDED) == []


def test_an_application_without_a_guardrail_is_told() -> None:
    assert said(KINDS) == ["Application/bot has no Guardrail"]


def test_a_guardrail_without_a_test_is_told() -> None:
    tests = "  tests: [{name: blocks, dataset: refuse, expect: block, require: {min: 0.5}}]\n"
    untested = changed(GUARD, tests, "", GUARDED)
    assert said(untested) == ["Guardrail/guard of Application/bot has no test"]


def test_a_safety_test_of_something_else_is_none_of_the_application() -> None:
    other = changed("specs/safety/safe.yaml", "Application/bot", "Application/other", GUARDED)
    other["specs/applications/other.yaml"] = spec(
        "Application", "other", "model: Recipe/adapter\nprompt: ask\nguardrails: [guard]"
    )
    assert said(other) == [
        "no Evaluation has Application/other as its target",
        "no SafetyTest has Application/bot as its target",
    ]


def test_a_suite_that_is_only_reported_is_no_safety_test() -> None:
    path = "specs/safety/safe.yaml"
    reported = changed(path, "name: robust\n", "name: robust\n      gate: false\n", GUARDED)
    reported = changed(path, "{name: refuse, bank", "{name: refuse, gate: false, bank", reported)
    assert said(reported) == ["no SafetyTest with a bound has Application/bot as its target"]


def test_a_safety_test_that_claims_nothing_is_no_safety_test() -> None:
    path = "specs/safety/safe.yaml"
    bare = changed(path, "  fail_on: {severity: medium}\n", "", GUARDED)
    bare = changed(path, ", min_per_class: 5", "", bare)
    bare[path] = bare[path].replace(", require: {min: 0.5}", "")
    assert said(bare) == ["no SafetyTest with a bound has Application/bot as its target"]


def test_a_policy_for_labels_asks_only_of_those_applications() -> None:
    labelled = changed(POLICY, "rules:", "applies_to: {labels: {risk: high}}\n  rules:", KINDS)
    labelled["specs/applications/other.yaml"] = spec(
        "Application", "other", "model: Recipe/adapter\nprompt: ask"
    ).replace("{name: other}", "{name: other, labels: {risk: high}}")
    assert sorted(said(labelled)) == sorted(
        [
            "no Evaluation has Application/other as its target",
            "no SafetyTest has Application/other as its target",
            "Application/other has no Guardrail",
        ]
    )
