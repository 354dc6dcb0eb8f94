"""Job type `evaluate`: kept responses -> one cell for every case and check, and nothing lost.

In: inputs `cases` (a curated part) and `responses` (of `generate`). Out: `rows.jsonl` with every
asked case and all its cells, `confusion.json` when the expected answers are labels, a measurement
per check (mean over its valid cells) and one of its invalid cells (`<check>/invalid`). A judge that
is calibrated also judges the rated rows (input `anchors`): see `anchors.py`.

A cell is invalid, with its reason, when the response is missing or is an error, when the metric
cannot score the case, or when a score is not finite or out of the metric's range. It is counted,
never averaged and never left out: what an invalid cell means is decided by a gate. Which cases were
asked is computed again from `asked` (dataset, split, rows), not believed from the responses.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from llmops import digest
from llmops.diagnostics import did_you_mean, printable
from llmops.jobs.base import Measurement
from llmops.jobs.metrics import METRICS
from llmops.statistics.order import subset_key
from llmops.workers import anchors, cases, rows
from llmops.workers.contract import Outcome, RunFolder, WorkerError, write_atomically
from llmops.workers.measure import Answered, Metric, Unscorable

ENGINES: Mapping[str, str] = {
    "builtin": "llmops.workers.builtin_metrics",
    "deepeval": "llmops.workers.deepeval_metrics",
}
JUDGED = "llmops.workers.judged_metrics"  # the engine of what asks a judge
MOST_LABELS = 200
PROGRESS_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Check:
    """One check of an Evaluation, ready to score."""

    name: str
    metric_name: str
    metric: Metric


@dataclass(frozen=True, slots=True)
class Cell:
    """A check's finding on one case: a value, or why there is none."""

    value: float | None
    valid: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Scored:
    """One case with its response and a cell for each check."""

    case: Mapping[str, Any]
    answered: Answered | None  # None when there is no response to score
    expected: str | None
    input: str
    response: str | None
    cells: Mapping[str, Cell]


def work(run: RunFolder) -> Outcome:
    """Scores every asked case by every check. Raises WorkerError if the two do not fit together."""
    asks_judge = any(_judged(str(given["metric"])) for given in run.spec["checks"])
    judge = importlib.import_module("llmops.workers.judge").panel(run) if asks_judge else None
    checks = load_checks(run, judge)
    timer = _Timer()
    known = _by_id("cases", rows.read_kept(run.input("cases")))
    responses = _by_id("responses", rows.read_kept(run.input("responses")))
    asked = asked_cases(run.spec, known, responses)
    rated = anchors.read(run, known)
    places = _ahead(run, checks, (asked, responses, rated), timer)
    scored: list[Scored] = []
    for case in asked:
        scored.append(score_case(run.spec, case, responses.get(case["id"]), checks, timer))
        if len(scored) % PROGRESS_EVERY == 0:
            run.progress("evaluate", step=len(scored), steps=len(asked))
    reconcile(asked, checks, scored)
    _write(run, scored)
    if rated:
        rows.write(run.artifact(anchors.FILE), _anchored(checks, rated, places, timer))
    if judge is not None:
        order = [*(case["id"] for case in asked), *(one.answered.id for one in rated)]
        rows.write(run.artifact("judgements.jsonl"), judge.rows(order))
    run.progress("evaluate", step=len(scored), steps=len(asked), **timer.shown(len(scored)))
    file = digest.of_file(run.artifact("rows.jsonl"))
    return Outcome(measurements=tuple(_measurements(checks, scored, file)))


def load_checks(run: RunFolder, judge: Any = None) -> tuple[Check, ...]:
    """The checks of the job, their engines imported. Raises WorkerError for an unknown metric.

    `judge` is the panel that judged metrics ask.
    """
    found: list[Check] = []
    for given in run.spec["checks"]:
        name, metric = str(given["name"]), str(given["metric"])
        engine, _, short = metric.partition("/")
        if metric not in METRICS or engine not in ENGINES:
            hint = did_you_mean(metric, METRICS, otherwise=f"known are {', '.join(METRICS)}")
            raise WorkerError(f'check "{name}": no metric "{printable(metric)}"', hint=hint)
        if name in (c.name for c in found):
            raise WorkerError(f'two checks are named "{name}"')
        options = given.get("with") or {}
        if _judged(metric):
            module = importlib.import_module(JUDGED)
            built = module.metric(short, options, run.path, judge, name)
        else:
            built = importlib.import_module(ENGINES[engine]).metric(short, options, run.path)
        found.append(Check(name, metric, built))
    if not found:
        raise WorkerError("the evaluation has no checks")
    return tuple(found)


def _judged(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].judged


Asked = tuple[
    Sequence[Mapping[str, Any]], Mapping[str, Mapping[str, Any]], Sequence[anchors.Anchor]
]  # cases, responses by case, rated rows


def _ahead(
    run: RunFolder, checks: Sequence[Check], given: Asked, timer: _Timer
) -> dict[str, dict[str, int]]:
    """Lets the checks that ask a judge ask about all answered cases, several at once.

    Gives back, by check, at which place each was asked.
    """
    asked, responses, rated = given
    asking = [(c.name, c.metric.ahead) for c in checks if c.metric.ahead is not None]
    answered: list[Answered] = []
    places: dict[str, dict[str, int]] = {}
    for case in asked if asking else ():
        question = cases.question(case, run.spec["format"])
        expected = cases.expected(case, run.spec)
        with contextlib.suppress(Unscorable):  # its cells say so later
            answered.append(_answered(case, question, expected, responses.get(case["id"])))
    for number, (name, ahead) in enumerate(asking):
        run.progress("judge", step=number, steps=len(asking))
        started = time.perf_counter()
        own = [one.answered for one in rated if one.rated_for(name)]
        mixed = anchors.among(run.spec, answered, own)
        places[name] = {one.id: i for i, one in enumerate(mixed)}
        ahead(mixed)
        timer.inside += time.perf_counter() - started
    return places


def _anchored(
    checks: Sequence[Check],
    rated: Sequence[anchors.Anchor],
    places: Mapping[str, Mapping[str, int]],
    timer: _Timer,
) -> Iterator[dict[str, Any]]:
    """The rated rows with the cells of every judged check."""
    yield from anchors.judged(rated, [
        anchors.Judged(c.name, partial(score, c, timer=timer), c.metric.repeats, places[c.name])
        for c in checks
        if c.metric.ahead is not None and c.metric.repeats is not None
    ])  # fmt: skip


def asked_cases(
    spec: Mapping[str, Any],
    cases: Mapping[str, Mapping[str, Any]],
    responses: Mapping[str, Mapping[str, Any]],
) -> list[Mapping[str, Any]]:
    """The cases that the target was asked, in subset order.

    Raises WorkerError when there are none, and for a response to a case that was not asked.
    """
    if asked := spec.get("asked"):
        keys = {id_: subset_key(asked["dataset"], asked["split"], cases[id_]["case"])
                for id_ in cases}  # fmt: skip
        chosen = sorted(cases, key=keys.__getitem__)[: asked.get("rows")]
    else:
        chosen = [id_ for id_ in responses if id_ in cases]
    strangers = [id_ for id_ in responses if id_ not in set(chosen)]
    if strangers:
        raise WorkerError(
            f'{len(strangers)} responses are to no asked case, first "{printable(strangers[0])}"',
            hint="responses and cases are of different data; generate again",
        )
    for id_ in responses:
        if responses[id_].get("case") != cases[id_]["case"]:
            raise WorkerError(f'the response to "{printable(id_)}" is to a case of other content')
    if not chosen:
        raise WorkerError("there are no cases to evaluate", hint="the split or sample is empty")
    return [cases[id_] for id_ in chosen]


def score_case(
    spec: Mapping[str, Any],
    case: Mapping[str, Any],
    response: Mapping[str, Any] | None,
    checks: Sequence[Check],
    timer: _Timer,
) -> Scored:
    """The case's cells. Raises WorkerError if the case does not have the shape of its format."""
    asked, expected = cases.question(case, spec["format"]), cases.expected(case, spec)
    try:
        answered = _answered(case, asked, expected, response)
    except Unscorable as error:
        cells = {check.name: Cell(None, False, str(error)) for check in checks}
        said = response.get("response") if response is not None else None
        kept = said if isinstance(said, str) else None
        return Scored(case, None, expected, asked, kept, cells)
    cells = {check.name: score(check, answered, timer) for check in checks}
    return Scored(case, answered, expected, asked, answered.response, cells)


def score(check: Check, answered: Answered, timer: _Timer) -> Cell:
    """The cell of one check on one answered case; valid only when the score can be a score."""
    started = time.perf_counter()
    try:
        value = check.metric.score(answered)
    except Unscorable as error:
        return Cell(None, False, str(error))
    finally:
        timer.inside += time.perf_counter() - started
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return Cell(None, False, f"the score is {printable(str(value), 40)}, not a finite number")
    known = METRICS[check.metric_name]
    low = known.lower is not None and value < known.lower
    if low or (known.upper is not None and value > known.upper):
        return Cell(None, False, f"the score {value:g} is out of the metric's range")
    return Cell(float(value), True)


def reconcile(
    asked: Sequence[Mapping[str, Any]], checks: Sequence[Check], scored: Sequence[Scored]
) -> None:
    """Raises WorkerError unless every case and check met exactly once, each in a whole cell."""
    wanted = Counter((case["id"], check.name) for case in asked for check in checks)
    found = Counter((s.case["id"], name) for s in scored for name in s.cells)
    if wanted != found or max(wanted.values()) != 1:
        odd = sorted((wanted - found) + (found - wanted))
        first = printable(" x ".join(odd[0])) if odd else "a repeated case"
        raise WorkerError(f"the matrix of cases and checks is not complete: {first}")
    for s in scored:
        for name, cell in s.cells.items():
            finite = cell.value is not None and math.isfinite(cell.value)
            if cell.valid != finite or cell.valid == bool(cell.reason):
                raise WorkerError(f'cell "{printable(s.case["id"])}" x "{name}" contradicts itself')


def _answered(
    case: Mapping[str, Any], asked: str, expected: str | None, response: Mapping[str, Any] | None
) -> Answered:
    """The case with its response. Raises Unscorable when there is none to score."""
    if response is None:
        raise Unscorable("no response")
    if error := response.get("error"):
        raise Unscorable(f"the target failed: {printable(str(error))}")
    text = response.get("response")
    if not isinstance(text, str):
        raise Unscorable("no response" if text is None else "the response is not text")
    return Answered(
        id=case["id"],
        input=asked,
        expected=expected,
        response=text,
        latency_ms=response.get("latency_ms"),
        output_tokens=response.get("output_tokens"),
        blocked=response.get("blocked") is True,
        columns=case,
    )


def _by_id(what: str, given: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in given:
        if not isinstance(row.get("id"), str) or not isinstance(row.get("case"), str):
            raise WorkerError(f"a row of {what} has no id or no case")
        if row["id"] in found:
            raise WorkerError(f'id "{printable(row["id"])}" stands twice in {what}')
        found[row["id"]] = row
    return found


def _write(run: RunFolder, scored: Sequence[Scored]) -> None:
    rows.write(run.artifact("rows.jsonl"), map(_row, scored))
    labelled = run.spec["format"] != "attack"  # a bank expects a manner, not an answer
    if labelled and (confusion := confusion_of(scored)):
        write_atomically(run.artifact("confusion.json"), digest.canonical(confusion) + b"\n")


def _row(s: Scored) -> dict[str, Any]:
    return {
        "id": s.case["id"],
        "case": s.case["case"],
        "input": s.input,
        "expected": s.expected,
        "response": s.response,
        "columns": cases.columns(s.case),
        "cells": {name: asdict(cell) for name, cell in s.cells.items()},
    }


def confusion_of(scored: Sequence[Scored]) -> dict[str, Any] | None:
    """Expected label (row) by given label (column); None without labels, or with too many.

    `other` counts, per expected label, responses that are none of the labels; `invalid` those that
    there is no response for. A row of `counts` with its `other` and `invalid` sums to its cases.
    """
    known = [(s.expected.strip(), s.answered) for s in scored if s.expected is not None]
    labels = sorted({label for label, _ in known})
    if not 0 < len(labels) <= MOST_LABELS:
        return None
    places = {label: index for index, label in enumerate(labels)}
    counts = [[0] * len(labels) for _ in labels]
    other, invalid = [0] * len(labels), [0] * len(labels)
    for label, answered in known:
        row = places[label]
        if answered is None:
            invalid[row] += 1
        elif (given := answered.response.strip()) in places:
            counts[row][places[given]] += 1
        else:
            other[row] += 1
    return {"labels": labels, "counts": counts, "other": other, "invalid": invalid}


def _measurements(
    checks: Sequence[Check], scored: Sequence[Scored], file: str
) -> Iterator[Measurement]:
    """Per check: its mean over valid cells, if there is one, and how many cells are invalid."""
    for check in checks:
        values = [v for s in scored if (v := s.cells[check.name].value) is not None]
        tool = {"tool": check.metric.tool, "version": check.metric.version, "rows": file}
        if values:
            mean = math.fsum(values) / len(values)
            yield Measurement(check.name, mean, len(values), **tool)
        invalid = float(len(scored) - len(values))
        yield Measurement(f"{check.name}/invalid", invalid, len(scored), **tool)


class _Timer:
    """How long the metrics took, and how long all of it."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.inside = 0.0

    def shown(self, cases: int) -> dict[str, float]:
        """Seconds inside metrics, and milliseconds a case beside them."""
        beside = time.perf_counter() - self.started - self.inside
        return {
            "metric_seconds": round(self.inside, 3),
            "overhead_ms_per_case": round(1000 * beside / cases, 4),
        }
