"""A judged gate before it has evidence: what its anchors can show, and what people alone would."""

from __future__ import annotations

import random

import pytest

from llmops.jobs.make import Made
from llmops.rules import foreseen_judged
from llmops.rules.foreseen_judged import Rated
from llmops.statistics import binomial, judged
from tests.rules.test_calibrated import CALIBRATED, KIND, bench
from tests.rules.world import World, right
from tests.trees import changed

MINIMA = {"min_sensitivity": 0.85, "min_specificity": 0.85}


@pytest.mark.parametrize("side", ["min", "max"])
@pytest.mark.parametrize(
    ("rows", "rated"),
    [(600, Rated(200, 200, 0.95, 0.95)), (800, Rated(180, 40, 0.95, 0.95)),
     (1500, Rated(400, 300, 0.9, 0.93))],
)  # fmt: skip
def test_at_the_rate_that_is_said_a_gate_likely_passes_and_nearer_to_its_bound_it_does_not(
    rows: int, rated: Rated, side: str
) -> None:
    bound = 0.75 if side == "min" else 0.25
    found = foreseen_judged.share(rows, side, bound, rated, 0.05)
    assert found.decidable
    assert found.passes_at is not None
    near = (found.passes_at + 3 * bound) / 4
    assert _passing(rows, rated, side, bound, found.passes_at) >= 0.75
    assert _passing(rows, rated, side, bound, near) < 0.6


def _passing(rows: int, rated: Rated, side: str, bound: float, rate: float) -> float:
    """How often a gate passes at a true rate, with other rows and other anchors every time."""
    dice, times = random.Random(7), 150

    def drawn(n: int, share: float) -> tuple[int, int]:
        return sum(dice.random() < share for _ in range(n)), n

    se, sp = rated.sensitivity, rated.specificity
    passed = rate * se + (1 - rate) * (1 - sp)
    ok = 0
    for _ in range(times):
        good, bad = drawn(rated.good, se), drawn(rated.bad, sp)
        bounds = judged.binary(*drawn(rows, passed), good, bad, 0.05)
        ok += bounds.lower >= bound if side == "min" else bounds.upper <= bound
    return ok / times


def test_anchors_that_can_never_show_a_minimum_are_told_with_how_many_would() -> None:
    needed = binomial.cases_needed(0.85, 0, 0.05 / 4)
    assert foreseen_judged.minima(MINIMA, Rated(needed, needed, 0.9, 0.9), 0.05) == ""
    few = foreseen_judged.minima(MINIMA, Rated(needed, needed - 1, 0.9, 0.9), 0.05)
    assert few == (
        f"{needed - 1} bad anchors cannot show a specificity of 0.85; {needed} without a miss would"
    )
    assert "0 good anchors cannot" in foreseen_judged.minima(MINIMA, Rated(0, 99, 0.9, 0.9), 0.05)


def test_rows_that_even_a_perfect_judge_cannot_decide_are_told() -> None:
    assert foreseen_judged.share(10, "min", 0.8, Rated(99, 99, 0.9, 0.9), 0.05).decidable is False
    poor = foreseen_judged.share(600, "min", 0.99, Rated(40, 40, 0.7, 0.7), 0.05)
    assert poor.decidable is not True


def test_people_alone_are_compared_at_the_same_half_width() -> None:
    found = foreseen_judged.share(800, "min", 0.8, Rated(180, 20, 0.95, 0.95, True), 0.05)
    rate = found.passes_at or 0.0
    passed = round((rate * 0.95 + (1 - rate) * 0.05) * 800)
    bounds = judged.binary(passed, 800, (171, 180), (19, 20), 0.025)
    half = (bounds.upper - bounds.lower) / 2
    labels = judged.labels_for(rate, half)
    assert f"half width {half:.3f}, as {labels} labels of people per change" in found.note
    once = -(-200 // labels)
    assert f"200 anchors, rated once, cost less from change {once + 1} on" in found.note
    assert "(as measured)" in found.note


def test_the_plan_says_it_of_a_judged_gate_from_kept_anchors() -> None:
    def rows(made: Made) -> list[dict[str, object]]:
        return right(190, 200)

    from llmops.rules.forecast import Sight, gates

    facts = World(CALIBRATED, CALIBRATED, rows, anchors=lambda _made: bench(), counted=600).facts()
    sight = Sight(facts.proven, facts.head, facts.rows, anchors=facts.anchors)
    (gate,) = [g for g in gates(facts.exams, sight) if g.id == "Evaluation/kind/kind"]
    assert gate.decidable is True
    assert "with 200 good and 200 bad anchors, a judge right on 0.95 of good" in gate.note
    few = changed(KIND, "min_sensitivity: 0.85", "min_sensitivity: 0.999", CALIBRATED)
    facts = World(few, few, rows, anchors=lambda _made: bench(), counted=600).facts()
    sight = Sight(facts.proven, facts.head, facts.rows, anchors=facts.anchors)
    (gate,) = [g for g in gates(facts.exams, sight) if g.id == "Evaluation/kind/kind"]
    assert gate.decidable is False
    assert "200 good anchors cannot show a sensitivity of 0.999" in gate.note
