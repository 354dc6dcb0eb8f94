"""The family of detect gates: regressions and gaps of a change, judged together.

Each would cry wolf by itself; under Holm's correction a change that is nowhere worse than allowed
is *failed* anywhere with probability at most alpha. *Passed* is shown for each at alpha, else it is
*warned* (`prove: true`: inconclusive). What cannot be compared counts in the family as p = 1.

Base's gates are a family of their own: else head could add gates, or a tiny alpha, until none of
base's could fail any more. Head's own gates are judged among all.

Attempts are paid for on the pass side only: "not worse" is shown at the attempt's level. Alpha of
the fail side bounds how often a harmless change is blocked; each change is blocked or not by its
own rows, and a smaller level would only let more of the worse ones through as undecided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops.rules.asked import Asked
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts
from llmops.statistics import paired, star
from llmops.statistics.paired import Decision, Detect

Missing = tuple[Outcome, str, str]  # why there is nothing to compare: outcome, words, hint


@dataclass(frozen=True, slots=True)
class Member:
    """One detect gate: its data for the family, and the finding that a decision makes of it."""

    one: Asked
    data: Detect
    finding: Callable[[Decision], Finding]


def findings(
    facts: Facts, sources: Iterable[Callable[[Facts], Iterator[Member]]]
) -> Iterator[Finding]:
    """One finding for each member, in the order of base's and then of head's."""
    members = [member for source in sources for member in source(facts)]
    ours = [m for m in members if m.one.exam.judged_by == "base"]
    own = [m for m in members if m.one.exam.judged_by == "head"]
    among_all = _family([*ours, *own])[len(ours) :] if own else ()
    decided = (*_family(ours), *among_all)
    for member, decision in zip((*ours, *own), decided, strict=True):
        yield member.finding(decision)


def _family(members: Sequence[Member]) -> tuple[Decision, ...]:
    """Gates judged together, at the smallest error rate that one of them asks for."""
    alpha = min((m.one.alpha for m in members), default=0.05)
    return paired.decide(
        [m.data for m in members], alpha, [min(m.one.level, alpha) for m in members]
    )


def outcome(decision: Decision, claim: Mapping[str, Any]) -> Outcome:
    """What a decision is, for a claim that may demand proof."""
    if decision.word == "undecided":
        return Outcome.INCONCLUSIVE if claim.get("prove", False) else Outcome.WARNED
    return Outcome.FAILED if decision.word == "failed" else Outcome.PASSED


def interval(differences: Sequence[float], width: float) -> tuple[float, float]:
    """Two-sided 95 % of a mean difference, for the reader: Tango's for right-or-wrong cases."""
    d = list(differences)
    if set(d) <= {-1.0, 0.0, 1.0}:
        return paired.tango(d.count(1.0), d.count(-1.0), len(d))
    return star.lower_bound(d, -width, width, 0.025), star.upper_bound(d, -width, width, 0.025)


def hint(decision: Decision) -> str:
    """How many cases are missing, where that is known."""
    more = decision.about_more
    return f"about {more} more cases would decide" if more else ""
