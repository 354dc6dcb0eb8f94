from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmops.jobs.base import Selection
from llmops.rules.base import Outcome, Verdict
from llmops.rules.facts import Facts
from llmops.rules.verdict import GATES, INFOS, RULES, judge, static_findings
from tests.rules.world import World, right, row
from tests.trees import BANK, changed, spec

E = "specs/evaluations/quality.yaml"
R16 = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16")
ALL_RIGHT = right(200, 200)


def test_a_tree_whose_gates_are_all_shown_passes() -> None:
    verdict = World(R16, head_rows=lambda m: right(1990, 2000)).verdict()
    assert verdict.outcome is Outcome.PASSED
    assert all(f.outcome is Outcome.PASSED for f in verdict.findings)


def test_the_worst_finding_wins() -> None:
    verdict = World(R16, head_rows=lambda m: right(100, 200)).verdict()
    assert verdict.outcome is Outcome.FAILED
    assert verdict.outcome == max(f.outcome for f in verdict.findings)
    assert verdict.findings[0].outcome is Outcome.FAILED


@given(st.permutations(list(Outcome)))
def test_worst_of_does_not_depend_on_order(order: list[Outcome]) -> None:
    assert max(order) is Outcome.FAILED
    for a, b, c in itertools.product(order, repeat=3):
        assert max(max(a, b), c) is max(a, max(b, c))


def test_a_tree_without_an_evaluation_is_inconclusive_never_passed() -> None:
    files = {p: t for p, t in BANK.items() if p != E}
    verdict = World(files, files).verdict()
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_a_tree_that_claims_nothing_is_inconclusive_though_it_keeps_its_budget() -> None:
    path = "specs/evaluations/quality.yaml"
    bare = changed(path, ", require: {min: 0.8}, regression: {margin: 0.02}", "")
    bare[path] = bare[path][: bare[path].index("  slices:")]
    bare["policies/default.yaml"] = spec(
        "Policy", "default", "budgets: {per_pull_request: {usd: 1}}"
    )
    verdict = World(bare, bare).verdict()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "nothing judges this tree: no bound decides" in verdict.findings[0].message


def test_without_base_the_best_is_warned() -> None:
    verdict = World(base=None, head_rows=lambda m: right(1990, 2000)).verdict()
    assert verdict.outcome is Outcome.WARNED
    assert "no base" in verdict.notes[0]


def test_without_a_policy_at_base_the_best_is_warned() -> None:
    files = {p: t for p, t in BANK.items() if not p.startswith("policies/")}
    verdict = World(files, files, lambda m: right(1990, 2000)).verdict()
    assert verdict.outcome is Outcome.WARNED
    assert verdict.notes == ("no policy at base",)


def test_a_partial_verdict_says_so_and_is_warned_at_best() -> None:
    world = World(R16, head_rows=lambda m: right(1990, 2000), selected=("Evaluation/quality",))
    verdict = world.verdict()
    assert verdict.outcome is Outcome.WARNED
    assert verdict.notes == (
        "partial: only Evaluation/quality was judged (--select Evaluation/quality)",
    )


def test_a_selection_that_leaves_nothing_does_not_pass() -> None:
    world = World(R16, head_rows=lambda m: ALL_RIGHT, selected=("Recipe/base",))
    assert world.verdict().outcome is Outcome.INCONCLUSIVE


def test_the_worst_cases_are_those_that_were_right_before() -> None:
    world = World(R16, head_rows=lambda m: right(150, 200), base_rows=lambda m: right(190, 200))
    verdict = world.verdict()
    assert len(verdict.worst_cases) == 3
    assert (verdict.worse_count, verdict.better_count) == (40, 0)
    assert all(c.before == "yes" and c.after == "no" for c in verdict.worst_cases)


def test_the_same_facts_give_the_same_verdict() -> None:
    world = World(R16, head_rows=lambda m: right(150, 200), base_rows=lambda m: right(190, 200))
    assert world.verdict() == world.verdict()


SOFT = changed(
    "policies/default.yaml",
    "rules:",
    "rules:\n    - {name: soft, rule: require, severity: warning}",
)


def required(world: World) -> Outcome:
    """What rule `require` came to."""
    (found,) = world.found("require")
    return found.outcome


def test_a_warning_level_gate_warns() -> None:
    assert required(World(SOFT, SOFT, lambda m: right(140, 200))) is Outcome.WARNED
    assert required(World(head_rows=lambda m: right(140, 200))) is Outcome.FAILED


def test_head_cannot_soften_its_own_gates() -> None:
    assert required(World(SOFT, BANK, lambda m: right(140, 200))) is Outcome.FAILED


def test_on_inconclusive_warn_lets_the_undecided_through_but_not_the_absent() -> None:
    files = changed("policies/default.yaml", "rules:", "on_inconclusive: warn\n  rules:")
    undecided = World(files, files, lambda m: right(165, 200))
    (found,) = undecided.found("require")
    assert found.outcome is Outcome.WARNED
    assert found.message.startswith("not shown:")
    absent = World(files, files, lambda m: None)
    assert absent.verdict().outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("hole", ["no rows", "one missing", "one invalid", "nan", "failed"])
def test_absent_evidence_never_passes(hole: str) -> None:
    rows: dict[str, object] = {
        "no rows": None,
        "one missing": [row(0, {}), *ALL_RIGHT[1:]],
        "one invalid": [row(0, {"accuracy": None}), *ALL_RIGHT[1:]],
        "nan": [row(0, {"accuracy": float("nan")}), *ALL_RIGHT[1:]],
        "failed": None,
    }
    failed = {"train/adapter": "loss is not finite"} if hole == "failed" else {}
    world = World(R16, head_rows=lambda m: rows[hole], failed=failed)  # type: ignore[arg-type,return-value]
    assert world.verdict().outcome >= Outcome.INCONCLUSIVE


def test_each_rule_says_why_it_is_and_how_to_mend() -> None:
    assert RULES.keys() | GATES.keys() | {"waiver"} == INFOS.keys()
    for name, info in INFOS.items():
        assert info.id == name
        assert info.why
        assert info.fix


def judged(facts: Facts) -> Verdict:
    return judge(facts, judged_at="2026-11-23T00:00:00Z", tool_version="0")


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, " and 1 more"), (7, " and 2 more")])
def test_a_partial_verdict_names_five_specs_and_how_many_more(count: int, more: str) -> None:
    facts = World(R16, head_rows=lambda m: ALL_RIGHT).facts()
    names = tuple(f"Evaluation/e{i}" for i in range(count))
    chosen = replace(facts.plan, selected=Selection(("x",), (), names))
    (note,) = judged(replace(facts, plan=chosen)).notes
    assert note == f"partial: only {', '.join(names[:5])}{more} was judged (--select x)"


def test_a_base_that_cannot_be_read_is_inconclusive_and_says_so() -> None:
    facts = World(R16, head_rows=lambda m: ALL_RIGHT).facts()
    said = judged(replace(facts, base_problem="a tab in x"))
    (found,) = (f for f in said.findings if f.rule == "base-unreadable")
    assert (found.outcome, found.gate) == (Outcome.INCONCLUSIVE, "base")
    assert "a tab in x" in found.message
    assert said.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("askers", "words"),
    [((), "--select x selects nothing that does"), (("Evaluation/e",), "no Evaluation, ")],
)
def test_a_selection_of_nothing_is_told_apart_from_one_that_claims_nothing(
    askers: tuple[str, ...], words: str
) -> None:
    facts = World(R16, head_rows=lambda m: ALL_RIGHT).facts()
    chosen = replace(facts.plan, selected=Selection(("x",), (), askers))
    said = judged(replace(facts, exams=(), plan=chosen))
    (found,) = (f for f in said.findings if f.message.startswith("nothing judges this tree"))
    assert words in found.message


def test_without_evidence_only_rules_that_need_none_find_something() -> None:
    more = "severity: error}\n    - {name: owned, rule: owner}"
    files = changed("policies/default.yaml", "severity: error}", more)
    found = static_findings(World(files, files).facts())
    assert {one.rule for one in found} == {"owner"}
    assert static_findings(replace(World().facts(), proven={})) == ()
