"""A statement says exactly what was found, and nothing else is read as one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from llmops.digest import of_bytes, of_value
from llmops.evidence.statement import encode, hex_of, parse, statement
from llmops.jobs.base import Artifact, Job, Measurement, Result
from llmops.specs.base import Ref

CLOSURE = of_bytes(b"closure")
JOB = Job("evaluate", Ref("Evaluation", "quality"), CLOSURE, {"checks": []}, seed=3)
RESULT = Result(
    closure=CLOSURE,
    type="evaluate",
    status="ok",
    started_at="2026-11-22T08:00:00Z",
    finished_at="2026-11-22T08:01:00Z",
    measurements=(Measurement("accuracy", 0.5, 10), Measurement("rows", 10.0, 10)),
    artifacts=(Artifact("rows.jsonl", of_bytes(b"rows"), 4),),
)
INPUTS = {"cases": of_bytes(b"cases")}


def test_a_statement_is_in_toto_v1_about_the_closure_and_each_artifact() -> None:
    made = statement(RESULT, JOB, INPUTS)
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["predicateType"] == "https://llmops.dev/run/v1"
    assert made["subject"] == [
        {"name": "closure", "digest": {"sha256": CLOSURE[7:]}},
        {"name": "artifacts/rows.jsonl", "digest": {"sha256": of_bytes(b"rows")[7:]}},
    ]
    assert made["predicate"]["job"] == {
        "id": "evaluate/quality",
        "type": "evaluate",
        "subject": "Evaluation/quality",
        "spec": of_value({"checks": []}),
        "seed": 3,
        "inputs": INPUTS,
        "tools": {},
    }


def test_reading_a_statement_gives_back_what_was_said() -> None:
    data, digest = encode(statement(RESULT, JOB, INPUTS))
    evidence = parse(json.loads(data), digest)
    assert evidence.result == RESULT
    assert (evidence.closure, evidence.type, evidence.status) == (CLOSURE, "evaluate", "ok")
    assert (evidence.subject, evidence.inputs) == (JOB.subject, INPUTS)
    assert evidence.digest == of_bytes(data) == digest


def test_a_proof_holds_measurements_and_missing_artifacts() -> None:
    data, digest = encode(statement(RESULT, JOB))
    proof = parse(json.loads(data), digest).proof(frozenset({"rows.jsonl"}))
    assert proof.evidence == digest
    assert proof.measured == {"accuracy": 0.5, "rows": 10.0}
    assert proof.missing == {"rows.jsonl"}


@pytest.mark.parametrize(
    "wrong", [{"closure": of_bytes(b"other")}, {"type": "train"}], ids=["closure", "type"]
)
def test_a_result_of_another_job_makes_no_statement(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not of evaluate/quality"):
        statement(replace(RESULT, **wrong), JOB)


NAMES_THAT_LEAD_OUT = [
    "", ".", "..", "/etc/passwd", "../x", "a/../../x", "a/..", "a//b", "a/", "./a", "a\\b", "a\0",
    "a/./b",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES_THAT_LEAD_OUT)
def test_an_artifact_name_that_leads_out_of_its_folder_is_refused(name: str) -> None:
    bad = replace(RESULT, artifacts=(Artifact(name, of_bytes(b""), 0),))
    with pytest.raises(ValueError, match="is not a path below artifacts/"):
        statement(bad, JOB)


@pytest.mark.parametrize("name", ["a", "parts/test.jsonl", "..a", "a..", "...", "宽/行 1.jsonl"])
def test_an_ordinary_artifact_name_is_taken(name: str) -> None:
    good = replace(RESULT, artifacts=(Artifact(name, of_bytes(b""), 0),))
    assert parse(statement(good, JOB), "sha256:0").result == good


def test_an_artifact_listed_twice_is_refused() -> None:
    twice = replace(RESULT, artifacts=RESULT.artifacts * 2)
    with pytest.raises(ValueError, match="listed twice"):
        statement(twice, JOB)


def test_a_measurement_that_is_no_number_makes_no_statement() -> None:
    broken = replace(RESULT, measurements=(Measurement("loss", float("nan"), 1),))
    with pytest.raises(ValueError, match="nan"):
        statement(broken, JOB)


def changed(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        *way, last = path.split(".")
        for step in way:
            data = data[step]
        if value is DELETED:
            del data[last]
        else:
            data[last] = value

    return change


DELETED = object()
DAMAGE = [
    changed("_type", "https://in-toto.io/Statement/v0.1"),
    changed("_type", []),
    changed("predicateType", "https://slsa.dev/provenance/v1"),
    changed("subject", []),
    changed("subject", [{"name": "closure", "digest": {"sha256": "0" * 64}}]),
    changed("more", 1),
    changed("predicate", None),
    changed("predicate.job", []),
    changed("predicate.job.type", "train"),
    changed("predicate.job.subject", 7),
    changed("predicate.job.subject", "nothing"),
    changed("predicate.job.inputs", []),
    changed("predicate.job.inputs", {"cases": "md5:0"}),
    changed("predicate.job.seed", DELETED),
    changed("predicate.result.closure", "sha256:short"),
    changed("predicate.result.status", "passed"),
    changed("predicate.result.format_version", 2),
    changed("predicate.result.reason", DELETED),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_not_as_we_write_it_is_not_read(damage: Callable[[dict[str, Any]], None]) -> None:
    data = copy.deepcopy(statement(RESULT, JOB, INPUTS))
    parse(data, "sha256:0")
    damage(data)
    with pytest.raises(ValueError, match=r"\w"):
        parse(data, "sha256:0")


@pytest.mark.parametrize("data", [None, [], 1, "x", {}])
def test_what_is_no_object_is_not_read(data: Any) -> None:
    with pytest.raises(ValueError, match="statement has not exactly"):
        parse(data, "sha256:0")


@pytest.mark.parametrize("text", ["", "sha256:", "sha256:" + "A" * 64, "a" * 64, CLOSURE + "\n"])
def test_only_a_sha256_digest_has_hex_digits(text: str) -> None:
    assert hex_of(CLOSURE) == CLOSURE[7:]
    with pytest.raises(ValueError, match="is not sha256"):
        hex_of(text)


def test_what_was_expected_of_memory_is_no_part_of_what_was_run() -> None:
    expected = replace(JOB, spec={**JOB.spec, "estimate": {"memory_mb": 512.0}})
    assert statement(RESULT, expected) == statement(RESULT, JOB)
    other = replace(JOB, spec={**JOB.spec, "other": 1})
    assert statement(RESULT, other) != statement(RESULT, JOB)
