"""The upload to code scanning: a result for rule, object and slice, small, the same again."""

from __future__ import annotations

import base64
import gzip
import json
import random
from dataclasses import replace

import pytest

from llmops.reports import github_limits as limits
from llmops.reports import github_sarif
from llmops.rules.base import Outcome
from tests.reports import pulls
from tests.reports.conftest import FAILED, a_verdict, require
from tests.reports.pulls import SUBJECT


def log_of(body) -> dict:
    found: dict = json.loads(gzip.decompress(base64.b64decode(body["sarif"])))
    return found["runs"][0]


def test_it_is_about_the_head_of_the_pull_request() -> None:
    body = github_sarif.upload(SUBJECT, pulls.JUDGED["failed"])
    assert body is not None
    assert (body["commit_sha"], body["ref"]) == (SUBJECT.head_sha, "refs/pull/12/head")
    assert log_of(body)["automationDetails"]["id"] == "llmops/gate/"


@pytest.mark.parametrize("ref", ["", "main", "refs/heads/a b", "refs/heads/x\ny", "refs/notes/x"])
def test_without_a_reference_there_is_none(ref: str) -> None:
    landed = replace(SUBJECT, number=None, ref=ref)
    assert github_sarif.upload(landed, pulls.JUDGED["failed"]) is None


def test_a_landed_commit_is_uploaded_for_its_branch() -> None:
    landed = replace(SUBJECT, number=None, ref="refs/heads/main")
    body = github_sarif.upload(landed, pulls.JUDGED["failed"])
    assert body is not None
    assert body["ref"] == "refs/heads/main"


def test_equal_verdicts_give_equal_bytes() -> None:
    first, again = (github_sarif.upload(SUBJECT, pulls.failed()) for _ in range(2))
    assert first == again


def test_slices_of_one_gate_are_results_of_their_own() -> None:
    found = [
        require(f"accuracy[language={name}]", Outcome.FAILED, 0.5, rule="slices")
        for name in ("en", "zh")
    ]
    body = github_sarif.upload(SUBJECT, a_verdict(Outcome.FAILED, *found, FAILED))
    prints = [one["partialFingerprints"]["llmopsRuleSubject/v1"] for one in log_of(body)["results"]]
    assert len(set(prints)) == 3


def test_a_result_names_the_changed_lines() -> None:
    (result,) = log_of(
        github_sarif.upload(
            SUBJECT, a_verdict(Outcome.FAILED, replace(FAILED, causes=pulls.CAUSES))
        )
    )["results"]
    places = [one["physicalLocation"]["region"]["startLine"] for one in result["relatedLocations"]]
    assert places == [12, 16]
    assert [one["message"]["text"] for one in result["relatedLocations"]] == [
        "changed: Recipe/support-lora lora.r",
        "changed: Recipe/support-lora training.learning_rate",
    ]


def test_no_more_results_than_are_kept() -> None:
    many = [require(f"c{i}", Outcome.FAILED, 0.5) for i in range(5_100)]
    body = github_sarif.upload(SUBJECT, a_verdict(Outcome.FAILED, *many))
    assert len(log_of(body)["results"]) == limits.SARIF_RESULTS


def test_what_does_not_fit_compressed_is_left_out_from_the_end() -> None:
    chance = random.Random(7)
    many = [
        require(f"c{i:03}", Outcome.FAILED, 0.5, message=chance.randbytes(400).hex())
        for i in range(64)
    ]
    verdict = a_verdict(Outcome.FAILED, *many)
    body = github_sarif.upload(SUBJECT, verdict, most_bytes=16_000)
    assert body is not None
    assert len(base64.b64decode(body["sarif"])) <= 16_000
    run = log_of(body)
    assert 0 < len(run["results"]) < 64
    assert run["properties"]["results_left_out"] == 64 - len(run["results"])
    assert run["results"][0]["message"]["text"].startswith(many[0].message[:100])
