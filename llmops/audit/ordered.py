"""Runs in their order: said before they were made, once each, by the same hand (invariant I2). Dry.

In: the history. Out: the runs, and what is wrong with their order: a run that names a start which
the log does not have before it, which is another job's or another key's, or which another run
named already; a nonce that came twice. Whoever may sign cannot choose among results then: each
start is in the log, with what came of it or without.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops.audit.base import Entry, Flaw, History
from llmops.audit.times import in_utc, shown
from llmops.digest import of_bytes
from llmops.evidence import started
from llmops.evidence.started import Started
from llmops.evidence.statement import Evidence, parse
from llmops.log.base import PROVENANCE, RUN, RUN_STARTED


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of the log. `job`: what it was told, as its statement has it."""

    evidence: Evidence
    entry: Entry
    job: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Runs:
    """All runs in the order of the log. `unstarted`: how many nobody announced."""

    runs: Sequence[Ran]
    flaws: tuple[Flaw, ...]
    unstarted: int
    unfinished: int  # starts of which no run came

    def before(self, size: int) -> tuple[Evidence, ...]:
        """The runs among the first `size` entries of the log."""
        return tuple(one.evidence for one in self.runs if one.entry.number < size)


def check(history: History) -> Runs:
    """Every run, held against its start and its provenance."""
    flaws: list[Flaw] = []
    starts = dict(_starts(history, flaws))
    runs = list(_runs(history, flaws))
    used: dict[str, Ran] = {}
    for one in runs:
        flaws += _started(one, starts, used)
        flaws += _provenance(one, history)
    unstarted = sum(not one.evidence.links.started for one in runs)
    return Runs(runs, tuple(flaws), unstarted, len(starts.keys() - used.keys()))


def _starts(history: History, flaws: list[Flaw]) -> Iterator[tuple[str, tuple[Started, Entry]]]:
    nonces: dict[str, int] = {}
    for entry in history.of(RUN_STARTED):
        try:
            found = started.parse(entry.payload)
        except ValueError as error:
            flaws.append(Flaw("tampered", f"the start of a run: {error}", entry=entry.number))
            continue
        first = nonces.setdefault(found.nonce, entry.number)
        if first != entry.number:
            what = f"its nonce {found.nonce} is that of entry {first}: one nonce is one start"
            flaws.append(Flaw("order", what, entry=entry.number))
        yield found.digest, (found, entry)


def _runs(history: History, flaws: list[Flaw]) -> Iterator[Ran]:
    for entry in history.of(RUN):
        payload = entry.payload
        try:
            said = json.loads(payload)
            yield Ran(parse(said, of_bytes(payload)), entry, said["predicate"]["job"])
        except ValueError as error:
            flaws.append(Flaw("tampered", f"a run: {str(error)[:300]}", entry=entry.number))


def _started(
    one: Ran, starts: dict[str, tuple[Started, Entry]], used: dict[str, Ran]
) -> Iterator[Flaw]:
    named = one.evidence.links.started
    if not named:
        return
    number = one.entry.number
    if named not in starts or starts[named][1].number > number:
        what = f"the start that this run names, {named}, is not in the log before it"
        yield Flaw("order", what, "a run counts only if it was announced", entry=number)
        return
    begun, entry = starts[named]
    first = used.setdefault(named, one)
    if not _same(first, one):
        what = f"its start, entry {entry.number}, is that of the run in entry {first.entry.number}"
        yield Flaw("order", what, "one start is one run", entry=number)
    yield from _differs(one, begun, entry)


def _same(first: Ran, other: Ran) -> bool:
    """Whether two statements are about one run, of which more columns were disclosed later."""
    if first is other:
        return True
    said, again = dict(first.entry.predicate), dict(other.entry.predicate)
    for name in ("disclosed", "columns"):
        said.pop(name, None)
        again.pop(name, None)
    return said == again


def _differs(one: Ran, begun: Started, entry: Entry) -> Iterator[Flaw]:
    """How a run is not what its start announced."""
    number = one.entry.number
    if begun.closure != one.evidence.closure:
        yield Flaw("order", f"its start, entry {entry.number}, is of another job", entry=number)
    elif begun.job != one.job:
        what = f"it was told otherwise than its start, entry {entry.number}, says"
        yield Flaw("order", what, entry=number)
    began, ended = in_utc(begun.started_at), in_utc(one.evidence.result.finished_at)
    if ended < began:
        what = f"it ended at {shown(ended)}, before its start says {shown(began)}"
        yield Flaw("order", what, entry=number)


def _provenance(one: Ran, history: History) -> Iterator[Flaw]:
    """What a run names as the provenance of its weights is in the log before it."""
    named = one.evidence.links.provenance
    if not named:
        return
    found = history.by_digest.get(named.removeprefix("sha256:"))
    if found is None or found.kind != PROVENANCE or found.number > one.entry.number:
        what = f"the provenance that this run names, {named}, is not in the log before it"
        yield Flaw("order", what, entry=one.entry.number)
