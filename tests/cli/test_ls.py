from __future__ import annotations

import json

import pytest


def test_without_a_selector_all_is_listed(llmops, bank) -> None:
    said = llmops("ls", "-C", bank.path)
    assert said.code == 0
    assert said.out.splitlines() == sorted(said.out.splitlines())
    assert {"Policy/default", "Recipe/base", "Evaluation/quality"} <= set(said.out.splitlines())


def test_what_a_branch_changed_and_what_follows(llmops, bank) -> None:
    words = ("-C", bank.path, "--head", "change")
    assert llmops("ls", "state:modified", *words).out == "Recipe/adapter\n"
    follows = llmops("ls", "state:modified+", *words).out.splitlines()
    assert follows == ["Application/bot", "Evaluation/quality", "Recipe/adapter"]


def test_wide_is_a_table_with_the_change(llmops, bank) -> None:
    said = llmops("ls", "Recipe", "-o", "wide", "-C", bank.path, "--head", "change")
    lines = said.out.splitlines()
    assert lines[0].split() == ["spec", "owner", "labels", "used", "by", "file"]
    assert any(line.startswith("~  Recipe/adapter") for line in lines)


def test_json_has_what_each_needs(llmops, bank) -> None:
    found = json.loads(llmops("ls", "Recipe/adapter", "-o", "json", "-C", bank.path).out)
    (one,) = found["specs"]
    assert one["needs"] == ["Dataset/bank", "Recipe/base"]
    assert one["used_by"] == ["Application/bot"]


def test_a_graph_has_an_arrow_for_each_use(llmops, bank) -> None:
    said = llmops("ls", "+Recipe/adapter", "-o", "graph", "-C", bank.path)
    assert said.out.startswith("graph LR\n")
    assert said.out.count("-->") >= 3


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("Recipe/adaptor", 'did you mean "Recipe/adapter"?'),
        ("+adaptor", 'did you mean "adapter"?'),
        ("state:gone", "modified"),
        ("colour:red", "label:"),
        ("", "write Kind"),
        ("\x1b[31mx", "llmops ls"),
    ],
)
def test_what_names_nothing_is_wrong_usage(llmops, bank, selector: str, hint: str) -> None:
    said = llmops("ls", selector, "-C", bank.path)
    assert said.code == 2
    assert hint in said.err
    assert "\x1b" not in said.err


def test_a_state_that_nothing_has_is_an_answer(llmops, bank) -> None:
    said = llmops("ls", "state:new", "-C", bank.path, "--head", "change")
    assert (said.code, said.out) == (0, "")
    assert "nothing is selected" in said.err
