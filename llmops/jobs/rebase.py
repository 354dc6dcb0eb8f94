"""Entries recorded on an older end of the ledger -> as they stand on its present end. Dry.

In: an entry that only one writer has, the entries that all have by now, and how many of those that
writer had seen. Out: the entry to append, or None where somebody said the same already. An attempt
made at once with another at the same claim comes after it, and is tested at the level of its place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from llmops.jobs.attempts import Attempt, Decided, Entry, Granted, Judged


def rebased(entry: Entry, known: Sequence[Entry], seen: int) -> Entry | None:
    """The entry on top of `known`, of which its writer had `seen` the first ones."""
    if isinstance(entry, Attempt):
        return _attempt(entry, known, seen)
    if isinstance(entry, Judged):
        return _judged(entry, known)
    same = [
        other
        for other in known
        if isinstance(other, type(entry))
        and (other.claim, other.closure) == (entry.claim, entry.closure)
    ]
    last = same[-1] if same else None
    if isinstance(entry, Decided) and isinstance(last, Decided):
        return None if last.outcome == entry.outcome else entry
    if isinstance(entry, Granted):
        moved = seen < len(known)
        granted = replace(entry, attempt=_number(entry, known)) if moved else entry
        return granted if last is None else None
    return entry


def _judged(entry: Judged, known: Sequence[Entry]) -> Judged | None:
    """A verdict on a tree, unless the last one on it under these policies says the same."""
    key = entry.tree, entry.policy
    same = [one for one in known if isinstance(one, Judged) and (one.tree, one.policy) == key]
    return None if same and same[-1].outcome == entry.outcome else entry


def _attempt(entry: Attempt, known: Sequence[Entry], seen: int) -> Attempt | None:
    own = [
        (place, other)
        for place, other in enumerate(known)
        if isinstance(other, Attempt) and other.claim == entry.claim
    ]
    closures = {c for _, other in own if other.change == entry.change for c in other.closures}
    if closures.issuperset(entry.closures):
        return None
    before = {c for place, other in own if place < seen for c in other.closures}
    meanwhile = 0
    for place, other in own:
        if place >= seen and not before.issuperset(other.closures):
            meanwhile += 1
            before.update(other.closures)
    number = entry.attempt + meanwhile
    return replace(entry, attempt=number, level=_level(entry, number))


def _level(entry: Attempt, number: int) -> str:
    """Each attempt is tested at half the level of the one before it, the last two alike."""
    last = max(entry.attempts - 1, 0)
    later = min(number, last) - min(entry.attempt, last)
    return repr(math.ldexp(float(entry.level), -later)) if later else entry.level


def _number(entry: Granted, known: Sequence[Entry]) -> int:
    """The attempt that was granted, as it is counted by now."""
    numbers = [
        other.attempt
        for other in known
        if isinstance(other, Attempt)
        and other.claim == entry.claim
        and entry.closure in other.closures
    ]
    return numbers[-1] if numbers else entry.attempt
