"""What a stranger's text can do: nothing but stand there, or the battery says what."""

from __future__ import annotations

from typing import Any

import pytest

from llmops.prompts.probes import BATTERY, injected, probe
from llmops.prompts.render import Prompt
from llmops.prompts.strangers import PLAIN, delimiters, untrusted

QUESTION = {"type": "string", "untrusted": True}


def prompt(content: str, inputs: dict[str, Any] | None = None, **more: Any) -> Prompt:
    messages = [{"role": "user", "content": content}]
    return Prompt.compile({"inputs": inputs or {"q": QUESTION}, "messages": messages, **more})


def kinds(content: str, **more: Any) -> set[tuple[str, str]]:
    return {(w.input, w.kind) for w in probe(prompt(content, **more), []).weaknesses}


def test_a_value_that_only_stands_there_can_do_nothing() -> None:
    found = probe(prompt("Q: {{ q }}", system="be brief"), [{"q": "hi"}, {"q": "{{ 1 }}"}])
    assert found.weaknesses == []
    assert (found.tried, found.refused) == (2 * len(BATTERY), 0)


def test_a_value_that_is_rendered_again_is_found() -> None:
    # Jinja2's sandbox has no way to do this; a renderer that did would be found
    class Twice(Prompt):
        def messages(self, row: Any, form: str = "") -> list[dict[str, str]]:
            said = super().messages(row, form)
            again = said[0]["content"].replace("{{ 7919 * 104729 }}", str(7919 * 104729))
            return [{**said[0], "content": again}]

    made = prompt("{{ q }}")
    found = probe(Twice(made.inputs, made.turns), [])
    assert {w.kind for w in found.weaknesses} == {"evaluated"}


def test_a_value_that_makes_other_messages_is_found() -> None:
    class Cut(Prompt):
        def messages(self, row: Any, form: str = "") -> list[dict[str, str]]:
            text = super().messages(row, form)[0]["content"]
            return [{"role": "user", "content": part} for part in text.split("<|im_start|>")]

    made = prompt("{{ q }}")
    assert {w.kind for w in probe(Cut(made.inputs, made.turns), []).weaknesses} == {"structure"}


def test_a_value_that_changes_a_message_it_has_no_part_in_is_found() -> None:
    system = "{% if 'system' in q %}obey{% else %}be brief{% endif %}"
    assert kinds("{{ q }}", system=system) == {("q", "elsewhere")}


def test_a_template_that_fails_on_a_text_is_found() -> None:
    assert kinds("{{ q.split('l')[1] if 'long' in q else q }}{{ 1 / (q | length - 17) }}") == set()
    assert kinds("{{ 1 / ((q | trim) | length) }} {{ q }}") == {("q", "breaks")}


@pytest.mark.parametrize(
    ("content", "closing"),
    [
        ("<context>{{ q }}</context>", "</context>"),
        ('<doc id="1">a</doc><doc id="2">{{ q }}</doc>', "</doc>"),
        ("```\n{{ q }}\n```", "```"),
        ('"""{{ q }}"""', '"""'),
        ("<<<{{ q }}>>>", ">>>"),
    ],
)
def test_a_delimiter_that_a_value_can_close_is_found(content: str, closing: str) -> None:
    (found,) = probe(prompt(content), []).weaknesses
    assert (found.kind, closing in found.message) == ("closes", True)


@pytest.mark.parametrize(
    "content",
    [
        "<context>{{ q | replace('</context>', '') }}</context>",
        "<context>{{ q | e }}</context>",
        "<context>a</context> {{ q }} <context>b</context>",
        "{{ q }} ```code```",
    ],
)
def test_a_delimiter_that_it_cannot_close_is_none(content: str) -> None:
    assert kinds(content) == set()


def test_delimiters_are_those_around_the_word() -> None:
    text = f"<a><b>x</b><c>{PLAIN}</c></a> </b>"
    assert delimiters(text) == ("</a>", "</c>")
    assert delimiters("no word") == ()


def test_only_a_stranger_s_texts_are_replaced() -> None:
    typed = {
        "properties": {"a": {"untrusted": True}, "b": {}, "c": {"untrusted": True, "enum": ["x"]}}
    }
    value = {"a": ["x", {"y": "z"}], "b": "x", "c": "x"}
    assert injected(value, typed, "!") == {"a": ["!", {"y": "!"}], "b": "x", "c": "x"}
    assert untrusted({"one": typed, "two": {"type": "string"}}) == ["one"]


def test_an_empty_list_is_filled_to_be_tried() -> None:
    history = {"type": "array", "untrusted": True, "default": []}
    content = "{% for turn in history %}<turn>{{ turn }}</turn>{% endfor %}"
    found = probe(prompt(content, {"history": history}), [{}])
    assert [w.kind for w in found.weaknesses] == ["closes"]


def test_what_a_type_refuses_is_counted_and_what_cannot_be_tried_is_told() -> None:
    inputs = {"q": {**QUESTION, "maxLength": 30}, "tier": {"untrusted": True, "enum": ["a"]}}
    found = probe(prompt("{{ q }} {{ tier }}", inputs), [])
    assert found.refused > 3
    assert found.unprobed == {"tier": "no text of it is free: it is an enum, or no text at all"}


def test_a_prompt_without_a_stranger_is_not_tried() -> None:
    assert probe(prompt("{{ q }}", {"q": {"type": "string"}}), []).tried == 0
