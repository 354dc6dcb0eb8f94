"""What a verdict does not show: findings let through without proof, and what nothing measures.

A reader who sees only "passed" thinks that everything was shown. So whatever is let through says
why on its own finding (`Finding.not_shown`), and what no gate is about is listed beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmops.rules.base import Finding, Outcome, Unshown
from llmops.rules.facts import Facts

UNDECIDED = "neither shown to be within its margin nor to be worse"
NO_BASE = "there is nothing at base to compare it with"
ACCEPTED = "--accept-undecidable was said"


def let(found: Finding, why: str) -> Finding:
    """A finding that is let through as a warning; what is refuted is warned of, not unshown."""
    undecided = found.outcome is Outcome.INCONCLUSIVE
    return replace(found, outcome=Outcome.WARNED, not_shown=why if undecided else found.not_shown)


def undecided(found: Finding, facts: Facts) -> Finding:
    """A finding that says so when its gate stays undecided, or could not have been decided."""
    if found.outcome is Outcome.WARNED and not found.not_shown and _compares(found):
        alone = found.difference is None and found.rule != "gap"
        return replace(found, not_shown=NO_BASE if alone else UNDECIDED)
    note = _accepted(found, facts) if found.outcome is Outcome.INCONCLUSIVE else ""
    return replace(found, hint=f"{ACCEPTED}: {note}") if note else found


def _compares(found: Finding) -> bool:
    """Whether it is about head against base, or one group against another."""
    return found.rule in ("regression", "gap") or found.difference is not None


def _accepted(found: Finding, facts: Facts) -> str:
    """Why the plan said that a gate could not be decided, where it was run all the same."""
    gate = found.gate.partition("[")[0]
    for planned in facts.plan.gates:
        if planned.decidable is not False or planned.id != gate:
            continue
        proof = facts.proven.get(planned.closure)
        mine = planned.judged_by == found.judged_by
        if mine and proof is not None and proof.used.get("accept_undecidable"):
            return planned.note
    return ""


def unshown(facts: Facts, found: Sequence[Finding]) -> tuple[Unshown, ...]:
    """Everything that the verdict does not show, findings first."""
    let_through = (Unshown("gate", f.gate, f.not_shown) for f in found if f.not_shown)
    routes = (Unshown("route", f.gate) for f in found if f.rule == "routes-measured")
    nothing = () if facts.plan.selected else (*routes, *_unasked(facts))
    return tuple(dict.fromkeys((*let_through, *nothing, *_reported(facts))))


def _unasked(facts: Facts) -> Iterator[Unshown]:
    """What head declares and no gate is about."""
    judged = [exam for exam in facts.exams if exam.head is not None and exam.part.decides]
    targets = {exam.target for exam in judged}
    read = {ref for exam in judged if exam.head for made in exam.head.all() for ref in made.reads}
    for kind in ("Application", "Guardrail", "Recipe"):
        reached = targets | read if kind == "Recipe" else targets
        for spec in facts.head.of_kind(kind):
            if spec.ref not in reached:
                yield Unshown("target", str(spec.ref))


def _reported(facts: Facts) -> Iterator[Unshown]:
    """Suites that are only reported, and checks that are measured without a bound."""
    for exam in facts.exams:
        if exam.head is None:
            continue
        if not exam.part.gating:
            yield Unshown("reported", exam.name)
            continue
        if exam.part.compares:
            continue
        bounded = {entry.given["check"] for entry in exam.part.slices}
        for entry in exam.part.checks:
            given = entry.given
            claimed = "require" in given or "regression" in given or given["name"] in bounded
            if not claimed:
                yield Unshown("reported", f"{exam.asker.ref}/{given['name']}")
