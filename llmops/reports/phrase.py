"""A phrase of a page: one thing said in each language.

A phrase is a sentence or a label with named places; numbers and names come in already as text.
To add a language: one more field here, and a test says which phrases lack it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

Lang = Literal["en", "zh"]
LANGS: tuple[Lang, ...] = get_args(Lang)


class Phrase(NamedTuple):
    """One thing said in each language."""

    en: str
    zh: str
