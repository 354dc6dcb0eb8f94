"""Exams of one suite without a graph behind them: what the rules of suites need, no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from llmops.graph.build import Graph
from llmops.jobs.base import Job, Plan, TreeName
from llmops.jobs.exam import Exam
from llmops.jobs.make import Made
from llmops.jobs.parts import Part
from llmops.rules.facts import Facts
from llmops.specs.base import Ref, Spec

Rows = Sequence[Mapping[str, Any]] | None
CLOSURE = "sha256:" + "5" * 64


def suite(part: Part) -> Exam:
    """An exam of a SafetyTest called `safe`, put to an Application."""
    asker = Spec(Ref("SafetyTest", "safe"), "specs/safety/safe.yaml", {"metadata": {}, "spec": {}})
    made = Made(Job("scan", asker.ref, CLOSURE, {}))
    return Exam(asker, part, "head", Ref("Application", "bot"), made, None)


def facts_of(exam: Exam, *, rows: Rows = (), findings: Rows = None) -> Facts:
    """The facts of one exam whose job has these rows and findings."""
    nothing = Plan(None, TreeName("head", "0" * 40), None, (), (), ())
    return Facts(
        base=None,
        head=cast("Graph", None),
        plan=nothing,
        exams=(exam,),
        proven={},
        rows=lambda _closure: rows,
        place=lambda _side, ref, loc: f"{ref.name}.yaml:1:{len(loc)}",
        findings=lambda _closure: findings,
    )
