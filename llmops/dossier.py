"""Verdict + kept artifacts -> Report: everything that a page shows, read and checked.

In: a store, a verdict with its plan and exams. Out: `reports.report.Report`. An artifact is read
only when its bytes have the digest that its statement names; one that is gone, damaged or of
another shape becomes a `Gap`, never a number. Nothing here decides anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from llmops.errors import StoreError
from llmops.evidence.statement import Evidence
from llmops.evidence.store import Store
from llmops.jobs.base import Step
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.reports.report import (
    Confusion,
    Curve,
    Detector,
    Filtered,
    Funnel,
    FunnelStep,
    Gap,
    GuardTest,
    Kept,
    Lost,
    Report,
    Scan,
    Source,
    Weakness,
)
from llmops.rules import regression
from llmops.rules.base import Verdict
from llmops.rules.claims import cells
from llmops.rules.facts import Row
from llmops.rules.verdict import case_of, first_binary

T = TypeVar("T")
Rows = Callable[[str], Sequence[Row] | None]
MOST_CASES = 50


@dataclass
class _Reader:
    """The store, and what could not be read from it so far."""

    store: Store
    gaps: list[Gap] = field(default_factory=list)

    def each(
        self, steps: Iterable[Step], job_type: str, artifact: str, parse: Callable[[Source, Any], T]
    ) -> tuple[T, ...]:
        """What every job of one type says in an artifact; a gap for each that cannot be read."""
        found = []
        for step in steps:
            if step.job.type == job_type and (source := self.source(step, artifact)) is not None:
                value = self._parsed(source, parse)
                if value is not None:
                    found.append(value)
        return tuple(found)

    def source(self, step: Step, artifact: str) -> Source | None:
        """Where an artifact was read; None where the job made none of that name."""
        evidence = self.store.evidence(step.job.closure)
        if evidence is None or evidence.status != "ok":
            return None
        listed = next((a for a in evidence.result.artifacts if a.name == artifact), None)
        if listed is None:
            return None
        return Source(step.job.id, step.job.closure, artifact, listed.digest)

    def _parsed(self, source: Source, parse: Callable[[Source, Any], T]) -> T | None:
        try:
            data = self.store.read(source.closure, source.artifact)
        except (StoreError, OSError):
            self.gaps.append(Gap(source.job, source.artifact, "why_gone"))
            return None
        try:
            return parse(source, _values(source.artifact, data))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError):
            self.gaps.append(Gap(source.job, source.artifact, "why_unreadable"))
            return None


def gather(
    store: Store,
    judged: Verdict,
    exams: Sequence[Exam],
    rows: Rows,
    *,
    title: Mapping[str, str] | None = None,
    cases: int = MOST_CASES,
) -> Report:
    """The report of a verdict. `cases`: how many of those that got worse are shown."""
    reader, steps = _Reader(store), judged.plan.steps
    kept = (store.evidence(step.job.closure) for step in steps)
    return Report(
        verdict=judged,
        title=title or {},
        kept=tuple(_kept(one) for one in kept if one is not None),
        curves=reader.each(steps, "train", "trainer_log.jsonl", _curve),
        funnels=reader.each(steps, "curate", "funnel.json", _funnel),
        confusions=reader.each(steps, "evaluate", "confusion.json", _confusion),
        lost=tuple(_lost(reader, steps, exams, rows, cases)),
        scans=reader.each(steps, "scan", "findings.jsonl", _scan),
        guards=tuple(_guards(reader, steps, rows)),
        filtered=tuple(
            f for f in reader.each(steps, "generate", "responses.jsonl", _filtered) if f
        ),
        gaps=tuple(dict.fromkeys(reader.gaps)),
    )


def _kept(evidence: Evidence) -> Kept:
    result = evidence.result
    return Kept(
        closure=evidence.closure,
        digest=evidence.digest,
        status=evidence.status,
        reason=result.reason,
        measurements=result.measurements,
        artifacts=result.artifacts,
        environment=result.environment,
        resources=result.resources_used,
    )


def _values(name: str, data: bytes) -> Any:
    """The JSON of an artifact; of JSON Lines a list. Raises ValueError."""
    if name.endswith(".jsonl"):
        return [json.loads(line) for line in data.splitlines() if line.strip()]
    return json.loads(data)


def _curve(source: Source, lines: Any) -> Curve:
    points = [(_count(line["step"]), _finite(line["loss"])) for line in lines]
    if not points:
        raise ValueError("no step was logged")
    return Curve(source, tuple(sorted(points)))


def _funnel(source: Source, steps: Any) -> Funnel:
    return Funnel(source, tuple(_step(step) for step in steps))


def _step(step: Any) -> FunnelStep:
    found = step.get("found")
    return FunnelStep(
        name=_text(step["step"]),
        rows_in=_count(step["rows_in"]),
        rows_out=_count(step["rows_out"]),
        dropped=_count(step["dropped"]),
        found=None if found is None else _count(found),
    )


def _confusion(source: Source, value: Any) -> Confusion:
    labels = tuple(_text(label) for label in value["labels"])
    counts = tuple(tuple(map(_count, row)) for row in value["counts"])
    other, invalid = (tuple(map(_count, value[key])) for key in ("other", "invalid"))
    sizes = {len(labels), len(counts), len(other), len(invalid), *map(len, counts)}
    if len(sizes) != 1 or not labels:
        raise ValueError("not a square of labels")
    return Confusion(source, labels, counts, other, invalid)


def _scan(source: Source, lines: Any) -> Scan:
    return Scan(source, tuple(_detector(line) for line in lines))


def _detector(line: Any) -> Detector:
    return Detector(
        name=_text(line["detector"]),
        status=_text(line["status"]),
        reason=str(line.get("reason") or ""),
        cases=_count(line["cases"]),
        errors=_count(line["errors"]),
        findings=tuple(_weakness(found) for found in line["findings"]),
    )


def _weakness(found: Any) -> Weakness:
    value, cases = found.get("value"), found.get("cases")
    return Weakness(
        severity=_text(found["severity"]),
        group=str(found.get("group") or ""),
        description=_text(found["description"]),
        metric=str(found.get("metric") or ""),
        value=None if value is None else _finite(value),
        cases=None if cases is None else _count(cases),
        examples=tuple(_example(one) for one in found.get("examples") or ()),
    )


def _example(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _filtered(source: Source, lines: Any) -> Filtered | None:
    """What the guardrails of an application did; None where it has none."""
    guarded = [line for line in lines if "blocked" in line]
    if not guarded:
        return None
    blocked = sum(line["blocked"] is True for line in guarded)
    masked = sum(line["blocked"] is not True and _masks(line) for line in guarded)
    return Filtered(source, len(guarded), blocked, masked)


def _masks(line: Any) -> bool:
    return any(hit.get("action") == "mask" for hit in line.get("guard") or ())


def _guards(reader: _Reader, steps: Sequence[Step], rows: Rows) -> Iterator[GuardTest]:
    """How each guardrail test ended, counted from its rows."""
    for step in steps:
        source = reader.source(step, "rows.jsonl") if step.job.type == "guard" else None
        if source is None:
            continue
        found, test = rows(step.job.closure), step.job.spec.get("test", {})
        if found is None or test.get("expect") not in ("block", "mask", "allow"):
            reader.gaps.append(Gap(step.job.id, "rows.jsonl", "why_gone"))
            continue
        name = str(test.get("name", ""))
        cells = [row["cells"].get(name, {}) for row in found]
        valid = [cell.get("value") for cell in cells if cell.get("valid") is True]
        shown = f"{step.job.subject.name}/{name}"
        right = sum(value == 1 for value in valid)
        errors = len(cells) - len(valid)
        yield GuardTest(source, shown, str(test["expect"]), len(cells), right, errors)


def _lost(
    reader: _Reader, steps: Sequence[Step], exams: Sequence[Exam], rows: Rows, most: int
) -> Iterator[Lost]:
    """Every compared exam's first check of right or wrong: which cases turned."""
    known = {step.job.closure: step for step in steps}
    seen: set[tuple[str, str, str]] = set()
    for exam in exams:
        check = first_binary(exam)
        if exam.head is None or exam.base is None or check is None:
            continue
        gate = f"{exam.asker.ref}/{check['name']}"
        key = (gate, exam.head.job.closure, exam.base.job.closure)
        if key in seen:
            continue
        seen.add(key)
        one = _turned(reader, known, (exam.head, exam.base), rows, check, most, gate)
        if one is not None:
            yield one


def _turned(
    reader: _Reader,
    known: Mapping[str, Step],
    made: tuple[Made, Made],
    rows: Rows,
    check: Mapping[str, Any],
    most: int,
    gate: str,
) -> Lost | None:
    steps = [known.get(one.job.closure) for one in made]
    sources = [reader.source(step, "rows.jsonl") if step else None for step in steps]
    after, before = (rows(one.job.closure) for one in made)
    if sources[0] is None or sources[1] is None or after is None or before is None:
        return None
    lost, better = regression.worst(cells(before, check), cells(after, check), check)
    was, now = ({str(row["case"]): row for row in side} for side in (before, after))
    cases = tuple(case_of(was[case], now[case]) for case in lost[:most])
    return Lost(gate, sources[0], sources[1], len(lost), better, cases)


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("not a finite number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value
