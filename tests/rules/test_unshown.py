from __future__ import annotations

from llmops.jobs.base import Proof
from llmops.rules.base import Outcome, Unshown
from llmops.rules.verdict import judge
from tests.rules.world import World, right
from tests.trees import BANK, changed, spec

E = "specs/evaluations/quality.yaml"
POLICY = "policies/default.yaml"
R16 = changed("specs/recipes/adapter.yaml", "r: 8", "r: 16")
ACCURACY = "Evaluation/quality/accuracy"


def said(world: World) -> set[tuple[str, str]]:
    return {(one.kind, one.what) for one in world.verdict().unshown}


def test_a_verdict_that_shows_all_lists_nothing() -> None:
    rows = right(1900, 2000)
    files = changed(E, "rows: 200", "rows: 2000")
    bare = changed(E, ", regression: {margin: 0.02}", "", files)
    assert said(World(bare, bare, head_rows=lambda m: rows)) == set()


def test_what_on_inconclusive_lets_through_is_listed_with_its_reason() -> None:
    files = changed(POLICY, "rules:", "on_inconclusive: warn\n  rules:")
    verdict = World(files, files, lambda m: right(165, 200)).verdict()
    (found,) = (f for f in verdict.findings if f.gate == ACCURACY)
    assert found.not_shown == "on_inconclusive: warn lets it through"
    assert Unshown("gate", ACCURACY, found.not_shown) in verdict.unshown


def test_a_mild_rule_lets_the_undecided_through_and_says_so() -> None:
    mild = "rules:\n    - {name: soft, rule: require, severity: warning}"
    files = changed(POLICY, "rules:", mild)
    world = World(files, files, lambda m: right(165, 200))
    (found,) = world.found("require")
    assert (found.outcome, found.not_shown) == (Outcome.WARNED, "its rule is a warning")
    refuted = World(files, files, lambda m: right(100, 200))
    (found,) = refuted.found("require")
    assert (found.outcome, found.not_shown) == (Outcome.WARNED, "")


def test_an_undecided_regression_is_not_shown() -> None:
    world = World(R16, head_rows=lambda m: right(186, 200), base_rows=lambda m: right(190, 200))
    (found,) = world.found("regression")
    assert found.outcome is Outcome.WARNED
    assert "neither" in found.not_shown


def test_a_target_that_base_lacks_is_not_compared_and_says_so() -> None:
    base = {k: v for k, v in BANK.items() if k not in (E, "specs/applications/bot.yaml")}
    (found,) = World(base=base).found("regression")
    assert "nothing at base" in found.not_shown


def test_what_nothing_judges_is_listed() -> None:
    more = {**BANK, "specs/applications/other.yaml": spec(
        "Application", "other", "model: Recipe/base\nprompt: ask")}  # fmt: skip
    assert ("target", "Application/other") in said(World(more))
    assert ("target", "Application/bot") not in said(World(more))


def test_a_check_without_a_bound_is_reported_only() -> None:
    plain = changed(E, ", require: {min: 0.8}, regression: {margin: 0.02}", "")
    files = {**plain, E: plain[E].replace("slices:", "ignored:").split("ignored:")[0]}
    assert ("reported", ACCURACY) in said(World(files, files))
    assert ("reported", ACCURACY) not in said(World())


def test_a_route_that_nothing_measures_is_listed() -> None:
    routed = changed("specs/applications/bot.yaml", "prompt: ask", (
        "prompt: ask\n  routes: [{when: {sensitivity_at_least: personal}, model: Recipe/base},"
        " {default: true, model: Recipe/adapter}]"
    ))  # fmt: skip
    assert ("route", "Application/bot/routes/base") in said(World(routed, routed))


def test_a_gate_run_although_no_result_could_show_it_says_that_it_was_said() -> None:
    files = changed(E, "rows: 200", "rows: 10")
    facts = World(files, files, lambda m: right(10, 10)).facts()

    def hint() -> str:
        verdict = judge(facts, judged_at="2026-11-23T00:00:00Z", tool_version="0")
        return next(f.hint for f in verdict.findings if f.gate == ACCURACY)

    assert "--accept-undecidable" not in hint()
    for closure, proof in dict(facts.proven).items():
        meant = Proof(proof.evidence, proof.status, used={"accept_undecidable": True})
        facts.proven[closure] = meant  # type: ignore[index]
    assert hint().startswith("--accept-undecidable was said: 10 rows cannot show 0.8")
