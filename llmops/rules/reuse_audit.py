"""Rule `reuse-audit`: whether reused results come again when their jobs are run once more.

`Policy.reuse_audit: 0.02` draws two of a hundred jobs that a change takes over from base (see
`jobs/audits.py`); `llmops run` runs those once more beside the kept result and writes down how the
two compare. A result that did not come again within its job's class fails this gate as long as the
job is needed, and so does it where no policy asks for audits: it never passes silently. What is
drawn and was not run once more is inconclusive. The finding tells the rate of mismatches over all
audits that are kept, with its exact one-sided 95 % upper bound (Clopper-Pearson).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmops.graph.build import Graph
from llmops.jobs import audits
from llmops.jobs.attempts import Refusal
from llmops.jobs.audits import Audit
from llmops.jobs.base import Plan, Proof, Side, Step
from llmops.jobs.exam import Exam, exams, made_of
from llmops.jobs.gates import Place, nowhere
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info, covers
from llmops.statistics import binomial

INFO = Info(
    id="reuse-audit",
    why="reuse rests on equal inputs giving equal results; now and then that is tried out",
    fix="find out why it does not repeat (tools, machine, a seed), and change the job",
    needs_evidence=True,
    good="""\
kind: Policy
spec:
  reuse_audit: 0.02
""",
    bad="""\
kind: Policy
spec:
  reuse_audit: 2  # a share, not a percentage
""",
)
DO = "llmops run runs them once more"
NO_POLICY = "reuse-audit"  # the gate where no policy asks
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """The share of one policy."""

    gate: str
    share: float
    judged_by: Side
    place: str


def asked(base: Graph | None, head: Graph, place: Place) -> tuple[Asked, ...]:
    """Base's shares, then head's where they differ; without a base, head's own."""
    found: dict[tuple[str, float], Asked] = {}
    for one in (*_declared(base, "base", place), *_declared(head, "head", place)):
        found.setdefault((one.gate, one.share), one)
    return tuple(found.values())


def share(base: Graph | None, head: Graph) -> float:
    """The largest share that a policy of either tree asks for."""
    return max((one.share for one in asked(base, head, nowhere)), default=0.0)


def drawn(
    graphs: tuple[Graph, Graph],
    planned: Plan,
    exam: tuple[Exam, ...],
    proven: Mapping[str, Proof],
    kept: Callable[[], tuple[Audit, ...]],
) -> tuple[Step, ...]:
    """The steps of a plan, those with `audit` that are to be run once more; base comes first."""
    base, head = graphs
    much = share(base, head)
    if not much:
        return planned.steps
    sides: tuple[Side, Side] = ("head", "base")
    needed = {made.job.closure for side in sides for made in made_of(exam, side)}
    own = made_of(exams(None, base, planned.selected), "head")
    known = {made.job.closure for made in own}
    return audits.drawn(planned.steps, needed, known, much, (proven, kept()))


def _declared(graph: Graph | None, own: Side, place: Place) -> Iterator[Asked]:
    for policy in graph.of_kind("Policy") if graph is not None else ():
        given = policy.spec.get("reuse_audit")
        if given is not None and graph is not None and covers(policy.spec, graph):
            where = place(own, policy.ref, ("spec", "reuse_audit"))
            yield Asked(f"{policy.ref}/reuse_audit", float(given), own, where)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each policy that asks; without one, one where a result did not come again."""
    needed = {step.job.closure for step in facts.plan.steps}
    bad = [audit for audit in facts.audits if audit.closure in needed and not audit.same]
    due = [step for step in facts.plan.steps if step.audit]
    asks = asked(facts.base, facts.head, facts.place)
    if not asks and bad:
        judged_by: Side = "base" if facts.base is not None else "head"
        asks = (Asked(NO_POLICY, 0.0, judged_by, ""),)
    for one in asks:
        yield _finding(one, bad, due, facts.audits)


def _finding(
    one: Asked, bad: Sequence[Audit], due: Sequence[Step], kept: Sequence[Audit]
) -> Finding:
    outcome, message, hint, refused = Outcome.PASSED, rate(kept), "", None
    if bad:
        outcome, hint = Outcome.FAILED, INFO.fix
        message = f"{_mismatches(bad)}; {rate(kept)}"
    elif due:
        outcome, hint = Outcome.INCONCLUSIVE, DO
        names = ", ".join(step.job.id for step in due[:_NAMED])
        more = ", …" if len(due) > _NAMED else ""
        message = f"{_jobs(len(due))} drawn and not run once more yet: {names}{more}; {rate(kept)}"
        refused = Refusal(message, hint)
    off = _off(kept)
    return Finding(
        INFO.id, one.gate, outcome, message, hint, one.place, one.judged_by,
        metric="mismatches", value=off / len(kept) if kept else None, bound="max 0",
        n=len(kept) or None, refused=refused,
    )  # fmt: skip


def rate(kept: Sequence[Audit]) -> str:
    """`0 of 41 jobs … gave another result: at most 7.0 % do (95 %, …); to the bit agree 40`."""
    if not kept:
        return "no reused job was run once more yet"
    off, count = _off(kept), len(kept)
    bits = len([audit for audit in kept if audit.repeats == "bit"])
    most = binomial.upper(off, count)
    return (
        f"{off} of {_jobs(count)} that {'was' if count == 1 else 'were'} run once more gave another"
        f" result: at most {100 * most:.1f} % do (95 %, one-sided); to the bit agree {bits}"
    )


def _off(kept: Sequence[Audit]) -> int:
    """How many did not come again."""
    return len([audit for audit in kept if not audit.same])


def _mismatches(bad: Sequence[Audit]) -> str:
    first = bad[0]
    why = first.differences[0] if first.differences else "another result"
    more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
    return f"{first.job} ({first.closure[7:15]}) does not repeat: {why}{more}"


def _jobs(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"
