"""Rule `regression`: head's target is not worse than base's by more than a margin, case by case.

Both targets answer the same cases of the same check, all of them or those of each value of a
slice's column; the check's own bound says which way is better. A detect gate: *failed* when worse
than the margin at Holm's level over all of a change's detect gates, *passed* when non-inferiority
is shown, else *warned* (`prove: true`: inconclusive).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.rules import detect
from llmops.rules.asked import Asked, absent, asked, finding
from llmops.rules.base import Finding, Outcome
from llmops.rules.claims import INVALID_HINT, Column, invalid_words, kept_cells, scale_of
from llmops.rules.detect import Member, Missing
from llmops.rules.facts import Facts, Info
from llmops.rules.groups import groups, nothing
from llmops.statistics import order
from llmops.statistics.paired import Decision, Difference

INFO = Info(
    id="regression",
    why="a change may meet every bound and still be worse than what users have today",
    fix="compare the worst cases before and after; rehearse what was lost",
    needs_evidence=True,
    controls=("eu-ai-act/art-15", "iso42001/A.6.2.4"),
    good="""\
kind: Evaluation
spec:
  checks: [{name: accuracy, metric: builtin/accuracy, regression: {margin: 0.05}}]
""",
    bad="""\
kind: Evaluation
spec:
  checks: [{name: accuracy, metric: builtin/accuracy, regression: {margin: -0.05}}]
""",
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Differences head minus base in betting order, signed so that more is better, within ±span."""

    differences: list[float]
    span: float
    base_mean: float
    head_mean: float
    sign: float = 1.0  # -1 where less is better


@dataclass(frozen=True, slots=True)
class Compared:
    """One regression gate: all cases of a check, or those of one value of a slice."""

    one: Asked
    gate: str
    label: str
    cases: frozenset[str] | None = None  # None: all
    empty: str = "no case"  # what is said where there is none

    @property
    def claim(self) -> Mapping[str, Any]:
        """The declared `regression`."""
        found: Mapping[str, Any] = self.one.entry["regression"]
        return found


def members(facts: Facts) -> Iterator[Member]:
    """One member of the family for each regression of a check, and of each value of a slice."""
    for one in asked(facts, "checks", "regression"):
        name = str(one.entry["name"])
        yield _member(facts, Compared(one, f"{one.gate}/regression", name))
    for one in asked(facts, "slices", "regression"):
        for compared in _by_value(facts, one):
            yield _member(facts, compared)


def _by_value(facts: Facts, one: Asked) -> Iterator[Compared]:
    """Each value of the column; one gate for them all where no row has it."""
    gate, name, column = f"{one.gate}/regression", one.check["name"], one.entry["column"]
    rows = facts.rows(one.head.job.closure) or ()
    found = groups(rows, one.entry)
    if found is None:
        empty = nothing(rows, one.entry)
        yield Compared(one, gate, f"{name} by {column}", frozenset(), empty)
        return
    for value, cases in found.items():
        label, empty = f"{name} [{column}={value}]", f"no case has {column} {value}"
        yield Compared(one, f"{gate}[{value}]", label, cases, empty)


def _member(facts: Facts, compared: Compared) -> Member:
    found = _pairs(facts, compared)
    margin = float(compared.claim["margin"])
    data = Difference((), margin)
    if isinstance(found, Pairs):
        data = Difference(tuple(found.differences), margin, found.span)
    return Member(compared.one, data, lambda decision: _decided(facts, compared, found, decision))


def _pairs(facts: Facts, compared: Compared) -> Pairs | Missing:
    """The differences, or why there are none."""
    one = compared.one
    missing = absent(facts, one.head)
    if missing is not None:
        return missing
    if one.exam.base is None:
        return Outcome.WARNED, f"not compared: base has no {one.exam.target}", ""
    missing = absent(facts, one.exam.base)
    if missing is not None:
        return Outcome.INCONCLUSIVE, f"base's target: {missing[1]}", missing[2]
    head = kept_cells(facts, one.head.job.closure, one.check)
    base = kept_cells(facts, one.exam.base.job.closure, one.check)
    if set(head.cases) != set(base.cases):
        return Outcome.INCONCLUSIVE, "base and head did not answer the same cases", "llmops run"
    if compared.cases is not None and not compared.cases:
        return Outcome.INCONCLUSIVE, compared.empty, ""
    return _difference(compared, _of(compared, base), _of(compared, head))


def _of(compared: Compared, found: Column) -> Column:
    return found if compared.cases is None else found.among(compared.cases)


def _difference(compared: Compared, base: Column, head: Column) -> Pairs | Missing:
    one = compared.one
    scale = scale_of(one.check)
    was = _aligned(base, head)
    if was is None:
        return Outcome.INCONCLUSIVE, "base and head did not answer the same cases", "llmops run"
    invalid = [*base.invalid(), *head.invalid()]
    if invalid or not head:
        return Outcome.INCONCLUSIVE, invalid_words(invalid, len(base) + len(head)), INVALID_HINT
    if scale.lower is None or scale.upper is None:
        return Outcome.INCONCLUSIVE, f"{one.check['metric']} has no range to compare in", ""
    sign = 1.0 if scale.better == "higher" else -1.0
    question = one.question({})
    where = question.dataset, question.split
    ranks, n = order.ranking(*where, compared.gate, head.cases), len(head)
    before, after = _known(was), _known(head.values)
    gains = [sign * (now - then) for now, then in zip(after, before, strict=True)]
    return Pairs(
        [gains[i] for i in ranks],
        scale.upper - scale.lower,
        math.fsum(before) / n,
        math.fsum(after) / n,
        sign,
    )


def _aligned(base: Column, head: Column) -> Sequence[float | None] | None:
    """Base's values in the order of head's cases; None where cases differ or one is there twice."""
    cases = set(head.cases)
    if len(cases) != len(head) or len(base) != len(head):
        return None
    if base.cases == head.cases:
        return base.values
    before = base.by_case()
    return [before[case] for case in head.cases] if before.keys() == cases else None


def _known(values: Sequence[float | None]) -> list[float]:
    known = [value for value in values if value is not None]
    assert len(known) == len(values)
    return known


SAID = {
    "failed": "is worse than base by more than {m:g}",
    "passed": "is not worse than base by more than {m:g}",
    "undecided": "is not shown to be within {m:g} of base, nor to be worse",
}


def _decided(
    facts: Facts, compared: Compared, found: Pairs | Missing, decision: Decision
) -> Finding:
    one, margin = compared.one, compared.claim["margin"]
    if not isinstance(found, Pairs):
        outcome, why, said = found
        label = f"{compared.label}: " if compared.cases is not None else ""
        missing = finding(facts, one, INFO.id, outcome, f"{label}{why}")
        return replace(missing, gate=compared.gate, hint=said)
    words = _message(compared, found, SAID[decision.word].format(m=margin))
    return replace(
        finding(facts, one, INFO.id, detect.outcome(decision, compared.claim), words),
        gate=compared.gate,
        hint=detect.hint(decision),
        value=found.head_mean,
        bound=f"margin {margin:g}",
        n=len(found.differences),
        base_value=found.base_mean,
        difference=_mean(found),
        difference_interval=detect.interval(_differences(found), found.span),
        about_more=decision.about_more,
    )


def _message(compared: Compared, found: Pairs, said: str) -> str:
    numbers = f"base {found.base_mean:.3f}, paired difference {_mean(found):+.3f}"
    counted = f"n = {len(found.differences)}"
    return f"{compared.label} {found.head_mean:.3f} {said} ({numbers}, {counted})"


def _differences(found: Pairs) -> list[float]:
    """Head minus base, whichever way is better."""
    return [found.sign * difference for difference in found.differences]


def _mean(found: Pairs) -> float:
    return found.sign * math.fsum(found.differences) / len(found.differences)


def worst(base: Column, head: Column, check: Mapping[str, Any]) -> tuple[list[str], int]:
    """Cases that got worse, the most first (ties by digest), and how many got better."""
    sign = 1.0 if scale_of(check).better == "higher" else -1.0
    before, gain = base.by_case(), {}
    for case, now in head.by_case().items():
        then = before.get(case)
        if now is not None and then is not None:
            gain[case] = sign * (now - then)
    lost = sorted(case for case, g in gain.items() if g < 0)
    return sorted(lost, key=gain.__getitem__), sum(g > 0 for g in gain.values())
