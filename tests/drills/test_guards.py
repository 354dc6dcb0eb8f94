"""Plants in guardrails change the words they look for, and nothing else of them."""

from __future__ import annotations

import json

import pytest

from llmops.drills import guards
from llmops.drills.base import UnfitError
from tests.drills.conftest import files

GUARD = "specs/guardrails/faq-guard.yaml"
APP = "specs/applications/faq.yaml"


def words(planted, name: str) -> list[str]:
    return [json.loads(line)["word"] for line in planted[f"specs/drill/{name}.jsonl"].splitlines()]


def test_an_emptied_guardrail_looks_for_a_word_that_nobody_writes(scene) -> None:
    found = scene()
    planted = guards.emptied(found, 0)
    assert words(planted, "drill-no-words") == [guards.NEVER]
    before = found.read(GUARD).decode().splitlines()
    new = [line for line in planted[GUARD].decode().splitlines() if line not in before]
    assert len(new) == 1
    assert "dataset: drill-no-words" in new[0]


def test_an_emptied_pattern_matches_nothing_and_personal_data_stays_masked(scene) -> None:
    regex = "    - {name: orders, regex: {pattern: 'do it'}, action: block}\n  on_block"
    text = files()[GUARD].replace("  on_block", regex, 1)
    planted = guards.emptied(scene({GUARD: text}), 0)[GUARD].decode()
    assert "do it" not in planted
    assert f"pattern: '{guards.NEVER}'" in planted or f"pattern: {guards.NEVER}" in planted
    assert "CN_ID_CARD" in planted


def test_common_words_are_those_of_most_questions(scene) -> None:
    planted = guards.over_blocking(scene(), 0)
    listed = words(planted, "drill-common-words")
    assert len(listed) == guards.COMMON
    assert "the" in listed
    assert planted[GUARD].decode().count("lexicon") == 2


def test_an_application_without_guardrails_does_not_fit(scene) -> None:
    text = "\n".join(line for line in files()[APP].splitlines() if "guardrails" not in line)
    found = scene({APP: text + "\n"})
    for plant in (guards.emptied, guards.over_blocking):
        with pytest.raises(UnfitError, match="has no guardrail"):
            plant(found, 0)
