"""Prompts in a process with limits: what a template does, it does there, and it is ended there."""

from __future__ import annotations

import time
from typing import Any

import pytest

from llmops.executors.rendering import Asked, rendered
from llmops.prompts import __main__ as child
from llmops.prompts.render import Prompt

INPUTS = {"q": {"type": "string", "untrusted": True}}
ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


def asked(content: str, *, probe: bool = False, **tests: Any) -> Asked:
    prompt = {"inputs": INPUTS, "messages": [{"role": "user", "content": content}]}
    return Asked(prompt, {}, tests or {"plain": {"q": "hi"}}, probe)


def test_messages_and_complaints_come_back_by_test() -> None:
    said = rendered(asked("Q {{ q }}", probe=True, plain={"q": "你\u202e"}, wrong={"q": 3}))
    assert said.messages == {"plain": [{"role": "user", "content": "Q 你\u202e"}]}
    assert said.errors == {"wrong": 'input "q" is not of type string'}
    assert said.probed is not None
    assert (said.broken, said.probed.weaknesses) == ("", [])
    here = Prompt.compile(asked("Q {{ q }}").prompt).messages({"q": "你\u202e"})
    assert said.messages["plain"] == here


def test_a_template_that_never_ends_is_ended_and_told_by_its_test() -> None:
    started = time.monotonic()
    said = rendered(asked(ENDLESS, first={"q": "a"}, second={"q": "b"}), seconds=2)
    assert time.monotonic() - started < 10
    assert said.errors == {"first": "rendering took more than 2 seconds"}
    assert said.broken == "first: rendering took more than 2 seconds"


def test_a_template_that_eats_memory_is_that_test_s_complaint() -> None:
    said = rendered(asked("{{ q * 2000000000 }}"))
    assert said.errors == {"plain": "the prompt cannot be rendered: MemoryError"}


def test_a_constant_that_never_ends_is_told_of_the_templates() -> None:
    said = rendered(asked("{{ 'a' * 99 ** 99 ** 9 }}"), seconds=2)
    assert said.messages == {}
    assert said.broken or said.errors


def test_a_text_that_is_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "LONGEST", 10)
    given = {"prompt": asked("{{ q }}").prompt, "shots": {}, "tests": [
        {"name": "plain", "inputs": {"q": "x" * 11}}
    ]}  # fmt: skip
    assert list(child.answers(given))[-1] == {
        "test": "plain", "error": "the prompt has 11 characters, above the maximum 10",
    }  # fmt: skip


def test_a_broken_template_is_told_without_any_test() -> None:
    assert rendered(asked("{{ q")).broken.startswith("the prompt's user template is no Jinja2")
