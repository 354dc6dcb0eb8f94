"""Rule `evidence-fresh`: what measures a target has an age, and a policy says how old it may be."""

from __future__ import annotations

import pytest

from llmops.jobs.base import Proof
from llmops.jobs.exam import exams
from llmops.rules.base import Finding, Outcome
from llmops.rules.evidence_fresh import age_days, measuring, stale
from tests.rules.world import World
from tests.trees import BANK, changed, graph

P = "policies/default.yaml"
NOW = "2026-11-23T00:00:00Z"


def limited(days: float) -> dict[str, str]:
    return changed(P, "rules:", f"max_evidence_age_days: {days}\n  rules:")


def judged(days: float, **finished: str) -> Finding:
    files = limited(days)
    named = {name.replace("_", "/"): when for name, when in finished.items()}
    (found,) = World(files, files, finished=named).found("evidence-fresh")
    return found


def test_fresh_evidence_passes_and_says_how_old_the_oldest_is() -> None:
    found = judged(30, evaluate_quality="2026-11-13T00:00:00Z")
    assert found.outcome is Outcome.PASSED
    assert found.value == 10.0
    assert "2 pieces of evidence is 10.0 days old" in found.message
    assert found.gate == "Policy/default/max_evidence_age_days"
    assert found.place.startswith(f"{P}:")


def test_older_evidence_is_inconclusive_and_named() -> None:
    found = judged(30, generate_bot="2026-10-01T00:00:00Z")
    assert found.outcome is Outcome.INCONCLUSIVE
    assert (
        found.message == "1 of 2 pieces of evidence is older than 30 days: generate/bot (53 days)"
    )
    assert "llmops run --refresh" in found.hint
    world = World(limited(30), limited(30), finished={"generate/bot": "2026-10-01T00:00:00Z"})
    assert world.verdict().outcome is Outcome.INCONCLUSIVE


def test_a_day_more_or_less_is_told_apart() -> None:
    assert judged(30, evaluate_quality="2026-10-24T00:00:00Z").outcome is Outcome.PASSED
    assert judged(30, evaluate_quality="2026-10-23T23:59:59Z").outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("when", ["", "yesterday", "2026-11-22T00:00:00", "2027-01-01T00:00:00Z"])
def test_evidence_without_an_age_is_inconclusive(when: str) -> None:
    found = judged(30, evaluate_quality=when)
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "evaluate/quality" in found.message


def test_weights_and_rows_do_not_age() -> None:
    old = "2020-01-01T00:00:00Z"
    found = judged(30, train_adapter=old, train_base=old, curate_bank=old)
    assert found.outcome is Outcome.PASSED


def test_without_a_limit_nothing_is_judged() -> None:
    assert World(finished={"evaluate/quality": ""}).found("evidence-fresh") == []


def test_a_policy_may_only_warn() -> None:
    rule = "rules:\n    - {name: fresh, rule: evidence-fresh, severity: warning}"
    files = changed(P, "rules:", rule, limited(30))
    world = World(files, files, finished={"evaluate/quality": ""})
    assert [f.outcome for f in world.found("evidence-fresh")] == [Outcome.WARNED]


@pytest.mark.parametrize(("before", "after", "looser"), [
    (limited(30), limited(60), True), (limited(30), BANK, True), (limited(60), limited(30), False),
    (BANK, limited(30), False),
])  # fmt: skip
def test_letting_evidence_grow_older_is_looser(
    before: dict[str, str], after: dict[str, str], looser: bool
) -> None:
    found = [one.what for one in World(after, before).verdict().loosened]
    assert ("Policy/default max_evidence_age_days" in found) is looser


def test_what_is_measured_from_something_too_old_is_too_old() -> None:
    jobs = measuring(exams(None, graph(BANK)))
    old, new = (
        Proof("e", "ok", finished_at="2026-01-01T00:00:00Z"),
        Proof("e", "ok", finished_at=NOW),
    )
    proven = {c: old if made.job.type == "generate" else new for c, made in jobs.items()}
    assert stale(jobs, proven, 30, NOW) == frozenset(jobs)
    proven = {c: new if made.job.type == "generate" else old for c, made in jobs.items()}
    found = stale(jobs, proven, 30, NOW)
    assert {jobs[closure].job.type for closure in found} == {"evaluate"}


def test_ages_are_days_and_clocks_may_differ_a_little() -> None:
    assert age_days("2026-11-22T00:00:00Z", NOW) == 1.0
    assert age_days("2026-11-23T00:30:00+00:00", NOW) == 0.0
    assert age_days("2026-11-23T02:00:00Z", NOW) is None


@pytest.mark.parametrize("when", ["", "2027-01-01T00:00:00Z"])
def test_what_has_no_age_is_measured_again(when: str) -> None:
    jobs = measuring(exams(None, graph(BANK)))
    undated = {closure: Proof("e", "ok", finished_at=when) for closure in jobs}
    assert stale(jobs, undated, 30, NOW) == frozenset(jobs)
    fresh = {closure: Proof("e", "ok", finished_at=NOW) for closure in jobs}
    assert stale(jobs, fresh, 30, NOW) == frozenset()
    assert stale(jobs, {}, 30, NOW) == frozenset()
