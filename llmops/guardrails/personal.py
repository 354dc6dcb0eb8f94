"""Personal data in a text, by its form and, where it has one, by its checksum.

- `CN_ID_CARD`: 18 characters by GB 11643: region, a day of the calendar from 1900 to 2099, and the
  check character (ISO 7064 MOD 11-2). The old 15 digits have no checksum and are not looked for.
- `BANK_CARD`: 12 to 19 digits by Luhn, not all equal.
- `CN_MOBILE`: 11 digits that begin with 13 to 19, with or without +86; mobiles have no checksum.
- `EMAIL_ADDRESS`: ASCII addresses with a top level domain of letters.

Numbers may be written in groups with single spaces or hyphens, as people do. They count where no
ASCII letter or digit touches them, so Chinese text may; digits behind "0." are a fraction.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

from llmops.guardrails.patterns import compiled, spans

Find = Callable[[bytes], Iterator[tuple[int, int]]]

# What a text must hold for a finder to be asked at all, in RE2 syntax.
HINTS = {
    "BANK_CARD": r"[0-9]{4}",
    "CN_ID_CARD": r"[0-9]{6}",
    "CN_MOBILE": r"1[3-9][0-9]",
    "EMAIL_ADDRESS": r"@[A-Za-z0-9]",
}
_EMAIL = r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}"
_DIGITS = re.compile(rb"[0-9]+")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"

# Sizes of the groups in which numbers are written, beside one piece.
_CARD_GROUPS = {(4, 4, 4), (4, 4, 4, 4), (4, 6, 4), (4, 6, 5), (6, 13), (4, 4, 4, 4, 3)} | {
    (*(4,) * fours, last) for fours in (3, 4) for last in (1, 2, 3)
}
_MOBILE_GROUPS = {(11,), (3, 4, 4), (13,), (2, 11), (2, 3, 4, 4), (15,), (4, 11), (4, 3, 4, 4)}
_ID_GROUPS = {(18,), (17,), (6, 8, 4), (6, 8, 3)}
_CARD_SIZES = {*_CARD_GROUPS, *((size,) for size in range(12, 20))}


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1)."""
    doubled = sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])
    return (doubled + sum(int(d) for d in digits[-1::-2])) % 10 == 0


def bank_card(digits: str) -> bool:
    """Whether this is the number of a card, as far as it can tell of itself."""
    return 12 <= len(digits) <= 19 and len(set(digits)) > 1 and luhn(digits)


def resident_id(text: str) -> bool:
    """Whether this is a resident's number by GB 11643: region, birthday and check character."""
    if len(text) != 18 or text[0] == "0" or not text[:17].isdecimal():
        return False
    check = _CHECKS[sum(w * int(d) for w, d in zip(_WEIGHTS, text, strict=False)) % 11]
    return check == text[17].upper() and _is_day(text[6:14])


def mobile(digits: str) -> bool:
    """Whether this is a Chinese mobile number, with or without its country's code."""
    for code in ("0086", "86", ""):
        if digits.startswith(code) and len(digits) == len(code) + 11:
            own = digits[len(code) :]
            return own[0] == "1" and own[1] in "3456789"
    return False


def _is_day(text: str) -> bool:
    try:
        return 1900 <= date(int(text[:4]), int(text[4:6]), int(text[6:])).year <= 2099
    except ValueError:
        return False


class _Group(NamedTuple):
    """Digits without a break, as bytes `start` to `end`; `linked`: one separator before them."""

    start: int
    end: int
    linked: bool

    @property
    def size(self) -> int:
        return self.end - self.start


def _groups(data: bytes) -> list[_Group]:
    found: list[_Group] = []
    for match in _DIGITS.finditer(data):
        start, end = match.span()
        near = found and found[-1].end == start - 1 and data[start - 1 : start] in (b" ", b"-")
        found.append(_Group(start, end, bool(near)))
    return found


def _numbers(data: bytes, sizes: set[tuple[int, ...]]) -> Iterator[tuple[int, int, str]]:
    """Every run of groups of the given sizes that nothing touches: its place and its digits."""
    groups = _groups(data)
    firsts = {size[0] for size in sizes}
    lengths = sorted({len(size) for size in sizes})
    for i, group in enumerate(groups):
        if group.size not in firsts or _touched_before(data, group.start):
            continue
        for length in lengths:
            run = groups[i : i + length]
            if len(run) < length or not all(g.linked for g in run[1:]):
                break
            if tuple(g.size for g in run) in sizes:
                digits = b"".join(data[g.start : g.end] for g in run).decode()
                yield group.start, run[-1].end, digits


def _touched_before(data: bytes, start: int) -> bool:
    """Whether a letter stands before the number, or it is a fraction."""
    if start and data[start - 1 : start].isalnum():
        return True
    behind_zero = data[max(start - 2, 0) : start] == b"0."
    return behind_zero and not data[max(start - 3, 0) : max(start - 2, 0)].isdigit()


def _touched_after(data: bytes, end: int) -> bool:
    return data[end : end + 1].isalnum()


def _cards(data: bytes) -> Iterator[tuple[int, int]]:
    for start, end, digits in _numbers(data, _CARD_SIZES):
        if not _touched_after(data, end) and bank_card(digits):
            yield start, end


def _ids(data: bytes) -> Iterator[tuple[int, int]]:
    for start, end, digits in _numbers(data, _ID_GROUPS):
        if len(digits) == 17:
            check = data[end : end + 1].decode("latin-1")
            end, digits = end + 1, digits + check
        if not _touched_after(data, end) and resident_id(digits):
            yield start, end


def _mobiles(data: bytes) -> Iterator[tuple[int, int]]:
    for start, end, digits in _numbers(data, _MOBILE_GROUPS):
        if not _touched_after(data, end) and mobile(digits):
            plus = data[start - 1 : start] == b"+" and digits.startswith("86")
            yield start - plus, end


def _emails(data: bytes) -> Iterator[tuple[int, int]]:
    yield from spans(compiled(_EMAIL), data)


FINDERS: dict[str, Find] = {
    "BANK_CARD": _cards,
    "CN_ID_CARD": _ids,
    "CN_MOBILE": _mobiles,
    "EMAIL_ADDRESS": _emails,
}


def find(entity: str, data: bytes) -> Sequence[tuple[int, int]]:
    """Bytes `start` to `end` of every find of one kind."""
    return tuple(FINDERS[entity](data))
