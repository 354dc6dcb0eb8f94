"""Texts changed in ways that should not change an answer, by giskard's own transformations.

What is drawn by chance (typos, which country) is drawn anew for each case from the seed and the
case, so that a case is changed the same way whichever cases stand beside it. Words of gender,
religion and country are swapped in English and French only; any other text stays as it is.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAMES: Mapping[str, str] = {
    "typos": "TextTypoTransformation",
    "uppercase": "TextUppercase",
    "lowercase": "TextLowercase",
    "titlecase": "TextTitleCase",
    "punctuation": "TextPunctuationRemovalTransformation",
    "accents": "TextAccentRemovalTransformation",
    "gender": "TextGenderTransformation",
    "religion": "TextReligionTransformation",
    "country": "TextNationalityTransformation",
}
SWAPS = ("gender", "religion", "country")
SWAPPED_IN = ("en", "fr")
_COLUMN = "text"


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a case, its language, and the case, by which chance is drawn."""

    text: str
    language: str
    case: str


def changed(name: str, texts: Sequence[Text], seed: int) -> list[str]:
    """Each text after one transformation (giskard must be loaded)."""
    module = importlib.import_module("giskard.scanner.robustness.text_transformations")
    function = getattr(module, NAMES[name])(column=_COLUMN)
    if name in ("uppercase", "lowercase", "titlecase"):
        return _as_a_whole(function, [t.text for t in texts])
    return [_one(name, function, text, seed) for text in texts]


def unchanged(name: str, text: Text) -> str:
    """Why a transformation left a text as it is."""
    if name in SWAPS and _short(text.language) not in SWAPPED_IN:
        return f"no words of {name} are known in the language of this case ({text.language})"
    return f"{name} changes nothing in this text"


def _as_a_whole(function: Any, texts: Sequence[str]) -> list[str]:
    import pandas as pd

    done = function.execute(pd.DataFrame({_COLUMN: list(texts)}, dtype=object))
    return [str(text) for text in done[_COLUMN]]


def _one(name: str, function: Any, text: Text, seed: int) -> str:
    import numpy as np
    import pandas as pd

    digest = hashlib.sha256(f"{seed}\n{name}\n{text.case}".encode()).digest()
    function.rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    if name not in SWAPS:
        return str(function.make_perturbation(text.text))
    row = {_COLUMN: text.text, "language__gsk__meta": _short(text.language)}
    return str(function.make_perturbation(pd.Series(row)))


def _short(language: str) -> str:
    return language.partition("-")[0]
