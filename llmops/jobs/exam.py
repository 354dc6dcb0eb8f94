"""Two graphs -> Exams: what is put to which target.

Base's Evaluations, SafetyTests and guardrail tests, as a whole, are put to head's targets; head's
own follow where they differ. What has regression checks is also put to base's target. The same
jobs come out of equal specs, so nothing runs twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from llmops.graph.build import Graph
from llmops.graph.fingerprint import fingerprints
from llmops.jobs import evaluate, generate, guard, scan
from llmops.jobs.base import Selection, Side
from llmops.jobs.make import Made
from llmops.jobs.parts import ASKERS, Part, dataset_of, parts, target_of
from llmops.specs.base import Ref, Spec


@dataclass(frozen=True, slots=True)
class Exam:
    """One part of an asking spec, put to one target.

    `asker` is an Evaluation, a SafetyTest or a Guardrail. `head` is None when head no longer has
    the target. `base` is the same put to base's target: None when no regression is asked or base
    has no such target. `before` is that too, asked or not: for who reads, never to run.
    """

    asker: Spec
    part: Part
    judged_by: Side
    target: Ref
    head: Made | None
    base: Made | None
    before: Made | None = None

    @property
    def name(self) -> str:
        """`SafetyTest/x/suite`; an Evaluation, which has one part only, by its own name."""
        return f"{self.asker.ref}/{self.part.name}" if self.part.name else str(self.asker.ref)


def exams(base: Graph | None, head: Graph, selected: Selection | None = None) -> tuple[Exam, ...]:
    """Every exam of a change, base's first; `selected` keeps those of its askers only."""
    _share(base, head)
    found: list[Exam] = []
    for side, graph in (("base", base), ("head", head)):
        for asker, part in _asked(graph):
            if selected is None or str(asker.ref) in selected.askers:
                found.append(_exam(asker, part, "base" if side == "base" else "head", base, head))
    return tuple(found)


def _asked(graph: Graph | None) -> Iterator[tuple[Spec, Part]]:
    for kind in ASKERS:
        for asker in graph.of_kind(kind) if graph else ():
            yield from ((asker, part) for part in parts(asker))


def _share(base: Graph | None, head: Graph) -> None:
    """Let head take over what base made of specs that mean the same in both trees."""
    if base is None:
        return
    for asker, part in _asked(base):
        target = target_of(asker)
        refs = (asker.ref, target)
        meanings = tuple(fingerprints(base)[ref] for ref in refs)
        if meanings == tuple(fingerprints(head).get(ref) for ref in refs):
            made = _put(asker, part, base, target, base, "head")
            for graph in (base, head):
                for side in ("base", "head"):
                    graph.memo["exam", part.name, *meanings, side] = made


def _exam(asker: Spec, part: Part, side: Side, base: Graph | None, head: Graph) -> Exam:
    own = base if side == "base" and base is not None else head
    target = target_of(asker)
    before = _put(asker, part, own, target, base, side) if base is not None else None
    return Exam(
        asker=asker,
        part=part,
        judged_by=side,
        target=target,
        head=_put(asker, part, own, target, head, side),
        base=before if asks_regression(part) else None,
        before=before,
    )


def asks_regression(part: Part) -> bool:
    """Whether any check, or slice of one, compares with base's target."""
    return any("regression" in entry.given for entry in (*part.checks, *part.slices))


def _put(asker: Spec, part: Part, own: Graph, target: Ref, graph: Graph, side: Side) -> Made | None:
    """The deciding job of a part of `asker`, with its own graph's data, on a target of `graph`.

    Made once for each meaning: equal fingerprints of both are equal jobs, whichever tree they
    stand in. `side` tells whose spec asks only where something changed.
    """
    if target not in graph.specs:
        return None
    meanings = fingerprints(own)[asker.ref], fingerprints(graph)[target]
    key = ("exam", part.name, *meanings, side)
    known = graph.memo.get(key)
    if known is None:
        known = graph.memo[key] = _made(asker, part, own, target, graph, side)
    made: Made = known
    return made


def _made(asker: Spec, part: Part, own: Graph, target: Ref, graph: Graph, side: Side) -> Made:
    dataset = dataset_of(asker, part)
    asked = generate.cases(own, dataset, part.rows, asker.ref if side == "head" else None)
    if part.way == "guard":
        return _named(guard.job(graph, target, asked, part.given), part)
    if part.way == "scan":
        return _named(scan.job(graph, target, asked, asker, part.given), part)
    answered = _named(generate.job(graph, target, asked, asker), part)
    checks = [entry.given for entry in part.checks]
    judged = evaluate.job(asker, asked, answered, checks, evaluate.judge(own, asker))
    return _named(judged, part)


def _named(made: Made, part: Part) -> Made:
    """The same job, called by the suite or test that it is for."""
    return replace(made, job=replace(made.job, part=part.name)) if part.name else made


def made_of(found: tuple[Exam, ...], side: Side) -> Iterator[Made]:
    """All jobs of one side of some exams, dependencies first (with repeats)."""
    for exam in found:
        made = exam.head if side == "head" else exam.base
        if made is not None:
            yield from made.all()
