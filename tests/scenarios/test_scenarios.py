"""Each folder here is a change: what the tool says about it, word for word.

`plan.out` is what `llmops plan` prints, `gate.out` the comment that `llmops gate` makes of the
evidence, `gate.txt` the same verdict on a terminal.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from llmops.reports.render import render_plan, render_verdict
from llmops.rules.base import Outcome
from tests.scenarios.story import HERE, Scenario, normal

SCENARIOS = sorted(path.parent for path in HERE.glob("*/world.json"))


@pytest.mark.parametrize("path", SCENARIOS, ids=[path.name for path in SCENARIOS])
def test_the_tool_says_what_a_change_is(path: Path, git_repo, golden) -> None:
    scenario = Scenario(path)
    world = scenario.world
    told = scenario.play(git_repo())
    steps = told.plan.plan.steps
    assert [s.job.id for s in steps if s.state == "run"] == world.get("runs", [])
    if told.report is not None:  # the law of the second plan: what ran is never planned again
        assert [s.job.id for s in told.again.plan.steps if s.state == "run"] == []
    golden(path / "plan.out", normal(render_plan(told.plan.plan, "text", width=100)))
    golden(path / "gate.out", normal(render_verdict(told.verdict, "markdown", width=100)))
    golden(path / "gate.txt", normal(render_verdict(told.verdict, "text", width=100)))
    assert told.verdict.outcome.word == world["outcome"]
    assert bool(told.verdict.loosened) is world.get("loosens", False)


def test_no_loosening_passes_silently() -> None:
    """Law 6: whatever is loosened waits for an approval, or is warned of once it has one."""
    for scenario in map(Scenario, SCENARIOS):
        world = scenario.world
        if world.get("loosens"):
            assert world["outcome"] != Outcome.PASSED.word, scenario.path.name
            assert world["outcome"] != Outcome.WARNED.word or world.get("approvals")


def test_every_scenario_says_what_it_is_about() -> None:
    assert all(Scenario(path).world["told"] for path in SCENARIOS)
