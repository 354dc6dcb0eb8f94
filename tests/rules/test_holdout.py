"""How often rows are looked at, against the policy's `holdout_looks_per_dataset`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from llmops.rules.base import Look, Outcome, Verdict
from llmops.rules.facts import Looked
from llmops.rules.verdict import judge
from tests.rules.world import World, right
from tests.trees import BANK, spec

BUDGET = "policies/looks.yaml"
DATASET = "Dataset/bank#test"


def allowing(most: int, more: str = "") -> Mapping[str, str]:
    body = f"budgets: {{holdout_looks_per_dataset: {most}}}\n{more}".rstrip()
    return {**BANK, BUDGET: spec("Policy", "looks", body)}


def judged(world: World, count: int) -> Verdict:
    facts = replace(world.facts(), looked=lambda _closure: Looked("sha256:rows", count))
    return judge(facts, judged_at="2026-11-23T00:00:00Z", tool_version="0")


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {f.gate: f.outcome for f in verdict.findings if f.rule in ("require", "holdout")}


def test_looks_are_listed_with_and_without_a_limit() -> None:
    assert judged(World(), 7).looks == (Look("Dataset/bank#test", "sha256:rows", 7, None),)
    tree = allowing(50)
    assert judged(World(head=tree, base=tree), 7).looks[0].limit == 50


def test_as_many_looks_as_are_allowed_decide_and_one_more_does_not() -> None:
    world = World(head=allowing(50), base=allowing(50))
    held = judged(world, 50)
    assert set(outcomes(held).values()) == {Outcome.PASSED}
    (found,) = (f for f in held.findings if f.rule == "holdout")
    assert (found.value, found.bound, found.judged_by) == (50.0, "max 50", "base")
    assert found.place == f"{BUDGET}:5:40"
    over = judged(world, 51)
    assert over.outcome is Outcome.INCONCLUSIVE
    assert set(outcomes(over).values()) == {Outcome.INCONCLUSIVE}
    told = {f.message for f in over.findings if f.rule == "require"}
    assert told == {"looked at 51 times, 50 are allowed"}
    assert all("fresh rows" in f.hint for f in over.findings if f.rule == "require")


def test_what_fails_on_rows_seen_too_often_has_failed() -> None:
    tree = allowing(50)
    world = World(head=tree, base=tree, head_rows=lambda _made: right(20, 200))
    assert outcomes(judged(world, 51))["Evaluation/quality/accuracy"] is Outcome.FAILED


def test_a_policy_that_lets_the_undecided_through_lets_no_worn_rows_through() -> None:
    tree = allowing(50, "on_inconclusive: warn")
    assert judged(World(head=tree, base=tree), 51).outcome is Outcome.INCONCLUSIVE


def test_a_policy_may_only_warn() -> None:
    tree = allowing(50, "rules: [{name: looks, rule: holdout, severity: warning}]")
    verdict = judged(World(head=tree, base=tree), 51)
    assert outcomes(verdict)[DATASET] is Outcome.WARNED
    assert outcomes(verdict)["Evaluation/quality/accuracy"] is Outcome.PASSED


def test_base_decides_and_the_smallest_limit_wins() -> None:
    other = {**allowing(50), "policies/less.yaml": spec(
        "Policy", "less", "budgets: {holdout_looks_per_dataset: 5}"
    )}  # fmt: skip
    assert judged(World(head=allowing(50), base=other), 6).looks[0].limit == 5
    raised = judged(World(head=allowing(99), base=allowing(50)), 51)
    assert outcomes(raised)["Evaluation/quality/accuracy"] is Outcome.INCONCLUSIVE
    assert [one.what for one in raised.loosened] == ["Policy/looks budgets"]


def test_a_limit_that_goes_or_rises_is_looser_and_one_that_falls_is_not() -> None:
    for head, what in (
        (allowing(51), ["Policy/looks budgets"]), (allowing(49), []), (allowing(50), []),
        ({**BANK, BUDGET: spec("Policy", "looks", "alpha: 0.05")}, ["Policy/looks budgets"]),
        (BANK, ["Policy/looks"]),
    ):  # fmt: skip
        verdict = judged(World(head=head, base=allowing(50)), 1)
        assert [one.what for one in verdict.loosened] == what
