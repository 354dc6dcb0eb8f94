"""The ledger of attempts as the log has it: one chain, each entry naming the one before. Dry.

In: the history. Out: the entries with their places in the log, and what is wrong with the chain.
A ledger entry that was left out, put in between or said otherwise breaks the chain here; whether a
verdict counted by it is seen when the verdict is derived again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmops.attest.ledger import subject
from llmops.audit.base import Entry, Flaw, History
from llmops.digest import canonical, short
from llmops.evidence.entry import Kept, parse
from llmops.log.base import LEDGER


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry of the ledger, and the number under which the log has it."""

    kept: Kept
    entry: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """The chain as far as it holds."""

    placed: Sequence[Placed]
    flaws: tuple[Flaw, ...]

    def before(self, size: int) -> tuple[Kept, ...]:
        """What of it stands among the first `size` entries of the log."""
        return tuple(one.kept for one in self.placed if one.entry < size)


def check(history: History) -> Ledger:
    """The ledger's entries in the order of the log."""
    placed: list[Placed] = []
    flaws: list[Flaw] = []
    for entry in history.of(LEDGER):
        last = placed[-1].kept if placed else None
        try:
            placed.append(Placed(_next(entry, last), entry.number))
        except ValueError as error:
            flaws.append(Flaw("attempts", f"the ledger: {error}", entry=entry.number))
    return Ledger(placed, tuple(flaws))


def _next(entry: Entry, last: Kept | None) -> Kept:
    """The ledger's entry in an entry of the log. Raises ValueError: it does not follow."""
    said = entry.statement
    kept = parse(said["predicate"], canonical(said["predicate"]))
    number = last.number + 1 if last is not None else 1
    if kept.number != number:
        raise ValueError(f"this is its entry {kept.number:,}, and {number:,} is next")
    if kept.previous != (last.digest if last is not None else None):
        before = "none" if kept.previous is None else short(kept.previous)
        raise ValueError(f"its entry {number:,} follows {before}, which is not the one before it")
    if said["subject"] != subject(kept):
        raise ValueError(f"its entry {number:,} has another subject than its own digest")
    return kept
