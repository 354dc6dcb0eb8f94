"""A waiver of base lets a gate be missed until a day; one of head, never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pytest

from llmops.jobs.attempts import Counting
from llmops.rules import waiver
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Approval
from llmops.rules.verdict import judge
from tests.rules.world import World, right
from tests.trees import BANK, changed, graph, spec

GATE = "Evaluation/quality/accuracy"
NAME = "Policy/waivers/w-1"
FILE = "policies/waivers.yaml"
BAD, UNSURE = right(140, 200), right(165, 200)


def waivers(*lines: str, more: str = "") -> dict[str, str]:
    """The files of BANK with a policy that only waives; each line is `gate until`."""
    entries = [
        f"  - {{name: w-{i}, gate: '{line.split()[0]}', reason: late labels, ticket: CS-{i},"
        f" owner: lihua, expires: '{line.split()[1]}'}}\n"
        for i, line in enumerate(lines, start=1)
    ]
    return {**BANK, FILE: spec("Policy", "waivers", f"{more}waivers:\n{''.join(entries)}")}


def judged(
    base: Mapping[str, str] | None, rows=BAD, day: str = "2026-11-23", head=None, **more
) -> World:
    return World(
        base if head is None else head, base, lambda made: rows, judged_at=f"{day}T09:00:00Z",
        **more,
    )  # fmt: skip


def the_gate(world: World, gate: str = GATE) -> Finding:
    (found,) = [f for f in world.verdict().findings if f.gate == gate and f.judged_by == "base"]
    return found


# ---- what a waiver does -----------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "word"), [(BAD, "failed"), (UNSURE, "inconclusive")])
def test_a_waived_gate_is_warned_and_says_what_was_found(rows, word: str) -> None:
    plain = the_gate(judged(BANK, rows))
    assert plain.outcome.word == word
    found = the_gate(judged(waivers(f"{GATE} 2026-12-15"), rows))
    assert found.outcome is Outcome.WARNED
    assert found.unwaived == word
    assert found.waived_by == NAME
    assert found.message.startswith(f"{plain.message}; waived until 2026-12-15 by {NAME}")
    assert "(CS-1, lihua, 22 days left): late labels" in found.message
    assert found.value == plain.value


@pytest.mark.parametrize(("length", "shown"), [(80, "9" * 80), (81, "9" * 79 + "…")])
def test_a_long_ticket_is_cut_at_eighty_letters(length: int, shown: str) -> None:
    files = changed(
        FILE, "ticket: CS-1", f"ticket: '{'9' * length}'", waivers(f"{GATE} 2026-12-15")
    )
    assert f"({shown}, lihua, 22 days left)" in the_gate(judged(files)).message


def test_a_waiver_covers_its_gate_and_no_other() -> None:
    findings = judged(waivers(f"{GATE} 2026-12-15")).verdict().findings
    assert {f.gate for f in findings if f.waived_by} == {GATE}
    assert any(f.outcome > Outcome.WARNED and f.gate != GATE for f in findings)


def test_a_gate_that_holds_needs_no_waiver() -> None:
    world = judged(waivers(f"{GATE} 2026-12-15"), right(195, 200))
    assert the_gate(world).outcome is Outcome.PASSED
    (told,) = world.verdict().waivers
    assert told.state == "unused"


def test_a_slice_is_waived_as_a_whole_or_by_one_value() -> None:
    whole = judged(waivers("Evaluation/quality/by-language 2026-12-15"), right(100, 200))
    one = judged(waivers("Evaluation/quality/by-language[zh] 2026-12-15"), right(100, 200))
    for world, expected in ((whole, {"[en]", "[zh]"}), (one, {"[zh]"})):
        findings = world.verdict().findings
        got = {f.gate.removeprefix("Evaluation/quality/by-language") for f in findings
               if f.waived_by}  # fmt: skip
        assert got == expected


def test_a_rule_of_a_policy_is_waived_by_its_name() -> None:
    rule = "rules:\n    - {name: licences, rule: license, with: {deny_use: [Apache-2.0]}}"
    files = changed(
        "policies/default.yaml", "rules:", rule, waivers("Policy/default/licences 2026-12-15")
    )
    findings = judged(files, right(195, 200)).verdict().findings
    found = [f for f in findings if f.rule == "license"]
    assert found
    assert {f.outcome for f in found} == {Outcome.WARNED}


def test_what_is_absent_is_waived_like_what_is_bad() -> None:
    found = the_gate(judged(waivers(f"{GATE} 2026-12-15"), None))
    assert (found.outcome, found.unwaived) == (Outcome.WARNED, "inconclusive")
    assert found.message.startswith("no evidence for")


def test_the_longest_of_two_waivers_counts() -> None:
    world = judged(waivers(f"{GATE} 2026-11-30", f"{GATE} 2026-12-15"))
    assert the_gate(world).waived_by == "Policy/waivers/w-2"
    assert [one.state for one in world.verdict().waivers] == ["unused", "in use"]


def test_an_expired_waiver_beside_one_that_counts_is_only_to_be_removed() -> None:
    world = judged(waivers(f"{GATE} 2026-11-01", f"{GATE} 2026-12-15"))
    (said,) = world.found("waiver")
    assert (said.outcome, said.hint) == (Outcome.WARNED, "remove it")


# ---- days -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "counts"), [("2026-12-14", True), ("2026-12-15", True), ("2026-12-16", False)]
)
def test_its_last_day_is_the_last_on_which_it_counts(day: str, counts: bool) -> None:
    found = the_gate(judged(waivers(f"{GATE} 2026-12-15"), day=day))
    assert bool(found.waived_by) is counts


def test_a_last_day_ends_at_midnight_utc() -> None:
    files = waivers(f"{GATE} 2026-12-15")
    world = World(files, files, lambda made: BAD, judged_at="2026-12-15T23:59:59Z")
    assert the_gate(world).waived_by
    world = World(files, files, lambda made: BAD, judged_at="2026-12-16T00:00:00Z")
    assert not the_gate(world).waived_by


@pytest.mark.parametrize(("day", "counts"), [("2026-09-16", True), ("2026-09-15", False)])
def test_a_waiver_counts_within_ninety_days_of_its_end(day: str, counts: bool) -> None:
    assert (date(2026, 12, 15) - date.fromisoformat(day)).days == (90 if counts else 91)
    world = judged(waivers(f"{GATE} 2026-12-15"), day=day)
    assert bool(the_gate(world).waived_by) is counts
    said = world.found("waiver")
    assert [f.outcome for f in said] == ([] if counts else [Outcome.WARNED])
    assert counts or "ends 91 days ahead" in said[0].message


@pytest.mark.parametrize(("rows", "word"), [(BAD, "failed"), (UNSURE, "inconclusive")])
def test_an_expired_waiver_fails_where_its_gate_does_not_hold(rows, word: str) -> None:
    world = judged(waivers(f"{GATE} 2026-11-20"), rows)
    verdict = world.verdict()
    assert verdict.outcome is Outcome.FAILED
    (said,) = world.found("waiver")
    assert said.outcome is Outcome.FAILED
    assert said.message == f"the waiver of {GATE} expired on 2026-11-20, and {GATE} is {word}"
    assert the_gate(world).outcome.word == word
    assert [one.state for one in verdict.waivers] == ["expired"]


def test_an_expired_waiver_of_one_value_fails_where_nothing_is_known_of_its_slice() -> None:
    world = judged(waivers(f"{SLICE}[zh] 2026-11-20"), None)
    (said,) = world.found("waiver")
    assert said.outcome is Outcome.FAILED
    counting = judged(waivers(f"{SLICE}[zh] 2026-12-15"), None)
    assert the_gate(counting, SLICE).outcome is Outcome.INCONCLUSIVE  # other values are not waived


def test_an_expired_waiver_whose_gate_holds_is_to_be_removed() -> None:
    files = waivers(f"{GATE} 2026-11-20")
    world = judged(files, right(195, 200))
    (said,) = world.found("waiver")
    assert (said.outcome, said.hint) == (Outcome.WARNED, "remove it")
    assert judged(files, right(195, 200), head=BANK).found("waiver") == []


# ---- from base only ---------------------------------------------------------------------------


def test_a_waiver_of_head_never_helps_the_change_that_brings_it() -> None:
    world = judged(BANK, head=waivers(f"{GATE} 2026-12-15"))
    assert the_gate(world).outcome is Outcome.FAILED
    assert world.verdict().waivers == ()


def test_a_new_waiver_waits_for_base_s_approval() -> None:
    head = waivers(f"{GATE} 2026-12-15")
    verdict = judged(BANK, right(195, 200), head=head).verdict()
    assert verdict.outcome is Outcome.INCONCLUSIVE
    (one,) = verdict.loosened
    assert (one.what, one.before) == (NAME, "not waived")
    assert one.after == f"{GATE} waived until 2026-12-15"
    yes = (Approval("team-compliance", "wang"),)
    assert judged(BANK, right(195, 200), head=head, approvals=yes).verdict().outcome is (
        Outcome.WARNED
    )


SLICE = "Evaluation/quality/by-language"
LONG = waivers(f"{GATE} 2026-12-15", f"{SLICE}[zh] 2026-12-15")


@pytest.mark.parametrize(
    ("head", "looser"),
    [
        (LONG, []),
        (BANK, []),
        (waivers(f"{GATE} 2026-12-14", f"{SLICE}[zh] 2026-12-15"), []),
        (waivers(f"{GATE} 2026-12-16", f"{SLICE}[zh] 2026-12-15"), [NAME]),
        (waivers(f"{GATE}/regression 2026-12-15", f"{SLICE}[zh] 2026-12-15"), [NAME]),
        (waivers(f"{GATE} 2026-12-15", f"{SLICE} 2026-12-15"), ["Policy/waivers/w-2"]),
        (waivers(f"{GATE} 2026-12-15", f"{SLICE}[en] 2026-12-15"), ["Policy/waivers/w-2"]),
        (changed(FILE, "late labels", "other words", LONG), []),
        (changed(FILE, "name: w-1", "name: w-9", LONG), []),
    ],
)
def test_a_waiver_that_is_wider_or_longer_is_looser(
    head: Mapping[str, str], looser: list[str]
) -> None:
    verdict = judged(LONG, right(195, 200), head=head).verdict()
    assert [one.what for one in verdict.loosened] == looser


def test_a_waiver_in_another_file_is_the_same_waiver() -> None:
    moved = {p: t for p, t in LONG.items() if p != FILE}
    text = LONG[FILE].replace("name: waivers", "name: exceptions")
    head = {**moved, "policies/exceptions.yaml": text}
    assert judged(LONG, right(195, 200), head=head).verdict().loosened == ()


LABELLED = "applies_to: {labels: {risk: high}}\n"


def test_a_waiver_for_more_applications_is_looser_and_for_fewer_is_not() -> None:
    narrow = waivers(f"{GATE} 2026-12-15", more=LABELLED)
    wide = waivers(f"{GATE} 2026-12-15")
    assert [o.what for o in judged(narrow, head=wide).verdict().loosened] == [NAME]
    assert judged(wide, head=narrow).verdict().loosened == ()


def test_a_change_cannot_relabel_itself_into_a_waiver() -> None:
    base = waivers(f"{GATE} 2026-12-15", more=LABELLED)
    app = "specs/applications/bot.yaml"
    head = changed(app, "{name: bot}", "{name: bot, labels: {risk: high}}", base)
    assert the_gate(judged(base, head=head)).outcome is Outcome.FAILED
    own = changed(app, "{name: bot}", "{name: bot, labels: {risk: high}}", base)
    assert the_gate(judged(own)).outcome is Outcome.WARNED


def test_without_a_base_no_waiver_counts() -> None:
    world = judged(None, head=waivers(f"{GATE} 2026-12-15"))
    found = [f for f in world.verdict().findings if f.gate == GATE]
    assert [f.outcome for f in found] == [Outcome.FAILED]


# ---- never ------------------------------------------------------------------------------------


@pytest.mark.parametrize("gate", ["policy-looser", "evidence"])
def test_some_things_cannot_be_waived(gate: str) -> None:
    base = waivers(f"{gate} 2026-12-15")
    head = {p: t for p, t in base.items() if not p.startswith("specs/evaluations")}
    verdict = judged(
        base if gate == "policy-looser" else head, right(195, 200), head=head
    ).verdict()
    assert [f.outcome for f in verdict.findings if f.gate == gate] == [Outcome.INCONCLUSIVE]
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert not any(f.waived_by for f in verdict.findings)
    assert [one.state for one in verdict.waivers] == ["not waivable"]
    assert any(f.message == f"{gate} cannot be waived" for f in verdict.findings)


def test_a_damaged_ledger_is_not_waived() -> None:
    """Nothing counted can be relied on: no word of base stands in for what is not known."""
    facts = judged(waivers(f"{GATE} 2026-12-15"), right(195, 200)).facts()
    for problem, outcome in (("entry 3 is gone", Outcome.INCONCLUSIVE), ("", Outcome.WARNED)):
        counted = replace(facts, counting=Counting(problem=problem))
        verdict = judge(counted, judged_at="2026-11-23T09:00:00Z", tool_version="0")
        (found,) = [f for f in verdict.findings if f.gate == GATE and f.judged_by == "base"]
        assert found.outcome is outcome, found


def test_a_missing_approval_is_not_waived_by_the_approval_s_name() -> None:
    base = waivers("Policy/default/machine 2026-12-15")
    base = changed(
        "policies/default.yaml", "approvals:\n",
        "approvals:\n    - {name: machine, when: machine_author, from: [team-cs]}\n", base,
    )  # fmt: skip
    world = judged(base, right(195, 200), authors=frozenset({"dependabot[bot]"}))
    (found,) = world.found("approval")
    assert found.outcome is Outcome.INCONCLUSIVE


def test_a_waiver_does_not_waive_a_waiver() -> None:
    world = judged(waivers(f"{GATE} 2026-11-20", f"{NAME} 2026-12-15"))
    assert world.verdict().outcome is Outcome.FAILED
    assert not any(f.waived_by for f in world.verdict().findings)


def test_a_waiver_for_nothing_fails_in_head_and_is_to_be_removed_at_base() -> None:
    files = waivers("Evaluation/quality/acuracy 2026-12-15")
    (new,) = judged(BANK, right(195, 200), head=files).found("waiver")
    assert (new.outcome, new.judged_by) == (Outcome.FAILED, "head")
    assert new.hint == f'did you mean "{GATE}"?'
    (old,) = judged(files, right(195, 200)).found("waiver")
    assert (old.outcome, old.judged_by) == (Outcome.WARNED, "base")


def test_a_value_may_be_waived_of_a_slice_only_and_of_those_that_are_named() -> None:
    path = "specs/evaluations/quality.yaml"
    named = changed(path, "column: language,", "column: language, values: [zh],",
                    waivers(f"{SLICE}[fr] 2026-12-15"))  # fmt: skip
    assert told(named)[0][0] == "unknown-gate"
    assert told(waivers(f"{SLICE}[fr] 2026-12-15")) == []  # only its rows could tell
    assert told(waivers(f"{GATE}[fr] 2026-12-15"))[0][0] == "unknown-gate"


def test_a_gate_that_only_base_has_may_be_waived_there() -> None:
    files = waivers(f"{SLICE} 2026-12-15")
    path = "specs/evaluations/quality.yaml"
    head = changed(path, files[path][files[path].index("  slices:") :], "", files)
    assert judged(files, right(195, 200), head=head).found("waiver") == []


def test_a_policy_that_only_waives_asks_for_nothing() -> None:
    """It neither stands in for a policy, nor makes an undecided gate strict again."""
    only = {p: t for p, t in waivers(f"{SLICE} 2026-12-15").items()
            if p != "policies/default.yaml"}  # fmt: skip
    assert judged(only, right(195, 200)).verdict().notes == ("no policy at base",)
    mild = changed("policies/default.yaml", "rules:", "on_inconclusive: warn\n  rules:",
                   waivers(f"{SLICE} 2026-12-15"))  # fmt: skip
    assert the_gate(judged(mild, UNSURE)).outcome is Outcome.WARNED


def test_the_names_of_a_tree_are_its_gates_and_rules() -> None:
    known = waiver.gates_of(graph(BANK))
    assert {GATE, f"{GATE}/regression", SLICE, "Policy/default/evidence"} <= known


# ---- validate ---------------------------------------------------------------------------------


def told(files: Mapping[str, str], elsewhere: tuple[str, ...] = (), day: str = "2026-11-23"):
    facts = World(files, None).facts()
    found = waiver.static(facts, lambda: elsewhere, date.fromisoformat(day))
    return [(rule, f.outcome.word, f.hint) for rule, f in found]


def test_validate_tells_a_waiver_for_nothing_with_the_nearest_name() -> None:
    files = waivers("Evaluation/quality/acuracy 2026-12-15")
    assert told(files) == [("unknown-gate", "failed", f'did you mean "{GATE}"?')]
    assert told(files, ("Evaluation/quality/acuracy",)) == []


def test_validate_tells_what_cannot_count() -> None:
    assert told(waivers("policy-looser 2026-12-15"))[0][:2] == ("not-waivable", "failed")
    assert told(waivers(f"{GATE} 2027-12-15"))[0][:2] == ("waiver-too-long", "warned")
    assert told(waivers(f"{GATE} 2026-11-22"))[0][:2] == ("waiver-expired", "warned")
    assert told(waivers(f"{GATE} 2026-12-15")) == []
