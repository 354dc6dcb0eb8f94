"""Reused jobs that were run once more, as the log has them: what was held against which run. Dry.

In: the history. Out: the audits in the order of the log, and those that name a run which the log
does not have before them. A verdict rests on all that were there; none can be left out unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmops.audit.base import Flaw, History
from llmops.digest import of_bytes
from llmops.evidence.audits import parse
from llmops.jobs.audits import Audit
from llmops.log.base import REUSE_AUDIT, RUN


@dataclass(frozen=True, slots=True)
class Repeated:
    """Each audit with the number of its entry."""

    audits: Sequence[tuple[int, Audit]]
    flaws: tuple[Flaw, ...]

    def before(self, size: int) -> tuple[Audit, ...]:
        """The audits among the first `size` entries of the log."""
        return tuple(audit for number, audit in self.audits if number < size)


def check(history: History) -> Repeated:
    """Every audit, held against the run that it names."""
    flaws: list[Flaw] = []
    return Repeated(tuple(_read(history, flaws)), tuple(flaws))


def _read(history: History, flaws: list[Flaw]) -> Iterator[tuple[int, Audit]]:
    for entry in history.of(REUSE_AUDIT):
        payload = entry.payload
        try:
            found = parse(json.loads(payload), of_bytes(payload))
        except (ValueError, KeyError, TypeError) as error:
            what = f"a job that was run once more: {str(error)[:300]}"
            flaws.append(Flaw("tampered", what, entry=entry.number))
            continue
        kept = history.by_digest.get(found.kept.removeprefix("sha256:"))
        if kept is None or kept.kind != RUN or kept.number > entry.number:
            what = f"the run that it was held against, {found.kept}, is not in the log before it"
            flaws.append(Flaw("order", what, entry=entry.number))
        yield entry.number, found
