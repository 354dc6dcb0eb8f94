"""In which class two results of one job agree."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from llmops.digest import of_bytes, of_value
from llmops.evidence.repeats import Lines, compare, promised
from llmops.jobs.base import Artifact, Job, Measurement, Result
from llmops.specs.base import JobType, Ref

Table = Sequence[Mapping[str, Any]]
HERE = {"machine": "x86_64", "accelerator": "cpu", "python": "3.11.7", "tools": {"torch": "2"}}


def result(
    tables: Mapping[str, Table], *, kind: JobType = "evaluate", files: Mapping[str, str] = {},
    status: str = "ok", **measured: float,
) -> tuple[Result, Lines]:  # fmt: skip
    """A result with its lines; digests follow from what is in it."""
    artifacts = [Artifact(name, of_value(list(rows)), 1) for name, rows in tables.items()]
    artifacts += [Artifact(name, of_bytes(text.encode()), 1) for name, text in files.items()]
    made = Result(
        "c", kind, status, "", "",  # type: ignore[arg-type]
        measurements=tuple(Measurement(name, value, 10) for name, value in measured.items()),
        artifacts=tuple(artifacts),
    )  # fmt: skip
    return made, dict(tables).get


def agree(one: tuple[Result, Lines], two: tuple[Result, Lines]) -> tuple[str, str]:
    """The class, and the first reason why not to the bit."""
    found, why = compare((one[0], two[0]), (one[1], two[1]))
    return found, next(iter(why["bit"]), "")


def answers(n: int = 40, **of: Mapping[int, Any]) -> list[dict[str, Any]]:
    """Lines of responses; `of` sets keys of some of them."""
    rows: list[dict[str, Any]] = [
        {"id": f"r{i}", "case": f"c{i}", "response": "yes", "output_tokens": 2, "error": None,
         "latency_ms": 10.0 + i}
        for i in range(n)
    ]  # fmt: skip
    for key, values in of.items():
        for i, value in values.items():
            rows[i][key] = value
    return rows


def test_equal_results_agree_to_the_bit_whatever_their_clocks_say() -> None:
    kept = result({"responses.jsonl": answers()}, kind="generate", generate_seconds=1.0, errors=0)
    slow = answers(latency_ms=dict.fromkeys(range(40), 99.0))
    again = result({"responses.jsonl": slow}, kind="generate", generate_seconds=9.0, errors=0)
    assert agree(kept, again) == ("bit", "")


def test_one_other_answer_is_no_longer_the_same_bits_and_many_are_no_longer_the_same_steps() -> (
    None
):
    kept = result({"responses.jsonl": answers()}, kind="generate")
    one = result({"responses.jsonl": answers(response={3: "no"})}, kind="generate")
    assert agree(kept, one) == ("step", "responses.jsonl has other bytes")
    mixed = {i: "no!" if i % 2 else "n" for i in range(8)}
    some = result({"responses.jsonl": answers(response=mixed)}, kind="generate")
    assert agree(kept, some)[0] == "statistical"


def test_better_answers_in_one_run_agree_in_no_class() -> None:
    rows = [
        {"id": f"r{i}", "case": f"c{i}", "cells": {"acc": {"value": float(i % 2), "valid": True}}}
        for i in range(60)
    ]
    better = [{**r, "cells": {"acc": {"value": 1.0, "valid": True}}} for r in rows]
    kept, again = result({"rows.jsonl": better}, acc=1.0), result({"rows.jsonl": rows}, acc=0.5)
    found, why = compare((kept[0], again[0]), (kept[1], again[1]))
    assert found == ""
    assert why["statistical"] == ("rows.jsonl cell acc is higher in 0 cases and lower in 30",)
    assert "acc is 0.5, kept is 1" in why["step"]


def test_two_honest_runs_of_a_noisy_judge_are_seldom_told_apart() -> None:
    dice, off = random.Random(4), 0
    for _ in range(400):
        kept, again = (
            result({"rows.jsonl": [
                {"id": i, "case": i, "cells": {c: {"value": dice.random()} for c in "ab"}}
                for i in range(30)
            ]})
            for _ in range(2)
        )  # fmt: skip
        off += agree(kept, again)[0] == ""
    assert off <= 3  # 0.001 is promised


@pytest.mark.parametrize(
    ("losses", "found"),
    [
        ((2.0, 1.0, 0.5), "bit"), ((2.0, 1.0005, 0.5), "step"), ((2.0, 1.05, 0.5), "statistical"),
        ((2.0, 1.5, 1.5), ""), ((2.0, 1.0), ""),
    ],
)  # fmt: skip
def test_a_training_is_compared_by_its_losses_where_its_weights_have_other_bits(
    losses: tuple[float, ...], found: str
) -> None:
    def trained(values: Sequence[float], weights: str) -> tuple[Result, Lines]:
        log = [{"step": i, "loss": value} for i, value in enumerate(values)]
        return result({"trainer_log.jsonl": log}, kind="train", files={"model/w": weights}, steps=3)

    kept, again = trained((2.0, 1.0, 0.5), "a"), trained(losses, "a" if found == "bit" else "b")
    assert agree(kept, again)[0] == found


def test_other_files_other_numbers_and_other_endings_agree_in_no_class() -> None:
    kept = result({}, files={"parts/a.jsonl": "x"}, kind="curate", rows=4)
    assert agree(kept, result({}, files={"parts/a.jsonl": "y"}, kind="curate", rows=4))[0] == ""
    assert agree(kept, result({}, files={"parts/b.jsonl": "x"}, kind="curate", rows=4))[0] == ""
    assert agree(kept, result({}, files={"parts/a.jsonl": "x"}, kind="curate", lines=4))[0] == ""
    failed = result({}, files={"parts/a.jsonl": "x"}, status="quality_failed", rows=4)
    assert agree(kept, failed) == ("", "it ended quality_failed, kept is ok")


def test_tables_about_other_cases_agree_in_no_class() -> None:
    kept, again = answers(), answers(id={0: "x"})
    pair = (result({"responses.jsonl": one}, kind="generate") for one in (kept, again))
    assert agree(*pair)[0] == ""


def test_what_is_promised_follows_from_the_job_and_from_both_machines() -> None:
    def job(kind: JobType, **spec: Any) -> Job:
        return Job(kind, Ref("Recipe", "a"), "c", spec)

    other = {**HERE, "accelerator": "H100"}
    judged, served = job("evaluate", judge={"repeats": 1}), job("evaluate", judge={"endpoint": {}})
    for exact in (job("curate"), job("guard"), job("evaluate")):
        assert promised(exact, HERE, other) == "bit"
    for learned in (job("train"), job("generate"), job("scan"), judged):
        assert promised(learned, HERE, {**HERE, "platform": "another kernel"}) == "step"
        assert promised(learned, HERE, other) == "statistical"
    assert promised(served, HERE, HERE) == "statistical"


def test_a_table_that_is_gone_here_agrees_by_its_digest_only() -> None:
    kept = result({"rows.jsonl": answers()})
    again = result({"rows.jsonl": answers(response={0: "no"})})
    assert agree((kept[0], lambda _name: None), kept)[0] == "bit"
    assert agree((kept[0], lambda _name: None), again)[0] == ""
