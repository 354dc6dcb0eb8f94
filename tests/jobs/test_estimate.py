"""What is estimated before a job runs, and on what it rests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llmops.jobs import estimate
from llmops.jobs.base import Estimate, Job, Plan, Proof, Resources, Step, TreeName
from llmops.specs.base import Ref
from tests.trees import graph, spec

MODEL = spec("Model", "tiny", (
    "init:\n"
    "  architecture: {model_type: llama, hidden_size: 64, intermediate_size: 128,"
    " num_hidden_layers: 2, num_attention_heads: 4}\n"
    "  tokenizer: {train: {algorithm: byte_level_bpe, vocab_size: 512, data: rows}}\n"
    "license: MIT"
))  # fmt: skip
ROWS = spec("Dataset", "rows", (
    "purpose: [sft]\nsources: [{name: ours, file: specs/data/rows.jsonl, license: MIT}]\n"
    "format: qa"
))  # fmt: skip


def recipe(body: str) -> Any:
    """A graph with one Recipe."""
    files = {
        "specs/models/tiny.yaml": MODEL,
        "specs/datasets/rows.yaml": ROWS,
        "specs/recipes/one.yaml": spec("Recipe", "one", body),
        "specs/data/rows.jsonl": '{"question": "a", "answer": "b"}\n',
    }
    return graph(files)


LONG = "template: {max_length: 64}\n"
FULL = f"base_model: tiny\ndata: [{{dataset: rows}}]\n{LONG}full: {{}}\n"


def of(body: str) -> Estimate:
    made = recipe(body)
    return estimate.training(made, made.specs[Ref("Recipe", "one")])


def test_a_training_from_scratch_has_a_memory_and_says_on_what_it_rests() -> None:
    found = of(FULL)
    assert found.memory_mb is not None
    assert 500 < found.memory_mb < 700
    assert (found.memory_of, found.bound) == ("process", "most")
    assert found.basis == (
        "memory: 148K parameters, 148K parameters trained, 8 rows of at most 64 tokens",
    )


def test_rows_without_a_longest_one_make_the_memory_unknown() -> None:
    found = of(FULL.replace(LONG, ""))
    assert found.memory_mb is None
    assert "max_length" in found.basis[0]


def test_what_is_not_counted_is_unknown_and_named() -> None:
    found = of(FULL + "training: {optim: adafactor}\n")
    assert found.memory_mb is None
    assert "adafactor" in found.basis[0]


def test_a_gpu_job_is_estimated_in_the_memory_of_its_device() -> None:
    assert of(FULL + "resources: {gpu: H100}\n").memory_of == "device"


@pytest.mark.parametrize(
    ("said", "number"), [("7.6B", 7_600_000_000), ("350M", 350_000_000), ("12", 12), ("many", None)]
)
def test_counts_are_read_as_makers_write_them(said: str, number: int | None) -> None:
    assert estimate.count(said) == number


def test_a_score_is_the_share_by_which_an_estimate_was_off() -> None:
    assert estimate.score(110.0, 100.0) == pytest.approx(0.1)
    assert estimate.score(80.0, 100.0) == pytest.approx(-0.2)
    assert estimate.score(None, 100.0) is None
    assert estimate.score(100.0, None) is None


def job(kind: Any = "train", gpu: str | None = None, **given: Any) -> Job:
    return Job(
        kind, Ref("Recipe", "one"), "sha256:" + "1" * 64, given,
        resources=Resources(processes=2, gpu=gpu),
    )  # fmt: skip


def told(one: Job, last: Proof | None = None, **prices: float) -> Estimate:
    plan = Plan(None, TreeName("head", "t"), None, (), (Step(one, "run", ""),), ())
    found = estimate.estimated(plan, {}, lambda kind, ref: last, prices)
    made = found.steps[0].estimate
    assert made is not None
    return made


def proof(**given: Any) -> Proof:
    return replace(Proof("sha256:" + "2" * 64, "ok"), **given)


def test_without_earlier_evidence_time_and_cost_are_unknown() -> None:
    found = told(job(gpu="H100"), H100=3.0)
    assert (found.seconds, found.gpu_hours, found.usd) == (None, None, None)
    assert found.basis[-1] == "time: no train of Recipe/one has evidence"


def test_time_is_that_of_the_last_run_scaled_by_steps() -> None:
    last = proof(measured={"steps": 100.0, "train_seconds": 40.0}, used={"wall_seconds": 50.0})
    found = told(job(training={"max_steps": 300}), last)
    assert found.seconds == 130.0
    assert found.basis[-1] == "time: 50 s the last time for 100 steps, now 300"


def test_time_of_answers_is_scaled_by_rows() -> None:
    last = proof(measured={"generate_seconds": 30.0}, cases=60, used={"wall_seconds": 36.0})
    assert told(job("generate", rows=120), last).seconds == 66.0


def test_a_gpu_class_with_a_price_has_a_cost_for_every_rank() -> None:
    last = proof(used={"wall_seconds": 1800.0})
    found = told(job(gpu="H100"), last, H100=3.0)
    assert (found.gpu_hours, found.usd) == (1.0, 3.0)


def test_a_gpu_class_without_a_price_has_hours_and_no_cost() -> None:
    found = told(job(gpu="L40S"), proof(used={"wall_seconds": 1800.0}), H100=3.0)
    assert (found.gpu_hours, found.usd) == (1.0, None)
    assert "no Environment gives a price of L40S" in found.basis[-1]


def test_what_runs_on_cpus_takes_no_gpu_hours_and_has_no_price() -> None:
    found = told(job(), proof(used={"wall_seconds": 1800.0}))
    assert (found.gpu_hours, found.cpu_hours, found.usd) == (0.0, 1.0, 0.0)


def test_an_estimate_is_corrected_by_as_much_as_the_last_one_was_off() -> None:
    beside = {"memory_mb": 800.0, "memory_of": "process", "bound": "most", "basis": []}
    used = {"wall_seconds": 1.0, "peak_memory_mb": 600.0, "estimated_memory_mb": 900.0}
    found = told(job(estimate=beside), proof(used=used))
    assert found.memory_mb == pytest.approx(533.3, abs=0.1)
    assert found.bound == ""


def test_what_has_no_formula_takes_what_it_took_the_last_time() -> None:
    used = {"wall_seconds": 1.0, "peak_memory_mb": 96.0}
    assert told(job("curate"), proof(used=used)).memory_mb == 96.0


def test_a_worker_is_told_what_the_plan_said() -> None:
    step = Step(job(a=1), "run", "", estimate=Estimate(512.0, bound="most"))
    given = estimate.told(step).job.spec
    assert given["a"] == 1
    assert given["estimate"]["memory_mb"] == 512.0
    assert estimate.told(replace(step, state="reuse")).job.spec == step.job.spec
