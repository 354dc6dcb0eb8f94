"""Rule `regression`: head's target is not worse than base's by more than a margin, case by case.

Both targets answer the same cases under the same Evaluation. A detect gate: *failed* when worse
than the margin at Holm's level over all of a change's detect gates, *passed* when non-inferiority
is shown, else *warned* (`prove: true` makes that inconclusive). PROOF.md 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.jobs.gates import alpha_of
from llmops.rules.asked import Asked, absent, asked, finding
from llmops.rules.base import Finding, Outcome
from llmops.rules.claims import Cell, cells, scale_of
from llmops.rules.facts import Facts, Info
from llmops.statistics import holm, order, paired, star

INFO = Info(
    id="regression",
    why="a change may meet every bound and still be worse than what users have today",
    fix="compare the worst cases before and after; rehearse what was lost",
    needs_evidence=True,
)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Differences head minus base in betting order, signed so that more is better, within ±span."""

    differences: list[float]
    span: float
    margin: float
    base_mean: float
    head_mean: float


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each `regression` of each check; Holm runs over all of them."""
    asks = [one for one in asked(facts, "checks") if "regression" in one.check]
    read = [_pairs(facts, one) for one in asks]
    worse = [_p_worse(found, asks[i], len(asks)) for i, found in enumerate(read)]
    adjusted = holm.adjust(worse)
    for one, found, p in zip(asks, read, adjusted, strict=True):
        yield _decided(facts, one, found, p)


def _pairs(facts: Facts, one: Asked) -> _Pairs | tuple[Outcome, str, str]:
    """The differences, or why there are none."""
    gap = absent(facts, one.head)
    if gap is not None:
        return gap
    if one.exam.base is None:
        return Outcome.PASSED, "base has no such target: nothing to compare with", ""
    gap = absent(facts, one.exam.base)
    if gap is not None:
        return Outcome.INCONCLUSIVE, f"base's target: {gap[1]}", gap[2]
    head = cells(facts.rows(one.head.job.closure) or (), one.check)
    base = cells(facts.rows(one.exam.base.job.closure) or (), one.check)
    return _difference(one, base, head)


def _difference(
    one: Asked, base: Sequence[Cell], head: Sequence[Cell]
) -> _Pairs | tuple[Outcome, str, str]:
    scale = scale_of(one.check)
    before = {c.case: c.value for c in base}
    after = {c.case: c.value for c in head}
    if before.keys() != after.keys() or len(before) != len(base) or len(after) != len(head):
        return Outcome.INCONCLUSIVE, "base and head did not answer the same cases", "llmops run"
    invalid = [c.id for c in (*base, *head) if c.value is None]
    if invalid or not after:
        words = f"{len(invalid)} cells invalid" if invalid else "no case"
        return Outcome.INCONCLUSIVE, words, "llmops run"
    if scale.lower is None or scale.upper is None:
        return Outcome.INCONCLUSIVE, f"{one.check['metric']} has no range to compare in", ""
    sign = 1.0 if scale.better == "higher" else -1.0
    question = one.question({})
    where, gate = (question.dataset, question.split), f"{one.gate}/regression"
    ranked = sorted(after, key=lambda case: order.betting_key(*where, gate, case))
    n = len(ranked)
    values = [sign * (_known(after[c]) - _known(before[c])) for c in ranked]
    return _Pairs(
        values,
        scale.upper - scale.lower,
        float(one.check["regression"]["margin"]),
        math.fsum(_known(v) for v in before.values()) / n,
        math.fsum(_known(v) for v in after.values()) / n,
    )


def _known(value: float | None) -> float:
    assert value is not None
    return value


def _p_worse(found: Any, one: Asked, gates: int) -> float:
    """P of "not worse than the margin"; no data counts as 1 in Holm."""
    if not isinstance(found, _Pairs):
        return 1.0
    alpha = alpha_of(one.exam.evaluation.spec)
    d, span, m = found.differences, found.span, found.margin
    return star.p_value_at_least(d, -m, -span, span, alpha / gates)


def _decided(facts: Facts, one: Asked, found: Any, p: float) -> Finding:
    if not isinstance(found, _Pairs):
        outcome, why, hint = found
        plain = replace(finding(facts, one, INFO.id, outcome, why), hint=hint)
        return replace(plain, gate=f"{one.gate}/regression")
    alpha = alpha_of(one.exam.evaluation.spec)
    d, span, m = found.differences, found.span, found.margin
    more: int | None = None
    if p <= alpha:
        outcome, said = Outcome.FAILED, f"is worse than base by more than {m:g}"
    elif star.rejects_at_most(d, -m, -span, span, alpha):
        outcome, said = Outcome.PASSED, f"is not worse than base by more than {m:g}"
    else:
        proves = one.check["regression"].get("prove", False)
        outcome = Outcome.INCONCLUSIVE if proves else Outcome.WARNED
        said = f"is neither shown to be within {m:g} of base nor worse"
        more = paired.about_more(d, m)
    return _with_numbers(facts, one, found, outcome, said, more)


def _with_numbers(
    facts: Facts, one: Asked, found: _Pairs, outcome: Outcome, said: str, more: int | None
) -> Finding:
    d = found.differences
    mean = math.fsum(d) / len(d)
    label = f"{one.entry['name']} {found.head_mean:.3f} {said} ({found.base_mean:.3f}; paired"
    message = f"{label} difference {mean:+.3f}, n = {len(d)})"
    return replace(
        finding(facts, one, INFO.id, outcome, message),
        gate=f"{one.gate}/regression",
        hint=f"about {more} more cases would decide" if more else "",
        value=found.head_mean,
        bound=f"margin {found.margin:g}",
        n=len(d),
        base_value=found.base_mean,
        difference=mean,
        difference_interval=paired.interval(d, found.span),
        about_more=more,
    )


def worst(
    base: Sequence[Mapping[str, Any]], head: Sequence[Mapping[str, Any]], check: Mapping[str, Any]
) -> tuple[list[str], int]:
    """Cases that got worse, the most first (ties by digest), and how many got better."""
    before = {c.case: c.value for c in cells(base, check)}
    after = {c.case: c.value for c in cells(head, check)}
    both = [c for c in sorted(before.keys() & after.keys()) if _comparable(before[c], after[c])]
    lost = [c for c in both if _known(after[c]) < _known(before[c])]
    won = [c for c in both if _known(after[c]) > _known(before[c])]
    return sorted(lost, key=lambda c: _known(after[c]) - _known(before[c])), len(won)


def _comparable(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None
