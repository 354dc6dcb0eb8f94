"""Contamination: rows that share a run of tokens with rows that are asked. Counted, never dropped.

In: the curated parts of this dataset, and those of others that `against` names. A row is
contaminated where `ngram` tokens in a row, or all that a shorter row says, also stand in a part
that is named, other than its own. Out: a line of the funnel for each entry, a measurement, and the
reason why the dataset does not hold when more than a share of `max` is contaminated. The method is
that of Brown et al. 2020 (GPT-3), appendix C; of scripts without blanks a token is one character.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmops.diagnostics import printable
from llmops.workers import alike, cases, shapes
from llmops.workers.contract import RunFolder
from llmops.workers.funnel import Found


@dataclass(frozen=True, slots=True)
class Named:
    """A part that rows are held against: as the spec says it, its rows and their format."""

    said: str
    path: Path
    format: str


@dataclass(slots=True)
class Contamination:
    """One `contamination` entry: what it looks for and what it found."""

    ngram: int
    most: float
    own_parts: tuple[str, ...]
    against: tuple[Named, ...]
    step: Found = field(default_factory=lambda: Found(""))
    first: str = ""

    def look(self, parts: Mapping[str, Path], form: str) -> None:
        """Holds every row of `parts` against the named parts other than its own."""
        own = [Named(f"#{part}", parts[part], form) for part in self.own_parts]
        named = (*own, *self.against)
        self.step.name = f"shares {self.ngram} tokens with {', '.join(n.said for n in named)}"
        runs = self._runs(named)
        for part, path in parts.items():
            hidden = 1 << self.own_parts.index(part) if part in self.own_parts else 0
            for row in _rows(path):
                self._see(row, part, text_of(row, form), runs, named, hidden)

    def reason(self) -> str:
        """Why the dataset does not hold; "" when it does."""
        found, rows = self.step.found, self.step.rows_in
        if found <= self.most * rows:
            return ""
        counted = "1 row shares" if found == 1 else f"{found} rows share"
        share = f"{found / rows:.4f} of {rows} (max {self.most:g})"
        what = f"{counted} {self.ngram} tokens in a row with what is asked"
        return f"contamination: {what}, {share}, first {self.first}"

    def _runs(self, named: tuple[Named, ...]) -> dict[bytes, int]:
        """Run -> the named parts it stands in, as bits."""
        runs: dict[bytes, int] = {}
        for number, one in enumerate(named):
            for row in _rows(one.path):
                for run in alike.ngrams(text_of(row, one.format), self.ngram):
                    runs[run] = runs.get(run, 0) | 1 << number
        return runs

    def _see(
        self, row: Mapping[str, Any], part: str, text: str,
        runs: Mapping[bytes, int], named: tuple[Named, ...], hidden: int,
    ) -> None:  # fmt: skip
        places = (runs.get(run, 0) & ~hidden for run in alike.ngrams(text, self.ngram))
        where = next((bits for bits in places if bits), 0)
        place = f"{part} {printable(row['id'], 40)}"
        self.step.see(bool(where), place)
        if where and not self.first:
            other = named[(where & -where).bit_length() - 1].said
            self.first = f'{place} with {other}: "{printable(text, 80)}"'


def build(run: RunFolder, dataset: Mapping[str, Any]) -> tuple[Contamination, ...]:
    """The `contamination` entries of a dataset's curation."""
    return tuple(
        Contamination(
            ngram=entry["ngram"],
            most=float(entry["max"]),
            own_parts=tuple(entry["own_parts"]),
            against=tuple(
                Named(a["said"], run.input(a["input"]), a["format"]) for a in entry["against"]
            ),
        )
        for step in dataset.get("curation", [])
        if (entry := step.get("contamination")) is not None
    )


def text_of(row: Mapping[str, Any], form: str) -> str:
    """What a row asks; of a word list, which asks nothing, the word."""
    return str(row["word"]) if form in shapes.UNASKED else cases.asked(row, form)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        for line in lines:
            yield json.loads(line)
