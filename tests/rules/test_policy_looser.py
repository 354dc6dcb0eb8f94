from __future__ import annotations

from collections.abc import Mapping

import pytest

from llmops.rules.base import Outcome
from llmops.rules.facts import Approval
from tests.rules.world import World, right
from tests.trees import BANK, changed, spec

E = "specs/evaluations/quality.yaml"
POLICY = "policies/default.yaml"
LOWER = changed(E, "{min: 0.8}", "{min: 0.5}")
PRECISE = changed(E, "builtin/accuracy, require", "builtin/token_f1, pass_at: 0.5, require")


def without(path: str, files: Mapping[str, str] = BANK) -> dict[str, str]:
    return {p: t for p, t in files.items() if p != path}


def test_a_lowered_bound_waits_for_base_s_approval() -> None:
    verdict = World(LOWER, head_rows=lambda m: right(195, 200)).verdict()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    (one,) = verdict.loosened
    assert (one.what, one.before, one.after) == (
        "Evaluation/quality/accuracy", "min 0.8", "min 0.5",
    )  # fmt: skip
    assert one.approval == "Policy/default/looser"


def test_a_lowered_bound_does_not_help_the_change_that_lowers_it() -> None:
    world = World(LOWER, head_rows=lambda m: right(140, 200))
    by_side = {f.judged_by: f.outcome for f in world.found("require")}
    assert by_side == {"base": Outcome.FAILED, "head": Outcome.PASSED}
    assert world.verdict().outcome is Outcome.FAILED


def test_an_approval_from_the_named_team_lets_it_through_but_shows_it() -> None:
    yes = (Approval("team-compliance", "lihua"),)
    verdict = World(LOWER, head_rows=lambda m: right(195, 200), approvals=yes).verdict()
    assert verdict.outcome is Outcome.WARNED
    assert verdict.loosened[0].approved_by == ("lihua",)


def test_an_approval_from_another_team_does_not_count() -> None:
    no = (Approval("team-cs", "lihua"),)
    verdict = World(LOWER, head_rows=lambda m: right(195, 200), approvals=no).verdict()
    assert verdict.outcome is Outcome.INCONCLUSIVE


def test_an_author_cannot_approve_the_own_change_unless_the_policy_says_so() -> None:
    yes = (Approval("team-compliance", "lihua"),)
    own = frozenset({"lihua"})
    world = World(LOWER, head_rows=lambda m: right(195, 200), approvals=yes, authors=own)
    assert world.verdict().outcome is Outcome.INCONCLUSIVE
    base = changed(POLICY, "count: 1", "count: 1, allow_author: true")
    head = changed(E, "{min: 0.8}", "{min: 0.5}", base)
    world = World(head, base, lambda m: right(195, 200), approvals=yes, authors=own)
    assert world.verdict().outcome is Outcome.WARNED


def test_the_same_person_twice_is_one_approval() -> None:
    base = changed(POLICY, "count: 1", "count: 2")
    head = changed(E, "{min: 0.8}", "{min: 0.5}", base)
    twice = (Approval("team-compliance", "lihua"), Approval("team-compliance", "lihua"))
    world = World(head, base, lambda m: right(195, 200), approvals=twice)
    assert world.verdict().outcome is Outcome.INCONCLUSIVE


def test_a_name_in_other_letters_is_the_same_person() -> None:
    base = changed(POLICY, "count: 1", "count: 2")
    head = changed(E, "{min: 0.8}", "{min: 0.5}", base)
    twice = (Approval("team-compliance", "lihua"), Approval("team-compliance", "LiHua"))
    world = World(head, base, lambda m: right(195, 200), approvals=twice)
    assert world.verdict().outcome is Outcome.INCONCLUSIVE
    own = (Approval("team-compliance", "LiHua"),)
    author = frozenset({"lihua"})
    world = World(LOWER, head_rows=lambda m: right(195, 200), approvals=own, authors=author)
    assert world.verdict().outcome is Outcome.INCONCLUSIVE


def test_without_an_approval_rule_a_loosening_is_still_shown() -> None:
    base = changed(
        POLICY,
        "approvals:\n    - {name: looser, when: policy_looser, from: [team-compliance], count: 1}",
        "on_inconclusive: fail",
    )
    head = changed(E, "{min: 0.8}", "{min: 0.5}", base)
    verdict = World(head, base, lambda m: right(195, 200)).verdict()
    assert verdict.outcome is Outcome.WARNED
    assert verdict.loosened


@pytest.mark.parametrize(("many", "more"), [(3, ""), (4, "; 1 more"), (5, "; 2 more")])
def test_three_loosenings_are_named_and_the_others_counted(many: int, more: str) -> None:
    each = [
        f"    - {{name: c{i}, metric: builtin/accuracy, require: {{min: 0.%d}}}}"
        for i in range(many)
    ]
    base, head = (
        changed(E, "checks:", "\n".join(["checks:", *(line % bound for line in each)]))
        for bound in (70, 60)
    )
    for files in ((base, head), (without(POLICY, base), without(POLICY, head))):
        (found,) = World(files[1], files[0]).found("policy-looser")
        named = "; ".join(f"Evaluation/quality/c{i} min 0.7 -> min 0.6" for i in range(3))
        assert f"{named}{more}" in found.message
        assert more or " more" not in found.message


LOOSENINGS = {
    "regression dropped": changed(E, ", regression: {margin: 0.02}", ""),
    "wider margin": changed(E, "margin: 0.02", "margin: 0.2"),
    "bound dropped": changed(E, " require: {min: 0.8},", ""),
    "fewer rows": changed(E, "rows: 200", "rows: 20"),
    "another part": changed(E, "bank#test", "bank#train"),
    "an easier split": changed("specs/datasets/bank.yaml", "seed: 1", "seed: 2"),
    "other rows": {**BANK, "specs/data/bank.jsonl": '{"question": "x", "answer": "y"}\n'},
    "a kinder metric": changed(E, "builtin/accuracy", "deepeval/exact_match"),
    "a score instead": PRECISE,
    "slice dropped": BANK
    | {E: BANK[E][: BANK[E].index("  slices:")]},
    "slice of other values": changed(E, "column: language,", "column: language, values: [zh],"),
    "slice bound lowered": changed(E, "{min: 0.7}", "{min: 0.1}"),
    "evaluation deleted": without(E),
    "check renamed": changed(E, "name: accuracy", "name: precision").copy()
    | {E: BANK[E].replace("name: accuracy", "name: precision").replace(
        "check: accuracy", "check: precision")},
    "error rate raised": changed(E, "sample:", "alpha: 0.2\n  sample:"),
    "case errors allowed": changed(E, "sample:", "on_case_error: {max: 0.2}\n  sample:"),
    "decoding changed": changed(E, "sample:", "generation: {max_tokens: 5}\n  sample:"),
    "target moved": changed(E, "target: Application/bot", "target: Recipe/base"),
    "rule dropped": changed(
        POLICY, "{name: evidence, rule: evidence-present, severity: error}",
        "{name: pins, rule: pinned-revision, severity: error}",
    ),
    "severity lowered": changed(POLICY, "severity: error", "severity: warning"),
    "a gate only warns": changed(
        POLICY, "rules:", "rules:\n    - {name: mild, rule: require, severity: warning}"
    ),
    "a new policy lets a gate only warn": {
        **BANK,
        "policies/mild.yaml": spec(
            "Policy", "mild", "rules: [{name: mild, rule: regression, severity: warning}]"
        ),
    },
    "approval weakened": changed(POLICY, "from: [team-compliance]", "from: [team-cs]"),
    "policy deleted": without(POLICY),
    "policy narrowed": changed(
        POLICY, "rules:", "applies_to: {labels: {risk: high}}\n  rules:"
    ),
    "inconclusive let through": changed(POLICY, "rules:", "on_inconclusive: warn\n  rules:"),
    "the point rule decides": changed(POLICY, "rules:", "profile: literal\n  rules:"),
    "target deleted": {
        p: t for p, t in BANK.items() if p not in ("specs/applications/bot.yaml", E)
    } | {E: BANK[E].replace("Application/bot", "Recipe/adapter")},
}  # fmt: skip


@pytest.mark.parametrize("name", LOOSENINGS)
def test_no_route_of_loosening_is_silent(name: str) -> None:
    verdict = World(LOOSENINGS[name], head_rows=lambda m: right(199, 200)).verdict()
    assert verdict.loosened, name
    assert verdict.outcome >= Outcome.INCONCLUSIVE, name


TIGHTENINGS = {
    "raised bound": changed(E, "{min: 0.8}", "{min: 0.85}"),
    "smaller margin": changed(E, "margin: 0.02", "margin: 0.01"),
    "prove": changed(E, "{margin: 0.02}", "{margin: 0.02, prove: true}"),
    "a new check": changed(
        E, "checks:", "checks:\n    - {name: f1, metric: builtin/token_f1, require: {min: 0.1}}"
    ),
    "less error": changed(E, "sample:", "alpha: 0.01\n  sample:"),
    "a new rule": changed(
        POLICY, "rules:", "rules:\n    - {name: pins, rule: pinned-revision, severity: error}"
    ),
    "a new rule that warns": changed(
        POLICY, "rules:", "rules:\n    - {name: pins, rule: pinned-revision, severity: warning}"
    ),
    "a reason": changed(POLICY, "severity: error}", "severity: error, because: {en: so}}"),
    "another recipe": changed("specs/recipes/adapter.yaml", "r: 8", "r: 16"),
}


@pytest.mark.parametrize("name", TIGHTENINGS)
def test_what_only_tightens_needs_no_approval(name: str) -> None:
    assert World(TIGHTENINGS[name], head_rows=lambda m: right(199, 200)).verdict().loosened == ()


def test_a_moved_file_is_no_loosening() -> None:
    moved = without(POLICY) | {"policies/team/default.yaml": BANK[POLICY]}
    moved |= {"specs/team/evaluations/quality.yaml": BANK[E]}
    del moved[E]
    assert World(moved, head_rows=lambda m: right(199, 200)).verdict().loosened == ()


def test_a_first_commit_loosens_nothing() -> None:
    assert World(base=None, head_rows=lambda m: right(199, 200)).verdict().loosened == ()


def test_a_new_evaluation_of_head_is_judged_beside_base_s() -> None:
    other = BANK[E].replace("name: quality", "name: more").replace("{min: 0.8}", "{min: 0.99}")
    head = {**BANK, "specs/evaluations/more.yaml": other}
    verdict = World(head, head_rows=lambda m: right(190, 200)).verdict()
    assert verdict.outcome >= Outcome.INCONCLUSIVE
    assert verdict.loosened == ()
