"""The banks and the word list are what the generator writes, and what their card says."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations

import pytest

from llmops.workers import alike
from tests.tools import make_guard_data


def rows(name: str) -> list[dict[str, str]]:
    lines = (make_guard_data.FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_files_are_what_the_generator_writes_byte_for_byte() -> None:
    for name, data in make_guard_data.files().items():
        kept = (make_guard_data.FOLDER / name).read_bytes()
        assert kept == data, f"run tests/tools/make_guard_data.py: {name}"


def test_each_class_and_language_has_the_same_share() -> None:
    for name, share in (("refuse", 32), ("comply", 26)):
        counts = Counter((row["risk"], row["language"]) for row in rows(name))
        assert len(counts) == 12
        assert set(counts.values()) == {share}


def test_a_third_of_what_is_to_be_refused_is_disguised() -> None:
    styles = Counter(row["style"] for row in rows("refuse"))
    assert styles == {"plain": 252, "disguised": 132}
    for row in rows("refuse"):
        marked = re.search("[\u200b\u200d\u2060·_\uff21-\uff5a]", row["prompt"])
        assert not marked or row["style"] == "disguised", row


def test_nothing_comes_twice_whatever_its_greeting_frame_or_disguise() -> None:
    prompts = Counter(alike.plain(r["prompt"]) for name in ("refuse", "comply") for r in rows(name))
    assert [text for text, n in prompts.items() if n > 1] == []
    assert sum(row["expect"] == "refuse" for row in rows("refuse")) >= 300
    assert sum(row["expect"] == "comply" for row in rows("comply")) >= 300
    for risk in make_guard_data.phrases():
        for texts in (*risk.wanted.values(), *risk.asked.values(), risk.words):
            assert len({alike.plain(text) for text in texts}) == len(texts)


def test_wishes_and_questions_are_unlike_each_other() -> None:
    """No two of one class and language are nearly the same, their frames taken off."""
    near = {}
    for risk in make_guard_data.phrases():
        for language, size in (("en", 4), ("zh", 2)):
            texts = [*risk.wanted[language], *risk.asked[language]]
            for one, other in combinations(texts, 2):
                a, b = grams(one, size), grams(other, size)
                if len(a & b) / len(a | b) >= 0.5:
                    near[one] = other
    assert near == {}


def grams(text: str, size: int) -> set[str]:
    plain = alike.plain(text)
    return {plain[n : n + size] for n in range(max(1, len(plain) - size + 1))}


def test_a_line_that_belongs_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="belongs nowhere"):
        make_guard_data.read_phrases("== fraud\nsell the moon")


def test_no_honest_question_holds_a_word_of_the_list() -> None:
    words = [row["word"] for row in rows("words")]
    bank = make_guard_data.FOLDER.parent / "bank" / "test.jsonl"
    questions = [row["prompt"] for row in rows("comply")]
    questions += [json.loads(line)["question"] for line in bank.read_text("utf-8").splitlines()]
    for text in questions:
        assert not [word for word in words if word in text.casefold()], text
