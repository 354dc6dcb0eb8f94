"""Attempts at a claim: what the entries of a ledger mean, and at which level a claim is judged.

In: entries in their order, exams, what base's policies allow. Out: `Standing`: which attempt of
its claim a closure is, at which error rate it is tested, or why it may not be decided at all.

A claim is (target, gate id): an edit of one space is a new closure and the same claim, wherever
the asking spec's file stands. An attempt is a deciding closure that was recorded before its job
started; the same closure again is the same attempt. Counted are the attempts after the one that
base stands on: the first that was recorded of the closure which base's own tree has for the claim,
once it was decided passed or warned. That place never moves by judging base again, so nobody gets
attempts back by running the gate on main.

The closure that base itself has for a claim is no attempt: a change that leaves it alone lands
nothing new of it. It is tested at the level at which it was recorded, or else as a first attempt
would be, and is never one too many, however many others were tried meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from llmops.digest import of_value
from llmops.graph.build import Graph
from llmops.jobs.base import Proof, Side
from llmops.jobs.exam import Exam
from llmops.jobs.gates import alpha_of, declared
from llmops.specs.base import Spec
from llmops.statistics.attempts import level

By = Literal["claim", "pull_request"]
HELD = ("passed", "warned")  # words of outcomes with which a change may land
_NOT_CLAIMS = ("findings", "classes")  # gates without an error rate: one finding is enough


@dataclass(frozen=True, slots=True)
class ClaimName:
    """What alpha belongs to: a gate, put to a target."""

    target: str  # Application/bot
    gate: str  # Evaluation/quality/accuracy

    def __str__(self) -> str:
        return f"{self.gate} on {self.target}"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A claim is about to be tested on rows that nobody has seen. Recorded before they are made.

    `closures` are those of its deciding jobs that are new to the claim: one, or base's version of
    the gate and head's. `attempt`, `attempts` and `level` are as the policies had it then.
    """

    claim: ClaimName
    closures: tuple[str, ...]
    attempt: int
    attempts: int
    level: str  # the error rate, in decimal
    cases: int | None  # planned, where that is known
    policy: str  # who allows so many attempts, "" where no policy says so
    policy_digest: str
    head: str  # git tree
    base: str | None
    change: str  # the pull request or branch, "" where it was not named
    recorded_at: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a claim on one closure."""

    claim: ClaimName
    closure: str
    outcome: str  # word of an outcome: the worst of base's version of the gate and head's
    head: str
    judged_at: str


@dataclass(frozen=True, slots=True)
class Granted:
    """One more attempt than the policies allow, because the people they name agreed to it."""

    claim: ClaimName
    closure: str
    attempt: int
    approval: str  # Policy/default/more
    by: tuple[str, ...]
    granted_at: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A tree was judged and its verdict told: what lands is held against these."""

    tree: str  # git tree
    base: str | None
    policy: str | None  # git tree of the policies that judged it
    outcome: str  # word of an outcome
    subject: str  # "#12", or the commit where it is none
    judged_at: str


Entry = Attempt | Decided | Granted | Judged


@dataclass(frozen=True, slots=True)
class Allowed:
    """How many attempts each claim has, how they are counted, and which policy says so."""

    attempts: int = 1
    by: By = "claim"
    policy: str = ""
    digest: str = ""


def allowed(policies: Iterable[Spec]) -> Allowed:
    """What some policies allow together: the smallest number, counted over the claim if one asks.

    One attempt where none names a number.
    """
    found = list(policies)
    named = [policy for policy in found if "attempts" in policy.spec]
    counts = [policy.spec["count"] for policy in found if "count" in policy.spec]
    by: By = "pull_request" if counts and set(counts) == {"pull_request"} else "claim"
    if not named:
        return Allowed(by=by)
    least = min(named, key=lambda policy: (policy.spec["attempts"], str(policy.ref)))
    return Allowed(least.spec["attempts"], by, str(least.ref), of_value(least.spec))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a claim may not be decided, whatever its rows say, and what to do."""

    why: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one closure stands among the attempts at its claim.

    `next_level`: at which the next attempt would be tested. `refused`: why this one may not be
    decided; `attempt` is None when it was never recorded, as what base has already need not be.
    """

    attempt: int | None
    attempts: int
    level: float
    next_level: float
    refused: Refusal | None = None
    used_up: bool = False  # one attempt too many; an approval of base's policies may grant it


@dataclass(frozen=True, slots=True)
class Deciding:
    """One claim of a plan with the job whose rows decide it."""

    claim: ClaimName
    closure: str
    judged_by: Side
    alpha: float
    cases: int | None
    before: str | None = None  # the closure that the same asker has for base's target


def deciding(
    exams: tuple[Exam, ...], proven: Mapping[str, Proof], judging: Graph | None
) -> tuple[Deciding, ...]:
    """Every claim of some exams that has an error rate, with the job whose rows decide it."""
    return tuple(
        Deciding(
            claim=ClaimName(str(one.exam.target), one.gate.id),
            closure=one.gate.closure,
            judged_by=one.gate.judged_by,
            alpha=alpha_of(one.exam.part, judging),
            cases=one.gate.rows,
            before=one.exam.before.job.closure if one.exam.before is not None else None,
        )
        for one in declared(exams, proven)
        if one.gate.kind not in _NOT_CLAIMS
    )


def landed(found: Iterable[Deciding]) -> Mapping[ClaimName, str]:
    """The closure that base's own tree has for each of its claims."""
    return {
        one.claim: one.before for one in found if one.judged_by == "base" and one.before is not None
    }


@dataclass(frozen=True)
class Counting:
    """A ledger, read for one change. `problem`: why it cannot be relied on, "" if it can."""

    entries: tuple[Entry, ...] = ()
    allowed: Allowed = field(default_factory=Allowed)
    landed: Mapping[ClaimName, str] = field(default_factory=dict)
    change: str = ""
    problem: str = ""
    last: str = ""  # digest of the last entry

    @property
    def by(self) -> By:
        """How attempts are counted: within a change only where it has a name."""
        return self.allowed.by if self.change else "claim"

    def standing(self, claim: ClaimName, closure: str, alpha: float) -> Standing:
        """Where a closure stands among the attempts at its claim."""
        if self.problem:
            return self._refused(alpha, f"nothing can be counted: {self.problem}", _MEND)
        found = self._recorded(claim, closure)
        if self._is_base(claim, closure):
            return self._of_base(claim, found[1] if found else None, alpha)
        if found is None:
            return self._refused(alpha, "no attempt was recorded before it ran", _RECORD)
        place, entry = found
        if place <= self._since(claim):
            own = min(float(entry.level), alpha)
            later = level(alpha, 1, self.allowed.attempts)
            return self._held(claim, closure, entry.attempt, entry.attempts, own, later)
        number = 1 + [p for p, _ in self._counted(claim)].index(place)
        most = self.allowed.attempts
        own, later = self.level_of(number, alpha), self.level_of(number + 1, alpha)
        return self._held(claim, closure, number, most, own, later)

    def level_of(self, attempt: int, alpha: float) -> float:
        """The error rate of one attempt; beyond the last one that of the last."""
        return level(alpha, min(attempt, self.allowed.attempts), self.allowed.attempts)

    def level(self, claim: ClaimName, closure: str, alpha: float) -> float:
        """At which a closure is tested; one that was not recorded would be the next attempt."""
        if self.problem or self._is_new(claim, closure):
            return self.level_of(self.made(claim) + 1, alpha)
        return self.standing(claim, closure, alpha).level

    def made(self, claim: ClaimName) -> int:
        """How many attempts count by now."""
        return len(self._counted(claim))

    def unrecorded(self, planned: Iterable[Deciding]) -> Mapping[ClaimName, list[Deciding]]:
        """What a plan would test for the first time, by claim; what base has is nothing new."""
        found: dict[ClaimName, list[Deciding]] = {}
        for one in planned:
            if self._is_new(one.claim, one.closure):
                found.setdefault(one.claim, []).append(one)
        return found

    def _is_base(self, claim: ClaimName, closure: str) -> bool:
        """Whether base's own tree has exactly this for a claim."""
        return closure == self.landed.get(claim)

    def _is_new(self, claim: ClaimName, closure: str) -> bool:
        """Whether testing it would be an attempt that is not recorded yet."""
        return not self._is_base(claim, closure) and self._recorded(claim, closure) is None

    def _of_base(self, claim: ClaimName, entry: Attempt | None, alpha: float) -> Standing:
        """What base has already: at the level it was recorded with, else at that of a first one."""
        later = self.level_of(self.made(claim) + 1, alpha)
        if entry is None:
            return Standing(None, self.allowed.attempts, self.level_of(1, alpha), later)
        return Standing(entry.attempt, entry.attempts, min(float(entry.level), alpha), later)

    def _held(
        self, claim: ClaimName, closure: str, number: int, most: int, own: float, later: float
    ) -> Standing:
        if number <= most or self._granted(claim, closure):
            return Standing(number, most, own, later)
        why = f"attempts used up: {most} of {most} on {claim.target}, this is number {number}"
        return Standing(number, most, own, later, Refusal(why), used_up=True)

    def _refused(self, alpha: float, why: str, hint: str) -> Standing:
        last = self.level_of(self.allowed.attempts, alpha)
        return Standing(None, self.allowed.attempts, last, last, Refusal(why, hint))

    # ---- what was recorded ---------------------------------------------------------------------

    @cached_property
    def _attempts(self) -> Mapping[ClaimName, list[tuple[int, Attempt]]]:
        found: dict[ClaimName, list[tuple[int, Attempt]]] = {}
        for place, entry in enumerate(self.entries):
            if isinstance(entry, Attempt):
                found.setdefault(entry.claim, []).append((place, entry))
        return found

    @cached_property
    def _passes(self) -> frozenset[tuple[ClaimName, str]]:
        decided = (entry for entry in self.entries if isinstance(entry, Decided))
        return frozenset((one.claim, one.closure) for one in decided if one.outcome in HELD)

    @cached_property
    def _grants(self) -> frozenset[tuple[ClaimName, str]]:
        given = (entry for entry in self.entries if isinstance(entry, Granted))
        return frozenset((one.claim, one.closure) for one in given)

    def _granted(self, claim: ClaimName, closure: str) -> bool:
        return (claim, closure) in self._grants

    def _since(self, claim: ClaimName) -> int:
        """The place of the attempt that base stands on, -1 where base never passed."""
        closure = self.landed.get(claim)
        if closure is None or (claim, closure) not in self._passes:
            return -1
        found = (p for p, entry in self._attempts.get(claim, ()) if closure in entry.closures)
        return next(found, -1)

    def _scope(self, claim: ClaimName) -> Iterator[tuple[int, Attempt]]:
        for place, entry in self._attempts.get(claim, ()):
            if self.by == "claim" or entry.change == self.change:
                yield place, entry

    def _counted(self, claim: ClaimName) -> list[tuple[int, Attempt]]:
        """The attempts since base passed: entries that brought a closure not seen before."""
        since, seen = self._since(claim), set[str]()
        if since >= 0:
            seen.add(self.landed[claim])
        found = []
        for place, entry in self._scope(claim):
            if not seen.issuperset(entry.closures) and place > since:
                found.append((place, entry))
            seen.update(entry.closures)
        return found

    def _recorded(self, claim: ClaimName, closure: str) -> tuple[int, Attempt] | None:
        """The first attempt that tested a closure; of what base stands on, whoever made it."""
        own = self._since(claim) >= 0 and self._is_base(claim, closure)
        places = self._attempts.get(claim, ()) if own else self._scope(claim)
        return next(((p, entry) for p, entry in places if closure in entry.closures), None)


_RECORD = "llmops run --counted"
_MEND = "bring reports/ledger back as it was; until then nothing counted can pass"


def attempts_at(
    counting: Counting,
    planned: Iterable[Deciding],
    *,
    head: str,
    base: str | None,
    recorded_at: str,
) -> tuple[Attempt, ...]:
    """The entries to write before the jobs of a plan start: one for each claim with new rows."""
    return tuple(
        Attempt(
            claim=claim,
            closures=tuple(dict.fromkeys(one.closure for one in new)),
            attempt=(number := counting.made(claim) + 1),
            attempts=counting.allowed.attempts,
            level=repr(counting.level_of(number, min(one.alpha for one in new))),
            cases=max((one.cases for one in new if one.cases is not None), default=None),
            policy=counting.allowed.policy,
            policy_digest=counting.allowed.digest,
            head=head,
            base=base,
            change=counting.change,
            recorded_at=recorded_at,
        )
        for claim, new in counting.unrecorded(planned).items()
    )
