"""Exams -> the gates of a plan: what must hold, on how many rows, whether these can decide it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.jobs.base import PlannedGate, Proof
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made, use
from llmops.jobs.metrics import METRICS
from llmops.statistics.binomial import smallest_passing_count


def gates(asked: tuple[Exam, ...], proven: Mapping[str, Proof]) -> tuple[PlannedGate, ...]:
    """Every gate of the exams; head's copy of an equal gate of base is left out."""
    found: dict[tuple[str, str, str], PlannedGate] = {}
    for exam in asked:
        if exam.head is None:
            continue
        for gate in _of_exam(exam, exam.head, proven):
            found.setdefault((gate.id, gate.claim, gate.closure), gate)
    return tuple(found.values())


def alpha_of(evaluation: Mapping[str, Any]) -> float:
    """The error rate an Evaluation allows each of its claims."""
    return float(evaluation.get("alpha", 0.05))


def bound_words(bound: Mapping[str, Any]) -> str:
    """`{"min": 0.9}` -> `min 0.9`."""
    return " ".join(f"{side} {value:g}" for side, value in sorted(bound.items()))


def _of_exam(exam: Exam, head: Made, proven: Mapping[str, Proof]) -> Iterator[PlannedGate]:
    spec = exam.evaluation.spec
    rows = _rows(exam, head, proven)
    closure = head.job.closure
    for check in spec["checks"]:
        name = f"{exam.evaluation.ref}/{check['name']}"
        if "require" in check:
            claim = f"{check['name']} {bound_words(check['require'])}"
            decidable, note = _decidable(check, rows, alpha_of(spec))
            yield PlannedGate(
                name, "require", claim, exam.judged_by, closure, rows, decidable, note
            )
        if "regression" in check:
            margin = check["regression"]["margin"]
            claim = f"{check['name']} not worse than base by {margin:g}"
            note = "" if exam.base else "base has no such target"
            yield PlannedGate(
                f"{name}/regression", "regression", claim, exam.judged_by, closure, rows, None, note
            )
    for part in spec.get("slices", []):
        claim = f"{part['check']} by {part['column']} {bound_words(part['require'])}"
        name = f"{exam.evaluation.ref}/{part['name']}"
        yield PlannedGate(name, "slice", claim, exam.judged_by, closure)


def _rows(exam: Exam, head: Made, proven: Mapping[str, Proof]) -> int | None:
    """Planned cases: what the sample asks, at most what the curated part is known to hold."""
    asked = exam.evaluation.spec.get("sample", {}).get("rows")
    part = use(exam.evaluation, "dataset").part or "all"
    curated = next(i.job for i in head.job.inputs if i.name == "cases")
    proof = proven.get(curated or "")
    held = proof.measured.get(f"rows_{part}") if proof else None
    known = [int(n) for n in (asked, held) if n is not None]
    return min(known) if known else None


def _decidable(check: Mapping[str, Any], rows: int | None, alpha: float) -> tuple[bool | None, str]:
    """Whether the best possible result of `rows` cases would pass; None when it cannot be told."""
    binary = "pass_at" in check or METRICS[check["metric"]].kind == "binary"
    if rows is None or not binary or "min" not in check["require"]:
        return None, ""
    bound = float(check["require"]["min"])
    needed = smallest_passing_count(rows, bound, alpha)
    if needed is None:
        return False, f"{rows} rows cannot show {bound:g}, not even without a miss"
    return True, f"passes at {needed} of {rows}"
