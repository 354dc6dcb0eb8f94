"""Statements about a verdict: the same bytes every time, and what other readers make of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given as every
from hypothesis import strategies as st
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement as Reader

from llmops.attest import ledger
from llmops.attest.given import (
    Approved,
    Estimated,
    File,
    Given,
    LedgerEnd,
    Named,
    Run,
    decode,
)
from llmops.attest.plain import number, plain
from llmops.attest.statements import statements
from llmops.attest.subject import closure_of
from llmops.digest import canonical, of_bytes
from llmops.evidence.entry import Kept, encode
from llmops.jobs.attempts import Judged
from llmops.log import base as log
from llmops.rules.base import Loosened, Outcome, Verdict
from tests.reports.conftest import CASES, FAILED, FINE, UNSURE, WORSE, a_verdict

GIVEN = Given(
    root="sha256:" + "1" * 64,
    log_size=7,
    log_root="2" * 64,
    repository="git+https://github.com/acme/bot",
    judged_at="2026-11-22T10:04:05Z",
    tool_version="0.1.0",
    environment="",
    change="#12",
    base=Named("main", "3" * 40, "4" * 40),
    head=Named("#12", "5" * 40),
    ledger=LedgerEnd(3, "sha256:" + "6" * 64),
    approvals=(Approved("team", "wang", "review of 1234567"), Approved("team", "li", "review")),
    authors=("Li",),
    runs={"sha256:" + "8" * 64: Run("9" * 64, 4), "sha256:" + "7" * 64: Run("a" * 64, 2)},
    missing={"sha256:" + "7" * 64: ("weights",)},
    to_run={"sha256:" + "b" * 64: Estimated(1.5, None, 1e-07)},
    files={"c" * 40: File("d" * 64, 12)},
)


def read(verdict: Verdict, given: Given = GIVEN) -> dict[str, dict[str, Any]]:
    """The statements of a verdict by kind; of several approvals the last."""
    return {one.kind: json.loads(one.payload) for one in statements(verdict, given)}


def report(verdict: Verdict, given: Given = GIVEN) -> dict[str, Any]:
    found: dict[str, Any] = read(verdict, given)[log.EVAL_REPORT]["predicate"]
    return found


def test_the_same_verdict_gives_the_same_bytes_in_canonical_json() -> None:
    verdict = a_verdict(Outcome.FAILED, FAILED, WORSE, UNSURE, FINE)
    made = statements(verdict, GIVEN)
    assert made == statements(replace(verdict), replace(GIVEN))
    for one in made:
        assert canonical(json.loads(one.payload)) == one.payload
    assert [one.kind for one in made][-3:] == [log.EVAL_REPORT, log.TEST_RESULT, log.VSA]


def test_every_number_is_a_decimal_string() -> None:
    verdict = a_verdict(Outcome.FAILED, FAILED, WORSE, UNSURE, FINE)
    for one in statements(verdict, GIVEN):
        for value in walked(json.loads(one.payload)):
            assert not isinstance(value, int | float) or isinstance(value, bool), value
    found = report(verdict)["findings"]
    assert found[0]["value"] == "0.612"
    assert found[0]["n"] == "1200"
    assert found[1]["difference_interval"] == ["-0.288", "-0.233"]


def walked(value: Any) -> list[Any]:
    """Every value in a JSON value."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in walked(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in walked(inner)]
    return [value]


@every(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_the_same_number(value: float) -> None:
    text = number(value)
    assert float(text) == value
    assert "e" not in text.casefold()
    assert not text.endswith(".0")


def test_numbers_that_are_none_are_words_and_half_a_character_is_written_out() -> None:
    assert [number(v) for v in (math.nan, math.inf, -math.inf)] == ["nan", "inf", "-inf"]
    assert plain({"a\n": "x\udc80"}) == {"a\n": "x\\udc80"}
    assert canonical(plain("x\udc80"))


def test_a_report_has_every_finding_and_no_text_that_people_or_models_wrote() -> None:
    verdict = a_verdict(
        Outcome.FAILED, FAILED, UNSURE, worst_cases=CASES, worse_count=3, better_count=1
    )
    text = next(o.payload for o in statements(verdict, GIVEN) if o.kind == log.EVAL_REPORT)
    found = report(verdict)
    assert [one["gate"] for one in found["findings"]] == [FAILED.gate, UNSURE.gate]
    assert (found["worse_count"], found["better_count"]) == ("3", "1")
    assert b"card_swallowed" not in text
    assert b"estimate" not in text


def test_what_changed_is_named_without_its_values() -> None:
    (change, *_) = a_verdict(Outcome.PASSED).changes
    told = report(a_verdict(Outcome.PASSED))["changes"][0]
    assert told["ref"] == str(change.ref)
    assert told["fields"] == [one.path for one in change.fields]


def test_what_is_given_reads_back() -> None:
    assert decode(report(a_verdict(Outcome.PASSED))["given"]) == GIVEN
    bare = replace(GIVEN, base=None)
    assert decode(bare.to_json()) == bare


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("log_size", 7), ("log_size", "07"), ("log_size", "-1"), ("log_root", "2"), ("root", None),
        ("base", {}), ("head", None), ("approvals", {}), ("authors", [1]), ("runs", []),
        ("runs", {"x": {"sha256": "9" * 64}}), ("ledger", {"entries": 1, "last": ""}),
        ("to_run", {"x": {"usd": "1.0", "gpu_hours": None, "cpu_hours": None}}),
        ("files", {"x": {"sha256": "9" * 64, "size": "1e3"}}), ("missing", {"x": "weights"}),
        ("more", 1),
    ],
)  # fmt: skip
def test_what_is_given_is_read_strictly(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode({**GIVEN.to_json(), name: value})


@pytest.mark.parametrize(
    ("outcome", "result", "summary", "levels"),
    [
        (Outcome.PASSED, "PASSED", "PASSED", ["LLMOPS_GATE_PASSED"]),
        (Outcome.WARNED, "WARNED", "PASSED", ["LLMOPS_GATE_WARNED"]),
        (Outcome.INCONCLUSIVE, "FAILED", "FAILED", ["FAILED"]),
        (Outcome.FAILED, "FAILED", "FAILED", ["FAILED"]),
    ],
)
def test_other_readers_read_the_test_result_and_the_summary(
    outcome: Outcome, result: str, summary: str, levels: list[str]
) -> None:
    found = read(a_verdict(outcome, FAILED, UNSURE, FINE))
    for kind in (log.TEST_RESULT, log.VSA, log.EVAL_REPORT):
        proto = json_format.ParseDict(_named(found[kind]), statement_pb2.Statement())
        Reader.copy_from_pb(proto).validate()
    tested = json_format.ParseDict(
        found[log.TEST_RESULT]["predicate"], test_result_pb2.TestResult(),
        ignore_unknown_fields=True,
    )  # fmt: skip
    assert tested.result == result
    assert sorted(tested.failed_tests) == sorted([FAILED.gate, UNSURE.gate])
    assert list(tested.passed_tests) == [FINE.gate]
    said = {**found[log.VSA]["predicate"]}
    # What in-toto-attestation 0.9.3 has otherwise than SLSA v1.1: no `version`, and levels that are
    # one text and no list (`verified_levels` is not repeated in its proto).
    assert said.pop("verifiedLevels") == levels
    said["verifier"] = {"id": said["verifier"]["id"]}
    summed = json_format.ParseDict(said, vsa_pb2.VerificationSummary())
    assert summed.verification_result == summary
    assert [one.uri for one in summed.input_attestations] == ["log:2", "log:4"]
    assert summed.policy.digest["gitTree"] == a_verdict(outcome).policy_tree
    assert summed.time_verified.ToJsonString() == "2026-11-22T10:04:05Z"


def _named(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement as the proto's JSON calls its type."""
    return {("type" if key == "_type" else key): value for key, value in statement.items()}


def test_what_is_inconclusive_is_failed_and_said_so_beside() -> None:
    found = read(a_verdict(Outcome.INCONCLUSIVE, UNSURE))[log.TEST_RESULT]["predicate"]
    assert (found["result"], found["llmops_outcome"]) == ("FAILED", "inconclusive")
    assert found["llmops_inconclusiveTests"] == [UNSURE.gate]


def test_the_test_result_names_the_report_by_its_digest() -> None:
    made = {one.kind: one.payload for one in statements(a_verdict(Outcome.PASSED), GIVEN)}
    named = json.loads(made[log.TEST_RESULT])["predicate"]["configuration"][-1]
    assert named["digest"]["sha256"] == of_bytes(made[log.EVAL_REPORT])[7:]


def test_all_statements_are_about_the_closures_and_the_tree() -> None:
    verdict = a_verdict(Outcome.PASSED)
    (subjects,) = {json.dumps(one["subject"]) for one in read(verdict).values()}
    closure, repo = json.loads(subjects)
    assert closure == {"name": "closure", "digest": {"sha256": closure_of(verdict.plan)[7:]}}
    assert repo["digest"]["gitTree"] == verdict.head.tree
    other = replace(verdict.plan, head=replace(verdict.head, commit="e" * 40, label="x"))
    assert closure_of(other) == closure_of(verdict.plan), "commits are no part of it"


def test_each_approval_is_a_statement_that_says_who_wrote_the_change() -> None:
    made = [json.loads(o.payload)["predicate"] for o in statements(a_verdict(Outcome.PASSED), GIVEN)
            if o.kind == log.APPROVAL]  # fmt: skip
    assert [(one["by"], one["author"]) for one in made] == [("li", True), ("wang", False)]


def test_a_loosened_policy_is_a_statement_of_its_own() -> None:
    assert log.POLICY_CHANGE not in read(a_verdict(Outcome.PASSED))
    looser = Loosened("Evaluation/quality/accuracy", "min 0.8", "min 0.7", approved_by=("wang",))
    found = read(a_verdict(Outcome.PASSED, loosened=(looser,)))[log.POLICY_CHANGE]["predicate"]
    assert found["label"] == "looser"
    assert found["loosened"][0]["approved_by"] == ["wang"]


def test_an_entry_of_the_ledger_is_its_own_file() -> None:
    entry = Judged("1" * 40, None, None, "passed", "#1", "2026-11-22T10:04:05Z")
    data = encode(1, None, entry)
    made = ledger.made(Kept(1, None, of_bytes(data), entry))
    said = json.loads(made.payload)
    assert canonical(said["predicate"]) == data
    assert said["subject"][0]["digest"]["sha256"] == of_bytes(data)[7:]
