"""What is asked of a case, and the case with another question."""

from __future__ import annotations

import pytest

from llmops.workers import cases, languages

TURNS = [
    {"role": "user", "content": "one"}, {"role": "assistant", "content": "two"},
    {"role": "user", "content": "three"}, {"role": "assistant", "content": "four"},
]  # fmt: skip
CASES = {
    "qa": {"question": "three", "answer": "four"},
    "alpaca": {"instruction": "three", "input": "x", "output": "four"},
    "completion": {"prompt": "three", "completion": "four"},
    "attack": {"prompt": "three", "risk": "r", "expect": "refuse"},
    "messages": {"messages": TURNS},
    "sharegpt": {
        "conversations": [{"from": "human", "value": "three"}, {"from": "gpt", "value": "four"}]
    },
}


@pytest.mark.parametrize("form", CASES)
def test_a_changed_case_differs_in_its_question_only(form: str) -> None:
    case = {**CASES[form], "id": "1", "case": "c"}
    assert cases.question(case, form) == "three"
    new = cases.changed(case, form, "five")
    assert cases.question(new, form) == "five"
    assert cases.changed(new, form, "three") == case
    assert cases.question(case, form) == "three"


def test_a_case_without_a_user_stays_as_it_is() -> None:
    case = {"messages": [{"role": "system", "content": "x"}]}
    assert cases.question(case, "messages") == ""
    assert cases.changed(case, "messages", "five") == case


def test_columns_are_plain_values_without_the_names_of_the_case() -> None:
    case = {"id": "1", "case": "c", "group": "new", "n": 2, "none": None, "turns": [1]}
    assert cases.columns(case) == {"group": "new", "n": 2, "none": None}


@pytest.mark.parametrize(
    ("case", "text", "named", "found"),
    [
        ({}, "anything at all", ("fr",), "fr"),
        ({"language": "zh"}, "Why was my card declined?", ("en", "zh"), "zh"),
        ({"language": "de"}, "Why was my card declined?", ("en", "zh"), "en"),
        ({}, "我的卡在哪里，为什么还没有寄到？", ("en", "zh-CN"), "zh-CN"),
        ({}, "Где моя карта и почему её ещё нет?", ("en", "zh"), "unknown"),
        ({}, "12345 !!", ("en", "zh"), "unknown"),
    ],
)
def test_a_language_is_one_of_those_that_are_named(case, text, named, found) -> None:
    assert languages.language(case, text, named) == found
