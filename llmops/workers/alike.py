"""Texts that say the same, or nearly: what `dedup` and `contamination` of a Dataset compare.

In: texts. Out: their plain form, their tokens and n-grams, and pairs that are nearly equal. The
plain form is blind to case, width, blanks and marks (NFKC, case folded, letters, digits and their
accents only). A token is a word; of scripts that put no blanks between words (Han, kana, Thai and
its neighbours) it is one character. Near equality is the Jaccard index of the sets of character
n-grams; candidates come from MinHash with bands (Broder 1997; Leskovec, Rajaraman and Ullman,
Mining of Massive Datasets, chapter 3) and each is then compared exactly, so what is called near is
near for sure, and a pair at the threshold is missed once in a thousand.
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
from array import array
from collections.abc import Iterator

MISSED = 1e-3  # chance at which the bands may miss a pair whose index is the threshold
# Blocks of scripts that are written without blanks: first and last code point.
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),  # iteration mark, zero
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)


def tokens(text: str) -> tuple[str, ...]:
    """Words in their plain form; single characters of scripts without blanks."""
    found: list[str] = []
    inside = False
    for char in unicodedata.normalize("NFKC", text).casefold():
        if not _is_said(char):
            # An apostrophe or a mark between letters ends a word, as a blank does.
            inside = False
        elif _is_unspaced(char):
            found.append(char)
            inside = False
        elif inside:
            found[-1] += char
        else:
            found.append(char)
            inside = True
    return tuple(found)


def plain(text: str) -> str:
    """The text without case, width, blanks and marks; one of marks alone stays as it is."""
    return "".join(tokens(text)) or text.strip()


def ngrams(text: str, size: int) -> Iterator[bytes]:
    """A digest of each run of `size` tokens; a shorter text has one, of all that it says."""
    said = tokens(text) or (text.strip(),)
    for start in range(max(1, len(said) - size + 1)):
        yield _digest("\0".join(said[start : start + size]))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _is_said(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char).startswith("M")


def _is_unspaced(char: str) -> bool:
    code = ord(char)
    return code >= 0x0E00 and any(first <= code <= last for first, last in _UNSPACED)


class Near:
    """Texts kept so far, and whether another is nearly one of them.

    Keeps hashes, never a text: eight bytes for each character and about as much for the bands.
    """

    def __init__(self, threshold: float, hashes: int, size: int) -> None:
        self.threshold = threshold
        self.size = size
        self.hashes = hashes
        self.rows = band(threshold, hashes)
        self._sets: list[array[int]] = []
        self._bands: dict[bytes, list[int]] = {}

    def holds(self, text: str) -> bool:
        """Whether a kept text is nearly this one; one that is not near to any is kept."""
        drawn = self._drawn(plain(text))
        own = {values[0] for values in drawn}
        keys = self._keys([min(column) for column in zip(*drawn, strict=True)])
        near = {number for key in keys for number in self._bands.get(key, ())}
        if any(jaccard(own, set(self._sets[number])) >= self.threshold for number in near):
            return True
        for key in keys:
            self._bands.setdefault(key, []).append(len(self._sets))
        self._sets.append(array("Q", sorted(own)))
        return False

    def _drawn(self, text: str) -> list[tuple[int, ...]]:
        """Of each n-gram its own hash, and the ones of which the least counts."""
        starts = range(max(1, len(text) - self.size + 1))
        grams = {text[start : start + self.size] for start in starts}
        shape = f"<Q{self.hashes}I"
        size = struct.calcsize(shape)
        return [
            struct.unpack(
                shape, hashlib.shake_128(gram.encode("utf-8", "surrogatepass")).digest(size)
            )
            for gram in grams
        ]

    def _keys(self, least: list[int]) -> list[bytes]:
        """A key for each band of the signature; the first hash names the n-gram, no band."""
        signature = least[1:]
        return [
            struct.pack(f"<I{self.rows}I", start, *signature[start : start + self.rows])
            for start in range(0, self.hashes - self.rows + 1, self.rows)
        ]


def band(threshold: float, hashes: int) -> int:
    """The most rows a band may have so that a pair at the threshold is missed in MISSED at most."""
    for rows in range(hashes, 1, -1):
        if (1 - threshold**rows) ** (hashes // rows) <= MISSED:
            return rows
    return 1


def jaccard(one: set[int], other: set[int]) -> float:
    """What two sets share, of all that is in either."""
    return len(one & other) / len(one | other)
