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

from llmops.diagnostics import printable
from llmops.jobs.base import Job
from llmops.workers import builtin_metrics, evaluate, rows
from llmops.workers.contract import WorkerError
from llmops.workers.measure import Answered, Unscorable

MOST = 3  # reasons that are told
# Metrics that read no more than the row has: expected answer and response.
_OF_ROWS = ("accuracy", "exact_match", "token_f1", "rouge_l", "matches")


class _Untimed:
    """Stands where scoring is timed."""

    inside = 0.0


def rescored(job: Job, artifacts: Path, given: Mapping[str, Path]) -> tuple[str, ...]:
    """What the rows of an evaluation say and our own scoring does not, the first few."""
    if job.type != "evaluate":
        return ()
    try:
        checks = _checks(job)
        kept = {row["id"]: row for row in rows.read_kept(artifacts / "rows.jsonl")}
        if {"cases", "responses"} <= given.keys():
            found = _of_cases(job, kept, checks, given)
        else:
            found = _of_rows(kept, checks)
        return tuple(one for _, one in zip(range(MOST), found, strict=False))
    except (WorkerError, KeyError, TypeError, ValueError, AttributeError) as error:
        return (f"its rows cannot be scored again: {printable(str(error), 200)}",)


def _checks(job: Job) -> tuple[evaluate.Check, ...]:
    """The checks that are exact, ready to score."""
    found = []
    for given in job.spec["checks"]:
        engine, _, short = str(given["metric"]).partition("/")
        if engine == "builtin":
            metric = builtin_metrics.metric(short, given.get("with") or {}, Path())
            found.append(evaluate.Check(str(given["name"]), str(given["metric"]), metric))
    return tuple(found)


def _of_cases(
    job: Job,
    kept: Mapping[str, Mapping[str, Any]],
    checks: tuple[evaluate.Check, ...],
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
        made = evaluate.score_case(job.spec, case, responses.get(case["id"]), checks, timer)
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
    kept: Mapping[str, Mapping[str, Any]], checks: tuple[evaluate.Check, ...]
) -> Iterator[str]:
    """Each row with a response, scored by what stands in it."""
    for check in checks:
        if check.metric_name.partition("/")[2] not in _OF_ROWS:
            continue
        for id_, row in kept.items():
            said = row["cells"][check.name]["value"]
            if said is None or not isinstance(row["response"], str):
                continue
            answered = Answered(id_, str(row["input"]), row["expected"], row["response"])
            try:
                value = check.metric.score(answered)
            except Unscorable:
                value = None
            if value != said:
                yield f'{check.name} of "{printable(id_, 60)}" is {value} and not {said}'
