"""The steps a row goes through while it is curated, each with its count of rows.

In: rows of one dataset, one after the other. Out: whether each goes on, and what `funnel.json` says
of a step: rows in, rows out, dropped, and the places of the first ones. `Select` keeps rows by
value, `Dedup` the first of those that ask the same; `Shared` only counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops import digest
from llmops.workers import alike

SAMPLE = 5


@dataclass(slots=True)
class Step:
    """One step of the funnel: rows in and out, and the places of the first rows it held back."""

    name: str
    rows_in: int = 0
    dropped: int = 0
    sample: list[str] = field(default_factory=list)

    def passes(self, keeps: bool, place: str) -> bool:
        """Counts one row; gives back whether it goes on."""
        self.rows_in += 1
        if not keeps:
            self.dropped += 1
            self.note(place)
        return keeps

    def note(self, place: str) -> None:
        """Keeps the place if the sample still has room."""
        if len(self.sample) < SAMPLE:
            self.sample.append(place)

    def shown(self) -> dict[str, Any]:
        """As `funnel.json` has it."""
        out = self.rows_in - self.dropped
        return {
            "step": self.name, "rows_in": self.rows_in, "rows_out": out,
            "dropped": self.dropped, "sample": self.sample,
        }  # fmt: skip


@dataclass(slots=True)
class Shared(Step):
    """Rows of which another part holds the like: counted, not dropped."""

    found: int = 0
    seen: dict[bytes, int] = field(default_factory=dict)  # key -> the parts it is in, as bits

    def holds(self, key: bytes, part: int) -> bool:
        """Whether this very part has the key already."""
        return bool(self.seen.get(key, 0) & 1 << part)

    def see(self, key: bytes, part: int, place: str) -> None:
        """Counts the row if another part had this key first."""
        self.rows_in += 1
        parts = self.seen.get(key, 0)
        self.seen[key] = parts | 1 << part
        if parts & ~(1 << part):
            self.found += 1
            self.note(place)

    def shown(self) -> dict[str, Any]:
        """As `funnel.json` has it, with how many were found."""
        return {**Step.shown(self), "found": self.found}


@dataclass(slots=True)
class Found(Step):
    """Rows of which something is said without dropping them here."""

    found: int = 0

    def see(self, is_one: bool, place: str) -> None:
        """Counts one row; keeps its place if it is one of those that are looked for."""
        self.rows_in += 1
        if is_one:
            self.found += 1
            self.note(place)

    def shown(self) -> dict[str, Any]:
        """As `funnel.json` has it, with how many were found."""
        return {**Step.shown(self), "found": self.found}


class Select:
    """Keeps rows whose column has (`in`) or has not (`not_in`) one of some values."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self.column = str(wanted["column"])
        self.keeps = "in" in wanted
        values = wanted["in"] if self.keeps else wanted["not_in"]
        self.typed = {digest.canonical(v) for v in values}
        self.texts = {v if isinstance(v, str) else digest.canonical(v).decode() for v in values}
        word = "in" if self.keeps else "not in"
        self.step = Step(f"select {self.column} {word} {', '.join(sorted(self.texts))}")
        self.steps = (self.step,)

    def keep(self, value: Any, media: str, place: str) -> bool:
        """Whether a row with this value stays. A CSV cell is compared as text: `1` is "1"."""
        is_one = value in self.texts if media == "csv" else digest.canonical(value) in self.typed
        return self.step.passes(is_one is self.keeps, place)


class Dedup:
    """Keeps the first of the rows that ask the same, or nearly; the others are dropped and counted.

    `exact`: the same plain text (`alike.plain`). `minhash`: sets of character n-grams whose Jaccard
    index reaches the threshold. A row that asks the same as the one that stays, but is answered
    differently, is counted apart as well: one of the two answers is wrong.
    """

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self.near_as = wanted.get("minhash")
        self.exact = Step("the same again")
        self.contradicting = Found("the same again, answered differently")
        self.near = Step("nearly the same again")
        self.steps: tuple[Step, ...] = (
            *((self.exact, self.contradicting) if wanted.get("exact") else ()),
            *((self.near,) if self.near_as else ()),
        )
        self._answers: dict[tuple[str, bytes], bytes] = {}
        self._nears: dict[str, alike.Near] = {}

    def keep(self, text: str, answer: bytes, scope: str, place: str) -> bool:
        """Whether a row that asks `text` goes on; it is held against earlier rows of its scope."""
        if self.exact in self.steps and not self._is_first(text, answer, scope, place):
            return False
        if self.near_as is None:
            return True
        if scope not in self._nears:
            given = self.near_as
            self._nears[scope] = alike.Near(given["threshold"], given["num_perm"], given["ngram"])
        return self.near.passes(not self._nears[scope].holds(text), place)

    def _is_first(self, text: str, answer: bytes, scope: str, place: str) -> bool:
        plain = alike.plain(text).encode("utf-8", "surrogatepass")
        key = scope, hashlib.sha256(plain).digest()[:16]
        is_new = key not in self._answers
        first = self._answers.setdefault(key, answer)
        self.contradicting.see(first != answer, place)
        return self.exact.passes(is_new, place)
