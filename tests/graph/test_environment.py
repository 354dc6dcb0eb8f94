"""The Environment in use: overlays place jobs and change no closure; origins are told."""

from __future__ import annotations

import pytest

from llmops.graph.build import Graph
from llmops.graph.environment import in_use, missing_secrets, origins, placed
from llmops.graph.fingerprint import fingerprints
from llmops.jobs.base import Job
from llmops.jobs.exam import exams, made_of
from llmops.specs.base import Ref
from tests.trees import BANK, graph, read, spec

BASE = Ref("Recipe", "base")
LOCAL = "specs/environments/local.yaml"
URI = "https://data.example.org/a.jsonl"
REMOTE = {
    "specs/datasets/far.yaml": spec(
        "Dataset", "far",
        f"sources: [{{name: it, uri: '{URI}', digest: 'sha256:{'1' * 64}', license: MIT}}]\n"
        "format: qa",
    ),
    "specs/models/cloud.yaml": spec(
        "Model", "cloud",
        "endpoint: {protocol: openai, base_url: 'https://a.example.org/v1', model: m-2026-08-14,"
        " residency: [EU], api_key: {secret: KEY}}",
    ),
}  # fmt: skip
OVERLAYS = spec(
    "Environment", "local",
    "overlays:\n  - {target: Recipe/base, set: {resources.memory: 4Gi,"
    " resources.timeout_minutes: 5, checkpoint.keep: 1}}\n"
    "  - {target: Dataset/far, set: {'sources[it].uri': 'https://mirror.example.org/a.jsonl'}}\n"
    "  - {target: Model/cloud, set: {endpoint.api_key.secret: URL}}",
)  # fmt: skip
FILES = {**BANK, **REMOTE, LOCAL: OVERLAYS}


def jobs(found: Graph) -> dict[str, Job]:
    """The jobs of a tree's exams, by name."""
    return {made.job.id: made.job for made in made_of(exams(None, found), "head")}


def test_overlays_place_jobs_and_change_no_closure_and_no_meaning() -> None:
    plain = graph(FILES)
    moved = placed(plain, in_use(plain))
    before, after = jobs(plain), jobs(moved)
    assert {name: job.closure for name, job in before.items()} == {
        name: job.closure for name, job in after.items()
    }
    assert fingerprints(plain) == fingerprints(moved)
    assert after["train/base"].resources.memory == "4Gi"
    assert after["train/base"].resources.timeout_minutes == 5.0
    assert after["train/base"].spec["checkpoint"]["keep"] == 1
    assert after["train/adapter"].resources == before["train/adapter"].resources


def test_an_item_of_a_list_and_a_whole_value_can_be_placed() -> None:
    found = graph(FILES)
    moved = placed(found, in_use(found)).specs
    (source,) = moved[Ref("Dataset", "far")].spec["sources"]
    assert source["uri"] == "https://mirror.example.org/a.jsonl"
    assert moved[Ref("Model", "cloud")].spec["endpoint"]["api_key"] == {"secret": "URL"}
    assert found.specs[Ref("Dataset", "far")].spec["sources"][0]["uri"] == URI


def test_without_an_environment_or_overlays_the_graph_is_the_same() -> None:
    plain = graph(BANK)
    assert placed(plain, in_use(plain)) is plain
    empty = graph({**BANK, LOCAL: spec("Environment", "local", "executor: {local: {}}")})
    assert placed(empty, in_use(empty)) is empty


def environments(*names: str) -> Graph:
    """A tree with Environments of these names."""
    files = {f"specs/environments/{n}.yaml": spec("Environment", n, "{}") for n in names}
    return graph({**BANK, **files})


@pytest.mark.parametrize(
    ("declared", "asked", "used"),
    [
        ((), None, None),
        (("cluster",), None, "cluster"),
        (("cluster", "local"), None, "local"),
        (("cluster", "staging"), None, None),
        (("cluster", "staging"), "staging", "staging"),
        (("cluster",), "staging", None),
    ],
)
def test_the_only_environment_is_used_or_local_or_the_one_that_is_named(
    declared: tuple[str, ...], asked: str | None, used: str | None
) -> None:
    found = in_use(environments(*declared), asked)
    assert (found.ref.name if found else None) == used


def test_each_value_that_is_placed_is_told_with_its_place_in_both_documents() -> None:
    found = graph(FILES)
    local = in_use(found)
    told = origins(found, BASE, local)
    assert list(told) == [
        ("spec", "resources", "memory"),
        ("spec", "resources", "timeout_minutes"),
        ("spec", "checkpoint", "keep"),
    ]
    memory = told["spec", "resources", "memory"]
    assert (memory.value, memory.loc[:4]) == ("4Gi", ("spec", "overlays", 0, "set"))
    assert list(origins(found, Ref("Dataset", "far"), local)) == [("spec", "sources", 0, "uri")]
    assert origins(found, BASE, None) == {}


@pytest.mark.parametrize(
    ("target", "path", "value"),
    [
        ("Model/tiny", "weights.uri", "'https://example.org/m'"),
        ("Dataset/far", "'sources[other].uri'", "'https://example.org/m'"),
        ("Dataset/bank", "'sources[all].uri'", "'https://example.org/m'"),
    ],
)
def test_an_overlay_over_nothing_is_a_mistake(target: str, path: str, value: str) -> None:
    body = f"overlays: [{{target: {target}, set: {{{path}: {value}}}}}]"
    found = read({**FILES, LOCAL: spec("Environment", "local", body)})
    assert [d.rule for d in found.diagnostics] == ["unknown-path"]
    assert found.diagnostics[0].span.path == LOCAL


def test_a_circle_of_promotion_is_a_mistake() -> None:
    files = {
        f"specs/environments/{a}.yaml": spec("Environment", a, f"promotes_from: {b}")
        for a, b in (("one", "two"), ("two", "one"))
    }
    assert [d.rule for d in read({**BANK, **files}).diagnostics] == ["circle"]


def test_a_secret_is_listed_by_some_environment_where_any_lists_some() -> None:
    listed = spec("Environment", "local", "secrets: {names: [KEYS]}")
    found = read({**BANK, **REMOTE, LOCAL: listed})
    (one,) = found.diagnostics
    assert (one.rule, one.message) == ("unknown-secret", 'no Environment lists the secret "KEY"')
    assert one.hint == 'did you mean "KEYS"?'
    assert one.span.path == "specs/models/cloud.yaml"
    assert read({**BANK, **REMOTE}).diagnostics == ()


def test_the_environment_in_use_must_list_what_is_asked_for() -> None:
    two = {
        "specs/environments/local.yaml": spec("Environment", "local", "secrets: {names: [OTHER]}"),
        "specs/environments/far.yaml": spec("Environment", "far", "secrets: {names: [KEY]}"),
    }
    found = graph({**BANK, **REMOTE, **two})
    assert [name for _, _, name in missing_secrets(found, in_use(found))] == ["KEY"]
    assert list(missing_secrets(found, in_use(found, "far"))) == []
