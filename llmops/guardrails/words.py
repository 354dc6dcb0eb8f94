"""Words of a lexicon -> their places in a text, by Aho-Corasick: one pass for all words.

Every occurrence counts, also inside another. A word whose script has edges (Latin, Greek, Cyrillic
letters and digits) counts only from edge to edge: "ass" is not in "class", but it is in "a-s-s"
and beside Chinese text. Words and texts are read in the same view (see `views`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, BytesAhoCorasick, Implementation

from llmops.guardrails.base import Lexicon
from llmops.guardrails.views import View, coarse, context, in_words, read, widths

WINDOW = 1_000_000  # matches of one look at most, so that nested words cannot fill the memory


@dataclass(frozen=True, slots=True)
class Words:
    """The words of one layer, ready to search; `ids` and `edges` are by the word's number."""

    steps: tuple[str, ...]
    texts: tuple[str, ...]
    ids: tuple[str, ...]
    edges: tuple[tuple[bool, bool], ...]
    window: int
    _search: AhoCorasick

    @classmethod
    def of(cls, lexicon: Lexicon) -> Words:
        """Compiled. Raises ValueError for an empty word, an unknown step or no word at all."""
        known = _known(lexicon)
        texts = tuple(sorted(known))
        longest = max(map(len, texts))
        edges = tuple((in_words(t[0]), in_words(t[-1])) for t in texts)
        search = AhoCorasick(texts, implementation=Implementation.ContiguousNFA)
        window = max(2 * longest, WINDOW // _nested(texts, search))
        return cls(lexicon.normalize, texts, tuple(known[t] for t in texts), edges, window, search)

    def find(self, text: str, regions: Iterable[Region]) -> Iterator[tuple[int, int, str]]:
        """Start and end in the text, and the word's id, of every occurrence in some regions."""
        for region in regions:
            view = read(text[region.begin : region.finish], self.steps)
            for start, end, word in self._inside(view):
                start, end = start + region.begin, end + region.begin
                if region.start <= start and end <= region.end:
                    yield start, end, word

    def _inside(self, view: View) -> Iterator[tuple[int, int, str]]:
        for number, start, end in self._occurrences(view.text):
            left, right = self.edges[number]
            if (left and not view.begins(start)) or (right and not view.begins(end)):
                continue
            yield (*view.span(start, end), self.ids[number])

    def _occurrences(self, text: str) -> Iterator[tuple[int, int, int]]:
        """All matches, the text cut into windows that overlap by the longest word."""
        longest = max(map(len, self.texts))
        for begin in range(0, max(len(text), 1), self.window):
            piece = text[begin : begin + self.window + longest - 1]
            for number, start, end in self._search.find_matches_as_indexes(piece, overlapping=True):
                if start < self.window:
                    yield number, start + begin, end + begin


def _known(lexicon: Lexicon) -> dict[str, str]:
    """Each word as it is read, with its id: the first one's, where several are read the same."""
    if not lexicon.words:
        raise ValueError("the lexicon has no word")
    known: dict[str, str] = {}
    for word in lexicon.words:
        text = read(word.text, lexicon.normalize).text
        if not text:
            raise ValueError(f'word "{word.id}" is empty, or nothing but separators')
        if len(text) >= lexicon.min_length:
            known.setdefault(text, word.id)
    if not known:
        raise ValueError(f"every word has fewer than {lexicon.min_length} characters (min_length)")
    return known


def _nested(texts: tuple[str, ...], search: AhoCorasick) -> int:
    """How many words can end at one place: the most that are ends of one word."""
    most = 1
    for text in texts:
        found = search.find_matches_as_indexes(text, overlapping=True)
        most = max(most, sum(end == len(text) for _, _, end in found))
    return most


class Region(NamedTuple):
    """A stretch of a text that may hold words, `start` to `end`, read with what is around it."""

    start: int
    end: int
    begin: int  # of the context
    finish: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Where a text may have a word of some lexicons: none is missed, some are found in vain.

    The search skips a match that overlaps an earlier one; whatever it skips lies within the
    longest word around that one, up to the letters beside it.
    """

    _search: BytesAhoCorasick | None
    _always: bool
    _longest: int

    @classmethod
    def of(cls, lexicons: Iterable[Words]) -> Filter:
        """For all words of all lexicons at once."""
        keys = {coarse(text) for words in lexicons for text in words.texts}
        known = sorted(keys - {b""})
        build = Implementation.ContiguousNFA
        search = BytesAhoCorasick(known, implementation=build) if known else None
        return cls(search, b"" in keys, max(map(len, keys), default=0))

    def regions(self, text: str) -> list[Region]:
        """What is worth a closer look."""
        if self._always:
            return [Region(0, len(text), 0, len(text))]
        found = self._search.find_matches_as_indexes(coarse(text)) if self._search else []
        if not found:
            return []
        ends = list(accumulate(widths(text)))
        near = (
            (
                bisect_left(ends, max(start - self._longest, 0)),
                min(bisect_right(ends, end + self._longest) + 1, len(text)),
            )
            for _, start, end in found
        )
        return [Region(*span, *context(text, *span)) for span in _merged(near)]


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans from left to right, those that meet as one."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
