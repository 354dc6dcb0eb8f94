"""Kind Release: steps that grow and are measured, one bound each, everything protected."""

from __future__ import annotations

import pytest

from llmops.specs.base import Ref
from llmops.specs.load import load_one, roles
from tests.specs.examples import AB, RELEASE, document, spec


def told(name: str, text: str, old: str, new: str) -> list[str]:
    """The rules of everything wrong with an example after one replacement."""
    assert old in text
    _, found = load_one(document(name, text.replace(old, new)))
    return [d.rule for d in found]


def test_what_is_released_where_and_with_which_data_are_references() -> None:
    assert [use.target for use in spec("rollout").references] == [
        Ref("Application", "assistant"),
        Ref("Environment", "staging"),
        Ref("Environment", "cluster"),
        Ref("Release", "prompts"),
        Ref("Dataset", "support"),
        Ref("Dataset", "support"),
    ]


def test_nothing_of_a_release_reaches_a_job() -> None:
    assert set(spec("rollout").projections) == {"static", "gate"}
    assert {role for path, role in roles("Release").items() if "analysis" in path} == {"gate"}


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("setWeight: 25", "setWeight: 5", "wrong-value"),
        ("setWeight: 25", "setWeight: 101", "wrong-value"),
        ("setWeight: 25", "setWeight: -1", "wrong-value"),
        ("setWeight: 25", "set_weight: 25", "unknown-field"),
        ("        - setWeight: 100\n", "", "wrong-value"),
        ("[quality, latency, solved]", "[quality, latency, solved, latencies]", "unknown-template"),
        ("[quality, latency, solved]", "[quality, latency]", "unused-template"),
        ("duration: 2h", "duration: two hours", "wrong-value"),
        ("duration: 2h", "duration: 0h", "wrong-value"),
        ("split_by: user", "split_by: request", "unknown-value"),
        ("compare: baseline, ", "", "missing-field"),
        ("max_ratio: 1.25,\n", "min: 3, max_ratio: 1.25,\n", "one-of"),
        ("min: 0.7}", "compare: baseline, min: 0.7}", "missing-field"),
        ("otel/resolved_rate", "resolved", "wrong-value"),
        ("[staging, cluster]", "[staging, staging]", "duplicate-name"),
        ("[staging, cluster]", "[]", "wrong-value"),
        ("[staging, cluster]", "[Staging]", "bad-reference"),
        ("keep_30_days", "keep_all", "wrong-value"),
        ("name: load", "name: cost", "duplicate-name"),
        ("max_age_days: 7, ", "", "missing-field"),
        ("min: 1, max: 900, ", "", "missing-field"),
        ("metric: gen_ai.client.token.usage, ", "", "missing-field"),
        ("refresh: support,", "refresh: support, max: 3,", "wrong-value"),
        ("on_alarm: fail_main", "on_alarm: page", "unknown-value"),
    ],
)
def test_a_mistake_of_a_canary_is_told(old: str, new: str, rule: str) -> None:
    assert rule in told("rollout", RELEASE, old, new)


def test_all_traffic_never_moves_unmeasured() -> None:
    start = RELEASE.index("        - setWeight: 5")
    end = RELEASE.index("        - setWeight: 100")
    found = told("rollout", RELEASE, RELEASE[start:end], "")
    assert found.count("wrong-value") == 1
    assert found.count("unused-template") == 3


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        (
            "{prompt: support-short, weight: 50}",
            "{prompt: support-short, weight: 40}",
            "wrong-value",
        ),
        (", {prompt: support-short, weight: 50}", "", "wrong-value"),
        ("min_effect: 0.02, ", "", "missing-field"),
        ("power: 0.8", "power: 80", "wrong-value"),
        ("    ab:\n", "    canary: {}\n    ab:\n", "one-of"),
    ],
)
def test_a_mistake_of_a_comparison_is_told(old: str, new: str, rule: str) -> None:
    assert rule in told("prompts", AB, old, new)
