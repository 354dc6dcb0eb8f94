"""What would newly pass once a loosened gate is merged: gates by name, and cases by id.

The gates of head are judged as if head were merged already: head's versions under head's own
policies. What they let through and base's do not is what the loosening buys. Nothing here changes
an outcome: base's version decides all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.jobs.exam import Exam
from llmops.jobs.parts import ASKERS
from llmops.rules.base import Finding, Loosened, Outcome
from llmops.rules.claims import cells, scale_of
from llmops.rules.facts import Facts

MOST_CASES = 5
Judge = Callable[[Facts], Sequence[Finding]]


def with_gains(facts: Facts, found: Sequence[Finding], judge: Judge) -> tuple[Loosened, ...]:
    """What is loosened, each with what would newly pass; `judge` gives the findings of gates."""
    if not facts.loosened:
        return ()
    merged = replace(
        facts, base=None, loosened=(), exams=tuple(e for e in facts.exams if e.judged_by == "head")
    )
    gains = _gains(found, judge(merged))
    return tuple(_with(one, gains, facts) for one in facts.loosened)


def _gains(before: Sequence[Finding], after: Sequence[Finding]) -> tuple[str, ...]:
    """Gates that base judges worse than head would once merged, and that this would let by."""
    was = _worst(f for f in before if f.judged_by == "base")
    now = _worst(iter(after))
    asked = {gate.partition("[")[0] for gate in now}
    return tuple(sorted(
        gate if gate in now else f"{gate} (no longer asked)"
        for gate, outcome in was.items()
        if outcome > Outcome.PASSED
        and _lets_by(now.get(gate), outcome)
        and (gate in now or gate.partition("[")[0] not in asked)
    ))  # fmt: skip


def _worst(found: Iterator[Finding]) -> dict[str, Outcome]:
    worst: dict[str, Outcome] = {}
    for finding in found:
        if finding.gate.partition("/")[0] in ASKERS:
            worst[finding.gate] = max(finding.outcome, worst.get(finding.gate, Outcome.PASSED))
    return worst


def _lets_by(now: Outcome | None, before: Outcome) -> bool:
    return now is None or (now <= Outcome.WARNED and now < before)


def _with(one: Loosened, gains: Sequence[str], facts: Facts) -> Loosened:
    reach = _reach(one, facts)
    gates = tuple(gate for gate in gains if reach(gate.partition(" ")[0]))
    return replace(one, newly_passes=(*gates, *_cases(one, facts)))


def _reach(one: Loosened, facts: Facts) -> Callable[[str], bool]:
    """Which gates a loosening is about: those of its check, its suite or its spec; else all."""
    named = one.what.partition(" ")[0].split("/", 2)
    if named[0] not in ASKERS or len(named) < 2:
        return lambda _gate: True
    spec = "/".join(named[:2])
    if len(named) == 2:
        return lambda gate: gate.startswith(f"{spec}/")
    suite = {
        f"{exam.asker.ref}/{entry.given['name']}"
        for exam in facts.exams
        if exam.name == "/".join(named)
        for entry in (*exam.part.checks, *exam.part.slices)
    }
    names = {"/".join(named), *suite}
    return lambda gate: _claim(gate) in names


def _claim(gate: str) -> str:
    """The check or slice behind a gate: without the value of a group, and how it is compared."""
    return gate.partition("[")[0].removesuffix("/regression").removesuffix("/gap")


@dataclass(frozen=True, slots=True)
class _Sides:
    """One check as base asks it, and as head does (None: no longer)."""

    base: Exam
    check: Mapping[str, Any]
    head: Exam | None
    now: Mapping[str, Any] | None


def _cases(one: Loosened, facts: Facts) -> tuple[str, ...]:
    """Cases that fail a check as base asks it, and that head's version passes or leaves out."""
    reach = _reach(one, facts)
    if one.what.partition("/")[0] not in ASKERS:
        return ()
    found: list[str] = []
    for sides in _checks(facts):
        gate = f"{sides.base.asker.ref}/{sides.check['name']}"
        lost = _newly_right(sides, facts) if reach(gate) else []
        found += [f"{gate} case {case}" for case in lost[:MOST_CASES]]
        if len(lost) > MOST_CASES:
            found.append(f"{gate}: {len(lost) - MOST_CASES} more cases")
    return tuple(found)


def _checks(facts: Facts) -> Iterator[_Sides]:
    own = {(exam.name, exam.target): exam for exam in facts.exams if exam.judged_by == "head"}
    for exam in facts.exams:
        if exam.judged_by != "base" or exam.head is None or not exam.part.gating:
            continue
        now = own.get((exam.name, exam.target))
        after = {e.given["name"]: e.given for e in now.part.checks} if now else {}
        for entry in exam.part.checks:
            if scale_of(entry.given).kind == "binary" and len(entry.given.get("require", {})) == 1:
                yield _Sides(exam, entry.given, now, after.get(entry.given["name"]))


def _newly_right(sides: _Sides, facts: Facts) -> list[str]:
    """Ids, in the order of the rows."""
    if sides.head is None or sides.now is None or scale_of(sides.now).kind != "binary":
        return []
    before, after = _wrong(sides.base, sides.check, facts), _wrong(sides.head, sides.now, facts)
    if before is None or after is None:
        return []
    return [name for case, name in before.items() if case not in after]


def _wrong(exam: Exam, check: Mapping[str, Any], facts: Facts) -> dict[str, str] | None:
    """Case -> id of what counts against a check; None without rows."""
    rows = facts.rows(exam.head.job.closure) if exam.head is not None else None
    if not rows:
        return None
    good = 1.0 if "min" in check.get("require", {"min": 0}) else 0.0
    return {cell.case: cell.id for cell in cells(rows, check) if cell.value != good}
