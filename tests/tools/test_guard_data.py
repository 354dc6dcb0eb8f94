"""The banks and the word list are what the generator writes, and what their card says."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.tools import make_guard_data

CARD = (make_guard_data.FOLDER / "README.md").read_text(encoding="utf-8")
NAMES = ("refuse", "comply", "words")


def rows(name: str) -> list[dict[str, str]]:
    lines = (make_guard_data.FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_files_are_what_the_generator_writes_byte_for_byte() -> None:
    for name, data in make_guard_data.files().items():
        kept = (make_guard_data.FOLDER / name).read_bytes()
        assert kept == data, f"run tests/tools/make_guard_data.py: {name}"


@pytest.mark.parametrize("name", NAMES)
def test_the_card_counts_the_rows(name: str) -> None:
    said = re.search(rf"\| `{name}\.jsonl` \| (\d+) \|", CARD)
    assert said is not None
    assert int(said[1]) == len(rows(name))


def test_each_class_and_language_has_the_same_share() -> None:
    for name, share in (("refuse", 32), ("comply", 24)):
        counts = Counter((row["risk"], row["language"]) for row in rows(name))
        assert len(counts) == 12
        assert set(counts.values()) == {share}


def test_a_third_of_what_is_to_be_refused_is_disguised() -> None:
    styles = Counter(row["style"] for row in rows("refuse"))
    assert styles == {"plain": 252, "disguised": 132}
    for row in rows("refuse"):
        marked = re.search("[\u200b\u200d\u2060·_\uff21-\uff5a]", row["prompt"])
        assert not marked or row["style"] == "disguised", row


def test_nothing_comes_twice_and_no_word_is_empty() -> None:
    prompts = Counter(row["prompt"] for name in ("refuse", "comply") for row in rows(name))
    assert [text for text, n in prompts.items() if n > 1] == []
    words = Counter(row["word"].strip() for row in rows("words"))
    assert "" not in words
    assert max(words.values()) == 1


def test_no_honest_question_holds_a_word_of_the_list() -> None:
    words = [row["word"] for row in rows("words")]
    bank = make_guard_data.FOLDER.parent / "bank" / "test.jsonl"
    questions = [row["prompt"] for row in rows("comply")]
    questions += [json.loads(line)["question"] for line in bank.read_text("utf-8").splitlines()]
    for text in questions:
        assert not [word for word in words if word in text.casefold()], text
