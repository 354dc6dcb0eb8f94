"""The verdicts of a log: which entries belong to one, and what it takes as given. Dry.

In: the history. Out: each verdict with its statements, in the order of the log; a statement that
belongs to none is a flaw. Eval report, test result and summary stand next to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmops.attest.given import Given, decode
from llmops.audit.base import Entry, Flaw, History
from llmops.log.base import APPROVAL, EVAL_REPORT, POLICY_CHANGE, TEST_RESULT, VSA

ASIDE = (APPROVAL, POLICY_CHANGE)  # before the report, as often as there is something to say


@dataclass(frozen=True, slots=True)
class Stated:
    """A verdict as the log has it."""

    report: Entry
    result: Entry
    summary: Entry
    given: Given

    @property
    def outcome(self) -> str:
        """The word of its outcome."""
        return str(self.report.predicate.get("outcome"))

    @property
    def number(self) -> int:
        """The entry that people call the verdict: its report."""
        return self.report.number


@dataclass(frozen=True, slots=True)
class Verdicts:
    """All verdicts that stand whole."""

    stated: Sequence[Stated]
    flaws: tuple[Flaw, ...]


def check(history: History) -> Verdicts:
    """The verdicts, and statements that are part of none."""
    by_number = {e.number: e for e in history.of(EVAL_REPORT, TEST_RESULT, VSA)}
    stated: list[Stated] = []
    flaws: list[Flaw] = []
    for report in history.of(EVAL_REPORT):
        result, summary = (by_number.get(report.number + step) for step in (1, 2))
        if result is None or summary is None or (result.kind, summary.kind) != (TEST_RESULT, VSA):
            what = "this report is not followed by its test result and its summary"
            flaws.append(Flaw("incomplete", what, entry=report.number))
            continue
        try:
            given = decode(report.predicate.get("given"))
        except ValueError as error:
            what = f"what the verdict takes as given: {error}"
            flaws.append(Flaw("verdict", what, entry=report.number, number="given"))
            continue
        stated.append(Stated(report, result, summary, given))
    flaws += _loose(history, frozenset(one.number for one in history.of(EVAL_REPORT)))
    return Verdicts(stated, tuple(flaws))


def _loose(history: History, reports: frozenset[int]) -> Iterator[Flaw]:
    for kind, step in ((TEST_RESULT, 1), (VSA, 2)):
        for entry in history.of(kind):
            if entry.number - step not in reports:
                what = "this statement about a verdict has no report before it"
                yield Flaw("incomplete", what, entry=entry.number)
