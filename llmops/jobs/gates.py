"""Exams -> the gates of a plan: what must hold, on how many rows, whether these can decide it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from llmops.graph.build import Graph
from llmops.jobs.base import PlannedGate, Proof, Side
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made, use
from llmops.jobs.metrics import METRICS
from llmops.specs.base import Ref
from llmops.statistics.binomial import smallest_passing_count

GateKind = Literal["require", "regression", "slice"]
ALPHA = 0.05
Place = Callable[[Side, Ref, tuple[str | int, ...]], str]


def nowhere(side: Side, ref: Ref, loc: tuple[str | int, ...]) -> str:
    """No place: for plans of graphs that stand in no file."""
    return ""


def gates(
    asked: tuple[Exam, ...],
    proven: Mapping[str, Proof],
    judging: Graph | None = None,
    place: Place = nowhere,
) -> tuple[PlannedGate, ...]:
    """Every gate of the exams; head's copy of an equal gate of base is left out.

    `judging` is the graph whose policies decide.
    """
    context = _Context(proven, judging, place)
    found: dict[tuple[str, str, str], PlannedGate] = {}
    for exam in asked:
        if exam.head is None:
            continue
        for gate in _of_exam(exam, exam.head, context):
            found.setdefault((gate.id, gate.claim, gate.closure), gate)
    return tuple(found.values())


def alpha_of(evaluation: Mapping[str, Any], judging: Graph | None) -> float:
    """The error rate allowed to each claim: the smallest that Evaluation and policies name."""
    policies = judging.of_kind("Policy") if judging is not None else ()
    named = [evaluation.get("alpha"), *(policy.spec.get("alpha") for policy in policies)]
    return min((float(a) for a in named if a is not None), default=ALPHA)


def bound_words(bound: Mapping[str, Any]) -> str:
    """`{"min": 0.9}` -> `min 0.9`."""
    return " ".join(f"{side} {value:g}" for side, value in sorted(bound.items()))


@dataclass(frozen=True, slots=True)
class _Context:
    proven: Mapping[str, Proof]
    judging: Graph | None
    place: Place


def _of_exam(exam: Exam, head: Made, context: _Context) -> Iterator[PlannedGate]:
    for i, check in enumerate(exam.evaluation.spec["checks"]):
        name = f"{exam.evaluation.ref}/{check['name']}"
        if "require" in check:
            yield _require(exam, head, i, context)
        if "regression" in check:
            margin = check["regression"]["margin"]
            claim = f"{check['name']} not worse than base by {margin:g}"
            note = "" if exam.base else "base has no such target"
            yield _gate(exam, head, f"{name}/regression", "regression", claim, note)
    for part in exam.evaluation.spec.get("slices", []):
        values = ", ".join(str(v) for v in part.get("values", []))
        group = f"{part['column']} {values}".strip()
        claim = f"{part['check']} by {group} {bound_words(part['require'])}"
        yield _gate(exam, head, f"{exam.evaluation.ref}/{part['name']}", "slice", claim)


def _gate(
    exam: Exam, head: Made, name: str, kind: GateKind, claim: str, note: str = ""
) -> PlannedGate:
    return PlannedGate(name, kind, claim, exam.judged_by, head.job.closure, note=note)


def _require(exam: Exam, head: Made, i: int, context: _Context) -> PlannedGate:
    check = exam.evaluation.spec["checks"][i]
    name = f"{exam.evaluation.ref}/{check['name']}"
    rows = _rows(exam, head, context.proven)
    claim = f"{check['name']} {bound_words(check['require'])}"
    decidable, note = _decidable(check, rows, alpha_of(exam.evaluation.spec, context.judging))
    gate = _gate(exam, head, name, "require", claim, note)
    loc = ("spec", "checks", i, "require")
    where = ""
    if decidable is False:
        where = context.place(exam.judged_by, exam.evaluation.ref, loc)
    return replace(gate, rows=rows, decidable=decidable, place=where)


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
