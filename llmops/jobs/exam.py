"""Two graphs -> Exams: whose Evaluation is put to which target.

Base's Evaluations, as a whole, are put to head's targets; head's own follow where they differ.
An Evaluation with regression checks is also put to base's target. The same jobs come out of equal
specs, so nothing runs twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llmops.graph.build import Graph
from llmops.graph.fingerprint import fingerprints
from llmops.jobs import evaluate, generate
from llmops.jobs.base import Side
from llmops.jobs.make import Made, use
from llmops.specs.base import Ref, Spec


@dataclass(frozen=True, slots=True)
class Exam:
    """One Evaluation put to one target.

    `head` is None when head no longer has the target. `base` is the same Evaluation put to base's
    target: None when no regression is asked or base has no such target.
    """

    evaluation: Spec
    judged_by: Side
    target: Ref
    head: Made | None
    base: Made | None


def exams(base: Graph | None, head: Graph, selected: tuple[str, ...] = ()) -> tuple[Exam, ...]:
    """Every exam of a change, base's first; `selected` keeps those of named specs only."""
    _share(base, head)
    found: list[Exam] = []
    for side, graph in (("base", base), ("head", head)):
        for evaluation in graph.of_kind("Evaluation") if graph else ():
            exam = _exam(evaluation, "base" if side == "base" else "head", base, head)
            if _wanted(exam, selected):
                found.append(exam)
    return tuple(found)


def _share(base: Graph | None, head: Graph) -> None:
    """Let head take over what base made of specs that mean the same in both trees."""
    if base is None or base is head:
        return
    for evaluation in base.of_kind("Evaluation"):
        target = use(evaluation, "target").target
        refs = (evaluation.ref, target)
        meanings = tuple(fingerprints(base)[ref] for ref in refs)
        if meanings == tuple(fingerprints(head).get(ref) for ref in refs):
            made = _put(evaluation, base, target, base, "head")
            for graph in (base, head):
                for side in ("base", "head"):
                    graph.memo["exam", *meanings, side] = made


def _wanted(exam: Exam, selected: tuple[str, ...]) -> bool:
    return not selected or bool({str(exam.evaluation.ref), str(exam.target)} & set(selected))


def _exam(evaluation: Spec, side: Side, base: Graph | None, head: Graph) -> Exam:
    own = base if side == "base" and base is not None else head
    target = use(evaluation, "target").target
    compared = asks_regression(evaluation) and base is not None
    return Exam(
        evaluation=evaluation,
        judged_by=side,
        target=target,
        head=_put(evaluation, own, target, head, side),
        base=_put(evaluation, own, target, base, side) if compared and base is not None else None,
    )


def asks_regression(evaluation: Spec) -> bool:
    """Whether any check compares with base's target."""
    return any("regression" in check for check in evaluation.spec["checks"])


def _put(evaluation: Spec, own: Graph, target: Ref, graph: Graph, side: Side) -> Made | None:
    """The evaluate job of `evaluation` (with the data of its own graph) on a target of `graph`.

    Made once for each meaning: equal fingerprints of both are equal jobs, whichever tree they
    stand in. `side` tells whose Evaluation it is only where something changed.
    """
    if target not in graph.specs:
        return None
    meanings = fingerprints(own)[evaluation.ref], fingerprints(graph)[target]
    key = ("exam", *meanings, side)
    known = graph.memo.get(key)
    if known is None:
        known = graph.memo[key] = _made(evaluation, own, target, graph, side)
    made: Made = known
    return made


def _made(evaluation: Spec, own: Graph, target: Ref, graph: Graph, side: Side) -> Made:
    asked = generate.cases(own, evaluation, evaluation.ref if side == "head" else None)
    answered = generate.job(graph, target, asked, evaluation)
    return evaluate.job(evaluation, asked, answered)


def made_of(found: tuple[Exam, ...], side: Side) -> Iterator[Made]:
    """All jobs of one side of some exams, dependencies first (with repeats)."""
    for exam in found:
        made = exam.head if side == "head" else exam.base
        if made is not None:
            yield from made.all()
