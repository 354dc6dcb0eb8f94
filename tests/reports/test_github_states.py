"""Laws of what is published: true to the state, within limits, the same when nothing moved."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from llmops.forge.base import CHECK, COMMENT, Publication
from llmops.reports import github_limits as limits
from llmops.reports import github_states as states
from llmops.reports.escape import size
from llmops.reports.github_told import LABELS
from llmops.rules.base import Outcome
from tests.reports import pulls
from tests.reports.conftest import FAILED, FINE, UNSURE, VERDICTS, a_verdict, require
from tests.reports.pulls import SUBJECT

NAMES = tuple(pulls.every())
OPEN = ("opened", *pulls.RUNNING)  # in progress
WORDS = re.compile(r"\b(passed|warned|inconclusive|failed)\b|[✅⚠⏸❌]")


def check_of(found: Publication) -> dict:
    assert found.check is not None
    return dict(found.check)


@pytest.mark.parametrize("name", NAMES)
def test_a_check_is_in_progress_or_says_how_it_ended(name: str) -> None:
    check = check_of(pulls.every()[name])
    assert (check["name"], check["head_sha"]) == (CHECK, SUBJECT.head_sha)
    assert check["status"] == ("in_progress" if name in OPEN else "completed")
    assert ("conclusion" in check) == (name not in OPEN)
    assert check.get("conclusion", "failure") in ("success", "failure", "action_required")


@pytest.mark.parametrize("name", NAMES)
def test_only_what_passed_or_warned_is_a_success(name: str) -> None:
    judged = name in pulls.JUDGED and pulls.JUDGED[name].outcome <= Outcome.WARNED
    good = judged or name == "landed"
    found = pulls.every()[name]
    assert (check_of(found).get("conclusion") == "success") == good
    assert ((found.status or {})["state"] == "success") == good


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_within_githubs_limits(name: str) -> None:
    found = pulls.every()[name]
    output = check_of(found)["output"]
    assert len(output["title"]) <= limits.TITLE
    assert 0 < size(output["summary"]) <= limits.OUTPUT_BYTES
    assert size(output.get("text", "")) <= limits.OUTPUT_BYTES
    assert size(found.comment or "") <= limits.COMMENT_BYTES
    assert len((found.status or {})["description"]) <= limits.STATUS
    assert len(found.annotations) <= limits.ANNOTATIONS
    for one in found.annotations:
        assert len(one["title"]) <= limits.ANNOTATION_TITLE
        assert size(one["message"]) <= limits.ANNOTATION_BYTES
    assert set(found.labels or ()) <= set(found.own_labels)
    assert all(len(one) <= limits.LABEL for one in found.own_labels)


def test_ours_stay_below_githubs_own_limits() -> None:
    """GitHub's, as SECURITY's sources have them: bytes of a check, characters of a comment, ..."""
    assert max(limits.OUTPUT_BYTES, limits.COMMENT_BYTES) < 65_535
    assert limits.STEP_SUMMARY_BYTES < 2**20
    assert limits.ANNOTATIONS <= 4 * limits.ANNOTATIONS_PER_REQUEST
    assert limits.ANNOTATIONS_PER_REQUEST <= 50
    assert limits.ANNOTATION_BYTES < 64 * 1024
    assert limits.SARIF_RESULTS <= 5_000
    assert limits.SARIF_BYTES <= 10_000_000
    assert (limits.STATUS, limits.LABEL, limits.DESCRIPTION) == (140, 50, 140)


@pytest.mark.parametrize("name", OPEN)
def test_while_it_runs_no_word_or_mark_of_a_verdict_is_said(name: str) -> None:
    if "hostile" in name:  # whose own texts may hold any word
        return
    found = pulls.every()[name]
    output = check_of(found)["output"]
    for said in (found.comment or "", output["title"], output["summary"]):
        assert WORDS.search(said) is None


def test_running_says_how_far_it_is_in_its_first_line() -> None:
    found = pulls.every()["running"]
    assert (found.comment or "").split("\n")[1].startswith("### ⏳ llmops: 2 of 4 jobs")
    assert check_of(found)["output"]["title"] == "running: 2 of 4 jobs"


def test_what_counts_says_so_and_is_not_called_advisory() -> None:
    for name in pulls.JUDGED:
        comment = pulls.every()[name].comment or ""
        assert "advisory" not in comment
        assert "attempts counted" in comment


def test_not_judged_is_never_said_of_a_gate() -> None:
    """The words of a verdict are four; ⛔ is for the world."""
    for name in pulls.JUDGED:
        assert "⛔" not in (pulls.every()[name].comment or "")
    assert (
        (pulls.every()["world-failed"].comment or "").split("\n")[1].startswith("### ⛔ llmops: ")
    )


@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        (a_verdict(Outcome.FAILED, FAILED, UNSURE, FINE),
         "failed: accuracy 0.612 < 0.8 (1 of 3), 1 inconclusive"),
        (a_verdict(Outcome.INCONCLUSIVE, UNSURE, FINE),
         "inconclusive: refusal-rate 0.79999 not shown ≥ 0.8 (1 of 2)"),
        (a_verdict(Outcome.FAILED, require("toxicity", Outcome.FAILED, 0.081, bound="max 0.05")),
         "failed: toxicity 0.081 > 0.05 (1 of 1)"),
        (a_verdict(Outcome.PASSED, FINE), "passed: 1 gate"),
        (pulls.JUDGED["waiting-for-approval"],
         "inconclusive: waits for team-cs (0 of 1), team-risk (1 of 2)"),
        (pulls.JUDGED["waived"], "warned: tone 0.790 < 0.8 (2 of 2), 1 waived"),
        (pulls.JUDGED["first-run"], "warned: no policy at base, 1 gate"),
        (a_verdict(Outcome.INCONCLUSIVE), "inconclusive: not by a gate, 0 gates"),
    ],
)  # fmt: skip
def test_a_title_says_the_worst_and_how_many(verdict, title: str) -> None:
    assert check_of(states.judged(SUBJECT, verdict))["output"]["title"] == title


def test_who_is_waited_for_stands_first_and_is_a_label() -> None:
    found = pulls.every()["waiting-for-approval"]
    lines = (found.comment or "").split("\n")
    assert lines[3] == "👥 Waits for people: **team-cs** 0 of 1 · **team-risk** 1 of 2"
    assert "llmops: waiting" in (found.labels or ())
    failed_too = a_verdict(
        Outcome.FAILED, FAILED, *pulls.JUDGED["waiting-for-approval"].findings
    )  # fmt: skip
    title = check_of(states.judged(SUBJECT, failed_too))["output"]["title"]
    assert title == "failed: accuracy 0.612 < 0.8 (1 of 4), 2 inconclusive"


def test_the_digest_moves_with_what_is_said_and_not_with_the_time() -> None:
    verdict = pulls.JUDGED["failed"]
    first, later, other = (
        check_of(states.judged(SUBJECT, one))["external_id"]
        for one in (
            verdict,
            replace(verdict, judged_at="2026-11-23T11:11:11Z"),
            replace(verdict, findings=verdict.findings[1:]),
        )
    )
    assert first == later != other
    assert re.fullmatch("[0-9a-f]{16}", first)


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("landed")])
def test_the_comments_first_line_is_its_marker_alone(name: str) -> None:
    comment = pulls.every()[name].comment or ""
    first = comment.split("\n")[0]
    pattern = rf"{re.escape(COMMENT)}(tree=[0-9a-f]+ )?head=[0-9a-f]{{40}} state=[0-9a-f]{{16}} -->"
    assert re.fullmatch(pattern, first)
    assert comment.count(COMMENT) == 1
    assert check_of(pulls.every()[name])["external_id"] in first


def test_no_two_states_say_the_same() -> None:
    found = [check_of(one)["external_id"] for one in pulls.every().values()]
    assert len(found) == len(set(found))


def test_what_stands_is_not_written_again_when_a_pull_request_closes() -> None:
    found = states.closed(SUBJECT, merged=True, verdict_stands=True)
    assert (found.check, found.comment, found.status, found.labels) == (None, None, None, None)


def test_a_merge_without_a_verdict_is_told() -> None:
    found = pulls.every()["merged-without-verdict"]
    assert check_of(found)["conclusion"] == "action_required"
    assert "merged without a verdict" in (found.comment or "")
    assert found.labels == ("llmops: not judged",)


def test_a_merge_group_has_a_check_and_no_comment_or_labels() -> None:
    group = replace(SUBJECT, number=None)
    found = states.judged(group, VERDICTS["failed"])
    assert check_of(found)["conclusion"] == "failure"
    assert (found.comment, found.labels, found.sarif) == (None, None, None)


def test_when_it_began_and_ended_is_a_moment_or_is_not_said() -> None:
    assert check_of(states.opened(SUBJECT, "2026-11-22T10:00:00Z"))["started_at"].endswith("Z")
    assert "started_at" not in check_of(states.opened(SUBJECT, "yesterday"))
    verdict = replace(pulls.JUDGED["passed"], judged_at="@octocat")
    assert "completed_at" not in check_of(states.judged(SUBJECT, verdict))


def test_every_label_of_ours_can_be_told_from_others() -> None:
    assert len(set(LABELS)) == len(LABELS)
    assert all(one.startswith("llmops: ") for one in LABELS)


@pytest.mark.parametrize("limit", [10, 11, 12, 13, 59_999])
def test_a_cut_falls_between_characters_and_says_so(limit: int) -> None:
    for char in ("a", "é", "文", "\U0001f600"):
        shown = limits.bytes_cut(char * 100_000, limit)
        assert size(shown) <= limit
        assert shown.endswith("…")
        assert set(shown) == {char, "…"}
    assert limits.bytes_cut("short", 10) == "short"


def test_a_text_too_long_for_a_check_is_counted_and_says_where_the_rest_is() -> None:
    many = [require(f"check-{i:04}-{'文' * 60}", Outcome.FAILED, 0.5) for i in range(2_000)]
    output = check_of(states.judged(SUBJECT, a_verdict(Outcome.FAILED, *many)))["output"]
    assert size(output["text"]) <= limits.OUTPUT_BYTES
    assert re.search(r"… 1,?\d{3} more: `llmops gate --format json` shows all", output["text"])
