"""Results that are run once more: what came again, what did not, what is still to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llmops.jobs.audits import Audit
from llmops.reports.chinese import chinese
from llmops.rules import reuse_audit
from llmops.rules.base import Finding, Outcome, Verdict
from llmops.rules.verdict import judge
from tests.rules.world import World
from tests.trees import BANK, spec

SHARE = "policies/share.yaml"


def asking(share: float, more: str = "") -> dict[str, str]:
    return {**BANK, SHARE: spec("Policy", "share", f"reuse_audit: {share}\n{more}".rstrip())}


def judged(world: World, *audits: Audit, due: int = 0) -> Verdict:
    facts = world.facts()
    steps = tuple(
        replace(step, audit="sha256:draw") if i < due else step
        for i, step in enumerate(facts.plan.steps)
    )
    facts = replace(facts, plan=replace(facts.plan, steps=steps), audits=audits)
    return judge(facts, judged_at="2026-11-23T00:00:00Z", tool_version="0")


def found(verdict: Verdict) -> list[Finding]:
    return [f for f in verdict.findings if f.rule == "reuse-audit"]


def audit(world: World, repeats: str = "bit", closure: str = "") -> Audit:
    step = world.facts().plan.steps[0]
    why = () if repeats == "bit" else ("rows_test is 3, kept is 4",)
    return Audit(
        closure or step.job.closure, step.job.id, "sha256:k", "sha256:d", "bit",
        repeats, why, "",  # type: ignore[arg-type]
    )  # fmt: skip


def test_without_a_share_and_without_a_mismatch_nothing_is_said() -> None:
    world = World()
    assert found(judged(world)) == []
    assert found(judged(world, audit(world))) == []


def test_what_came_again_passes_and_the_rate_has_its_exact_bound() -> None:
    world = World(head=asking(0.5), base=asking(0.5))
    (one,) = found(judged(world, *[audit(world)] * 59))
    assert (one.outcome, one.gate) == (Outcome.PASSED, "Policy/share/reuse_audit")
    assert one.message == (
        "0 of 59 jobs that were run once more gave another result: at most 5.0 % do"
        " (95 %, one-sided); to the bit agree 59"
    )  # 1 - 0.05 ** (1/59) = 0.0495
    assert (one.value, one.n, one.judged_by, one.place) == (0.0, 59, "base", f"{SHARE}:5:16")


def test_nothing_was_run_once_more_yet() -> None:
    world = World(head=asking(0.5), base=asking(0.5))
    (one,) = found(judged(world))
    assert (one.outcome, one.message) == (Outcome.PASSED, "no reused job was run once more yet")


def test_what_is_drawn_and_not_done_is_inconclusive() -> None:
    world = World(head=asking(0.5), base=asking(0.5))
    verdict = judged(world, due=4)
    (one,) = found(verdict)
    assert one.outcome is verdict.outcome is Outcome.INCONCLUSIVE
    assert one.message.startswith("4 jobs drawn and not run once more yet: curate/bank, ")
    assert one.hint == "llmops run runs them once more"
    lax = asking(0.5, "on_inconclusive: warn")
    assert found(judged(World(head=lax, base=lax), due=1))[0].outcome is Outcome.INCONCLUSIVE


def test_a_mismatch_fails_with_and_without_a_share() -> None:
    for tree in (BANK, asking(0.5)):
        world = World(head=tree, base=tree)
        verdict = judged(world, audit(world, ""), audit(world), due=2)
        (one,) = found(verdict)
        assert one.outcome is verdict.outcome is Outcome.FAILED
        assert "does not repeat: rows_test is 3, kept is 4; 1 of 2 jobs" in one.message
        assert "at most 97.5 % do" in one.message
        assert one.value == 0.5
        assert "未能重现" in chinese(one.message)
        assert "逐位一致的有 1 个" in chinese(one.message)


def test_a_mismatch_of_a_job_that_is_not_needed_any_more_counts_in_the_rate_alone() -> None:
    world = World(head=asking(0.5), base=asking(0.5))
    (one,) = found(judged(world, audit(world, "", closure="sha256:gone"), audit(world)))
    assert (one.outcome, one.value) == (Outcome.PASSED, 0.5)


def test_a_policy_may_only_warn_and_then_it_is_warned_never_passed() -> None:
    tree = asking(0.5, "rules: [{name: again, rule: reuse-audit, severity: warning}]")
    world = World(head=tree, base=tree)
    (one,) = found(judged(world, audit(world, "")))
    assert one.outcome is Outcome.WARNED


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [(0.5, 0.2, True), (0.5, None, True), (0.2, 0.5, False), (None, 0.1, False), (0.1, 0.1, False)],
)
def test_a_smaller_share_is_looser(before: float | None, after: float | None, looser: bool) -> None:
    def tree(share: float | None) -> dict[str, str]:
        more = "" if share is None else f"reuse_audit: {share}\n"
        return {**BANK, SHARE: spec("Policy", "share", f"{more}alpha: 0.05")}

    verdict = World(head=tree(after), base=tree(before)).verdict()
    assert [one.what for one in verdict.loosened] == ["Policy/share reuse_audit"] * looser


def test_the_largest_share_of_either_tree_is_drawn_by() -> None:
    world = World(head=asking(0.1), base=asking(0.3)).facts()
    assert reuse_audit.share(world.base, world.head) == 0.3
    assert reuse_audit.share(None, world.head) == 0.1
    assert reuse_audit.share(None, World().facts().head) == 0.0
