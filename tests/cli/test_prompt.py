"""`llmops prompt`: what a model will read, render tests and golden texts; no model is asked."""

from __future__ import annotations

import json

import pytest

from llmops.cli.main import _parser
from llmops.cli.prompt import SUBCOMMANDS

P = "specs/prompts/ask.yaml"
GOLDEN = "specs/prompts/golden/ask/plain.txt"
PROMPT = """\
apiVersion: llmops/v1alpha1
kind: Prompt
metadata: {name: ask}
spec:
  inputs:
    question: {type: string, untrusted: true, maxLength: 200}
    tier: {enum: [basic, gold], default: basic}
  system: You help {{ tier }} customers.
  messages: [{role: user, content: "<q>{{ question | replace('<', '') }}</q>"}]
  output: {format: choice, labels: {dataset: bank, column: answer}}
  tests:
    - {name: plain, inputs: {question: hi}}
    - {name: gold, inputs: {question: hi, tier: gold}, expect: {contains: [gold], absent: [basic]}}
    - {name: number, inputs: {question: 3}, expect: {error: not of type string}}
"""


@pytest.fixture
def tested(bank):
    bank.commit({P: PROMPT})
    return bank


def test_every_action_has_two_examples_that_its_parser_accepts(llmops) -> None:
    for name, (line, _) in SUBCOMMANDS.items():
        said = llmops("prompt", name, "--help")
        examples = said.out.split("examples:\n")[1].split("\n\n")[0].splitlines()
        assert (said.code, len(examples)) == (0, 2)
        assert line in said.out
        for example in examples:
            words = example.replace('"', "").split()[1:]
            _parser("prompt").parse_known_args(words)
            assert words[:2] == ["prompt", name]


def test_render_shows_the_messages_of_some_values(llmops, tested) -> None:
    said = llmops(
        "prompt", "render", "ask", "-C", tested.path, "--input", "question=a\u202eb {{ x }}"
    )
    assert said.code == 0
    assert said.out == "== system\nYou help basic customers.\n== user\n<q>a\\u{202e}b {{ x }}</q>\n"


def test_render_takes_the_values_of_a_test_and_of_a_row(llmops, tested) -> None:
    tested.write({"specs/data/more.jsonl": '{"question": "from a row"}\n'})
    words = ("prompt", "render", "Prompt/ask", "-C", tested.path, "--format", "json")
    by_test = json.loads(llmops(*words, "--test", "gold").out)
    assert by_test["messages"][0]["content"] == "You help gold customers."
    by_row = json.loads(llmops(*words, "--row", "specs/data/more.jsonl:1").out)
    assert by_row["messages"][1]["content"] == "<q>from a row</q>"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("aks",), 'there is no Prompt "aks"\n  hint: did you mean "ask"?'),
        (("ask", "--input", "question"), '"question" is not NAME=VALUE'),
        (("ask", "--input", "qestion=x"), 'no input "qestion"\n  hint: did you mean "question"?'),
        (("ask", "--input", "question=@x.txt"), 'no file "x.txt" in this tree'),
        (("ask", "--test", "plane"), 'no test "plane"\n  hint: did you mean "plain"?'),
        (("ask", "--row", "specs/data/test.jsonl:9999"), "has no JSON object in line 9999"),
        (("ask", "--row", "x"), '"x" is not FILE:LINE'),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest_name(llmops, tested, words, told) -> None:
    said = llmops("prompt", "render", *words, "-C", tested.path)
    assert said.code == 2
    assert told in said.err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("question=" + "x" * 201, "has 201 characters, above the maximum 200"),
        ("tier=iron", '"question" is missing from what was given'),
    ],
)
def test_values_that_do_not_fit_are_told_and_nothing_is_shown(llmops, tested, given, told) -> None:
    said = llmops("prompt", "render", "ask", "-C", tested.path, "--input", given)
    assert (said.code, said.out) == (1, "")
    assert told in said.err


def test_test_writes_the_golden_text_and_then_holds_the_prompt_to_it(llmops, tested) -> None:
    before = llmops("prompt", "test", "-C", tested.path)
    assert before.code == 1
    assert "x plain: there is no golden text yet" in before.out
    assert llmops("validate", "-C", tested.path).code == 1
    wrote = llmops("prompt", "test", "--update", "-C", tested.path)
    assert wrote.code == 0
    assert f"wrote {GOLDEN}" in wrote.out
    text = (tested.path / GOLDEN).read_text("utf-8")
    assert text.splitlines()[1:] == [
        "== system",
        "| You help basic customers.",
        "== user",
        "| <q>hi</q>",
    ]
    after = llmops("prompt", "test", "-C", tested.path)
    assert after.code == 0
    assert after.out.splitlines()[-1] == "1 Prompt: 3 tests, 0 failed, 0 weaknesses"
    assert llmops("validate", "-C", tested.path).code == 0


def test_a_changed_prompt_shows_what_changed_in_its_text(llmops, tested) -> None:
    llmops("prompt", "test", "--update", "-C", tested.path)
    tested.write({P: PROMPT.replace("You help", "You serve")})
    assert "is not of this prompt" in llmops("validate", "-C", tested.path).out
    said = llmops("prompt", "test", "-C", tested.path)
    assert said.code == 1
    assert "-| You help basic customers.\n      +| You serve basic customers." in said.out


def test_a_golden_text_that_was_forged_is_told(llmops, tested) -> None:
    llmops("prompt", "test", "--update", "-C", tested.path)
    text = (tested.path / GOLDEN).read_text("utf-8")
    tested.write({GOLDEN: text.replace("You help", "You never help")})
    assert llmops("validate", "-C", tested.path).code == 0  # its digest is right: nothing renders
    assert "-| You never help" in llmops("prompt", "test", "-C", tested.path).out


def test_updating_again_needs_no_force_but_a_file_of_somebody_s_does(llmops, tested) -> None:
    llmops("prompt", "test", "--update", "-C", tested.path)
    tested.write({P: PROMPT.replace("You help", "You serve")})
    assert llmops("prompt", "test", "--update", "-C", tested.path).code == 0
    tested.write({GOLDEN: "my notes\n"})
    said = llmops("prompt", "test", "--update", "-C", tested.path)
    assert said.code == 2
    assert "has changes that are not committed" in said.err
    assert (tested.path / GOLDEN).read_text("utf-8") == "my notes\n"
    assert llmops("prompt", "test", "--update", "--force", "-C", tested.path).code == 0


def test_a_weakness_is_told_and_one_that_changes_other_words_fails(llmops, tested) -> None:
    llmops("prompt", "test", "--update", "-C", tested.path)
    tested.write({P: PROMPT.replace(" | replace('<', '')", "")})
    said = llmops("prompt", "test", "--update", "-C", tested.path)
    assert said.code == 0
    assert "! closes: a text of question can hold </q>, which ends the block" in said.out
    system = '"{% if %s %}Obey.{% else %}You help.{% endif %}"'.replace(
        "%s", "'system' in question"
    )
    tested.write({P: PROMPT.replace("You help {{ tier }} customers.", system)})
    said = llmops("prompt", "test", "--update", "-C", tested.path, "--format", "json")
    (one,) = json.loads(said.out)["prompts"]
    assert said.code == 1
    assert [w["kind"] for w in one["probed"]["weaknesses"]] == ["elsewhere"]


def test_a_line_of_a_few_shot_file_that_is_no_example_is_told_where_it_stands(
    llmops, tested
) -> None:
    shots = "  few_shot: [{file: specs/data/shots.jsonl}]\n  messages:"
    tested.write({P: PROMPT.replace("  messages:", shots)})
    tested.write({"specs/data/shots.jsonl": '{"user": "a", "assistant": "b"}\n\n{"user": "a"}\n'})
    said = llmops("validate", "-C", tested.path)
    assert said.code == 2
    assert 'specs/data/shots.jsonl:3:1: error[few-shot-row]: line 3 has no "assistant"' in said.out
    tested.write({"specs/data/shots.jsonl": '{"user": "a", "assistant": "b"}\n'})
    shown = llmops("prompt", "render", "ask", "-C", tested.path, "--input", "question=hi")
    assert "== user\na\n== assistant\nb\n== user\n<q>hi</q>" in shown.out


def test_a_repository_without_prompts_has_nothing_to_test(llmops, git_repo) -> None:
    empty = git_repo({"README.md": "x"})
    said = llmops("prompt", "test", "-C", empty.path)
    assert (said.code, said.out) == (0, "0 Prompts: 0 tests, 0 failed, 0 weaknesses\n")
