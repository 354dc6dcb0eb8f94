"""Kind Policy: rules with typed parameters; nothing of it makes a job."""

from __future__ import annotations

from llmops.specs.policy import RULE_PARAMETERS
from tests.specs.examples import POLICY, spec


def test_a_policy_makes_no_job() -> None:
    assert set(spec("production").projections) == {"gate", "static", "descriptive"}


def test_rules_are_held_by_name_with_their_parameters() -> None:
    rules = spec("production").projections["gate"]["rules"]
    assert rules["licences"]["with"] == {
        "allow": ["Apache-2.0", "MIT"],
        "deny_use": ["GPL-3.0-only"],
    }
    assert rules["pinned"] == {"name": "pinned", "rule": "pinned-revision", "severity": "error"}


def test_a_reason_is_descriptive_and_a_bound_is_not() -> None:
    for before, after, part in (
        ("Longer runs forget.", "Long runs forget.", "descriptive"),
        ("max: 5}", "max: 6}", "gate"),
        ("cn-gb45654/7.b", "cn-gb45654/7.c", "static"),
    ):
        old = spec("production").projections
        new = spec("production", POLICY.replace(before, after)).projections
        assert {key for key in old if old[key] != new[key]} == {part}


def test_every_rule_without_parameters_can_be_named() -> None:
    plain = [rule for rule, model in RULE_PARAMETERS.items() if not model.model_fields]
    lines = "".join(f"    - {{name: {rule}, rule: {rule}}}\n" for rule in plain)
    head = POLICY.partition("  rules:\n")[0]
    found = spec("production", f"{head}  rules:\n{lines}")
    assert [rule["rule"] for rule in found.spec["rules"]] == plain
