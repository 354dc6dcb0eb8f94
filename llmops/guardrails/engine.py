"""GuardConfig + text -> Decision: every layer looks, one block blocks, masks add up.

Two looks, for speed. The first asks all words (in the coarse text) and all patterns (one RE2 Set)
at once whether anything is there; only what may be there is looked for with exact spans. The first
look may be wrong in one direction only, and tests hold both together to a scan of everything.

Patterns and personal data are looked for in the text as it stands, and once more in its plain view
where that differs (full-width digits, zero-width characters between them). A layer that fails
blocks (`engine-error`), and so does one with more than MOST_HITS finds (`too-many-hits`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import re2

from llmops.guardrails import patterns, personal
from llmops.guardrails.base import ENTITIES, Decision, GuardConfig, Hit, Layer
from llmops.guardrails.views import View, plain, whole
from llmops.guardrails.words import Filter, Words

MOST_HITS = 1_000  # of one layer
SET_PROGRAM = 10_000  # instructions of all patterns up to which one RE2 Set asks for them together
ERROR, TOO_MANY = "engine-error", "too-many-hits"
Find = tuple[int, int, str]  # start, end, rule


class Guard:
    """A configuration, compiled: build it once, ask it often. It keeps nothing of a text."""

    def __init__(self, config: GuardConfig) -> None:
        self._layers = config.layers
        self._words = {i: _words(layer) for i, layer in enumerate(config.layers) if layer.lexicon}
        self._filter = Filter.of(self._words.values())
        self._probes = _Probes.of(config.layers)

    def decide(self, text: str) -> Decision:
        """What becomes of a text. Raises nothing for any text: a layer that fails blocks."""
        try:
            hits = self._hits(whole(text), len(text))
        except Exception:  # on_error: block; whatever the reason, nothing passes unread
            hits = [_failure(layer, ERROR, len(text)) for layer in self._layers]
        return decision(text, hits)

    def _hits(self, text: str, length: int) -> list[Hit]:
        hits: list[Hit] = []
        if regions := self._filter.regions(text):
            for number, words in self._words.items():
                hits += _told(self._layers[number], partial(words.find, text, regions), length)
        for number, look in self._probes.look(text):
            hits += _told(self._layers[number], look, length)
        return hits


def decision(text: str, hits: Iterable[Hit]) -> Decision:
    """What hits make of a text: one block blocks; else what is masked is covered."""
    found = tuple(sorted(set(hits), key=lambda h: (h.start, h.end, h.layer, h.rule, h.action)))
    if any(hit.action == "block" for hit in found):
        return Decision("block", "", found)
    return Decision("mask", masked(text, found), found) if found else Decision("allow", text)


def masked(text: str, hits: Sequence[Hit]) -> str:
    """The text with `[name]` for what was found; finds that overlap become one."""
    parts: list[str] = []
    end, names = 0, set[str]()
    for hit in hits:  # by start
        if names and hit.start >= end:
            parts.append(_cover(names))
            names = set()
        if not names:
            parts.append(text[end : hit.start])
        names.add(hit.rule if hit.rule in ENTITIES else hit.layer)
        end = max(end, hit.end)
    return "".join([*parts, _cover(names) if names else "", text[end:]])


def _cover(names: Iterable[str]) -> str:
    return f"[{'+'.join(sorted(names))}]"


def _told(layer: Layer, look: Callable[[], Iterable[Find]], length: int) -> list[Hit]:
    """The finds of one layer as hits; a failure, or too many, as one hit that blocks."""
    found: set[Find] = set()
    try:
        for find in look():
            found.add(find)
            if len(found) > MOST_HITS:
                return [_failure(layer, TOO_MANY, length)]
    except Exception:  # on_error: block
        return [_failure(layer, ERROR, length)]
    return [Hit(layer.name, rule, start, end, layer.action) for start, end, rule in found]


def _failure(layer: Layer, rule: str, length: int) -> Hit:
    return Hit(layer.name, rule, 0, length, "block")


def _words(layer: Layer) -> Words:
    assert layer.lexicon is not None
    try:
        return Words.of(layer.lexicon)
    except ValueError as error:
        raise ValueError(f'layer "{layer.name}": {error}') from error


@dataclass(frozen=True, slots=True)
class _Probe:
    """A pattern or kind of personal data of a layer; `hint` is in every text that has one."""

    layer: int
    rule: str
    hint: str
    find: personal.Find


@dataclass(frozen=True, slots=True)
class _Probes:
    """All patterns and kinds of personal data; `together` says which of them a text may have."""

    probes: tuple[_Probe, ...]
    together: re2.Set | None

    @classmethod
    def of(cls, layers: Sequence[Layer]) -> _Probes:
        probes = tuple(p for i, layer in enumerate(layers) for p in _probes(i, layer))
        cost = sum(patterns.compiled(p.hint).programsize for p in probes)
        return cls(probes, _together(probes) if probes and cost <= SET_PROGRAM else None)

    def look(self, text: str) -> Iterator[tuple[int, Callable[[], Iterable[Find]]]]:
        """Each layer that may find something, with its closer look."""
        if not self.probes:
            return
        shown = plain(text)
        views = [View(text)] if shown.text == text else [View(text), shown]
        for view in views:
            data = view.text.encode("utf-8")
            for number in self._fired(data):
                probe = self.probes[number]
                yield probe.layer, partial(_closer, probe, data, view)

    def _fired(self, data: bytes) -> Iterable[int]:
        """Probes worth a closer look. A Set that ran out of memory says nothing: then all are."""
        every = range(len(self.probes))
        if self.together is None:
            return every
        found = set(self.together.Match(data) or ())
        return sorted(found - {len(every)}) if len(every) in found else every


def _together(probes: Sequence[_Probe]) -> re2.Set:
    """One Set of all hints, and last a pattern that every text matches."""
    found = re2.Set.SearchSet(patterns.options())
    for probe in probes:
        found.Add(probe.hint.encode("utf-8"))
    found.Add(rb"\z")
    found.Compile()
    return found


def _probes(number: int, layer: Layer) -> Iterator[_Probe]:
    if layer.pattern is not None:
        if refused := patterns.refusal(layer.pattern):
            raise ValueError(f'layer "{layer.name}": {refused.what} ({refused.hint})')
        program = patterns.compiled(layer.pattern)
        yield _Probe(number, "regex", layer.pattern, partial(patterns.spans, program))
    for entity in layer.entities:
        if entity not in personal.FINDERS:
            raise ValueError(f'layer "{layer.name}": nothing finds "{entity}"')
        yield _Probe(number, entity, personal.HINTS[entity], personal.FINDERS[entity])


def _closer(probe: _Probe, data: bytes, view: View) -> Iterator[Find]:
    """The finds of one probe in one view, as characters of the original text."""
    for start, end in _characters(data, len(view.text), probe.find(data)):
        yield (*view.span(start, end), probe.rule)


def _characters(
    data: bytes, length: int, spans: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Characters instead of bytes; the spans come from left to right."""
    if len(data) == length:
        yield from spans
        return
    place = char = 0
    for start, end in spans:
        char += len(data[place:start].decode("utf-8"))
        place = start
        yield char, char + len(data[start:end].decode("utf-8"))
