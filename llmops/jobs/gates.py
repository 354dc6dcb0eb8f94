"""Exams -> the gates of a plan: what must hold, in words, and on how many rows.

Whether these rows can decide it is told by `rules/forecast.py`, which reads the same list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llmops.graph.build import Graph
from llmops.jobs.base import PlannedGate, Proof, Side
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.jobs.parts import Entry, Part, dataset_of
from llmops.specs.base import Ref

GateKind = Literal["require", "regression", "slice", "gap", "findings", "classes"]
ALPHA = 0.05
MOST_ROWS = 10**12  # what claims to hold more, or fewer than none, holds nobody knows how many
Place = Callable[[Side, Ref, tuple[str | int, ...]], str]


def nowhere(side: Side, ref: Ref, loc: tuple[str | int, ...]) -> str:
    """No place: for plans of graphs that stand in no file."""
    return ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A gate with what declares it: `entry` claims, of the check `check` (both {} for a suite)."""

    gate: PlannedGate
    exam: Exam
    head: Made
    loc: tuple[str | int, ...]
    entry: Mapping[str, Any]
    check: Mapping[str, Any]


def gates(asked: tuple[Exam, ...], proven: Mapping[str, Proof]) -> tuple[PlannedGate, ...]:
    """Every gate of the exams; head's copy of an equal gate of base is left out."""
    return tuple(one.gate for one in declared(asked, proven))


def declared(asked: tuple[Exam, ...], proven: Mapping[str, Proof]) -> tuple[Declared, ...]:
    """Every gate of the exams with what declares it, in the order of `gates`."""
    found: dict[tuple[str, str, str], Declared] = {}
    for exam in asked:
        if exam.head is None or not exam.part.gating:
            continue
        for one in _of_exam(exam, exam.head, _rows(exam, exam.head, proven)):
            found.setdefault((one.gate.id, one.gate.claim, one.gate.closure), one)
    return tuple(found.values())


def alpha_of(part: Part, judging: Graph | None) -> float:
    """The error rate allowed to each claim: the smallest that the asker and policies name."""
    policies = judging.of_kind("Policy") if judging is not None else ()
    named = [part.alpha, *(policy.spec.get("alpha") for policy in policies)]
    return min((float(a) for a in named if a is not None), default=ALPHA)


def bound_words(bound: Mapping[str, Any]) -> str:
    """`{"min": 0.9}` -> `min 0.9`."""
    return " ".join(f"{side} {value:g}" for side, value in sorted(bound.items()))


def _of_exam(exam: Exam, head: Made, rows: int | None) -> Iterator[Declared]:
    made = _Maker(exam, head, rows)
    for entry in exam.part.checks:
        name, check = str(entry.given["name"]), entry.given
        if "require" in check:
            said = f" {check['statistic']}" if "statistic" in check else ""
            claim = f"{name}{said} {bound_words(check['require'])}"
            yield made.gate("require", name, claim, entry)
        if "regression" in check:
            claim = f"{name} not worse than base by {check['regression']['margin']:g}"
            yield made.gate("regression", f"{name}/regression", claim, entry)
    for entry in exam.part.slices:
        yield from _of_slice(entry, made)
    yield from _of_suite(exam.part, made)


def _of_slice(entry: Entry, made: _Maker) -> Iterator[Declared]:
    """What is claimed of each value of a column, and of the gap between them or within pairs."""
    given, name, check = entry.given, str(entry.given["name"]), entry.given["check"]
    values = ", ".join(str(v) for v in given.get("values", []))
    group = f"by {given['column']} {values}".strip() if "column" in given else "in pairs"
    if "require" in given:
        claim = f"{check} {group} {bound_words(given['require'])}"
        yield made.gate("slice", name, claim, entry)
    if "regression" in given:
        claim = f"{check} {group} not worse than base by {given['regression']['margin']:g}"
        yield made.gate("regression", f"{name}/regression", claim, entry)
    if "gap" in given:
        claim = f"{check} {group} apart by at most {given['gap']['max']:g}"
        yield made.gate("gap", f"{name}/gap", claim, entry)


def _of_suite(part: Part, made: _Maker) -> Iterator[Declared]:
    """What a suite must hold beside its checks: no severe finding, enough of each class."""
    whole = Entry(part.loc, {})
    under = f"{part.name}/" if part.name else ""
    if part.fail_on is not None:
        claim = f"{part.name} finds nothing of severity {part.fail_on}"
        yield made.gate("findings", f"{under}fail-on", claim, whole)
    if part.classes is not None:
        claim = f"{part.name} has {part.classes} rows of each class"
        yield made.gate("classes", f"{under}classes", claim, whole)


@dataclass(frozen=True, slots=True)
class _Maker:
    exam: Exam
    head: Made
    rows: int | None

    def gate(self, kind: GateKind, name: str, claim: str, entry: Entry) -> Declared:
        """One gate of this exam: `name` comes after the asker's in its id."""
        exam, given = self.exam, entry.given
        gate = PlannedGate(
            f"{exam.asker.ref}/{name}",
            kind,
            claim,
            exam.judged_by,
            self.head.job.closure,
            self.rows,
        )
        check = exam.part.check(given["check"]) if "check" in given else given
        return Declared(gate, exam, self.head, entry.loc, given, check)


def _rows(exam: Exam, head: Made, proven: Mapping[str, Proof]) -> int | None:
    """Planned cases: what the sample asks, at most what the curated part is known to hold."""
    part = dataset_of(exam.asker, exam.part).part or "all"
    curated = next(i.job for i in head.job.inputs if i.name == "cases")
    proof = proven.get(curated or "")
    held = proof.measured.get(f"rows_{part}") if proof else None
    known = [int(n) for n in (exam.part.rows, held) if n is not None and 0 <= n <= MOST_ROWS]
    return min(known) if known else None
