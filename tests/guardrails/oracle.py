"""A plain scan of everything: every place, every word, every pattern, without any first look.

Written apart from the engine: text is folded character by character with its place, words are
compared by slices, personal data by arithmetic on every substring. Slow, and easy to believe.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

SEEN = "letter"


def folded(text: str, steps: frozenset[str]) -> list[tuple[str, int, int]]:
    """Characters as read, each with its place: pieces grow while NFKC melts them together."""
    if "nfkc" not in steps:
        return [(c, i, i + 1) for i, char in enumerate(text) for c in _fold(char, steps)]
    found, start = [], 0
    for i in range(1, len(text) + 1):
        if i == len(text) or not _melts(text[start:i], text[i]):
            found += [(c, start, i) for c in _fold(text[start:i], steps)]
            start = i
    return found if text else []


def _melts(piece: str, char: str) -> bool:
    """Whether a character may change with, or compose with, what stands before it."""
    first = unicodedata.normalize("NFKD", char)[0]
    if unicodedata.combining(first):
        return True
    jamo = "\u1161" <= first <= "\u1175" or "\u11a8" <= first <= "\u11c2"
    return jamo or _composes_as_second(first)


def _composes_as_second(char: str) -> bool:
    return char in SECONDS


def _seconds() -> frozenset[str]:
    found = set()
    for code in range(0x110000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            second = chr(int(parts[1], 16))
            composed = unicodedata.normalize("NFC", chr(int(parts[0], 16)) + second)
            if composed == chr(code) and not unicodedata.combining(second):
                found.add(second)
    return frozenset(found)


SECONDS = _seconds()


def _fold(piece: str, steps: frozenset[str]) -> str:
    if piece == "…":
        return piece
    if "nfkc" in steps:
        piece = unicodedata.normalize("NFKC", piece)
    if "casefold" in steps:
        for _ in range(2):
            piece = piece.casefold()
            if "nfkc" in steps:
                piece = unicodedata.normalize("NFKC", piece)
    return piece


def edged(char: str) -> bool:
    """Whether words of this character have edges."""
    code = ord(char)
    return char.isalnum() and (code < 0x590 or 0x1E00 <= code < 0x2000)


def kind(char: str) -> str:
    """What a character is to a word: letter, mark, space or nothing that is seen."""
    if char.isspace() or char in "'`\u2018\u2019\u02bc\uff07":
        return "space"
    category = unicodedata.category(char)
    unseen = (
        (0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE00, 0xFE0F),
        (0xFE20, 0xFE2F), (0xE0100, 0xE01EF), (0x180B, 0x180D), (0x180F, 0x180F),
        (0x115F, 0x1160), (0x3164, 0x3164), (0xFFA0, 0xFFA0),
    )  # fmt: skip
    if category in ("Cc", "Cf", "Cs") or any(a <= ord(char) <= b for a, b in unseen):
        return "unseen"
    return "letter" if category[0] in "LMN" else "mark"


def tokens(text: str, steps: frozenset[str]) -> list[tuple[str, int, int, bool]]:
    """(character, start, end, edge before it) as words are compared."""
    chars = folded(text, steps)
    if "strip_separators" not in steps:
        edges = [
            i == 0 or not (edged(chars[i - 1][0]) and edged(c[0])) for i, c in enumerate(chars)
        ]
        return [(*c, e) for c, e in zip(chars, edges, strict=True)]
    letters = [i for i, c in enumerate(chars) if kind(c[0]) == SEEN]

    def between(a: int, b: int) -> str:
        kinds = {kind(chars[i][0]) for i in range(a + 1, b)}
        return "space" if "space" in kinds else "mark" if "mark" in kinds else ""

    def alone(n: int) -> bool:
        left = n == 0 or between(letters[n - 1], letters[n])
        right = n + 1 == len(letters) or between(letters[n], letters[n + 1])
        return bool(left and right)

    out: list[tuple[str, int, int, bool]] = []
    for n, i in enumerate(letters):
        char, start, end = chars[i]
        gap = between(letters[n - 1], i) if n else ""
        before = chars[letters[n - 1]] if n else None
        apart = gap == "space" and not (alone(n - 1) and alone(n))
        if before and apart and edged(before[0]) and edged(char):
            out.append((" ", before[2], start, True))
        edge = before is None or bool(gap) or not (edged(before[0]) and edged(char))
        out.append((char, start, end, edge))
    return out


def words(text: str, lexicon: dict[str, str], steps: frozenset[str]) -> set[tuple[int, int, str]]:
    """Every occurrence of every word: (start, end, id)."""
    chars = tokens(text, steps)
    read = "".join(c[0] for c in chars)
    known: dict[str, str] = {}
    for id_, word in lexicon.items():
        known.setdefault("".join(c[0] for c in tokens(word, steps)), id_)
    found = set()
    for word, id_ in known.items():
        for at in range(len(read) - len(word) + 1):
            if read[at : at + len(word)] != word:
                continue
            last = at + len(word)
            left = not edged(word[0]) or chars[at][3]
            right = not edged(word[-1]) or last == len(chars) or chars[last][3]
            if left and right:
                found.add((chars[at][1], chars[last - 1][2], id_))
    return found


# ---- personal data ---------------------------------------------------------------------------


def _views(text: str) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    yield text, [(i, i + 1) for i in range(len(text))]
    chars = [
        c for c in folded(text, frozenset({"nfkc"})) if kind(c[0]) != "unseen" or c[0] in "\n\r\t"
    ]
    yield "".join(c[0] for c in chars), [(c[1], c[2]) for c in chars]


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _resident(text: str) -> bool:
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9Xx]", text):
        return False
    value = sum(int(d) * pow(2, 17 - i, 11) for i, d in enumerate(text[:17]))
    last = 10 if text[17] in "Xx" else int(text[17])
    if (value + last) % 11 != 1:
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return 1900 <= born.year <= 2099


_FORMS = {
    "BANK_CARD": (
        r"[0-9]{12,19}|[0-9]{4}([ -][0-9]{4}){2,3}|([0-9]{4}[ -]){3,4}[0-9]{1,3}"
        r"|[0-9]{4}[ -][0-9]{6}[ -][0-9]{4,5}|[0-9]{6}[ -][0-9]{13}"
    ),
    "CN_ID_CARD": r"[0-9]{17}[0-9Xx]|[0-9]{6}[ -][0-9]{8}[ -][0-9]{3}[0-9Xx]",
    "CN_MOBILE": (
        r"(\+?86|0086)?1[3-9][0-9]{9}"
        r"|((\+?86|0086)[ -])?1[3-9]([0-9]{9}|[0-9][ -][0-9]{4}[ -][0-9]{4})"
    ),
}


def personal(text: str, entity: str) -> set[tuple[int, int, str]]:
    """Every find of one kind, in the text and in its plain view, by trying all substrings."""
    found = set()
    for view, places in _views(text):
        for start, end in _finds(view, entity):
            found.add((places[start][0], places[end - 1][1], entity))
    return found


def _finds(view: str, entity: str) -> Iterator[tuple[int, int]]:
    for start in range(len(view)):
        for end in range(start + 11, min(len(view), start + 26) + 1):
            piece = view[start:end]
            if not re.fullmatch(_FORMS[entity], piece, re.ASCII):
                continue
            digits = re.sub(r"[ +-]", "", piece)
            good = {
                "BANK_CARD": lambda d: len(set(d)) > 1 and _luhn(d),
                "CN_ID_CARD": _resident,
                "CN_MOBILE": lambda d: True,
            }[entity](digits)
            if good and _free(view, start, end) and not _shorter(view, start, entity):
                yield start, end


def _free(view: str, start: int, end: int) -> bool:
    """Nothing that belongs to another word or number touches it."""
    before = "" if view[start] == "+" else view[start - 1 : start]
    after = view[end : end + 1]
    if (before.isascii() and before.isalnum()) or (after.isascii() and after.isalnum()):
        return False
    return view[start] == "+" or not re.search(r"(^|[^0-9])0\.$", view[:start])


def _shorter(view: str, start: int, entity: str) -> bool:
    """Of a mobile with its +, only the whole is told."""
    plus = view[start - 1 : start] == "+"
    return entity == "CN_MOBILE" and plus and view[start : start + 2] == "86"
