"""Budgets: base's limits, what is known held against them, and what a verdict says of use."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from llmops.jobs.base import Budget, Estimate, Job, Plan, Proof, Step, TreeName
from llmops.jobs.gates import nowhere
from llmops.rules import budget
from llmops.rules.base import Finding, Outcome
from llmops.rules.looser_policies import _tighter
from llmops.specs.base import Ref
from tests.rules.world import World
from tests.trees import BANK, changed, read, spec

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
    assert "for 2 jobs it is not known what they take" in part.words
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


def spent(used: dict[str, Any], budgets: dict[str, str] | None = None) -> list[Finding]:
    """What the verdict says when each job of a change kept this of its machine."""
    files = budgets or limited(40)
    world = World(head=changed("specs/recipes/adapter.yaml", "r: 8", "r: 16", files), base=files)
    facts = world.facts()
    proven = {c: replace(proof, used=used) for c, proof in facts.proven.items()}
    return list(budget.findings(replace(facts, proven=proven)))


def test_the_verdict_says_what_this_change_used_and_a_tree_without_budgets_says_nothing() -> None:
    gpu, cpu = spent({"wall_seconds": 360.0})
    assert (gpu.outcome, cpu.outcome) == (Outcome.PASSED, Outcome.PASSED)
    assert gpu.message == "0 of 40 GPU-hours used by this change"
    assert cpu.message == "0.3 of 10 CPU-hours used by this change"  # train, generate, evaluate
    assert list(budget.findings(World().facts())) == []


@pytest.mark.parametrize("wall", [
    None, "360", True, 0, 0.0, -5.0, math.nan, math.inf, -math.inf, 1e12, [], {},
])  # fmt: skip
def test_a_time_that_is_none_is_never_read_as_nothing(wall: object) -> None:
    used = {} if wall is None else {"wall_seconds": wall}
    _gpu, cpu = spent(used)
    assert cpu.outcome is Outcome.WARNED
    assert cpu.message == "at least 0 of 10 CPU-hours used by this change; not known for 3 jobs"
    assert cpu.hint


def test_a_policy_may_make_the_unknown_inconclusive() -> None:
    rule = "rules:\n    - {name: money, rule: budget, severity: %s}"
    found = {}
    for severity in ("error", "warning"):
        files = changed(POLICY, "rules:", rule % severity, limited(40))
        found[severity] = spent({}, files)[1].outcome
    assert found == {"error": Outcome.INCONCLUSIVE, "warning": Outcome.WARNED}


def on_gpu(price: str = "") -> dict[str, str]:
    """A training on a GPU under a budget in dollars, with or without its price."""
    files = changed("specs/recipes/adapter.yaml", "seed: 1", "seed: 1\n  resources: {gpu: H100}")
    classes = f"gpu_classes: {{H100: {{usd_per_hour: {price}}}}}\n" if price else ""
    return {
        **files,
        "policies/money.yaml": spec("Policy", "money", "budgets: {per_pull_request: {usd: 50}}"),
        "specs/environments/local.yaml": spec(
            "Environment", "local", f"{classes}executor: {{local: {{}}}}"
        ),
    }


def test_a_gpu_without_a_price_is_never_read_as_free() -> None:
    (priced,) = spent({"wall_seconds": 3600.0}, on_gpu("2.5"))
    assert (priced.outcome, priced.value) == (Outcome.PASSED, 2.5)
    (free,) = spent({"wall_seconds": 3600.0}, on_gpu())
    assert free.outcome is Outcome.WARNED
    assert "not known for 1 job" in free.message


def test_a_judge_behind_an_endpoint_is_never_read_as_free() -> None:
    asks = Job("evaluate", Ref("Evaluation", "one"), "sha256:1", {"judge": {"endpoint": {}}})
    proof = Proof("e", "ok", used={"wall_seconds": 60.0})
    assert budget._used(asks, proof, {})["usd"] is None
    assert budget._used(replace(asks, spec={"judge": {"base": {}}}), proof, {})["usd"] == 0.0


def test_what_nobody_knows_is_held_against_a_plan_too() -> None:
    one = plan(Estimate(gpu_hours=0.5), used=1.0)
    one = replace(one, budgets=(replace(one.budgets[0], unknown=2),))
    found = budget.held(one)[0]
    assert (found.unknown, found.over) == (2, False)
    assert "not known what they take or took" in found.words


def test_use_above_the_limit_warns_and_tells_that_it_was_said() -> None:
    over = Budget("Policy/p/usd", "usd", 10.0, used=12.0)
    assert budget._finding(over, True).outcome is Outcome.WARNED
    assert budget._finding(over, True).hint == "--over-budget was said"
