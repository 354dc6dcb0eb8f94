"""The language of a case, among those that a SafetyTest names.

One that is named is the language of all. Of several: the row's own column `language`, else the
most probable of the named ones (langdetect, seeded, so that it is the same every time), else none.
"""

from __future__ import annotations

from collections.abc import Sequence

from llmops.workers.chat import Row

UNKNOWN = "unknown"


def language(case: Row, text: str, named: Sequence[str]) -> str:
    """The language of a text as `named` writes it, or `unknown`."""
    if len(named) == 1:
        return named[0]
    own = case.get("language")
    if isinstance(own, str) and own in named:
        return own
    return detected(text, named)


def detected(text: str, named: Sequence[str]) -> str:
    """The most probable of the named languages, or `unknown` if none of them is likely."""
    import langdetect

    langdetect.DetectorFactory.seed = 0
    try:
        likely = [str(found.lang) for found in langdetect.detect_langs(text)]
    except langdetect.LangDetectException:
        return UNKNOWN
    for code in likely:
        for name in named:
            if code.partition("-")[0] == name.partition("-")[0]:
                return name
    return UNKNOWN
