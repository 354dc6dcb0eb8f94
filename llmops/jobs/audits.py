"""Reused jobs that are run once more, to see whether reuse is sound: who draws them, what came.

In: the jobs of a plan, the share that a policy asks for. Out: which of them are drawn. A job is
drawn by a hash over its closure and over the closures of all jobs that the change needs: whoever
made the evidence could not know what would ever need it, and whoever makes the change gets other
lots only with another closure, which is another job, and another attempt at its claims. A rebase,
an edit of words or of another file draws the same lots. Only what base needed already is reused
here, and where a change needs no other jobs than base does nothing is drawn. Dry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from llmops.digest import of_value
from llmops.jobs.base import Proof, Step

# What the result of a job may differ by when it is run once more, strictest first.
Repeats = Literal["bit", "step", "statistical"]
CLASSES: tuple[Repeats, ...] = ("bit", "step", "statistical")


@dataclass(frozen=True, slots=True)
class Audit:
    """A job that was run once more, and how its result compares with the kept one.

    `promised` is the class that its type has between the two machines; `repeats` the strictest
    class in which the two results agree, "" where they agree in none. `draw` names the lottery.
    """

    closure: str
    job: str  # its id, for people
    kept: str  # digest of the statement that was held against it
    draw: str
    promised: Repeats
    repeats: Repeats | Literal[""]
    differences: tuple[str, ...]
    finished_at: str
    digest: str = ""  # of its own statement

    @property
    def same(self) -> bool:
        """Whether it agrees as far as its class promises."""
        return self.repeats != "" and CLASSES.index(self.repeats) <= CLASSES.index(self.promised)


def seed(closures: Iterable[str]) -> str:
    """The name of the lottery of a change that needs these jobs."""
    return of_value(sorted(set(closures)))


def is_drawn(closure: str, named: str, share: float) -> bool:
    """Whether a job is drawn in a lottery; of many, `share` are."""
    ticket = hashlib.sha256(f"llmops/reuse-audit/v1 {named} {closure}".encode()).digest()
    return int.from_bytes(ticket, "big") < share * 2**256


def drawn(
    steps: tuple[Step, ...],
    needed: Collection[str],
    known: Collection[str],
    share: float,
    kept: tuple[Mapping[str, Proof], Iterable[Audit]],
) -> tuple[Step, ...]:
    """The steps, those that are drawn and were not run once more yet with `audit`.

    `needed`: closures of all jobs of the change; `known`: of those that base needs for itself.
    What failed has nothing that a second run could be held against.
    """
    if not share or set(needed) <= set(known):
        return steps
    named = seed(needed)
    proven, done = kept
    over = {audit.closure for audit in done if audit.draw == named}

    def lots(step: Step) -> Step:
        closure = step.job.closure
        proof = proven.get(closure)
        able = closure in known and closure not in over and (proof is None or proof.status == "ok")
        if not able or not is_drawn(closure, named, share):
            return step
        why = f"{step.why}; drawn to be run once more (reuse_audit {share:g})"
        return replace(step, audit=named, why=why)

    return tuple(map(lots, steps))
