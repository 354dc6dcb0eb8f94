"""Job type evaluate: a judge is part of the job that measures, and of no other."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llmops.jobs.base import Proof, TreeName
from llmops.jobs.exam import exams, made_of
from llmops.jobs.make import Made
from llmops.jobs.plan import Trees, plan
from tests.jobs.test_check import judged
from tests.trees import BANK, graph, spec

BEFORE = judged("judge-2026-08-14")
MODEL, EVALUATION = "specs/models/served.yaml", "specs/evaluations/kind.yaml"


def jobs(files: Mapping[str, str]) -> dict[str, Made]:
    """The jobs of a tree, by type and whose Evaluation or target it is."""
    return {made.job.id: made for made in made_of(exams(None, graph(files)), "head")}


def edited(path: str, old: str, new: str) -> dict[str, str]:
    assert old in BEFORE[path]
    return {**BEFORE, path: BEFORE[path].replace(old, new)}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (MODEL, "judge-2026-08-14", "judge-2026-09-01"),
        (MODEL, "127.0.0.1:8000", "127.0.0.1:9000"),
        (EVALUATION, "{model: served}", "{model: served, repeats: 3}"),
        (EVALUATION, "{model: served}", "{model: served, temperature: 0.5}"),
        (EVALUATION, "{model: served}", "{model: served, max_tokens: 99}"),
        (EVALUATION, "{model: served}", "{model: Recipe/base}"),
        (EVALUATION, "{model: served}", "{model: Model/tiny}"),
    ],
)
def test_another_judge_judges_again_and_generates_nothing(path: str, old: str, new: str) -> None:
    before, after = jobs(BEFORE), jobs(edited(path, old, new))
    moved = {name for name, made in after.items() if made.job.closure not in {
        m.job.closure for m in before.values()}}  # fmt: skip
    assert moved == {"evaluate/kind"}


@pytest.mark.parametrize(
    "limits",
    ["requests_per_minute: 60", "max_retries: 9", "timeout_seconds: 5", "concurrency: 8"],
)
def test_limits_of_an_endpoint_judge_nothing_anew(limits: str) -> None:
    after = jobs(edited(MODEL, "  model:", f"  limits: {{{limits}}}\n    model:"))
    assert after["evaluate/kind"].job.closure == jobs(BEFORE)["evaluate/kind"].job.closure
    name, _, value = limits.partition(": ")
    access = after["evaluate/kind"].job.spec["judge_access"]
    assert access["limits"] == {name: int(value)}


def test_a_key_is_a_name_and_changes_no_judgement() -> None:
    with_key = edited(MODEL, "  model:", "  api_key: {secret: JUDGE_KEY}\n    model:")
    job = jobs(with_key)["evaluate/kind"].job
    assert job.closure == jobs(BEFORE)["evaluate/kind"].job.closure
    assert job.spec["secrets"] == ["JUDGE_KEY"]
    assert job.spec["judge_access"]["api_key"] == "JUDGE_KEY"


def test_a_secret_address_is_named_to_the_executor_too() -> None:
    hidden = edited(MODEL, "http://127.0.0.1:8000/v1", "{secret: JUDGE_URL}")
    job = jobs(hidden)["evaluate/kind"].job
    assert job.spec["secrets"] == ["JUDGE_URL"]
    assert job.spec["judge"]["endpoint"]["base_url"] == {"secret": "JUDGE_URL"}


def test_a_recipe_that_judges_is_trained_first() -> None:
    files = edited(EVALUATION, "{model: served}", "{model: Recipe/adapter}")
    made = jobs(files)["evaluate/kind"]
    trained = {m.job.closure: m.job.id for m in made.all()}
    assert "train/adapter" in {trained[need] for need in made.job.needs}
    given = {i.name for i in made.job.inputs if i.name.startswith("judge/")}
    assert "judge/adapter/0" in given
    assert {"torch", "transformers", "deepeval"} <= set(made.job.tools)


def test_judging_has_a_timeout_of_its_own() -> None:
    files = edited(EVALUATION, "{model: served}", "{model: served, timeout_minutes: 240}")
    assert jobs(files)["evaluate/kind"].job.resources.timeout_minutes == 240


def test_without_a_judge_the_job_is_as_it_was() -> None:
    (made,) = [m for m in made_of(exams(None, graph(BANK)), "head") if m.job.type == "evaluate"]
    assert "judge" not in made.job.spec
    assert "secrets" not in made.job.spec


def test_a_judge_of_base_judges_head_s_target() -> None:
    mine = edited(MODEL, "127.0.0.1:8000", "127.0.0.1:1")
    asked = {
        e.judged_by: e.head.job.spec["judge"]["endpoint"]["base_url"]
        for e in exams(graph(BEFORE), graph(mine))
        if e.head is not None and e.asker.ref.name == "kind"
    }
    assert asked == {"base": "http://127.0.0.1:8000/v1", "head": "http://127.0.0.1:1/v1"}


RATED = "specs/datasets/rated.yaml"
CALIBRATED = {
    **edited(
        EVALUATION, "{model: served}",
        "{model: served, calibration:"
        " {dataset: rated, min_sensitivity: 0.8, min_specificity: 0.8}}",
    ),
    RATED: spec(
        "Dataset", "rated",
        "purpose: [evaluation]\nformat: ratings\n"
        "sources: [{name: all, file: specs/data/rated.jsonl, license: MIT, origin: first_party}]",
    ),
    "specs/data/rated.jsonl": '{"input": "a", "response": "b", "rating": 1}\n',
}  # fmt: skip


def test_rated_rows_are_an_input_of_the_judging_and_of_nothing_else() -> None:
    before, after = jobs(BEFORE), jobs(CALIBRATED)
    known = {made.job.closure for made in before.values()}
    moved = {name for name, made in after.items() if made.job.closure not in known}
    assert moved == {"evaluate/kind", "curate/rated"}
    (given,) = [i for i in after["evaluate/kind"].job.inputs if i.name == "anchors"]
    assert given.job == after["curate/rated"].job.closure
    assert given.artifact == "parts/all.jsonl"
    other = {
        **CALIBRATED,
        "specs/data/rated.jsonl": '{"input": "a", "response": "c", "rating": 0}\n',
    }
    assert jobs(other)["evaluate/kind"].job.closure != after["evaluate/kind"].job.closure
    stricter = {**CALIBRATED, EVALUATION: CALIBRATED[EVALUATION].replace("y: 0.8", "y: 0.9")}
    assert stricter != CALIBRATED
    assert jobs(stricter)["evaluate/kind"].job.closure == after["evaluate/kind"].job.closure


def test_rated_rows_that_are_gone_are_judged_again() -> None:
    made, read_ = jobs(CALIBRATED), graph(CALIBRATED)
    closure = made["evaluate/kind"].job.closure

    def states(*gone: str) -> dict[str, str]:
        proven = {
            m.job.closure: Proof(
                "sha256:e", "ok", missing=frozenset(gone if m.job.closure == closure else ())
            )
            for m in made.values()
        }
        trees = Trees(None, TreeName("head", "a" * 40))
        return {s.job.id: s.state for s in plan(None, read_, (), proven, trees).steps}

    assert set(states().values()) == {"reuse"}
    assert states("anchors.jsonl")["evaluate/kind"] == "run"
    assert states("judgements.jsonl")["evaluate/kind"] == "reuse"
