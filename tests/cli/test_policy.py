"""`llmops policy`: the catalogue, one rule, what a change loosens; `test` has a file of its own."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from llmops.cli.main import _parser
from llmops.cli.policy import SUBCOMMANDS
from llmops.rules.verdict import INFOS

E = "specs/evaluations/quality.yaml"
POLICY = "policies/default.yaml"


def edited(repo, path: str, old: str, new: str) -> None:
    text = (repo.path / path).read_text("utf-8")
    assert old in text
    repo.write({path: text.replace(old, new)})


def test_every_action_has_two_examples_that_its_parser_accepts(llmops) -> None:
    for name, (line, _) in SUBCOMMANDS.items():
        said = llmops("policy", name, "--help")
        examples = said.out.split("examples:\n")[1].split("\n\n")[0].splitlines()
        assert said.code == 0
        assert len(examples) == 2
        assert line in said.out
        for example in examples:
            words = example.split()[1:]
            assert words[:2] == ["policy", name]
            assert _parser("policy").parse_args(words).action == name


@pytest.mark.parametrize("words", [(), ("rule",), ("rules", "x"), ("show",)])
def test_without_an_action_usage_is_wrong(llmops, bank, words) -> None:
    assert llmops("policy", *words).code == 2


def test_the_folder_may_stand_before_and_behind_the_action(llmops, bank) -> None:
    before = llmops("policy", "-C", bank.path, "rules")
    behind = llmops("policy", "rules", "-C", bank.path)
    assert before.code == behind.code == 0
    assert before.out == behind.out


def test_rules_lists_every_rule_with_its_severity_here(llmops, bank) -> None:
    data = json.loads(llmops("policy", "rules", "-C", bank.path, "--format", "json").out)
    here = {one["rule"]: one["here"] for one in data["rules"]}
    assert set(here) == set(INFOS)
    assert (here["require"], here["owner"], here["residency"], here["policy-looser"]) == (
        "error", "warning", "off", "always",
    )  # fmt: skip
    assert all(one["asks"] for one in data["rules"])
    needs = {one["rule"] for one in data["rules"] if one["evidence"] == "needed"}
    assert needs == {name for name, info in INFOS.items() if info.needs_evidence}
    text = llmops("policy", "rules", "-C", bank.path).out
    assert all(name in text for name in INFOS)


@pytest.mark.parametrize("action", ["rules", "test", "diff"])
def test_every_mistake_of_the_specs_is_told_with_its_place(llmops, bank, action: str) -> None:
    edited(bank, POLICY, "kind: Policy\n", "kind: Policy\nkin: x\n")
    edited(bank, E, "spec:\n", "spec:\n  alpa: 0.05\n")
    said = llmops("policy", action, "-C", bank.path)
    assert said.code == 2
    assert f"{POLICY}:" in said.err
    assert f"{E}:" in said.err
    assert "2 mistakes in the specs of work tree\n  hint: llmops validate" in said.err


def test_a_gate_s_severity_is_the_strictest_that_a_policy_names(llmops, bank) -> None:
    edited(bank, POLICY, "rule: require}", "rule: require, severity: warning}")
    data = json.loads(llmops("policy", "rules", "-C", bank.path, "--format", "json").out)
    assert {r["rule"]: r["here"] for r in data["rules"]}["require"] == "warning"


@pytest.mark.parametrize("rule", INFOS)
def test_show_says_why_how_to_mend_and_an_example_of_each_kind(llmops, bank, rule: str) -> None:
    text = llmops("policy", "show", rule, "-C", bank.path).out
    info = INFOS[rule]
    assert text.startswith(f"{rule}: ")
    assert info.why in text
    assert info.fix in text
    for example in (info.good, info.bad):
        assert all(line.strip() in text for line in example.splitlines())
    data = json.loads(llmops("policy", "show", rule, "-C", bank.path, "--format", "json").out)
    assert (data["good"], data["controls"]) == (info.good, list(info.controls))


def test_show_tells_parameters_with_their_types(llmops, bank) -> None:
    text = llmops("policy", "show", "range", "-C", bank.path).out
    assert "field" in text
    assert "number" in text


def test_a_rule_that_is_not_there_has_a_nearest_name(llmops, bank) -> None:
    said = llmops("policy", "show", "licence", "-C", bank.path)
    assert said.code == 2
    assert 'did you mean "license"?' in said.err


# ---- diff -------------------------------------------------------------------------------------


def moved(llmops, repo, *words: str) -> list[tuple[str, str]]:
    said = llmops("policy", "diff", "-C", repo.path, "--format", "json", *words)
    assert said.code == 0
    return [(one["direction"], one["what"]) for one in json.loads(said.out)["moved"]]


def test_a_tree_and_itself_ask_the_same(llmops, bank) -> None:
    said = llmops("policy", "diff", "main", "main", "-C", bank.path)
    assert (said.code, said.out) == (0, "Nothing that judges changed.\n")
    assert moved(llmops, bank, "main", "main") == []


def test_without_a_base_all_that_judges_is_new(llmops, bank) -> None:
    assert {direction for direction, _ in moved(llmops, bank)} == {"tighter"}


def test_lower_is_looser_and_higher_is_tighter(llmops, bank) -> None:
    edited(bank, E, "min: 0.80", "min: 0.60")
    first = moved(llmops, bank)
    assert ("looser", "Evaluation/quality/accuracy") in first
    assert {direction for direction, _ in first} == {"looser"}
    assert llmops("policy", "diff", "-C", bank.path, "--exit-code").code == 1
    edited(bank, E, "min: 0.60", "min: 0.95")
    second = moved(llmops, bank)
    assert ("tighter", "Evaluation/quality/accuracy") in second
    assert {direction for direction, _ in second} == {"tighter"}
    assert llmops("policy", "diff", "-C", bank.path, "--exit-code").code == 0


def test_what_nobody_can_order_counts_as_looser(llmops, bank) -> None:
    edited(bank, E, "metric: builtin/accuracy", "metric: builtin/exact_match")
    directions = {direction for direction, what in moved(llmops, bank) if "accuracy" in what}
    assert directions == {"looser"}


def test_one_change_may_go_both_ways(llmops, bank) -> None:
    edited(bank, E, "min: 0.80", "min: 0.90")
    edited(bank, POLICY, "count: 1", "count: 2")
    edited(bank, POLICY, "rule: owner, severity: warning", "rule: owner, severity: error")
    edited(bank, POLICY, "    - {name: bounds, rule: require}\n", "")
    found = moved(llmops, bank)
    assert ("looser", "Policy/default/bounds") in found
    assert {"Policy/default/looser", "Policy/default/owners"} <= {
        what for direction, what in found if direction == "tighter"
    }


def test_words_for_people_are_neutral(llmops, bank) -> None:
    edited(bank, POLICY, "rule: require}", "rule: require, because: {en: it counts}}")
    assert moved(llmops, bank) == [("neutral", "Policy/default rules[bounds].because.en")]


def test_a_new_waiver_is_looser_and_a_gone_one_is_tighter(llmops, bank) -> None:
    waiver = (
        "apiVersion: llmops/v1alpha1\nkind: Policy\nmetadata: {name: w}\nspec:\n  waivers:\n"
        "    - {name: w, gate: Evaluation/quality/accuracy, reason: late, ticket: T-1, owner: li,"
        " expires: '2026-12-15'}\n"
    )
    bank.write({"policies/w.yaml": waiver})
    assert moved(llmops, bank) == [("looser", "Policy/w/w")]
    bank.commit({}, "waiver")
    bank.write({"policies/w.yaml": None})
    assert moved(llmops, bank, "--against", "HEAD") == [("tighter", "Policy/w/w")]


def test_a_gate_that_is_gone_is_looser_and_a_new_one_is_tighter(llmops, bank) -> None:
    text = (bank.path / E).read_text("utf-8")
    bank.write({E: None})
    gone = moved(llmops, bank)
    assert gone[0] == ("looser", "Evaluation/quality")
    bank.commit({}, "gone")
    bank.write({E: text})
    back = json.loads(llmops("policy", "diff", "HEAD", "-C", bank.path, "--format", "json").out)[
        "moved"
    ]
    assert [(o["direction"], o["what"], o["before"], o["after"]) for o in back] == [
        ("tighter", "Evaluation/quality", "absent", "declared")
    ]


def test_text_and_markdown_say_the_same(llmops, bank) -> None:
    edited(bank, E, "min: 0.80", "min: 0.60")
    text = llmops("policy", "diff", "-C", bank.path).out
    assert text.startswith("Looser (")
    assert "min 0.8 -> min 0.6" in text
    comment = llmops("policy", "diff", "-C", bank.path, "--format", "md").out
    assert comment.startswith("### llmops policy: ")
    assert "| looser | `Evaluation/quality/accuracy` | min 0.8 | min 0.6 |" in comment


def test_a_base_that_cannot_be_read_is_no_base_to_compare_with(llmops, bank) -> None:
    good = (bank.path / E).read_text("utf-8")
    bank.commit({E: "kind: Evaluation\n"}, "broken")
    bank.write({E: good})
    said = llmops("policy", "diff", "-C", bank.path)
    assert said.code == 2
    assert "base cannot be compared" in said.err


# ---- test -------------------------------------------------------------------------------------

HOLDS = "    - {name: holds, set: {Model/tiny.license: GPL-3.0-only}, expect: {licences: failed}}\n"
MISSES = "    - {name: misses, set: {Model/tiny.license: MIT}, expect: {licences: failed}}\n"


def hold_tests(repo, *tests: str) -> None:
    text = (repo.path / POLICY).read_text("utf-8")
    repo.write({POLICY: f"{text}  tests:\n{''.join(tests)}"})


def test_without_tests_that_is_said(llmops, bank) -> None:
    said = llmops("policy", "test", "-C", bank.path)
    assert (said.code, said.out) == (0, "No policy has tests.\n")


def test_tests_that_hold_are_told_in_one_line_each(llmops, bank) -> None:
    hold_tests(bank, HOLDS)
    said = llmops("policy", "test", "-C", bank.path)
    assert said.code == 0
    assert said.out.startswith("ok    Policy/default/holds  licences: failed\n")
    assert said.out.endswith("1 test: 1 as expected, 0 not\n")


def test_a_test_that_fails_says_what_was_found_and_where_it_stands(llmops, bank) -> None:
    hold_tests(bank, HOLDS, MISSES)
    said = llmops("policy", "test", "-C", bank.path)
    assert said.code == 1
    assert "FAIL  Policy/default/misses  licences: expected failed, got passed" in said.out
    assert f"{POLICY}:14:14: nothing was found" in said.out
    assert llmops("policy", "test", "holds", "-C", bank.path).code == 0
    assert llmops("policy", "test", "Policy/default/misses", "-C", bank.path).code == 1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_policy_that_init_writes_holds_its_own_tests(llmops, tmp_path, language) -> None:
    assert llmops("init", tmp_path / "mine", "--lang", language).code == 0
    said = llmops("policy", "test", "-C", tmp_path / "mine")
    assert (said.code, said.out.splitlines()[-1]) == (0, "4 tests: 4 as expected, 0 not")


def test_programs_read_the_same(llmops, bank) -> None:
    hold_tests(bank, HOLDS, MISSES)
    said = llmops("policy", "test", "-C", bank.path, "--format", "json")
    assert said.code == 1
    found = {one["test"]: one["held"] for one in json.loads(said.out)["tests"]}
    assert found == {"Policy/default/holds": True, "Policy/default/misses": False}
    suite = ElementTree.fromstring(
        llmops("policy", "test", "-C", bank.path, "--format", "junit").out
    )[0]
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == (
        "Policy/default", "2", "1",
    )  # fmt: skip


def test_a_test_that_is_not_there_has_a_nearest_name(llmops, bank) -> None:
    hold_tests(bank, HOLDS)
    said = llmops("policy", "test", "hold", "-C", bank.path)
    assert said.code == 2
    assert 'did you mean "holds"?' in said.err
