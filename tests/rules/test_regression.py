from __future__ import annotations

import pytest

from llmops.rules.base import Outcome
from tests.rules.world import World, right, row
from tests.trees import changed, spec

R16 = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16")
E = "specs/evaluations/quality.yaml"


def outcome(world: World) -> Outcome:
    (found,) = world.found("regression")
    return found.outcome


def test_equal_answers_pass() -> None:
    rows = right(1900, 2000)
    assert outcome(World(head_rows=lambda m: rows)) is Outcome.PASSED


def test_clearly_worse_fails_with_the_paired_difference() -> None:
    world = World(R16, head_rows=lambda m: right(1700, 2000), base_rows=lambda m: right(1900, 2000))
    (found,) = world.found("regression")
    assert found.outcome is Outcome.FAILED
    assert found.difference is not None
    assert abs(found.difference + 0.1) < 1e-12
    assert found.difference_interval is not None
    assert found.difference_interval[0] < -0.1 < found.difference_interval[1]
    assert (found.value, found.base_value) == (0.85, 0.95)
    assert "base 0.950, paired difference -0.100" in found.message


def few(lost: int) -> World:
    return World(
        R16, head_rows=lambda m: right(190 - lost, 200), base_rows=lambda m: right(190, 200)
    )


def test_too_few_cases_to_tell_warn_and_say_how_many() -> None:
    (found,) = few(4).found("regression")
    assert found.outcome is Outcome.WARNED
    assert "neither" in found.message or "not shown" in found.message


def test_prove_makes_the_undecided_inconclusive() -> None:
    files = changed(E, "{margin: 0.02}", "{margin: 0.02, prove: true}")
    world = few(4)
    world.base = files
    world.head = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16", files)
    assert outcome(world) is Outcome.INCONCLUSIVE


def test_unequal_case_sets_are_inconclusive() -> None:
    world = World(R16, head_rows=lambda m: right(200, 200), base_rows=lambda m: right(199, 199))
    assert outcome(world) is Outcome.INCONCLUSIVE


def test_a_case_answered_twice_in_place_of_another_is_inconclusive() -> None:
    twice = [*right(199, 199), right(199, 199)[0]]
    assert outcome(World(R16, head_rows=lambda m: right(200, 200), base_rows=lambda m: twice)) is (
        Outcome.INCONCLUSIVE
    )
    assert outcome(World(head_rows=lambda m: twice)) is Outcome.INCONCLUSIVE


def test_cases_are_compared_one_by_one_in_whatever_order_base_has_them() -> None:
    before = right(190, 200)
    found = [
        World(R16, head_rows=lambda m: right(180, 200), base_rows=lambda m, rows=rows: rows).found(
            "regression"
        )[0]
        for rows in (before, before[::-1])
    ]
    assert found[0] == found[1]
    assert found[0].difference_interval is not None


def test_an_invalid_cell_is_inconclusive_even_when_all_else_is_equal() -> None:
    rows = [row(0, {"accuracy": None}), *right(2000, 2000)[1:]]
    assert outcome(World(head_rows=lambda m: rows)) is Outcome.INCONCLUSIVE


def test_missing_evidence_of_base_is_inconclusive() -> None:
    world = World(R16, head_rows=lambda m: right(200, 200), base_rows=lambda m: None)
    assert outcome(world) is Outcome.INCONCLUSIVE


def test_where_less_is_better_more_is_a_loss() -> None:
    files = changed(
        E, "metric: builtin/accuracy, require: {min: 0.8},",
        "metric: builtin/latency_ms, pass_at: 5.0, require: {min: 0.8},",
    )  # fmt: skip
    head = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16", files)
    slow = [row(i, {"accuracy": 9.0}) for i in range(500)]
    fast = [row(i, {"accuracy": 1.0}) for i in range(500)]
    world = World(head, files, lambda m: slow, lambda m: fast)
    # pass_at counts a score of at least 5 as a pass: the share of passes rose
    (found,) = world.found("regression")
    assert found.value == 1.0
    assert found.base_value == 0.0


def test_a_target_that_base_has_not_is_not_compared_and_says_so() -> None:
    base = {p: t for p, t in World().head.items() if "applications" not in p}
    base = {p: t for p, t in base.items() if "evaluations" not in p}
    assert outcome(World(base=base)) is Outcome.WARNED


def test_gates_that_head_adds_do_not_save_it_from_base_gates() -> None:
    lost = World(R16, head_rows=lambda m: right(1840, 2000), base_rows=lambda m: right(1900, 2000))
    lost.base = changed(E, "margin: 0.02", "margin: 0.01")
    lost.head = changed(E, "margin: 0.02", "margin: 0.01", R16)
    assert outcome(lost) is Outcome.FAILED
    # forty more comparisons, and one at an error rate that nothing reaches
    more = "".join(
        f"\n  - {{name: c{i}, metric: builtin/exact_match, regression: {{margin: 0.5}}}}"
        for i in range(40)
    )
    junk = spec(
        "Evaluation", "junk",
        f"target: Application/bot\ndataset: bank#test\nalpha: 1.0e-9\nchecks:{more}",
    )  # fmt: skip
    lost.head = {**lost.head, "specs/evaluations/junk.yaml": junk}
    found = {f.gate: f.outcome for f in lost.found("regression")}
    assert len(found) == 41
    assert found["Evaluation/quality/accuracy/regression"] is Outcome.FAILED


def test_where_less_is_better_more_is_worse() -> None:
    files = changed(E, "require: {min: 0.8}", "require: {max: 0.99}")
    head = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16", files)
    for kept, worse in ((1900, Outcome.PASSED), (1500, Outcome.FAILED)):
        world = World(head, files, lambda m: right(1900, 2000), lambda m, k=kept: right(k, 2000))
        (found,) = world.found("regression")
        assert found.outcome is worse
        assert found.difference == pytest.approx((1900 - kept) / 2000)
    assert world.verdict().worse_count == 400
    assert world.verdict().better_count == 0
