"""Which rule decides a `require`: the one-sided bound (assured) or the number itself (literal).

A regulation that says "at least 0.95" asks for the number measured: 285 of 300. That is the point
rule, and a policy with `profile: literal` decides by it; a system that just misses passes it about
every second time, so what the bound says stands beside it as "not shown". Without that word, and
wherever one of base's policies does not say it, the bound decides. Data that is absent, invalid or
not finite has no number, and decides nothing under either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, asking

ASSURED, LITERAL = "assured", "literal"
SLACK = 1e-12  # rounding of a mean, relative to its bound


def of(facts: Facts) -> str:
    """The profile that the judging policies name: literal only where all of them do."""
    named = [policy.spec.get("profile", ASSURED) for policy in asking(facts.judging())]
    return LITERAL if named and all(name == LITERAL for name in named) else ASSURED


def said(value: float | None, bound: Mapping[str, float]) -> str:
    """What the point rule says of a number: "passed", "failed", or "" where there is none."""
    if value is None:
        return ""
    held = (
        value >= t - SLACK * abs(t) if side == "min" else value <= t + SLACK * abs(t)
        for side, t in bound.items()
    )
    return "passed" if all(held) else "failed"


def applied(found: Finding, profile: str) -> Finding:
    """A finding as the profile decides it; a number that the bound does not show says so."""
    if profile != LITERAL or not found.literal or found.literal == found.outcome.word:
        return found
    outcome = Outcome.PASSED if found.literal == "passed" else Outcome.FAILED
    unshown = f"the bound says {found.outcome.word}" if outcome is Outcome.PASSED else ""
    return replace(
        found,
        outcome=outcome,
        message=f"{found.literal} by the point rule; {found.message}",
        not_shown=unshown or found.not_shown,
    )
