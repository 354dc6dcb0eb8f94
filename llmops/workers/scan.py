"""scan: giskard over the target of a job -> one row a case, one line a detector, giskard's report.

In: a target loaded as `generate` loads it, and the cases of a suite. Out:

- `rows.jsonl`: each case with the target's answer and a cell for each check (and for each
  transformation that no check names, as `giskard/<name>`). 1 when the answer is the same after
  the transformation, 0 when it is another. A text that a transformation leaves as it is has a cell
  that does not apply; an answer that is missing is an invalid cell with its reason.
- `findings.jsonl`: each detector that was asked, with its counts and findings, also where it threw.
- `giskard.html`: what giskard itself has to say of the findings; nothing reads it but people.

Every detector starts from the same seed and every text is changed by its own, so that the same job
gives the same rows and findings. Nothing is sent anywhere, and no model is asked but the target.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from llmops import digest
from llmops.diagnostics import printable
from llmops.jobs.base import Measurement
from llmops.workers import (
    cases,
    detectors,
    giskard_tools,
    languages,
    launch,
    rows,
    transformations,
)
from llmops.workers.answer import Response, Target
from llmops.workers.builtin_metrics import same
from llmops.workers.contract import Outcome, RunFolder, WorkerError, write_atomically
from llmops.workers.detectors import Line
from llmops.workers.seen import Asked, Labelled, Written
from llmops.workers.subset import subset
from llmops.workers.transformations import Text


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether an answer stayed the same on one case; `changed` is what was asked then."""

    value: float | None
    valid: bool
    reason: str = ""
    applies: bool = True
    changed: str = ""
    answer: str = ""

    def shown(self) -> dict[str, Any]:
        """The cell as it is kept: what is as usual is left out."""
        usual = {"applies": True, "changed": "", "answer": ""}
        return {k: v for k, v in asdict(self).items() if k not in usual or v != usual[k]}


Column = Mapping[str, Sequence[Cell]]  # the name of a check -> a cell for each case


def work(run: RunFolder) -> Outcome:
    """Changes and looks; a target that answers nothing is told case by case, not raised."""
    started = time.monotonic()
    launch.quiet()
    run.progress("load")
    giskard_tools.load(run.path)
    names = _known(run.spec)
    target = Target.load(run)
    asked = [_asked(case, run.spec) for case in subset(run)]
    run.progress("answer", step=0, steps=len(asked))
    answers = target.answer([one.row for one in asked])
    columns = {check: _cells(run, target, asked, answers, t) for check, t in names.items()}
    rows.write(run.artifact("rows.jsonl"), _rows(asked, answers, columns))
    lines, more = _detect(run, target, asked)
    rows.write(run.artifact("findings.jsonl"), (line.value() for line in lines))
    seconds = time.monotonic() - started
    made = [*_of_columns(run, columns), *_of_lines(lines), *more]
    errors = sum(answer.error is not None for answer in answers)
    made.append(_measured("errors", errors, len(asked)))
    return Outcome(measurements=(*made, _measured("scan_seconds", round(seconds, 3), len(asked))))


def _known(spec: Mapping[str, Any]) -> dict[str, str]:
    """The columns of the rows: each check's transformation, then those that no check names."""
    wanted = {str(check["name"]): str(check["metric"]) for check in spec.get("checks") or ()}
    for name in spec.get("transformations") or ():
        if f"giskard/{name}" not in wanted.values():
            wanted[f"giskard/{name}"] = f"giskard/{name}"
    for metric in wanted.values():
        if metric.removeprefix("giskard/") not in transformations.NAMES:
            known = ", ".join(transformations.NAMES)
            raise WorkerError(f'no transformation "{printable(metric)}"', hint=f"known are {known}")
    return {check: metric.removeprefix("giskard/") for check, metric in wanted.items()}


def _asked(case: Mapping[str, Any], spec: Mapping[str, Any]) -> Asked:
    text = cases.question(case, spec["format"])
    named = spec.get("languages") or ("en",)
    return Asked(case, text, languages.language(case, text, named), cases.expected(case, spec))


def _cells(
    run: RunFolder,
    target: Target,
    asked: Sequence[Asked],
    answers: Sequence[Response],
    name: str,
) -> list[Cell]:
    """One transformation of every case, answered again where the target sees a difference."""
    run.progress("change", transformation=name)
    texts = [Text(one.text, one.language, str(one.row["case"])) for one in asked]
    told = [i for i, answer in enumerate(answers) if answer.error is None]
    with giskard_tools.at_work():
        new = transformations.changed(name, [texts[i] for i in told], run.seed)
    altered = {i: text for i, text in zip(told, new, strict=True) if text != texts[i].text}
    asking = [cases.changed(asked[i].row, target.form, text) for i, text in altered.items()]
    again = dict(zip(altered, target.answer(asking), strict=True))
    deaf = len({answer.prompt for answer in answers if answer.error is None}) < 2
    return [
        _compared(name, answer, again[i], altered[i], deaf=deaf)
        if i in altered
        else _not_asked(name, texts[i], answer)
        for i, answer in enumerate(answers)
    ]


def _not_asked(name: str, text: Text, answer: Response) -> Cell:
    """The cell of a case that was not asked again: it has no answer, or nothing was changed."""
    if answer.error is not None:
        return Cell(None, False, f"the target failed: {printable(answer.error)}")
    return Cell(None, True, transformations.unchanged(name, text), applies=False)


def _compared(name: str, first: Response, second: Response, text: str, *, deaf: bool) -> Cell:
    """Whether the answer to the changed text is the answer to the text.

    A target that undoes a change (it asks in lower case) withstands it. One that is `deaf`, whose
    prompt is the same whatever is asked, has not been tried.
    """
    if second.error is not None:
        return Cell(None, False, f"the target failed after {name}: {printable(second.error)}")
    if deaf and not second.blocked:
        return Cell(None, True, "the target's prompt does not hold the text", applies=False)
    value = same(first.response, second.response)
    return Cell(value, True, changed=text, answer=second.response)


def _rows(
    asked: Sequence[Asked], answers: Sequence[Response], columns: Column
) -> Iterator[dict[str, Any]]:
    for i, (one, answer) in enumerate(zip(asked, answers, strict=True)):
        yield {
            "id": one.row["id"],
            "case": one.row["case"],
            "input": one.text,
            "expected": one.expected,
            "response": answer.response if answer.error is None else None,
            "columns": cases.columns(one.row),
            "cells": {name: found[i].shown() for name, found in columns.items()},
        }


def _detect(
    run: RunFolder, target: Target, asked: Sequence[Asked]
) -> tuple[list[Line], list[Measurement]]:
    """Every detector of the suite, in the order of their names, and giskard's report of them."""
    names = sorted(run.spec.get("detectors") or ())
    if not names:
        return [], []
    run.progress("look", step=0, steps=len(names))
    labelled = None
    if target.choices is not None and names != [detectors.INJECTION]:
        labelled = Labelled(target, target.choices, asked)
    written = Written(target, asked[0])
    lines = []
    for step, name in enumerate(names, 1):
        lines.append(detectors.run(name, labelled, written, run.seed))
        run.progress("look", step=step, steps=len(names), detector=name)
    html = _report(lines, labelled, written)
    write_atomically(run.artifact("giskard.html"), html.encode("utf-8", "replace"))
    more = [] if labelled is None else [
        _measured("likelihood/other_label", labelled.disagreements(), len(labelled))
    ]  # fmt: skip
    return lines, more


def _report(lines: Sequence[Line], labelled: Labelled | None, written: Written) -> str:
    """Giskard's report; a page that says why, where giskard cannot make one."""
    try:
        return detectors.report(lines, labelled, written)
    except Exception as error:  # giskard's page is for people: without it the findings stand
        return f"<!doctype html><title>giskard</title><p>no report: {type(error).__name__}</p>\n"


def _of_columns(run: RunFolder, columns: Column) -> Iterator[Measurement]:
    """Per check: the share of answers that stayed, invalid cells, texts left as they were."""
    file = digest.of_file(run.artifact("rows.jsonl"))
    for name, found in columns.items():
        values = [cell.value for cell in found if cell.value is not None]
        if values:
            mean = math.fsum(values) / len(values)
            yield _measured(name, mean, len(values), file)
        invalid = sum(not cell.valid for cell in found)
        yield _measured(f"{name}/invalid", invalid, len(found), file)
        yield _measured(f"{name}/unchanged", sum(not c.applies for c in found), len(found), file)


def _of_lines(lines: Sequence[Line]) -> Iterator[Measurement]:
    for line in lines:
        yield _measured(f"{line.detector}/findings", len(line.findings), line.cases)
        yield _measured(f"{line.detector}/errors", line.errors, line.cases + line.errors)


def _measured(metric: str, value: float, cases: int, rows: str | None = None) -> Measurement:
    tool, version = giskard_tools.TOOL, giskard_tools.version()
    return Measurement(metric, float(value), cases, tool=tool, version=version, rows=rows)
