"""Verdicts at the level of an attempt: what is shown, what is not, and what nobody may decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from llmops.jobs.attempts import Allowed, Attempt, ClaimName, Counting, deciding
from llmops.rules.base import Finding, Outcome, Verdict
from llmops.rules.facts import Approval, Facts
from llmops.rules.verdict import judge
from tests.rules.world import World, right
from tests.trees import BANK, changed, spec

QUALITY = "Evaluation/quality/accuracy"
COMPARED = """\
target: Application/bot
dataset: bank#test
sample: {rows: 200}
checks:
  - name: accuracy
    metric: builtin/accuracy
    require: {min: 0.80}
    regression: {margin: 0.20}
"""
TREE = {**BANK, "specs/evaluations/quality.yaml": spec("Evaluation", "quality", COMPARED.rstrip())}


def counted(facts: Facts, number: int, most: int = 3) -> Facts:
    """The same facts where each claim is at its attempt of that number."""
    found = deciding(facts.exams, facts.proven, facts.judging())
    entries = [
        Attempt(one.claim, (closure,), 1, most, "0.05", None, "", "", "t", None, "", "now")
        for one in found
        for closure in (*(f"before {i}" for i in range(1, number)), one.closure)
    ]
    return replace(facts, counting=Counting(tuple(entries), Allowed(most)))


def judged(world: World, number: int | None, most: int = 3) -> Verdict:
    facts = world.facts()
    if number is not None:
        facts = counted(facts, number, most)
    return judge(facts, judged_at="2026-11-23T00:00:00Z", tool_version="0")


def of(verdict: Verdict, gate: str = QUALITY) -> Finding:
    (found,) = (f for f in verdict.findings if f.gate == gate and f.judged_by == "base")
    return found


def with_rows(count: int, tree: Mapping[str, str] = TREE, **more: object) -> World:
    return World(
        head=tree, base=tree, head_rows=lambda _made: right(count, 200), **more  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_claim_is_tested_at_the_level_of_its_attempt() -> None:
    """172 of 200 show 0.80 at 0.05 and at 0.025, and no longer at 0.0125."""
    assert [of(judged(with_rows(172), number)).outcome for number in (None, 1, 2, 3)] == [
        Outcome.PASSED, Outcome.PASSED, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE
    ]  # fmt: skip
    assert [of(judged(with_rows(172), n)).level for n in (None, 1, 2, 3)] == [
        0.05, 0.025, 0.0125, 0.0125
    ]  # fmt: skip


def test_only_one_attempt_has_all_of_alpha() -> None:
    found = of(judged(with_rows(172), 1, most=1))
    assert (found.outcome, found.level, found.attempt, found.attempts) == (
        Outcome.PASSED, 0.05, 1, 1
    )  # fmt: skip


def test_more_cases_are_counted_at_the_next_attempts_level() -> None:
    """Adding cases is an attempt: what they must show is dearer."""
    free, first, second = (of(judged(with_rows(165), n)).about_more for n in (None, 1, 2))
    assert free is not None
    assert first is not None
    assert first > free
    assert first == second, "the third attempt has the level of the second"


def test_a_verdict_says_whether_it_counts_and_how() -> None:
    assert judged(with_rows(190), None).advisory
    assert judged(with_rows(190), None).counted is None
    verdict = judged(with_rows(190), 2)
    assert not verdict.advisory
    assert verdict.counted is not None
    assert verdict.counted.by == "claim"
    assert (of(verdict).attempt, of(verdict).attempts) == (2, 3)


@pytest.mark.parametrize("head", [190, 120])
def test_one_attempt_too_many_is_inconclusive_and_failed_stays_failed(head: int) -> None:
    verdict = judged(with_rows(head), 4)
    found = of(verdict)
    assert found.refused is not None
    if head == 190:
        assert found.outcome is Outcome.INCONCLUSIVE
        assert found.message == "attempts used up: 3 of 3 on Application/bot, this is number 4"
        assert "raise `attempts`" in found.hint
    else:
        assert found.outcome is Outcome.FAILED
        assert "below the minimum" in found.message


def test_a_policy_that_lets_the_undecided_through_grants_no_attempt() -> None:
    tree = {**TREE, "policies/default.yaml": spec("Policy", "default", "on_inconclusive: warn")}
    assert of(judged(with_rows(165, tree), 1)).outcome is Outcome.WARNED
    assert of(judged(with_rows(190, tree), 4)).outcome is Outcome.INCONCLUSIVE


def test_one_more_is_granted_by_all_whom_base_names() -> None:
    more = "approvals: [{name: more, when: attempts, from: [team-c], count: 2}]"
    tree = {**TREE, "policies/more.yaml": spec("Policy", "more", more)}
    said = (Approval("team-c", "li"), Approval("team-c", "wang"))
    one = of(judged(with_rows(190, tree, approvals=said[:1]), 4))
    assert one.outcome is Outcome.INCONCLUSIVE
    assert one.hint == (
        "one more has 1 of 2 approvals from team-c (Policy/more/more); say what changed"
    )
    both = judged(with_rows(190, tree, approvals=said), 4)
    assert (of(both).outcome, of(both).level) == (Outcome.PASSED, 0.0125)
    assert both.counted is not None
    assert both.counted.approved_by == ("li", "wang")


def test_what_was_not_recorded_is_inconclusive() -> None:
    facts = replace(with_rows(190).facts(), counting=Counting())
    found = of(judge(facts, judged_at="2026-11-23T00:00:00Z", tool_version="0"))
    assert found.outcome is Outcome.INCONCLUSIVE
    assert found.message == "no attempt was recorded before it ran"


def test_not_worse_is_shown_at_the_attempts_level_and_worse_at_alpha() -> None:
    """The fail side of a regression does not get milder with attempts."""
    gate = f"{QUALITY}/regression"

    def outcome(head: int, number: int | None) -> Outcome:
        world = World(
            head=changed("specs/recipes/adapter.yaml", "r: 8", "r: 4", TREE), base=TREE,
            head_rows=lambda _made: right(head, 200), base_rows=lambda _made: right(195, 200),
        )  # fmt: skip
        return of(judged(world, number), gate).outcome

    words = {head: [outcome(head, n) for n in (None, 1, 2)] for head in range(120, 190)}
    passes = [[word is Outcome.PASSED for word in of_head] for of_head in words.values()]
    fails = [[word is Outcome.FAILED for word in of_head] for of_head in words.values()]
    assert any(passed[0] and not passed[2] for passed in passes)
    assert any(passed == [True, True, True] for passed in passes)
    assert all(len(set(failed)) == 1 for failed in fails)
    assert any(failed[0] for failed in fails)


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        ("", "attempts: 2", ["Policy/main attempts"]),
        ("attempts: 2", "attempts: 3", ["Policy/main attempts"]),
        ("attempts: 3", "attempts: 2", []),
        ("attempts: 3", "", []),
        ("attempts: 3", "attempts: 3\ncount: pull_request", ["Policy/main count"]),
        ("attempts: 3\ncount: claim", "attempts: 3\ncount: pull_request", ["Policy/main count"]),
        ("attempts: 3\ncount: pull_request", "attempts: 3\ncount: claim", []),
        ("attempts: 3\ncount: pull_request", "attempts: 3", []),
        ("attempts: 3", "attempts: 3\ncount: claim", []),
    ],
)
def test_more_attempts_and_counting_anew_are_looser(before: str, after: str, looser) -> None:
    trees = [
        {**TREE, "policies/main.yaml": spec("Policy", "main", f"alpha: 0.05\n{said}".rstrip())}
        for said in (before, after)
    ]
    verdict = World(base=trees[0], head=trees[1]).verdict()
    assert [one.what for one in verdict.loosened] == looser


def test_a_stricter_policy_that_goes_gives_the_attempts_of_another() -> None:
    five = {**TREE, "policies/a.yaml": spec("Policy", "a", "attempts: 5")}
    both = {**five, "policies/b.yaml": spec("Policy", "b", "attempts: 1\nalpha: 0.05")}
    silent = {**five, "policies/b.yaml": spec("Policy", "b", "alpha: 0.05")}
    assert [one.what for one in World(base=both, head=silent).verdict().loosened] == [
        "Policy/a attempts"
    ]
    named = [one.what for one in World(base=both, head=five).verdict().loosened]
    assert named == ["Policy/b", "Policy/a attempts"]


def test_the_claim_is_named_by_target_and_gate() -> None:
    facts = counted(with_rows(190).facts(), 1)
    assert {str(one.claim) for one in facts.counting.entries} == {  # type: ignore[union-attr]
        str(ClaimName("Application/bot", gate)) for gate in (QUALITY, f"{QUALITY}/regression")
    }
