"""A text as it is read: NFKC, letter case, separators; each character knows where it came from.

`read` gives the view in which words are compared, `plain` the one in which patterns and personal
data are looked for once more when it differs from the text. `coarse` is the quick test before:
what a word is in any view is in the coarse text too, so a text without it needs no second look.

Separators are punctuation, symbols and spaces. Between letters of one word they are left out
("f-u-n", "赌 博"), with one exception: spaces and apostrophes between Latin, Greek or Cyrillic
letters end a word, so they stay (as one space) unless each neighbour stands alone: "f u n" is read
as "fun", but "he'll" is not "hell", nor "be ton" "beton". What nobody sees (zero-width characters,
controls, variation selectors, combining marks that belong to no letter) is left out always.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

# Second characters of compositions whose combining class is 0 (a test counts them out).
_COMPOSING = frozenset(
    "\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf\u102e"
    "\u1b35\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930"
    + "".join(map(chr, (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))))
)
_ELLIPSIS = "\u2026"  # stays one character: Chinese writes it everywhere, and it is a separator
_FULL_WIDTH = tuple(zip("，！？：；（）\u3000", ",!?:;() ", strict=True))
_UNSEEN_MARKS = re.compile(
    "[\u0300-\u036f\u180b-\u180d\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe00-\ufe0f\ufe20-\ufe2f\u115f\u1160\u3164\uffa0\U000e0100-\U000e01ef]"
)
_APOSTROPHES = "'`\u2018\u2019\u02bc\uff07"


@dataclass(frozen=True, slots=True)
class View:
    """`text` as read. `starts` and `ends` give each character's place in the original.

    Both None: every character stands where it stood. `gaps` are places before which something
    visible was left out, so that a word may begin or end there.
    """

    text: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None
    gaps: frozenset[int] = field(default_factory=frozenset)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The place in the original of characters `start` to `end` (at least one) of the view."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def begins(self, place: int) -> bool:
        """Whether a word may begin or end before the character at `place`."""
        text = self.text
        if place in (0, len(text)) or place in self.gaps:
            return True
        return not (in_words(text[place - 1]) and in_words(text[place]))


def in_words(char: str) -> bool:
    """Whether words of this character's script have edges (Chinese has none)."""
    return char.isalnum() and (char < "\u0590" or "\u1e00" <= char < "\u2000")


def whole(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, so that it can be encoded."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return re.sub("[\ud800-\udfff]", "\ufffd", text)
    return text


# ---- what a single character is ------------------------------------------------------------

LETTER, MARK, SPACE, UNSEEN = "letter", "mark", "space", "unseen"


class _Kinds(dict[str, str]):
    """Character -> LETTER, MARK (visible separator), SPACE (ends words) or UNSEEN."""

    def __missing__(self, char: str) -> str:
        self[char] = found = _kind(char)
        return found


def _kind(char: str) -> str:
    category = unicodedata.category(char)
    if char.isspace() or char in _APOSTROPHES:
        return SPACE
    if category in ("Cc", "Cf", "Cs") or _UNSEEN_MARKS.match(char):
        return UNSEEN
    return LETTER if category[0] in "LNM" else MARK


class _Joins(dict[str, bool]):
    """Character -> whether it may melt with the one before it when a text is normalised."""

    def __missing__(self, char: str) -> bool:
        first = unicodedata.normalize("NFKD", char)[0]
        self[char] = found = bool(unicodedata.combining(first)) or first in _COMPOSING
        return found


class _Coarse(dict[int, str]):
    """Code point -> its letters, decomposed and folded; nothing for all that is no letter."""

    def __missing__(self, code: int) -> str:
        text = chr(code)
        for _ in range(3):
            text = unicodedata.normalize("NFKD", text.casefold())
        shown = (c for c in text if not _UNSEEN_MARKS.match(c) and c not in _APOSTROPHES)
        self[code] = found = "".join(c for c in shown if unicodedata.category(c)[0] in "LN")
        return found


KINDS, JOINS, COARSE = _Kinds(), _Joins(), _Coarse()
_ASCII_LOWER = bytes(COARSE[i].encode()[0] if COARSE[i] else i for i in range(128)) + bytes(
    range(128, 256)
)
_ASCII_DROPPED = bytes(i for i in range(128) if not COARSE[i])


def coarse(text: str) -> bytes:
    """Letters and digits alone, folded and decomposed, as UTF-8: equal for all ways to write it."""
    if text.isascii():
        return text.encode().translate(_ASCII_LOWER, _ASCII_DROPPED)
    return text.translate(COARSE).encode("utf-8", "replace")


def widths(text: str) -> Iterator[int]:
    """How many bytes of the coarse text come from each character."""
    return map(_WIDTHS.__getitem__, text)


class _Widths(dict[str, int]):
    def __missing__(self, char: str) -> int:
        self[char] = found = len(COARSE[ord(char)].encode())
        return found


_WIDTHS = _Widths()


def context(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch around `start` to `end` in which its inside is read as in the whole text.

    How a letter is read depends on the two letters on each side and on what melts with it.
    """
    for _ in range(CONTEXT):
        start = next((i for i in range(start - 1, -1, -1) if _WIDTHS[text[i]]), 0)
        end = next((i for i in range(end, len(text)) if _WIDTHS[text[i]]), len(text) - 1) + 1
    while start and JOINS[text[start]]:
        start -= 1
    while end < len(text) and JOINS[text[end]]:
        end += 1
    return max(start, 0), end


CONTEXT = 4  # letters on each side: two that matter, and one of the stretch itself


# ---- views -----------------------------------------------------------------------------------


class _Char(NamedTuple):
    """One character as read, and the place it came from."""

    text: str
    start: int
    end: int


def read(text: str, steps: Iterable[str]) -> View:
    """The text as words are compared in. `steps`: some of nfkc, casefold, strip_separators."""
    chosen = frozenset(steps)
    chars = list(_folded(text, chosen))
    if "strip_separators" in chosen:
        return _stripped(chars)
    return _view(chars)


def plain(text: str) -> View:
    """The text in NFKC without what nobody sees; an ellipsis stays one character."""
    same = text
    if not text.isascii():
        for full, half in _FULL_WIDTH:
            same = same.replace(full, half)
    return View(same) if _is_plain(same) else _slow_plain(text)


def _slow_plain(text: str) -> View:
    return _view([c for c in _folded(text, _PLAIN) if KINDS[c.text] != UNSEEN])


_PLAIN = frozenset({"nfkc"})
_LINES = str.maketrans("", "", "\n\r\t" + _ELLIPSIS)


def _is_plain(text: str) -> bool:
    shown = text.translate(_LINES) if text.isascii() else _without_lines(text)
    if not shown.isprintable():
        return False
    return text.isascii() or (
        unicodedata.is_normalized("NFKC", shown) and not _UNSEEN_MARKS.search(shown)
    )


def _without_lines(text: str) -> str:
    for char in ("\n", "\r", "\t", _ELLIPSIS):
        text = text.replace(char, "")
    return text


def _view(chars: list[_Char]) -> View:
    return View(
        "".join(c.text for c in chars),
        tuple(c.start for c in chars),
        tuple(c.end for c in chars),
    )


def _stripped(chars: list[_Char]) -> View:
    """The letters, with one space where a word ends; gaps where a separator was left out."""
    letters, runs = _letters(chars)
    ends = len(letters) - 1
    alone = [
        (i == 0 or runs[i] > 0) and (i == ends or runs[i + 1] > 0) for i in range(len(letters))
    ]
    out: list[_Char] = []
    gaps: set[int] = set()
    for i, letter in enumerate(letters):
        if i and runs[i] == 2 and not (alone[i - 1] and alone[i]):
            before = letters[i - 1]
            if in_words(before.text) and in_words(letter.text):
                out.append(_Char(" ", before.end, letter.start))
        if runs[i]:
            gaps.add(len(out))
        out.append(letter)
    return replace(_view(out), gaps=frozenset(gaps))


def _letters(chars: list[_Char]) -> tuple[list[_Char], list[int]]:
    """The letters, and what stands before each: 0 nothing seen, 1 a mark, 2 a space among it."""
    letters: list[_Char] = []
    runs: list[int] = []
    run = 0
    for char in chars:
        kind = KINDS[char.text]
        if kind == LETTER:
            letters.append(char)
            runs.append(run)
            run = 0
        elif kind == SPACE:
            run = 2
        elif kind == MARK:
            run = max(run, 1)
    return letters, runs


def _folded(text: str, steps: frozenset[str]) -> Iterator[_Char]:
    """Characters after NFKC and case folding, by pieces that cannot melt with their neighbours."""
    for start, end in _pieces(text) if "nfkc" in steps else _each(text):
        for char in fold(text[start:end], steps):
            yield _Char(char, start, end)


def _each(text: str) -> Iterator[tuple[int, int]]:
    return zip(range(len(text)), range(1, len(text) + 1), strict=True)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for i in range(1, len(text)):
        if not JOINS[text[i]]:
            yield start, i
            start = i
    if text:
        yield start, len(text)


@lru_cache(maxsize=2**16)
def fold(piece: str, steps: frozenset[str]) -> str:
    """One piece after NFKC and case folding."""
    if piece == _ELLIPSIS:
        return piece
    nfkc = "nfkc" in steps
    piece = unicodedata.normalize("NFKC", piece) if nfkc else piece
    if "casefold" not in steps:
        return piece
    for _ in range(2):
        folded = piece.casefold()
        piece = unicodedata.normalize("NFKC", folded) if nfkc else folded
    return piece
