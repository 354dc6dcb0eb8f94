"""Cases and responses -> the cells of an evaluation, scored again by the exact metrics.

In: a job, the rows that somebody else made, and the artifacts of other jobs that it read. Out: what
a row says otherwise than our own scoring, in words. Which cases were asked, what was expected, and
what was answered are held against the curated cases and the kept responses; where those are not
here, each row is scored as it stands. What a judge said is not asked again: that cannot be
computed, and is told apart in the report by the tool that measured it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from llmops.audit.rescored import cells, checks
from llmops.diagnostics import printable
from llmops.jobs.base import Job
from llmops.workers import evaluate, rows
from llmops.workers.contract import WorkerError

MOST = 3  # reasons that are told


class _Untimed:
    """Stands where scoring is timed."""

    inside = 0.0


def rescored(job: Job, artifacts: Path, given: Mapping[str, Path]) -> tuple[str, ...]:
    """What the rows of an evaluation say and our own scoring does not, the first few."""
    if job.type != "evaluate":
        return ()
    try:
        exact = checks(job)
        kept = {row["id"]: row for row in rows.read_kept(artifacts / "rows.jsonl")}
        if {"cases", "responses"} <= given.keys():
            found = _of_cases(job, kept, exact, given)
        else:
            found = _of_rows(kept, exact)
        return tuple(one for _, one in zip(range(MOST), found, strict=False))
    except (WorkerError, KeyError, TypeError, ValueError, AttributeError) as error:
        return (f"its rows cannot be scored again: {printable(str(error), 200)}",)


def _of_cases(
    job: Job,
    kept: Mapping[str, Mapping[str, Any]],
    exact: tuple[evaluate.Check, ...],
    given: Mapping[str, Path],
) -> Iterator[str]:
    """Each asked case with its response, scored as the worker scores it."""
    known = {row["id"]: row for row in rows.read_kept(given["cases"])}
    responses = {row["id"]: row for row in rows.read_kept(given["responses"])}
    asked = evaluate.asked_cases(job.spec, known, responses)
    if kept.keys() != {case["id"] for case in asked}:
        yield f"its rows are {len(kept):,} cases and not the {len(asked):,} that are asked"
        return
    timer: Any = _Untimed()
    for case in asked:
        made = evaluate.score_case(job.spec, case, responses.get(case["id"]), exact, timer)
        row = kept[case["id"]]
        wanted = {"case": case["case"], "expected": made.expected, "response": made.response}
        for name, value in wanted.items():
            if row.get(name) != value:
                yield f'"{printable(case["id"], 60)}" has another {name} than its inputs'
        for name, cell in made.cells.items():
            if row["cells"][name]["value"] != cell.value:
                said = row["cells"][name]["value"]
                yield f'{name} of "{printable(case["id"], 60)}" is {cell.value} and not {said}'


def _of_rows(
    kept: Mapping[str, Mapping[str, Any]], exact: tuple[evaluate.Check, ...]
) -> Iterator[str]:
    """Each row with a response, scored by what stands in it."""
    for id_, row in kept.items():
        for name, value in cells(row, exact):
            said = row["cells"][name]["value"]
            if value != said:
                yield f'{name} of "{printable(id_, 60)}" is {value} and not {said}'
