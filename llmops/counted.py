"""What counts: attempts are recorded before jobs start, and what became of them afterwards.

In: a plan and its two trees. Out: `Counting`, by which a verdict is judged; entries in the ledger
below `reports/ledger`. Without `--counted` none of this is used: a verdict is advisory then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from llmops.errors import UsageError
from llmops.evidence.ledger import Damaged, Ledger
from llmops.evidence.store import Store
from llmops.graph.build import Graph
from llmops.jobs.attempts import (
    Attempt,
    ClaimName,
    Counting,
    Decided,
    Deciding,
    Entry,
    Granted,
    Judged,
    allowed,
    attempts_at,
    deciding,
    landed,
)
from llmops.jobs.base import Proof, TreeName
from llmops.jobs.exam import Exam
from llmops.jobs.rebase import rebased
from llmops.rules.base import Finding, Outcome, Verdict
from llmops.rules.facts import covers
from llmops.specs.base import Ref, Spec

_VALUE = re.compile(r"\[.*\]", re.DOTALL)  # of a slice, in a gate's id
_CHANGE = 200


@dataclass(frozen=True)
class Claims:
    """The claims of one plan, and by which rule their attempts are counted."""

    head: TreeName
    base: TreeName | None
    exams: tuple[Exam, ...]
    deciding: tuple[Deciding, ...]
    policies: tuple[Spec, ...]
    change: str = ""

    def counting(self, entries: tuple[Entry, ...], last: str = "", problem: str = "") -> Counting:
        """A ledger's entries, read for this plan."""
        return Counting(
            entries=entries,
            allowed=allowed(self.policies),
            landed=landed(self.deciding),
            change=self.change,
            problem=problem,
            last=last,
        )


@dataclass(frozen=True)
class Sides:
    """The two trees of a plan: their names and graphs, head's first."""

    names: tuple[TreeName, TreeName | None]
    graphs: tuple[Graph, Graph | None]


def claims(
    sides: Sides, exams: tuple[Exam, ...], proven: Mapping[str, Proof], change: str
) -> Claims:
    """What a plan claims. Raises UsageError for a tree that nobody can name, or an odd name."""
    (head, base), graphs = sides.names, [g for g in sides.graphs if g is not None]
    if head.dirty:
        what = (
            "the work tree has changes that are not committed, and what counts is a commit's tree"
        )
        raise UsageError(what, hint="commit them, or leave out --counted: then it is advisory")
    if len(change) > _CHANGE or not change.isprintable():
        raise UsageError(f"--change must be printable, at most {_CHANGE} characters")
    judging = graphs[-1]
    policies = tuple(
        policy
        for policy in judging.of_kind("Policy")
        if any(covers(policy.spec, graph) for graph in graphs)
    )
    found = deciding(exams, proven, judging)
    return Claims(head, base, exams, found, policies, change.strip())


def read(store: Store, found: Claims) -> Counting:
    """The ledger as it is now. What is wrong with it becomes its `problem`, never an exception."""
    try:
        entries, last = store.counted()
    except Damaged as damage:
        return found.counting((), problem=damage.why)
    return found.counting(entries, last)


def levels_of(store: Store, found: Claims) -> Callable[[Ref, str, str, float], float]:
    """At which error rate a gate's rows would be judged: target, gate, closure, alpha -> level."""
    counting = read(store, found)

    def level(target: Ref, gate: str, closure: str, alpha: float) -> float:
        return counting.level(ClaimName(str(target), gate), closure, alpha)

    return level


def record(store: Store, found: Claims, now: datetime) -> tuple[Attempt, ...]:
    """Write down every attempt that a plan makes, before any of its jobs starts.

    The same closure is never written twice, whoever else writes. Raises StoreError where the
    ledger is damaged or cannot be written; nothing may start then.
    """
    store.prepare()
    ledger, made = Ledger(store.root), []
    while (entry := ledger.append(lambda known: _next(found, known, now))) is not None:
        assert isinstance(entry, Attempt)
        made.append(entry)
    return tuple(made)


def _next(found: Claims, entries: tuple[Entry, ...], now: datetime) -> Attempt | None:
    base = found.base
    wanted = attempts_at(
        found.counting(entries), found.deciding, head=found.head.tree,
        base=base.tree if base is not None else None, recorded_at=_time(now),
    )  # fmt: skip
    return next(iter(wanted), None)


def close(store: Store, found: Claims, judged: Verdict) -> None:
    """Write down what became of each claim whose attempt was recorded, and what was granted.

    The same outcome of the same closure is written once. Raises StoreError where the ledger cannot
    be written. In a damaged one no attempt stands, so that there is nothing to write.
    """
    ledger = Ledger(store.root)
    for entry in outcomes(found, judged):
        ledger.append(partial(_new, entry))


def told(store: Store, judged: Verdict, about: str) -> None:
    """Write down which tree was judged, and how: what lands is held against it.

    `about`: the pull request, or the commit where it is none. The same of the same tree under the
    same policies is written once. Raises as `close` does.
    """
    base = judged.base.tree if judged.base is not None else None
    entry = Judged(
        judged.head.tree, base, judged.policy_tree, judged.outcome.word, about, judged.judged_at
    )
    Ledger(store.root).append(lambda known: rebased(entry, known, len(known)))


def outcomes(found: Claims, judged: Verdict) -> Iterable[Decided | Granted]:
    """What became of each claim whose attempt was recorded, and what was granted."""
    for one in found.deciding:
        results = [f for f in judged.findings if _claim_of(f, found.exams) == one.claim]
        tested = [f for f in results if f.attempt is not None and f.evidence]
        own = next((f for f in tested if f.judged_by == one.judged_by), None)
        if own is None or own.attempt is None or own.attempts is None:
            continue
        granted = judged.counted if own.attempt > own.attempts and own.refused is None else None
        if granted is not None:
            approval, by = granted.approval, granted.approved_by
            yield Granted(one.claim, one.closure, own.attempt, approval, by, judged.judged_at)
        worst = max((f.outcome for f in results), default=Outcome.INCONCLUSIVE)
        yield Decided(one.claim, one.closure, worst.word, judged.head.tree, judged.judged_at)


def _claim_of(finding: Finding, exams: Iterable[Exam]) -> ClaimName | None:
    """The claim of a finding: a slice is one, whichever of its values was found wanting."""
    if finding.level is None:
        return None
    gate = _VALUE.sub("", finding.gate)
    targets = (
        exam.target
        for exam in exams
        if exam.judged_by == finding.judged_by and gate.startswith(f"{exam.asker.ref}/")
    )
    target = next(targets, None)
    return ClaimName(str(target), gate) if target is not None else None


def _new(entry: Decided | Granted, entries: tuple[Entry, ...]) -> Entry | None:
    """The entry, unless the last one of its kind says the same of this claim and closure."""
    return rebased(entry, entries, len(entries))


def _time(now: datetime) -> str:
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
