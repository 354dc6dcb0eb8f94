from __future__ import annotations

from llmops.rules.base import Loosened
from tests.rules.world import World, right, row
from tests.trees import BANK, changed, spec

E = "specs/evaluations/quality.yaml"
ACCURACY = "Evaluation/quality/accuracy"
SCORED = changed(E, "builtin/accuracy, require: {min: 0.8}",
                 "builtin/token_f1, pass_at: 0.8, require: {min: 0.8}")  # fmt: skip


def loosened(head: dict[str, str], what: str, base: dict[str, str] | None = None, **given: object):
    world = World(head, base or BANK, **given)  # type: ignore[arg-type]
    return next(one for one in world.verdict().loosened if one.what.startswith(what))


def test_a_gate_that_only_the_lower_bound_passes_is_named() -> None:
    lower = changed(E, "{min: 0.8}", "{min: 0.5}")
    found = loosened(lower, ACCURACY, head_rows=lambda m: right(150, 200))
    assert found.newly_passes == (ACCURACY,)


def test_a_gate_that_base_passes_too_is_not() -> None:
    lower = changed(E, "{min: 0.8}", "{min: 0.5}")
    found = loosened(lower, ACCURACY, head_rows=lambda m: right(199, 200))
    assert found.newly_passes == ()


def test_a_gate_that_both_fail_is_not() -> None:
    lower = changed(E, "{min: 0.8}", "{min: 0.75}")
    found = loosened(lower, ACCURACY, head_rows=lambda m: right(20, 200))
    assert found.newly_passes == ()


def test_other_gates_of_the_same_spec_are_not() -> None:
    lower = changed(E, "{min: 0.7}", "{min: 0.1}")
    found = loosened(lower, "Evaluation/quality/by-language", head_rows=lambda m: right(120, 200))
    assert found.newly_passes == (
        "Evaluation/quality/by-language[en]", "Evaluation/quality/by-language[zh]",
    )  # fmt: skip


def test_a_wider_margin_names_its_regression() -> None:
    files = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16")
    wider = changed(E, "margin: 0.02", "margin: 0.5", files)
    found = loosened(
        wider, ACCURACY, head_rows=lambda m: right(180, 200), base_rows=lambda m: right(199, 200)
    )
    assert f"{ACCURACY}/regression" in found.newly_passes


def test_what_is_no_longer_asked_is_said_so() -> None:
    bare = changed(E, " require: {min: 0.8},", "")
    found = loosened(bare, ACCURACY, head_rows=lambda m: right(20, 200))
    assert found.newly_passes == (f"{ACCURACY} (no longer asked)",)


def test_a_policy_that_lets_the_undecided_through_names_them() -> None:
    head = changed("policies/default.yaml", "rules:", "on_inconclusive: warn\n  rules:")
    found = loosened(head, "Policy/default on_inconclusive", head_rows=lambda m: right(165, 200))
    assert ACCURACY in found.newly_passes


def test_a_policy_that_only_warns_names_what_it_lets_fail() -> None:
    mild = "rules: [{name: mild, rule: require, severity: warning}]"
    head = {**BANK, "policies/mild.yaml": spec("Policy", "mild", mild)}
    found = loosened(head, "Policy/mild", head_rows=lambda m: right(20, 200))
    assert found.newly_passes == (ACCURACY,)


def scores(*values: float) -> list[dict[str, object]]:
    padded = [*values, *(1.0 for _ in range(200 - len(values)))]
    return [row(i, {"accuracy": v}, language="zh") for i, v in enumerate(padded)]


def test_a_lower_pass_at_names_the_cases_that_it_lets_by() -> None:
    head = changed(E, "pass_at: 0.8", "pass_at: 0.5", SCORED)
    found: Loosened = loosened(
        head, ACCURACY, SCORED, head_rows=lambda m: scores(0.6, 0.7, 0.4, 0.9)
    )
    assert found.newly_passes == (f"{ACCURACY} case c0", f"{ACCURACY} case c1")


def test_many_cases_are_counted() -> None:
    head = changed(E, "pass_at: 0.8", "pass_at: 0.5", SCORED)
    found = loosened(head, ACCURACY, SCORED, head_rows=lambda m: scores(*[0.6] * 8))
    assert found.newly_passes[:5] == tuple(f"{ACCURACY} case c{i}" for i in range(5))
    assert found.newly_passes[5] == f"{ACCURACY}: 3 more cases"


def test_a_smaller_sample_names_the_wrong_cases_that_it_leaves_out() -> None:
    def rows(made):
        few = made.job.spec.get("rows") == 190 or made.before[0].job.spec.get("rows") == 190
        return right(188, 190) if few else right(188, 200)

    head = changed(E, "rows: 200", "rows: 190")
    found = loosened(head, "Evaluation/quality sample", head_rows=rows)
    left_out = [one for one in found.newly_passes if "case" in one]
    assert left_out[0] == f"{ACCURACY} case c190"
    assert left_out[-1] == f"{ACCURACY}: 5 more cases"


def test_nothing_loosened_gains_nothing() -> None:
    assert World().verdict().loosened == ()
