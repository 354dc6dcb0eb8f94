"""Rule `split-overlap`: what an exam asks is held against all that its target learned from."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from llmops.digest import of_question
from llmops.rules.base import Finding, Outcome
from tests.rules.world import World
from tests.trees import BANK, changed

P, E = "policies/default.yaml", "specs/evaluations/quality.yaml"
RULE = "rules:\n    - {name: known, rule: split-overlap%s}"
ASKED = [f"question {i}" for i in range(20)]


def judged(
    learned: dict[str, Sequence[str] | None], files: dict[str, str] | None = None
) -> Finding:
    tree = files or dict(BANK)
    (found,) = World(tree, tree, learned=learned).found("split-overlap")
    return found


def allowing(parameters: str) -> dict[str, str]:
    return changed(P, "rules:", RULE % parameters)


def test_rows_that_nobody_learned_from_are_nothing_to_tell() -> None:
    world = World(learned={"bank#test": ASKED, "bank#train": ["other", "another"]})
    assert world.found("split-overlap") == []
    assert world.verdict().outcome is not Outcome.FAILED


def test_rows_that_the_target_learned_from_fail_and_three_are_named() -> None:
    found = judged({"bank#test": ASKED, "bank#train": [*ASKED[4:9], "other"]})
    assert found.outcome is Outcome.FAILED
    assert found.value == 0.25
    assert found.message == (
        "5 of 20 rows of bank#test are among what Recipe/adapter learned from:"
        " test-4, test-5, test-6, …"
    )
    assert found.place.startswith(f"{E}:")


def test_one_row_is_enough() -> None:
    found = judged({"bank#test": ASKED, "bank#train": [ASKED[0]]})
    assert found.outcome is Outcome.FAILED
    assert "1 of 20 rows of bank#test is among" in found.message
    assert found.message.endswith(": test-0")


def test_the_whole_chain_counts_not_only_the_last_training() -> None:
    more = BANK["specs/datasets/bank.yaml"].replace("name: bank", "name: more")
    files = changed("specs/recipes/base.yaml", "dataset: bank#train", "dataset: more#train",
                    {**BANK, "specs/datasets/more.yaml": more})  # fmt: skip
    found = judged({"bank#test": ASKED, "more#train": ASKED[:2]}, files)
    assert found.outcome is Outcome.FAILED
    assert "2 of 20 rows of bank#test are among what Recipe/base learned from" in found.message
    learned = {"bank#test": ASKED, "more#test": ASKED[:2]}
    assert World(files, files, learned=learned).found("split-overlap") == []


@pytest.mark.parametrize("gone", ["bank#test", "bank#train"])
@pytest.mark.parametrize("kept", [None, []])
def test_what_is_not_kept_decides_nothing(gone: str, kept: list[str] | None) -> None:
    found = judged({"bank#test": ASKED, gone: kept})
    assert found.outcome is Outcome.INCONCLUSIVE
    assert "nobody can tell" in found.message


@pytest.mark.parametrize(("share", "outcome"), [
    ("0.1", Outcome.PASSED), ("0.09", Outcome.FAILED), ("0", Outcome.FAILED),
])  # fmt: skip
def test_a_policy_may_allow_a_share(share: str, outcome: Outcome) -> None:
    files = allowing(f", with: {{max_share: {share}}}")
    found = judged({"bank#test": ASKED, "bank#train": ASKED[:2]}, files)
    assert found.outcome is outcome
    assert "2 of 20 rows" in found.message


def test_a_policy_may_only_warn() -> None:
    files = allowing(", severity: warning")
    found = judged({"bank#test": ASKED, "bank#train": ASKED}, files)
    assert found.outcome is Outcome.WARNED


def test_a_target_that_learned_nothing_is_not_asked() -> None:
    files = changed("specs/applications/bot.yaml", "Recipe/adapter", "Model/tiny")
    known = {"bank#test": ASKED, "bank#train": ASKED}
    assert World(files, files, learned=known).found("split-overlap") == []


def test_base_and_head_that_ask_the_same_are_told_once() -> None:
    files = changed(E, "rows: 200", "rows: 100")
    world = World(files, BANK, learned={"bank#test": ASKED, "bank#train": ASKED})
    assert len(world.found("split-overlap")) == 1


@pytest.mark.parametrize("parameters", [", with: {max_share: 0.5}", ", severity: warning"])
def test_naming_the_rule_to_soften_it_is_looser(parameters: str) -> None:
    found = World(allowing(parameters), BANK).verdict().loosened
    assert any("split-overlap" in f"{one.what} {one.before}" for one in found)


@pytest.mark.parametrize(("datasets", "outcome"), [
    ("[bank]", Outcome.PASSED), ("[other]", Outcome.FAILED), ("[other, bank]", Outcome.PASSED),
])  # fmt: skip
def test_a_share_may_be_for_some_datasets_only(datasets: str, outcome: Outcome) -> None:
    files = allowing(f", with: {{max_share: 0.1, datasets: {datasets}}}")
    assert judged({"bank#test": ASKED, "bank#train": ASKED[:2]}, files).outcome is outcome


def test_a_share_for_more_datasets_is_looser_and_for_fewer_is_not() -> None:
    few, every = (allowing(f", with: {{max_share: 0.1{more}}}") for more in (
        ", datasets: [other]", ""))  # fmt: skip
    assert World(every, few).verdict().loosened
    assert not World(few, every).verdict().loosened


@pytest.mark.parametrize(("before", "after", "looser"), [
    ("0.1", "0.2", True), ("0.2", "0.1", False),
])  # fmt: skip
def test_a_larger_share_is_looser(before: str, after: str, looser: bool) -> None:
    trees = [allowing(f", with: {{max_share: {share}}}") for share in (after, before)]
    assert bool(World(*trees).verdict().loosened) is looser


def test_what_a_base_learned_long_before_counts_too() -> None:
    more = BANK["specs/datasets/bank.yaml"].replace("name: bank", "name: more")
    files = changed("specs/recipes/base.yaml", "dataset: bank#train", "dataset: more#train",
                    {**BANK, "specs/datasets/more.yaml": more})  # fmt: skip
    lora = "lora: {r: 8, lora_alpha: 16, target_modules: [q_proj, v_proj], task_type: CAUSAL_LM}"
    files = changed("specs/recipes/adapter.yaml", lora, "full: {}", files)
    found = judged({"bank#test": ASKED, "more#train": ASKED[:2]}, files)
    assert found.outcome is Outcome.FAILED
    assert "Recipe/base" in found.message


def test_of_two_shares_the_smaller_holds() -> None:
    files = changed(P, "rules:", RULE % ", with: {max_share: 0.5}")
    second = "rules:\n    - {name: stricter, rule: split-overlap, with: {max_share: 0.05}}"
    files = changed(P, "rules:", second, files)
    found = judged({"bank#test": ASKED, "bank#train": ASKED[:2]}, files)
    assert (found.outcome, found.bound) == (Outcome.FAILED, "max 0.05")


@pytest.mark.parametrize(
    ("shot", "file"),
    [
        ("{user: ' A Test\u00a0question ', assistant: b}", ""),
        ("{file: specs/data/shots.jsonl}", '{"user": "a test question", "assistant": "b"}\n'),
    ],
)
def test_an_example_of_the_prompt_that_is_asked_too_fails(shot: str, file: str) -> None:
    asked = [*ASKED[:19], of_question("A test question").hex()]
    ask = "specs/prompts/ask.yaml"
    shown = changed(ask, "  messages:", f"  few_shot: [{shot}]\n  messages:")
    files = {**shown, "specs/data/shots.jsonl": file}
    (found,) = World(files, files, learned={"bank#test": asked}).found("split-overlap")
    assert found.outcome is Outcome.FAILED
    assert "1 of 20 rows of bank#test is among what Prompt/ask shows" in found.message
    assert World(files, files, learned={"bank#test": ASKED}).found("split-overlap") == []
