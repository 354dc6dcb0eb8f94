"""The words of the made parts in another language: one catalogue, English text -> its translation.

In: `words_zh.json`, a flat JSON object; a key is an English text of the code with its line breaks
made spaces. Out: a `Say`, which a maker asks for each text that a reader reads. Texts that are
code, numbers or nothing stay as they are. What is asked for and not known is kept in `missing`.

`python -m tests.tools.make_docs --missing zh` prints what has no translation yet, with empty
values to fill in; `--take zh FILE` merges such a file, and drops what nobody asks for any more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

Say = Callable[[str], str]
HERE = Path(__file__).parent
_CODE = re.compile(r"`[^`]*`")
_WORD = re.compile(r"[A-Za-z]{2}")


def english(text: str) -> str:
    """The language that the code is written in."""
    return text


@dataclass
class Words:
    """The catalogue of one language, and what it was asked for and could not tell."""

    language: str
    known: dict[str, str]
    asked: dict[str, None] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        """The text in this language; the English one where nobody has translated it."""
        key = " ".join(text.split())
        if not _WORD.search(_CODE.sub("", key)):
            return text
        self.asked[key] = None
        return self.known.get(key) or text

    @property
    def missing(self) -> list[str]:
        """What was asked for and has no translation, in the order of asking."""
        return [key for key in self.asked if not self.known.get(key)]


def read(language: str) -> Words:
    """The catalogue of a language; empty where there is no file."""
    path = file(language)
    known = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return Words(language, known)


def file(language: str) -> Path:
    """Where the catalogue of a language stands."""
    return HERE / f"words_{language}.json"


def write(language: str, known: dict[str, str], asked: Iterable[str]) -> None:
    """The catalogue with what is asked for, in that order."""
    kept = {key: known[key] for key in asked if known.get(key)}
    text = json.dumps(kept, ensure_ascii=False, indent=1) + "\n"
    file(language).write_text(text, encoding="utf-8", newline="")


def differing(known: dict[str, str]) -> list[str]:
    """Translations whose code or numbers are not those of the English text."""
    return [key for key, said in known.items() if _fixed(key) != _fixed(said)]


def _fixed(text: str) -> tuple[list[str], list[str]]:
    codes = sorted(set(_CODE.findall(text)))
    places = sorted(set(re.findall(r"\{\w*\}", _CODE.sub("", text))))
    return codes, places
