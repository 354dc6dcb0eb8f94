"""Two texts -> where they differ, word by word: `… You [-help-] {+serve+} customers …`.

A word is a run of letters and digits, or one Han, Kana or Hangul character, which stand without
spaces between them; line ends are shown as `⏎`. Long texts are compared by lines first, so that
the time stays small whatever a pull request brings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|\w+|\s+|[^\w\s]")
CONTEXT = 3  # words around a difference
SPARED = 4  # words too few to be worth a cut
MOST_WORDS = 1_200  # of both texts, compared word by word
FEWEST = 3  # words of a text that is read rather than looked at
_ALONE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def is_prose(before: object, after: object) -> bool:
    """Whether two values are texts of several words, of which few may have changed."""
    both = (before, after)
    if not all(isinstance(text, str) for text in both):
        return False
    return any(_reads(str(text)[:2000]) for text in both)


def _reads(text: str) -> bool:
    """Several words between blanks, or several characters of a script that has none."""
    return len(text.split()) >= FEWEST or len(_ALONE.findall(text)) >= 2 * FEWEST


def difference(before: str, after: str, limit: int) -> str:
    """What differs, with the words around it, in at most about `limit` characters."""
    old, new = _cut(before, after)
    shown = " ".join("".join(_shown(old, new)).split(" "))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _cut(before: str, after: str) -> tuple[list[str], list[str]]:
    """The words of both, or where they are many, those of the lines that differ."""
    old, new = _words(before), _words(after)
    if len(old) + len(new) <= MOST_WORDS:
        return old, new
    start = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
                 min(len(old), len(new)))  # fmt: skip
    most = MOST_WORDS // 2
    first = max(0, start - 4 * CONTEXT)
    return old[first : first + most], new[first : first + most]


def _shown(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for i, (kind, a, b, c, d) in enumerate(blocks):
        if kind == "equal":
            yield _around(old[a:b], first=i == 0, last=i == len(blocks) - 1)
            continue
        yield f"[-{_line(old[a:b])}-]" if b > a else ""
        yield f"{{+{_line(new[c:d])}+}}" if d > c else ""


def _around(words: Sequence[str], *, first: bool, last: bool) -> str:
    """What stays the same, cut to the words next to what does not."""
    head = _line(words[: 2 * CONTEXT]) if not first else ""
    tail = _line(words[-2 * CONTEXT :]) if not last else ""
    if len(words) <= (2 * CONTEXT) * (2 - first - last) + SPARED:
        return _line(words)
    return f"{head}…{tail}"


def _line(words: Sequence[str]) -> str:
    return "".join(words).replace("\r", "").replace("\n", "⏎")
