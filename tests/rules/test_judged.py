"""A finding about a judged metric says who judged it; no judgement decides nothing."""

from __future__ import annotations

from types import ModuleType

import pytest

from llmops.jobs.make import Made
from llmops.reports import markdown, text
from llmops.reports.base import Page
from llmops.rules.base import Finding, Outcome
from tests.rules.test_loosening import JUDGED
from tests.rules.world import World, right, row


def world(value: float | None) -> World:
    """Every judged cell has one value, or none."""

    def rows(made: Made) -> list[dict[str, object]]:
        kind = "judge" in made.job.spec
        return [row(i, {"kind": value}) for i in range(200)] if kind else right(190, 200)

    return World(JUDGED, JUDGED, rows)


def finding(value: float | None) -> Finding:
    (one,) = [f for f in world(value).verdict().findings if f.gate == "Evaluation/kind/kind"]
    return one


def test_a_finding_names_the_judge_and_its_repeats() -> None:
    assert finding(0.9).judge == "Model/judge, mean of 3"
    assert {f.judge for f in world(0.9).verdict().findings} == {"", "Model/judge, mean of 3"}


@pytest.mark.parametrize(
    ("value", "outcome"),
    [(0.9, Outcome.PASSED), (0.1, Outcome.FAILED), (None, Outcome.INCONCLUSIVE)],
)
def test_judgements_decide_and_what_is_no_judgement_does_not(
    value: float | None, outcome: Outcome
) -> None:
    assert finding(value).outcome is outcome


@pytest.mark.parametrize("surface", [text, markdown])
def test_who_judged_is_told_beside_the_gates(surface: ModuleType) -> None:
    said = surface.render(world(0.1).verdict(), Page())
    assert "kind/kind: judged by Model/judge, mean of 3" in said.replace("\\", "")
