"""Rated rows put to the judge among the cases, so that its errors are measured while it judges.

In: the input `anchors` of an evaluate job (a curated part of format ratings). Out: `anchors.jsonl`,
a row for each with its rating, its control word and a cell for each judged check it is rated for.
Same judge, same prompts, same repeats; `among` mixes them into the cases by the hashes that order
these, so that nothing in the order tells a judge what is rated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops.diagnostics import printable
from llmops.jobs.evaluate import ANCHORS
from llmops.statistics.order import subset_key
from llmops.workers import cases, rows, shapes
from llmops.workers.contract import RunFolder, WorkerError
from llmops.workers.measure import Answered

FILE = f"{ANCHORS}.jsonl"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One rated row, and itself as an answered case."""

    row: Mapping[str, Any]
    answered: Answered

    def rated_for(self, check: str) -> bool:
        """Whether its rating is for a check: for the one that it names, or for every judged one."""
        return self.row.get("check") in (None, "", check)


def read(run: RunFolder, taken: Mapping[str, Any]) -> tuple[Anchor, ...]:
    """The rated rows of a job, none without calibration; `taken` are the ids of the cases.

    Raises WorkerError for a row that has no rating of the format's shape.
    """
    if ANCHORS not in run.inputs:
        return ()
    found = tuple(_anchor(row) for row in rows.read_kept(run.input(ANCHORS)))
    for one in found:
        if one.answered.id in taken:
            raise WorkerError(f'a case and a rated row are both called "{one.answered.id}"')
    return found


def _anchor(row: Mapping[str, Any]) -> Anchor:
    if what := shapes.problem(row, "ratings"):
        raise WorkerError(f'rated row "{printable(str(row.get("id")))}": {what}')
    answered = Answered(
        id=f"{ANCHORS}/{row['id']}",
        input=cases.question(row, "ratings"),
        expected=row.get("expected") or None,
        response=row["response"],
        columns=row,
    )
    return Anchor(row, answered)


def among(
    spec: Mapping[str, Any], asked: Sequence[Answered], rated: Sequence[Answered]
) -> list[Answered]:
    """Cases and rated rows in one order, by the hashes that order the cases."""
    if not rated:
        return list(asked)
    given = spec.get("asked") or {}
    where = str(given.get("dataset", "")), str(given.get("split", ""))
    return sorted((*asked, *rated), key=lambda a: subset_key(*where, str(a.columns["case"])))


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged check: how it scores, what each repeat said, and the place of each id it asked."""

    name: str
    score: Callable[[Answered], Any]  # a cell
    repeats: Callable[[str], Sequence[float]]
    places: Mapping[str, int]


def judged(found: Sequence[Anchor], checks: Sequence[Judged]) -> Iterator[dict[str, Any]]:
    """The lines of `anchors.jsonl`, in the order of the curated part."""
    for one in found:
        cells = {check.name: _cell(one, check) for check in checks if one.rated_for(check.name)}
        yield {
            "id": one.row["id"],
            "case": one.row["case"],
            "input": one.answered.input,
            "expected": one.answered.expected,
            "response": one.answered.response,
            "rating": shapes.rating_of(one.row),
            "control": one.row.get("control") or None,
            "columns": cases.columns(one.row),
            "cells": cells,
        }


def _cell(one: Anchor, check: Judged) -> dict[str, Any]:
    """The cell, with what each repeat said and when it was asked among how many."""
    id_ = one.answered.id
    said = list(check.repeats(id_))
    place = {"place": check.places.get(id_), "of": len(check.places)}
    return {**asdict(check.score(one.answered)), "repeats": said, **place}
