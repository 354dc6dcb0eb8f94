"""Every word of a page, in English and in Chinese: one key, both languages.

The tables stand in `phrases_page`, `phrases_judged` and `phrases_measured`, by topic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmops.reports.phrase import Lang, Phrase
from llmops.reports.phrases_judged import JUDGED
from llmops.reports.phrases_measured import MEASURED
from llmops.reports.phrases_page import PAGE

PHRASES: Mapping[str, Phrase] = {**PAGE, **JUDGED, **MEASURED}


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of one language: `words("n_cases", n="600")`. KeyError for an unknown one."""

    lang: Lang

    def __call__(self, key: str, **given: str) -> str:
        """The phrase of that key, its places filled."""
        phrase = PHRASES[key]
        return (phrase.zh if self.lang == "zh" else phrase.en).format(**given)

    def listed(self, items: list[str] | tuple[str, ...]) -> str:
        """`a, b, c` as the language writes it."""
        return ("、" if self.lang == "zh" else ", ").join(items)
