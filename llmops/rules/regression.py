"""Rule `regression`: head's target is not worse than base's by more than a margin, case by case.

Both targets answer the same cases of the same check; its own bound says which way is better. A
detect gate: *failed* when worse than the margin at Holm's level over all of a change's detect
gates, *passed* when non-inferiority is shown, else *warned* (`prove: true`: inconclusive).

Base's gates are a family of their own: else head could add gates, or a tiny alpha, until none of
base's could fail any more. Head's own gates are judged among all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.rules.asked import Asked, absent, asked, finding
from llmops.rules.base import Finding, Outcome
from llmops.rules.claims import INVALID_HINT, Cell, cells, invalid_words, scale_of
from llmops.rules.facts import Facts, Info
from llmops.statistics import order, paired, star
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


Gap = tuple[Outcome, str, str]  # why there are no differences: outcome, words, hint


@dataclass(frozen=True, slots=True)
class Pairs:
    """Differences head minus base in betting order, signed so that more is better, within ±span."""

    differences: list[float]
    span: float
    margin: float
    base_mean: float
    head_mean: float
    sign: float = 1.0  # -1 where less is better


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each `regression` of each check; Holm runs over all of a family."""
    read = [(one, _pairs(facts, one)) for one in asked(facts, "checks", "regression")]
    ours = [pair for pair in read if pair[0].exam.judged_by == "base"]
    every = [*ours, *(pair for pair in read if pair[0].exam.judged_by == "head")]
    decided = (*_family(ours), *_family(every)[len(ours) :])
    for (one, found), decision in zip(every, decided, strict=True):
        yield _decided(facts, one, found, decision)


def _family(read: Sequence[tuple[Asked, Pairs | Gap]]) -> tuple[Decision, ...]:
    """Gates judged together, at the smallest error rate that one of them asks for."""
    alpha = min((one.alpha for one, _ in read), default=0.05)
    return paired.decide([_difference_of(found, one) for one, found in read], alpha)


def _difference_of(found: Pairs | Gap, one: Asked) -> Difference:
    """The gate's data for the family; a gap counts, without values, as p = 1."""
    if isinstance(found, Pairs):
        return Difference(tuple(found.differences), found.margin, found.span)
    return Difference((), float(one.check["regression"]["margin"]))


def _pairs(facts: Facts, one: Asked) -> Pairs | Gap:
    """The differences, or why there are none."""
    gap = absent(facts, one.head)
    if gap is not None:
        return gap
    if one.exam.base is None:
        return Outcome.WARNED, f"not compared: base has no {one.exam.target}", ""
    gap = absent(facts, one.exam.base)
    if gap is not None:
        return Outcome.INCONCLUSIVE, f"base's target: {gap[1]}", gap[2]
    head = cells(facts.rows(one.head.job.closure) or (), one.check)
    base = cells(facts.rows(one.exam.base.job.closure) or (), one.check)
    return _difference(one, base, head)


def _difference(one: Asked, base: Sequence[Cell], head: Sequence[Cell]) -> Pairs | Gap:
    scale = scale_of(one.check)
    before = {c.case: c.value for c in base}
    after = {c.case: c.value for c in head}
    if before.keys() != after.keys() or len(before) != len(base) or len(after) != len(head):
        return Outcome.INCONCLUSIVE, "base and head did not answer the same cases", "llmops run"
    invalid = [c.id for c in (*base, *head) if c.value is None]
    if invalid or not after:
        return Outcome.INCONCLUSIVE, invalid_words(invalid, len(base) + len(head)), INVALID_HINT
    if scale.lower is None or scale.upper is None:
        return Outcome.INCONCLUSIVE, f"{one.check['metric']} has no range to compare in", ""
    sign = 1.0 if scale.better == "higher" else -1.0
    question = one.question({})
    gate = f"{one.gate}/regression"
    ranked = sorted(after, key=order.betting_order(question.dataset, question.split, gate))
    n = len(ranked)
    values = [sign * (_known(after[c]) - _known(before[c])) for c in ranked]
    return Pairs(
        values,
        scale.upper - scale.lower,
        float(one.check["regression"]["margin"]),
        math.fsum(_known(v) for v in before.values()) / n,
        math.fsum(_known(v) for v in after.values()) / n,
        sign,
    )


def _known(value: float | None) -> float:
    assert value is not None
    return value


def _decided(facts: Facts, one: Asked, found: Pairs | Gap, decision: Decision) -> Finding:
    gate = f"{one.gate}/regression"
    if not isinstance(found, Pairs):
        outcome, why, hint = found
        return replace(finding(facts, one, INFO.id, outcome, why), gate=gate, hint=hint)
    proves = one.check["regression"].get("prove", False)
    outcome, said = {
        "failed": (Outcome.FAILED, "is worse than base by more than {m:g}"),
        "passed": (Outcome.PASSED, "is not worse than base by more than {m:g}"),
        "undecided": (
            Outcome.INCONCLUSIVE if proves else Outcome.WARNED,
            "is not shown to be within {m:g} of base, nor to be worse",
        ),
    }[decision.word]
    words = said.format(m=found.margin)
    result = finding(facts, one, INFO.id, outcome, _message(one, found, words))
    more = decision.about_more
    return replace(
        result,
        gate=gate,
        hint=f"about {more} more cases would decide" if more else "",
        value=found.head_mean,
        bound=f"margin {found.margin:g}",
        n=len(found.differences),
        base_value=found.base_mean,
        difference=_mean(found),
        difference_interval=_interval(found),
        about_more=more,
    )


def _message(one: Asked, found: Pairs, said: str) -> str:
    numbers = f"base {found.base_mean:.3f}, paired difference {_mean(found):+.3f}"
    counted = f"n = {len(found.differences)}"
    return f"{one.entry['name']} {found.head_mean:.3f} {said} ({numbers}, {counted})"


def _mean(found: Pairs) -> float:
    """Head minus base, whichever way is better."""
    return found.sign * math.fsum(found.differences) / len(found.differences)


def _interval(found: Pairs) -> tuple[float, float]:
    """Two-sided 95 % of the difference, for the reader: Tango's for right-or-wrong cases."""
    d = [found.sign * difference for difference in found.differences]
    if set(d) <= {-1.0, 0.0, 1.0}:
        return paired.tango(d.count(1.0), d.count(-1.0), len(d))
    low = star.lower_bound(d, -found.span, found.span, 0.025)
    return low, star.upper_bound(d, -found.span, found.span, 0.025)


def worst(
    base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]], check: Mapping[str, Any]
) -> tuple[list[str], int]:
    """Cases that got worse, the most first (ties by digest), and how many got better."""
    sign = 1.0 if scale_of(check).better == "higher" else -1.0
    before = {c.case: c.value for c in cells(base, check)}
    after = {c.case: c.value for c in cells(head, check)}
    both = [c for c in sorted(before.keys() & after.keys()) if _comparable(before[c], after[c])]
    gain = {c: sign * (_known(after[c]) - _known(before[c])) for c in both}
    lost = [c for c in both if gain[c] < 0]
    return sorted(lost, key=gain.__getitem__), sum(g > 0 for g in gain.values())


def _comparable(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None
