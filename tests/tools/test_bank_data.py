"""The example's data are what the generator writes, and what their card says."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "specs" / "data" / "bank"
PARTS = ("base", "rehearsal", "new", "validation", "test")
JUDGING = ("validation", "test")


@cache
def generator() -> ModuleType:
    """`make_bank_data.py` as a module; tests are no package."""
    path = Path(__file__).with_name("make_bank_data.py")
    spec = importlib.util.spec_from_file_location("make_bank_data", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@cache
def phrases() -> Any:
    return generator().read_phrases(generator().PHRASES.read_text(encoding="utf-8"))


@cache
def rows(part: str) -> tuple[dict[str, str], ...]:
    lines = (FOLDER / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def everything() -> list[dict[str, str]]:
    return [row for part in PARTS for row in rows(part)]


def test_the_files_are_what_the_generator_writes_byte_for_byte() -> None:
    made = generator().files(phrases())
    assert sorted(made) == sorted(f"{part}.jsonl" for part in PARTS)
    for name, data in made.items():
        assert (FOLDER / name).read_bytes() == data, f"run tests/tools/make_bank_data.py: {name}"


def test_no_question_comes_twice_even_in_another_case_or_with_other_marks() -> None:
    counts = Counter(generator().letters(row["question"]) for row in everything())
    assert [text for text, n in counts.items() if n > 1] == []
    assert len(counts) >= 3000


def test_every_row_is_complete_and_has_an_id_of_its_own() -> None:
    columns = {
        "id", "question", "answer", "language", "group", "style", "wording", "subject_id",
    }  # fmt: skip
    for row in everything():
        assert row.keys() == columns
        assert all(value and value == value.strip() for value in row.values())
    assert len({row["id"] for row in everything()}) == len(everything())


def test_a_customer_is_in_one_part_only_and_once_where_it_is_judged() -> None:
    found = Counter(c for part in PARTS for c in {row["subject_id"] for row in rows(part)})
    assert max(found.values()) == 1
    for part in JUDGING:
        assert len({row["subject_id"] for row in rows(part)}) == len(rows(part))


@pytest.mark.parametrize("part", JUDGING)
def test_cells_of_intent_and_language_are_equal_where_it_is_judged(part: str) -> None:
    cells = Counter((row["answer"], row["language"]) for row in rows(part))
    assert len(cells) == 2 * 20
    assert len(set(cells.values())) == 1


def test_groups_are_14_known_and_6_new_intents_and_no_training_part_mixes_them() -> None:
    intents = {
        group: {r["answer"] for r in everything() if r["group"] == group}
        for group in ("known", "new")
    }
    assert len(intents["known"]) == 14
    assert len(intents["new"]) == 6
    assert intents["known"].isdisjoint(intents["new"])
    assert {r["group"] for r in (*rows("base"), *rows("rehearsal"))} == {"known"}
    assert {r["group"] for r in rows("new")} == {"new"}


def test_every_intent_has_phrases_of_each_mark_in_both_languages_and_none_twice() -> None:
    for intent in phrases().intents:
        for language in ("en", "zh"):
            texts = intent.phrases[language]
            assert len(texts[""]) >= 12
            assert len(texts["v"]) >= 2
            assert len(texts["t"]) >= 4
    said = Counter(
        p for i in phrases().intents for m in i.phrases.values() for t in m.values() for p in t
    )
    assert [text for text, n in said.items() if n > 1] == []


def fragment(phrase: str) -> str:
    """The longest stretch of a phrase that stands in each of its questions."""
    return max(re.split(r"\[[^\]]*\]|\{\w+\}", phrase), key=len).strip().casefold()


@pytest.mark.parametrize(("mark", "own"), [("v", "validation"), ("t", "test")])
def test_wordings_of_a_judging_part_are_shown_nowhere_else(mark: str, own: str) -> None:
    shown = {p: "\n".join(r["question"].casefold() for r in rows(p)) for p in PARTS}
    texts = [t for i in phrases().intents for lang in ("en", "zh") for t in i.phrases[lang][mark]]
    places = {t: {part for part in PARTS if fragment(t) in shown[part]} for t in texts}
    assert {t: p for t, p in places.items() if p - {own}} == {}
    # A wording without slots can be hidden by a typo or an English word each time it is asked.
    assert sum(own in p for p in places.values()) >= 0.8 * len(texts)


@pytest.mark.parametrize("part", JUDGING)
def test_no_core_of_a_judged_question_was_shown_before(part: str) -> None:
    """Greeting and thanks taken off, a judged question is no training question."""
    trained = {core(r) for p in ("base", "rehearsal", "new") for r in rows(p)}
    leaks = [r["question"] for r in rows(part) if core(r) in trained]
    assert leaks == []


def core(row: dict[str, str]) -> tuple[str, str]:
    words, text = phrases().words[row["language"]], row["question"].casefold()
    for opener in words["opener"]:
        text = text.removeprefix(opener.casefold())
    for closer in words["closer"]:
        text = text.removesuffix(closer.casefold())
    return row["answer"], generator().letters(text)


def test_shares_of_styles_and_wordings_are_as_the_card_says() -> None:
    for part in JUDGING:
        unseen = sum(row["wording"] == "unseen" for row in rows(part)) / len(rows(part))
        assert unseen == pytest.approx(1 / 3)
    styles = Counter(row["style"] for row in rows("test"))
    for style in ("plain", "typo", "mixed", "aside"):
        assert styles[style] >= 0.10 * len(rows("test"))


def test_the_card_tells_each_file_with_its_rows_and_each_intent_with_its_meaning() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"{len(everything()):,} distinct questions" in card
    for part in PARTS:
        assert f"| `{part}.jsonl` | {len(rows(part)):,} |" in card
    for i in phrases().intents:
        assert f"| `{i.label}` | {i.group} | {i.meaning['en']} | {i.meaning['zh']} |" in card


def test_dice_depend_on_their_seed_alone() -> None:
    dice = generator().Dice("seed")
    assert [dice.below(100) for _ in range(5)] == [79, 93, 68, 89, 67]
    assert generator().Dice("other").below(1000) != generator().Dice("seed").below(1000)


def test_a_line_that_belongs_nowhere_is_refused() -> None:
    with pytest.raises((ValueError, IndexError)):
        generator().read_phrases("en\nno intent yet")
