from __future__ import annotations

import random

import pytest

from llmops.workers import alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My card is LOST!", "my card is lost"),
        ("ｍｙ ｃａｒｄ　ｉｓ ｌｏｓｔ", "my card is lost"),
        ("卡丢了，急！", "卡丢了急"),
        ("卡 丢 了", "卡丢了"),
        ("caf\u00e9 closed?", "cafe\u0301 closed"),
        ("Straße 5", "STRASSE 5"),
        ("100-元", "100元"),
    ],
)
def test_case_width_blanks_and_marks_make_no_difference(one: str, other: str) -> None:
    assert alike.plain(one) == alike.plain(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I lost it", "I lose it"),
        ("转100元", "转101元"),
        ("解冻", "冻结"),
        ("???", "!!!"),
        ("resume", "résumé"),
    ],
)
def test_other_letters_digits_and_accents_make_one(one: str, other: str) -> None:
    assert alike.plain(one) != alike.plain(other)


def test_vowel_signs_belong_to_their_word() -> None:
    assert alike.tokens("किताब कहाँ है?") == ("किताब", "कहाँ", "है")


def test_a_token_is_a_word_or_a_character_of_a_script_without_blanks() -> None:
    assert alike.tokens("我的Visa卡丢了, lost it") == (
        "我",
        "的",
        "visa",
        "卡",
        "丢",
        "了",
        "lost",
        "it",
    )
    assert alike.tokens("カード 한국어 บัตร")[:3] == ("カ", "ー", "ド")
    assert "한국어" in alike.tokens("カード 한국어")


def test_runs_are_of_so_many_tokens_and_a_short_text_has_one_of_all() -> None:
    assert len(list(alike.ngrams("one two three four", 2))) == 3
    assert list(alike.ngrams("Two words", 8)) == list(alike.ngrams("two WORDS!", 8))
    assert list(alike.ngrams("two words", 8)) != list(alike.ngrams("two words more", 8))
    assert len(list(alike.ngrams("", 3))) == 1


def test_runs_do_not_cross_the_bounds_of_words() -> None:
    assert set(alike.ngrams("ab c", 2)).isdisjoint(alike.ngrams("a bc", 2))


def text(dice: random.Random, words: int) -> str:
    return " ".join(dice.choice(LEXICON) for _ in range(words))


LEXICON = [f"{a}{b}{c}" for a in "bdkmt" for b in "aeiou" for c in "lnrst"]


def grams(value: str, size: int) -> frozenset[str]:
    plain = alike.plain(value)
    return frozenset(plain[i : i + size] for i in range(max(1, len(plain) - size + 1)))


def test_near_texts_are_found_as_brute_force_finds_them() -> None:
    """No pair below the threshold is called near, and those above are found."""
    dice = random.Random(5)
    near, missed = alike.Near(0.8, 128, 5), 0
    kept: dict[str, frozenset[str]] = {}
    for number in range(300):
        value = text(dice, 25)
        if number % 2:
            words = dice.choice(list(kept)).split()
            for _ in range(dice.randrange(4)):
                words[dice.randrange(len(words))] = dice.choice(LEXICON)
            value = " ".join(words)
        own = grams(value, 5)
        best = max((len(own & g) / len(own | g) for g in kept.values()), default=0.0)
        found = near.holds(value)
        assert not found or best >= 0.8
        missed += not found and best >= 0.8
        if not found:
            kept[value] = own
    assert 160 < len(kept) < 280
    assert missed == 0


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.85, 0.95, 1.0])
def test_bands_are_as_wide_as_the_promise_allows(threshold: float) -> None:
    rows = alike.band(threshold, 128)
    missed = (1 - threshold**rows) ** (128 // rows)
    assert missed <= alike.MISSED
    if rows < 128:
        wider = rows + 1
        assert (1 - threshold**wider) ** (128 // wider) > alike.MISSED


def test_near_chinese_differs_by_one_character_in_many() -> None:
    near = alike.Near(0.7, 128, 3)
    said = "昨天在超市结账的时候刷了三次卡都没有成功，后面排队的人都在看我，请尽快处理"
    assert not near.holds(said)
    assert near.holds(said.replace("三次", "两次"))
    assert not near.holds("请问新办的储蓄卡大概什么时候能够寄到我家里来，已经等了两个多星期了")


def test_a_text_shorter_than_an_ngram_is_near_to_itself_alone() -> None:
    near = alike.Near(0.9, 64, 5)
    assert not near.holds("Hi")
    assert near.holds("hi!")
    assert not near.holds("ho")
