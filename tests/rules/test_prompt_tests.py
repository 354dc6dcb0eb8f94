"""Rule `prompt-tests`: a golden text is there, and is of this very prompt; nothing is rendered."""

from __future__ import annotations

import sys

import pytest

from llmops.prompts import golden
from llmops.rules import prompt_tests
from llmops.rules.base import Outcome
from llmops.specs.base import Ref
from tests.rules.world import World
from tests.trees import BANK, changed, graph

P = "specs/prompts/ask.yaml"
PATH = "specs/prompts/golden/ask/plain.txt"
TESTED = {
    **BANK,
    P: BANK[P] + "  tests:\n    - {name: plain, inputs: {question: hi}}\n"
    "    - {name: says, inputs: {question: hi}, expect: {contains: [hi]}}\n",
}


def texts(files: dict[str, str] = TESTED) -> dict[str, str]:
    found = graph(files)
    digest = prompt_tests.meaning_of(found, found.specs[Ref("Prompt", "ask")], 0)
    return {PATH: golden.text("Prompt/ask, test plain", digest, [])}


def said(files: dict[str, str], kept: dict[str, str]) -> list[str]:
    found = World(head=files, texts=kept).found("prompt-tests")
    assert all(one.outcome is Outcome.FAILED for one in found)
    assert all(one.place.startswith(P) for one in found)
    return [one.message for one in found]


def test_a_golden_text_of_this_prompt_holds() -> None:
    assert said(TESTED, texts()) == []


def test_a_missing_golden_text_fails() -> None:
    assert said(TESTED, {}) == [f"Prompt/ask: test plain has no golden text {PATH}"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'{{ question }}'", "'Q {{ question }}'"),
        ("{type: string}", "{type: string, maxLength: 9}"),
        ("plain, inputs: {question: hi}", "plain, inputs: {question: ho}"),
        ("template: jinja2\n", "template: jinja2\n  system: be brief\n"),
    ],
)
def test_a_prompt_that_changed_without_its_golden_text_fails(old: str, new: str) -> None:
    after = changed(P, old, new, TESTED)
    assert said(after, texts()) == [f"Prompt/ask: the golden text {PATH} is not of this prompt"]
    assert said(after, texts(after)) == []


def test_a_few_shot_file_that_changed_fails_too() -> None:
    line = '{"user": "a", "assistant": "b"}'
    shots = changed(P, "  template: jinja2\n", "  few_shot: [{file: specs/data/s.jsonl}]\n", TESTED)
    before = {**shots, "specs/data/s.jsonl": line}
    assert said(before, texts(before)) == []
    assert said({**before, "specs/data/s.jsonl": line * 2}, texts(before)) != []


def test_how_answers_are_decoded_is_no_part_of_the_text() -> None:
    after = changed(P, "output: {format: choice, labels: {dataset: bank, column: answer}}",
                    "parameters: {temperature: 0.5}", TESTED)  # fmt: skip
    assert said(after, texts()) == []


def test_a_file_that_is_no_golden_text_fails() -> None:
    assert said(TESTED, {PATH: "by hand\n"}) != []


def test_judging_renders_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llmops.prompts.render", None)
    assert said(TESTED, texts()) == []


def test_a_policy_can_make_it_a_warning() -> None:
    policy = "policies/default.yaml"
    rule = "{name: renders, rule: prompt-tests, severity: warning}\n    - {name: evidence"
    softer = changed(policy, "{name: evidence", rule, TESTED)
    (found,) = World(head=softer, base=softer).found("prompt-tests")
    assert found.outcome is Outcome.WARNED
