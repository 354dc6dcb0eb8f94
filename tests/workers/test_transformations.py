"""Changed texts: giskard's own changes, drawn for each case apart."""

from __future__ import annotations

import sys

import pytest

from llmops.workers import giskard_tools
from llmops.workers.transformations import NAMES, Text, changed, unchanged

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="giskard 2.19 serves Python 3.11"
)


@pytest.fixture(autouse=True, scope="module")
def _giskard(tmp_path_factory: pytest.TempPathFactory) -> None:
    giskard_tools.load(tmp_path_factory.mktemp("giskard"))


def one(name: str, text: str, language: str = "en", case: str = "c") -> str:
    """A text after one transformation."""
    with giskard_tools.at_work():
        return changed(name, [Text(text, language, case)], 42)[0]


@pytest.mark.parametrize(
    ("name", "text", "after"),
    [
        ("uppercase", "my Card", "MY CARD"),
        ("lowercase", "my Card", "my card"),
        ("titlecase", "my card", "My Card"),
        ("punctuation", "my card, please!", "my card please"),
        ("accents", "my café", "my cafe"),
        ("gender", "she is my wife", "he is my husband"),
    ],
)
def test_texts_are_changed_as_giskard_changes_them(name: str, text: str, after: str) -> None:
    assert one(name, text) == after


@pytest.mark.parametrize(("name", "word"), [("religion", "Muslim"), ("country", "France")])
def test_a_swapped_word_is_another_word(name: str, word: str) -> None:
    after = one(name, f"a letter from {word} came")
    assert after.startswith("a letter from ")
    assert word not in after


def test_a_case_is_changed_the_same_way_whoever_stands_beside_it() -> None:
    texts = [Text("where is the card that I ordered in France?", "en", f"c{n}") for n in range(9)]
    for name in ("typos", "country"):
        with giskard_tools.at_work():
            together, alone = changed(name, texts, 42), changed(name, texts[4:5], 42)
            other = changed(name, texts, 43)
        assert together[4:5] == alone
        assert len(set(together)) > 1
        assert together != other


@pytest.mark.parametrize("name", ["gender", "religion", "country"])
def test_words_are_not_swapped_in_a_language_without_them(name: str) -> None:
    text = "her husband, a Muslim, lives in France"
    assert one(name, text, "zh") == text
    assert one(name, text, "en-GB") != text
    why = unchanged(name, Text(text, "zh", "c"))
    assert why == f"no words of {name} are known in the language of this case (zh)"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["", " ", "卡", "\u202e😀\x00", "a" * 5000, "{{ x }} __GSK__"])
def test_awkward_texts_are_changed_without_an_error(name: str, text: str) -> None:
    assert isinstance(one(name, text), str)
