"""Who tells a report in one language: its words, its evidence, and cells made of both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from llmops.jobs.base import Step
from llmops.reports import words
from llmops.reports.chinese import chinese
from llmops.reports.content import Absent, Block, Cell, Table
from llmops.reports.phrase import Lang
from llmops.reports.phrases import Words
from llmops.reports.report import Kept, Report, Source
from llmops.rules.base import Outcome

_LONGEST = 600  # characters of one cell


@dataclass(frozen=True)
class Teller:
    """A report and the language that it is told in."""

    report: Report
    lang: Lang

    @cached_property
    def say(self) -> Words:
        """The phrases of the language."""
        return Words(self.lang)

    def rule(self, text: str) -> str:
        """A sentence that a rule or the planner wrote, in this language."""
        return chinese(text) if self.lang == "zh" else text

    def outcome(self, outcome: Outcome) -> Cell:
        """An outcome as a word with its mark."""
        return Cell(self.say(outcome.word), mark=outcome)

    def text(self, text: str | None, limit: int = _LONGEST) -> Cell:
        """Text of others as a cell, cut with a count."""
        if text is None:
            return Cell(self.say("none"), "case")
        if not text.strip():
            return Cell(self.say("empty"), "case")
        return Cell(self.cut(text, limit), "case")

    def cut(self, text: str, limit: int = _LONGEST) -> str:
        """The text, or its beginning and how much more there is."""
        if len(text) <= limit:
            return text
        return f"{text[:limit]} {self.say('cut', n=words.count(len(text) - limit))}"

    def number(self, value: float | None, *refs: str, beside: str = "") -> Cell:
        """A number with the evidence it rests on; nothing is an empty cell."""
        if value is None:
            return Cell("")
        shown = words.number(value, words.places_of(value, beside))
        return Cell(minus(shown), "number", tuple(filter(None, refs)))

    def count(self, value: int | None, *refs: str) -> Cell:
        """A whole number with the evidence it rests on."""
        if value is None:
            return Cell("")
        return Cell(words.count(value), "number", tuple(filter(None, refs)))

    def interval(self, bounds: tuple[float, float] | None, *refs: str, beside: str = "") -> Cell:
        """`[0.021, 0.055]`."""
        refs = tuple(filter(None, refs))
        return Cell(minus(words.interval(bounds, beside)), "number", refs if bounds else ())

    def more(self, left: int) -> str:
        """How many rows were left out, in words; "" when none was."""
        return self.say("more_rows", n=words.count(left)) if left else ""

    @cached_property
    def marks(self) -> Mapping[str, str]:
        """Digest of a statement -> `E1`, in the order of the plan, then what findings name."""
        found = [kept.digest for kept in self.report.kept]
        found += [f.evidence for f in self.report.verdict.findings if f.evidence]
        return {digest: f"E{i}" for i, digest in enumerate(dict.fromkeys(found), start=1)}

    @cached_property
    def steps(self) -> Mapping[str, Step]:
        """The plan's steps by closure."""
        return {step.job.closure: step for step in self.report.verdict.plan.steps}

    def kept(self, closure: str) -> Kept | None:
        """The evidence of a job."""
        return self.report.of(closure)

    def ref(self, source: Source) -> str:
        """The statement that something was read under, "" if there is none."""
        found = self.report.of(source.closure)
        return found.digest if found else ""

    def job(self, closure: str, name: str = "") -> str:
        """`train/support-lora`, and whose target it was where that is base's."""
        step = self.steps.get(closure)
        if step is None:
            return name
        shown = step.job.id
        return self.say("job_base", job=shown) if step.job.side == "base" else shown


def minus(shown: str) -> str:
    """A number in words with true minus signs."""
    pieces = shown.split("e-")
    return "e-".join(piece.replace("-", words.MINUS) for piece in pieces)


def plain(texts: Iterable[str]) -> tuple[Cell, ...]:
    """Texts as cells."""
    return tuple(Cell(text) for text in texts)


def grid(
    head: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    title: str = "",
    left: str = "",
    shape: Literal["", "slim", "rules"] = "",
) -> tuple[Block, ...]:
    """A table, or nothing when it has no row."""
    found = tuple(tuple(row) for row in rows)
    return (Table(tuple(head), found, title, shape, left=left),) if found else ()


def absent(told: Teller, what: str, why: str) -> Absent:
    """Something that was not measured; both are phrases or sentences already said."""
    return Absent(what, told.rule(why))
