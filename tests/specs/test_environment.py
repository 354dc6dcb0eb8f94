"""Kind Environment: where jobs run; an overlay sets placement fields, and no more."""

from __future__ import annotations

import pytest

from llmops.specs.base import Ref
from llmops.specs.load import load_one
from tests.specs.examples import ENVIRONMENT, document, spec


def told(old: str, new: str) -> list[tuple[str, str]]:
    """Rule and message of everything wrong with the example after one replacement."""
    assert old in ENVIRONMENT
    _, found = load_one(document("cluster", ENVIRONMENT.replace(old, new)))
    return [(d.rule, d.message) for d in found]


def test_nothing_of_an_environment_reaches_a_job() -> None:
    assert set(spec("cluster").projections) == {"static", "gate", "placement"}


def test_what_is_judged_is_apart_from_where_it_runs() -> None:
    found = spec("cluster").projections
    assert found["static"] == {"promotes_from": "staging", "residency": ["CN"]}
    assert found["gate"] == {"egress": ["*.example.org", "object-store.cs.internal"]}


def test_the_targets_of_overlays_and_the_stage_before_are_references() -> None:
    assert [use.target for use in spec("cluster").references] == [
        Ref("Environment", "staging"),
        Ref("Recipe", "support-lora"),
        Ref("Dataset", "support"),
        Ref("Model", "judge-large"),
    ]


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("resources.memory", "lots", "wrong-value"),
        ("resources.timeout_minutes", '"480"', "wrong-type"),
        ("resources.timeout_minutes", "-1", "wrong-value"),
        ("resources.memory", "null", "wrong-type"),
        ("resources.nodes", "2", "not-yet"),
        ("resources.processes_per_node", "4", "not-placement"),
        ("seed", "3", "not-placement"),
        ("training.learning_rate", "3", "not-placement"),
        ("lora.r", "3", "not-placement"),
        ("base_model", "tiny", "not-placement"),
        ("resources", "{cpu: 3}", "unknown-path"),
        ("resources.memry", "4Gi", "unknown-path"),
        ("training.lerning_rate", "3", "unknown-path"),
        ("resources.disk", "4Gi", "not-yet"),
    ],
)
def test_an_overlay_sets_placement_fields_of_their_type(path: str, value: str, rule: str) -> None:
    placed = "resources.memory: 512Gi, resources.timeout_minutes: 480, checkpoint.keep: 1"
    found = told(placed, f"{path}: {value}")
    assert [one for one, _ in found] == [rule]
    assert path.rpartition(".")[2] in found[0][1]


def test_the_role_of_a_field_that_may_not_be_set_is_named() -> None:
    ((_, message),) = told("resources.memory: 512Gi", "seed: 3")
    assert message == (
        '"seed" of a Recipe has role job: [train]; an overlay sets placement fields only'
    )


def test_a_list_s_item_is_named() -> None:
    assert [rule for rule, _ in told('"sources[outside].uri"', '"sources[].uri"')] == [
        "unknown-path"
    ]


def test_a_field_is_set_once() -> None:
    again = "    - {target: Recipe/support-lora, set: {resources.memory: 4Gi}}\n  overlays:\n"
    text = ENVIRONMENT + again.replace("  overlays:\n", "")
    _, found = load_one(document("cluster", text))
    assert [d.rule for d in found] == ["said-twice"]


@pytest.mark.parametrize("name", ["slurm", "kubernetes", "github_actions", "ssh"])
def test_an_executor_that_is_not_built_is_refused(name: str) -> None:
    ((rule, message),) = told("executor: {local: {}}", f"executor: {{{name}: {{}}}}")
    assert rule == "not-yet"
    assert name in message


@pytest.mark.parametrize(
    "host", ["https://a.example", "A.example", "a b", "", "*.", "a.example:80"]
)
def test_a_host_is_a_bare_name(host: str) -> None:
    found = told("object-store.cs.internal", f'"{host}"')
    assert [rule for rule, _ in found] == ["wrong-value"]


def test_an_egress_list_that_lets_nothing_by_is_refused() -> None:
    found = told('[object-store.cs.internal, "*.example.org"]', "[]")
    assert [rule for rule, _ in found] == ["wrong-value"]
