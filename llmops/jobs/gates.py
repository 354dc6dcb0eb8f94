"""Exams -> the gates of a plan: what must hold, on how many rows, whether these can decide it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from llmops.graph.build import Graph
from llmops.jobs.base import PlannedGate, Proof, Side
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.jobs.metrics import METRICS, quantile
from llmops.jobs.parts import Entry, Part, dataset_of
from llmops.specs.base import Ref
from llmops.statistics import percentile
from llmops.statistics.binomial import smallest_passing_count

GateKind = Literal["require", "regression", "slice", "findings", "classes"]
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
        if exam.head is None or not exam.part.gating:
            continue
        for gate in _of_exam(exam, exam.head, context):
            found.setdefault((gate.id, gate.claim, gate.closure), gate)
    return tuple(found.values())


def alpha_of(part: Part, judging: Graph | None) -> float:
    """The error rate allowed to each claim: the smallest that the asker and policies name."""
    policies = judging.of_kind("Policy") if judging is not None else ()
    named = [part.alpha, *(policy.spec.get("alpha") for policy in policies)]
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
    for entry in exam.part.checks:
        name = f"{exam.asker.ref}/{entry.given['name']}"
        if "require" in entry.given:
            yield _require(exam, head, entry, context)
        if "regression" in entry.given:
            margin = entry.given["regression"]["margin"]
            claim = f"{entry.given['name']} not worse than base by {margin:g}"
            note = "" if exam.base else "base has no such target"
            yield _gate(exam, head, f"{name}/regression", "regression", claim, note)
    for part in (entry.given for entry in exam.part.slices):
        values = ", ".join(str(v) for v in part.get("values", []))
        group = f"{part['column']} {values}".strip()
        claim = f"{part['check']} by {group} {bound_words(part['require'])}"
        yield _gate(exam, head, f"{exam.asker.ref}/{part['name']}", "slice", claim)
    yield from _of_suite(exam, head)


def _of_suite(exam: Exam, head: Made) -> Iterator[PlannedGate]:
    """What a suite must hold beside its checks: no severe finding, enough of each class."""
    if exam.part.fail_on is not None:
        claim = f"{exam.part.name} finds nothing of severity {exam.part.fail_on}"
        yield _gate(exam, head, f"{exam.name}/fail-on", "findings", claim)
    if exam.part.classes is not None:
        claim = f"{exam.part.name} has {exam.part.classes} rows of each class"
        yield _gate(exam, head, f"{exam.name}/classes", "classes", claim)


def _gate(
    exam: Exam, head: Made, name: str, kind: GateKind, claim: str, note: str = ""
) -> PlannedGate:
    return PlannedGate(name, kind, claim, exam.judged_by, head.job.closure, note=note)


def _require(exam: Exam, head: Made, entry: Entry, context: _Context) -> PlannedGate:
    check = entry.given
    name = f"{exam.asker.ref}/{check['name']}"
    rows = _rows(exam, head, context.proven)
    statistic = f" {check['statistic']}" if "statistic" in check else ""
    claim = f"{check['name']}{statistic} {bound_words(check['require'])}"
    decidable, note = _decidable(check, rows, alpha_of(exam.part, context.judging))
    gate = _gate(exam, head, name, "require", claim, note)
    where = ""
    if decidable is False:
        where = context.place(exam.judged_by, exam.asker.ref, (*entry.loc, "require"))
    return replace(gate, rows=rows, decidable=decidable, place=where)


def _rows(exam: Exam, head: Made, proven: Mapping[str, Proof]) -> int | None:
    """Planned cases: what the sample asks, at most what the curated part is known to hold."""
    part = dataset_of(exam.asker, exam.part).part or "all"
    curated = next(i.job for i in head.job.inputs if i.name == "cases")
    proof = proven.get(curated or "")
    held = proof.measured.get(f"rows_{part}") if proof else None
    known = [int(n) for n in (exam.part.rows, held) if n is not None]
    return min(known) if known else None


def _decidable(check: Mapping[str, Any], rows: int | None, alpha: float) -> tuple[bool | None, str]:
    """Whether the best possible result of `rows` cases would pass; None when it cannot be told.

    Where a check need not apply to every case, only the worst can be told before: not even all
    rows would do.
    """
    if rows is not None and "statistic" in check:
        return _percentile(check, rows, alpha)
    binary = "pass_at" in check or METRICS[check["metric"]].kind == "binary"
    if rows is None or not binary or "min" not in check["require"]:
        return None, ""
    bound = float(check["require"]["min"])
    needed = smallest_passing_count(rows, bound, alpha)
    if needed is None:
        return False, f"{rows} rows cannot show {bound:g}, not even without a miss"
    if str(check["metric"]).startswith("giskard/"):
        return None, ""
    return True, f"passes at {needed} of {rows}"


def _percentile(check: Mapping[str, Any], rows: int, alpha: float) -> tuple[bool, str]:
    """Whether the best values would show a bound on a percentile: few of them may miss it."""
    word, (side, bound) = check["statistic"], next(iter(check["require"].items()))
    share = quantile(word) if side == "max" else 1 - quantile(word)
    needed = smallest_passing_count(rows, share, alpha)
    if needed is None:
        least = percentile.smallest_n(share, alpha)
        return False, f"{rows} rows cannot bound {word}, it takes {least} at least"
    most = "at most" if side == "max" else "at least"
    return True, f"passes with {needed} of {rows} {most} {bound:g}"
