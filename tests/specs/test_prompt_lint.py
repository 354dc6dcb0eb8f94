"""Warnings about prompts: each finds what its bad example shows, and nothing in its good one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from llmops.diagnostics import Severity
from llmops.source.document import parse
from llmops.specs.load import load_one
from llmops.specs.policy import LintId
from llmops.specs.prompt_lint import LINTS, lint

ROOT = Path(__file__).parents[2]
HEAD = "apiVersion: llmops/v1alpha1\nkind: Prompt\nmetadata: {name: p}\nspec:\n"


def told(body: str) -> list[str]:
    """The ids of what is told of a Prompt, which must be one that can be run."""
    text = HEAD + "".join(f"  {line}\n" for line in body.splitlines())
    parsed = parse("specs/p.yaml", text.encode())
    assert parsed.document is not None, parsed.diagnostics
    spec, found = load_one(parsed.document)
    assert spec is not None, found
    assert all(one.severity is Severity.WARNING for one in found), found
    return [one.rule for one in found]


@pytest.mark.parametrize("name", LINTS)
def test_the_bad_example_is_told_and_the_good_one_is_not(name: str) -> None:
    assert told(LINTS[name].bad) == [name]
    assert told(LINTS[name].good) == []
    assert LINTS[name].why


def test_a_policy_can_name_exactly_the_warnings_that_there_are() -> None:
    assert set(get_args(LintId)) == set(LINTS)


def test_the_guide_to_prompts_tells_every_warning_and_why() -> None:
    page = (ROOT / "llmops/docs/en/how-to/prompts.md").read_text("utf-8")
    assert dict(re.findall(r"^\| `([a-z-]+)` \| ([^|]+?) \|$", page, re.M)) == {
        name: one.why for name, one in LINTS.items()
    }


Q = {"question": {"type": "string", "maxLength": 9, "untrusted": True}}
LONG = "Say in one word what is asked, and nothing else at all."


def ids(*contents: str, system: str | None = None, **more: Any) -> list[str]:
    messages = [{"role": "user", "content": content} for content in contents]
    spec = {"inputs": Q, "messages": messages, **({"system": system} if system else {}), **more}
    return [one.rule for one in lint(spec)]


@pytest.mark.parametrize(
    "content",
    [
        "{{ question }}",
        "Q: {{ question }}\nA:",
        LONG + "\n```\n{{ question }}\n```",
        LONG + "{% for x in question %}{{ x }}{% endfor %}".replace("{%", "<q>{%", 1) + "</q>",
        "{# " + LONG + " #}{{ question }}",
    ],
)
def test_a_stranger_s_text_that_is_marked_or_alone_is_no_warning(content: str) -> None:
    assert ids(content) == []


def test_a_loop_over_a_stranger_s_texts_is_a_use_of_them() -> None:
    assert ids("{{ question }}", system="{% for x in question %}{{ x }}{% endfor %}") == [
        "untrusted-in-system"
    ]


def test_a_delimiter_that_is_closed_before_marks_nothing() -> None:
    assert ids(LONG + " <q>an example</q> {{ question }}") == ["undelimited-input"]


@pytest.mark.parametrize("spec", [{}, {"inputs": 3}, {"inputs": {"a": 3}}, {"messages": "x"},
                                  {"messages": [3], "system": 4, "constraints": [3, {}]},
                                  {"constraints": [{"name": 3, "test": {"regex": []}}]},
                                  {"system": "{{ 9**9**9 }}{% endfor %}"}])  # fmt: skip
def test_whatever_stands_in_a_prompt_raises_nothing(spec: Any) -> None:
    list(lint(spec))
