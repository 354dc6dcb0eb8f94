"""The example's data are what the generator writes, and what their card says."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from llmops.workers import alike
from tests.tools import data_cards, make_bank_data

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "specs" / "data" / "bank"
PARTS = ("base", "rehearsal", "new", "validation", "test")
JUDGING = ("validation", "test")
LONG_ENOUGH = {"en": 22, "zh": 7}  # characters; "is waiting for the" says nothing yet


@cache
def phrases() -> Any:
    return make_bank_data.read_phrases(make_bank_data.PHRASES.read_text(encoding="utf-8"))


@cache
def rows(part: str) -> tuple[dict[str, str], ...]:
    lines = (FOLDER / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def everything() -> list[dict[str, str]]:
    return [row for part in PARTS for row in rows(part)]


def test_the_files_are_what_the_generator_writes_byte_for_byte() -> None:
    made = make_bank_data.files(phrases())
    assert sorted(made) == sorted(f"{part}.jsonl" for part in PARTS)
    for name, data in made.items():
        assert (FOLDER / name).read_bytes() == data, f"run tests/tools/make_bank_data.py: {name}"


def test_no_question_comes_twice_even_in_another_case_or_with_other_marks() -> None:
    counts = Counter(alike.plain(row["question"]) for row in everything())
    assert [text for text, n in counts.items() if n > 1] == []
    assert len(counts) >= 7000


def test_over_three_thousand_wordings_differ_before_a_slot_is_filled() -> None:
    assert data_cards.wordings() >= 3000
    marks = [marks for i in phrases().intents for marks in i.phrases.values()]
    said = Counter(alike.plain(t) for texts in marks for mark in texts.values() for t in mark)
    assert [text for text, n in said.items() if n > 1] == []


def test_every_row_is_complete_and_has_an_id_of_its_own() -> None:
    columns = {
        "id", "question", "answer", "language", "group", "style", "subject_id",
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


def test_every_intent_has_as_many_phrases_of_each_mark_in_both_languages() -> None:
    assert len(phrases().intents) == 20
    for intent in phrases().intents:
        for language in ("en", "zh"):
            texts = intent.phrases[language]
            assert {mark: len(said) for mark, said in texts.items()} == {"": 56, "v": 6, "t": 14}


def fragment(phrase: str) -> str:
    """The longest stretch of a phrase that stands in each of its questions."""
    return max(re.split(r"\[[^\]]*\]|\{\w+\}", phrase), key=len).strip().casefold()


@pytest.mark.parametrize(("mark", "own"), [("v", "validation"), ("t", "test")])
def test_wordings_of_a_judging_part_are_shown_nowhere_else(mark: str, own: str) -> None:
    shown = {p: "\n".join(r["question"].casefold() for r in rows(p)) for p in PARTS}
    texts = [
        t
        for i in phrases().intents for lang, least in LONG_ENOUGH.items()
        for t in i.phrases[lang][mark] if len(fragment(t)) >= least
    ]  # fmt: skip
    places = {t: {part for part in PARTS if fragment(t) in shown[part]} for t in texts}
    assert {t: p for t, p in places.items() if p - {own}} == {}
    # A wording without slots can be hidden by a typo or an English word each time it is asked.
    assert sum(own in p for p in places.values()) >= 0.8 * len(texts)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_judged_wording_is_nearly_one_that_is_learned(language: str) -> None:
    """The same sentence in other clothes would be learned by heart, not understood."""
    size = data_cards.SIZES[language]
    learned = {
        t: grams(t, size) for i in phrases().intents for t in i.phrases[language][""]
    }  # fmt: skip
    near = {
        (t, other): share
        for i in phrases().intents for mark in "vt" for t in i.phrases[language][mark]
        for other, own in learned.items()
        if (share := len(own & (g := grams(t, size))) / len(own | g)) >= 0.5
    }  # fmt: skip
    assert near == {}


@cache
def grams(text: str, size: int) -> frozenset[str]:
    plain = alike.plain(text)
    return frozenset(plain[n : n + size] for n in range(max(1, len(plain) - size + 1)))


@pytest.mark.parametrize("part", JUDGING)
def test_no_judged_row_has_a_long_run_in_common_with_another_part(part: str) -> None:
    others = {
        run
        for p in PARTS if p != part for r in rows(p)
        for run in alike.ngrams(r["question"], make_bank_data.RUN)
    }  # fmt: skip
    leaks = [
        r["question"]
        for r in rows(part)
        if not others.isdisjoint(alike.ngrams(r["question"], make_bank_data.RUN))
    ]
    assert leaks == []


@pytest.mark.parametrize("part", JUDGING)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_judged_rows_are_unlike_what_is_learned(part: str, language: str) -> None:
    found = data_cards.likeness(part, language)
    assert max(found) < 0.6
    assert data_cards.quantiles(found, (0.5,))[0] < 0.2


def test_remarks_of_a_judging_part_are_shown_nowhere_else() -> None:
    for language in ("en", "zh"):
        for texts in (phrases().details[language], phrases().asides[language]):
            marked = {mark: set(said) for mark, said in texts.items()}
            assert marked["v"].isdisjoint(marked[""] | marked["t"])
            assert marked["t"].isdisjoint(marked[""])


def test_shares_of_styles_are_as_the_generator_deals_them() -> None:
    styles = Counter(row["style"] for row in rows("test"))
    assert set(styles) == {style for style, _ in make_bank_data.STYLES}
    for style, share in make_bank_data.STYLES:
        assert styles[style] / len(rows("test")) == pytest.approx(share / 100, abs=0.05)


@pytest.mark.parametrize("folder", ["bank", "guard"])
def test_the_numbers_of_a_card_are_those_of_its_rows(folder: str) -> None:
    card = (FOLDER.parent / folder / "README.md").read_text(encoding="utf-8")
    assert data_cards.written(folder) == card, "run python -m tests.tools.data_cards"


def test_files_stay_modest() -> None:
    assert sum(path.stat().st_size for path in FOLDER.parent.rglob("*.jsonl")) < 2_000_000


def test_the_card_tells_each_file_and_each_intent_with_its_meaning() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for part in PARTS:
        assert f"| `{part}.jsonl` |" in card
    for i in phrases().intents:
        assert f"| `{i.label}` | {i.group} | {i.meaning['en']} | {i.meaning['zh']} |" in card


def test_dice_depend_on_their_seed_alone() -> None:
    dice = make_bank_data.Dice("seed")
    assert [dice.below(100) for _ in range(5)] == [79, 93, 68, 89, 67]
    assert make_bank_data.Dice("other").below(1000) != make_bank_data.Dice("seed").below(1000)


def test_a_line_that_belongs_nowhere_is_refused() -> None:
    with pytest.raises((ValueError, IndexError)):
        make_bank_data.read_phrases("en\nno intent yet")
