"""Budgets: base's limits, what is known held against them, and what a verdict says of use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from llmops.jobs.base import Budget, Estimate, Job, Plan, Step, TreeName
from llmops.jobs.gates import nowhere
from llmops.rules import budget
from llmops.rules.base import Outcome
from llmops.rules.looser_policies import _tighter
from llmops.specs.base import Ref
from tests.rules.world import World
from tests.trees import BANK, read, spec

POLICY = next(path for path in BANK if path.startswith("policies/"))


def limited(gpu_hours: float, cpu_hours: float = 10) -> dict[str, str]:
    """The bank under a policy with budgets."""
    given = f"budgets: {{per_pull_request: {{gpu_hours: {gpu_hours}, cpu_hours: {cpu_hours}}}}}"
    return {**BANK, "policies/money.yaml": spec("Policy", "money", given)}


def plan(*found: Estimate | None, limit: float = 2.0, used: float = 0.0) -> Plan:
    job = Job("train", Ref("Recipe", "one"), "sha256:1", {})
    steps = tuple(Step(job, "run", "", estimate=one) for one in found)
    made = Plan(None, TreeName("head", "t"), None, (), steps, ())
    return replace(made, budgets=(Budget("Policy/p/gpu_hours", "gpu_hours", limit, used=used),))


def held(*found: Estimate | None, **given: Any) -> budget.Held:
    return budget.held(plan(*found, **given))[0]


def test_what_is_known_is_held_against_the_limit() -> None:
    assert held(Estimate(gpu_hours=1.5), Estimate(gpu_hours=1.0)).over
    assert not held(Estimate(gpu_hours=1.5)).over


def test_what_was_used_already_counts() -> None:
    one = held(Estimate(gpu_hours=1.5), used=1.0)
    assert one.over
    assert one.words.endswith("this one would take 2.5 (1 of them used)")


def test_an_unknown_part_is_said_and_hides_no_excess() -> None:
    part = held(Estimate(gpu_hours=0.5), Estimate(), None)
    assert (part.over, part.unknown) == (False, 2)
    assert "for 2 jobs to run it is not known" in part.words
    assert held(Estimate(gpu_hours=3.0), Estimate()).over


def test_bases_budgets_hold_and_heads_follow_where_they_differ() -> None:
    base, head = read(limited(40)).graph, read(limited(90)).graph
    assert base is not None
    assert head is not None
    found = budget.limits(base, head, nowhere)
    assert [(b.unit, b.limit, b.judged_by) for b in found] == [
        ("gpu_hours", 40.0, "base"), ("cpu_hours", 10.0, "base"), ("gpu_hours", 90.0, "head"),
    ]  # fmt: skip


def test_a_higher_or_absent_limit_is_looser() -> None:
    def tighter(old: Any, new: Any) -> bool:
        given = [{"budgets": {"per_pull_request": one}} for one in (old, new)]
        return _tighter("budgets", *given)

    assert tighter({"usd": 10}, {"usd": 5})
    assert tighter({"usd": 10}, {"usd": 10, "gpu_hours": 1})
    assert not tighter({"usd": 10}, {"usd": 11})
    assert not tighter({"usd": 10}, {"gpu_hours": 1})


def test_the_verdict_says_what_this_change_used_and_a_tree_without_budgets_says_nothing() -> None:
    facts = World(head=limited(40), base=limited(40)).facts()
    found = list(budget.findings(facts))
    assert [f.outcome for f in found] == [Outcome.PASSED, Outcome.PASSED]
    assert found[0].message == "0 of 40 GPU-hours used by this change"
    assert list(budget.findings(World().facts())) == []


def test_use_above_the_limit_warns_and_tells_that_it_was_said() -> None:
    spent = Budget("Policy/p/usd", "usd", 10.0, used=12.0)
    assert budget._finding(spent, True).outcome is Outcome.WARNED
    assert budget._finding(spent, True).hint == "--over-budget was said"
