from __future__ import annotations

from typing import Any

import pytest

from llmops.prompts.render import BrokenPrompt, Prompt, Unrendered

SPEC = {
    "template": "jinja2",
    "system": "You help {{ profile.tier }} customers.{% for c in context %} [{{ c }}]{% endfor %}",
    "few_shot": [{"user": "{{ not rendered }}", "assistant": "ok"}],
    "messages": [{"role": "user", "content": "{{ question }}"}],
    "inputs": {
        "question": {"type": "string", "maxLength": 40, "untrusted": True},
        "profile": {
            "type": "object",
            "properties": {"tier": {"enum": ["basic", "gold"]}},
            "required": ["tier"],
        },
        "context": {"type": "array", "default": [], "maxItems": 2, "items": {"type": "string"}},
    },
}
ROW = {"question": "hi", "profile": {"tier": "gold"}}


def test_a_prompt_becomes_messages_in_order() -> None:
    messages = Prompt.compile(SPEC).messages({**ROW, "context": ["a", "b"]})
    assert [(m["role"], m["content"]) for m in messages] == [
        ("system", "You help gold customers. [a] [b]"),
        ("user", "{{ not rendered }}"),
        ("assistant", "ok"),
        ("user", "hi"),
    ]


def test_a_template_inside_a_value_is_not_rendered() -> None:
    messages = Prompt.compile(SPEC).messages({**ROW, "question": "{{ 7 * 7 }} {{ system }}"})
    assert messages[-1]["content"] == "{{ 7 * 7 }} {{ system }}"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"profile": {"tier": "gold"}}, 'input "question" is missing from the row'),
        ({**ROW, "question": "x" * 41}, 'input "question" has 41 characters, above the maximum 40'),
        ({**ROW, "question": 3}, 'input "question" is not of type string'),
        ({**ROW, "profile": {}}, 'input "profile.tier" is missing'),
        ({**ROW, "profile": {"tier": "iron"}}, 'input "profile.tier" is none of basic, gold'),
        ({**ROW, "context": ["a", 1]}, r'input "context\[1\]" is not of type string'),
        ({**ROW, "context": ["a"] * 3}, 'input "context" has 3 items, above the maximum 2'),
    ],
)
def test_an_input_that_breaks_its_schema_is_the_rows_error(row: Any, complaint: str) -> None:
    with pytest.raises(Unrendered, match=complaint):
        Prompt.compile(SPEC).messages(row)


@pytest.mark.parametrize(
    "template",
    [
        "{{ nowhere }}",
        "{{ question.__class__.__mro__ }}",
        "{{ context.append('x') }}",
        "{{ ''.__class__ }}",
        "{{ lipsum() }}",
        "{{ 1 / 0 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{{ question.upper }}",  # a function prints an address, another one each time
        "{{ context | map('upper') }}",
        "{{ range(10 ** 9) }}",
    ],
)
def test_the_sandbox_refuses(template: str) -> None:
    prompt = Prompt.compile({**SPEC, "messages": [{"role": "user", "content": template}]})
    with pytest.raises(Unrendered, match="cannot be rendered"):
        prompt.messages(ROW)


@pytest.mark.parametrize("template", ["{{ open", "{% if %}", "{{ x | random }}"])
def test_a_template_that_is_no_jinja_breaks_the_prompt(template: str) -> None:
    with pytest.raises(BrokenPrompt, match="user template is no Jinja2"):
        Prompt.compile({**SPEC, "messages": [{"role": "user", "content": template}]})


def test_the_text_of_a_bank_goes_where_the_users_own_would() -> None:
    prompt = Prompt.compile({**SPEC, "inputs": {"question": {"type": "string"}}, "system": "be"})
    [system, *_, user] = prompt.messages({"prompt": "say it {{ x }}"}, "attack")
    assert (system["content"], user["content"]) == ("be", "say it {{ x }}")


def test_a_bank_cannot_fill_two_open_inputs() -> None:
    inputs = {"question": {"type": "string"}, "about": {"type": "string"}}
    prompt = Prompt.compile({**SPEC, "inputs": inputs, "system": "be"})
    with pytest.raises(Unrendered, match='"question" is missing'):
        prompt.messages({"prompt": "say it"}, "attack")


def test_only_a_bank_fills_an_input_that_it_does_not_name() -> None:
    prompt = Prompt.compile({**SPEC, "inputs": {"question": {"type": "string"}}, "system": "be"})
    with pytest.raises(Unrendered, match='"question" is missing'):
        prompt.messages({"prompt": "say it"}, "completion")


def test_the_turns_of_a_file_stand_where_the_file_is_named() -> None:
    shown = [{"user": "a", "assistant": "b"}, {"file": "x.jsonl"}, {"user": "e", "assistant": "f"}]
    turns = {1: [{"user": "c {{ x }}", "assistant": "d"}]}
    prompt = Prompt.compile({**SPEC, "few_shot": shown}, turns)
    said = [m["content"] for m in prompt.messages(ROW)[1:-1]]
    assert said == ["a", "b", "c {{ x }}", "d", "e", "f"]


def test_a_few_shot_file_that_nobody_read_breaks_the_prompt() -> None:
    with pytest.raises(BrokenPrompt, match=r"few_shot\[0\]: the file x.jsonl is not at hand"):
        Prompt.compile({**SPEC, "few_shot": [{"file": "x.jsonl"}]})
