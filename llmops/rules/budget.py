"""Rule `budget`: what the jobs of one change may cost, as `Policy.budgets` says it.

`per_pull_request: {usd, gpu_hours, cpu_hours}`. `run` starts nothing when what was used already
and what is estimated for the jobs to come is above the limit, unless --over-budget is said; where
an estimate is not known, the known part is held against the limit and the rest is a warning. The
verdict tells what was used. Above the limit it is warned, never failed: the money is spent, and
spending it was somebody's word. Counted are the jobs that this tree needs and base does not. What a
job took is not known where it kept no time, or none that can be true, where its GPU class has no
price, and where it paid an endpoint: that is warned of, never read as nothing, and inconclusive
where a policy has the rule with severity error.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from llmops.graph.build import Graph
from llmops.jobs.base import Budget, Job, Plan, Proof, Side, Unit
from llmops.jobs.estimate import known, price, prices, wall_seconds
from llmops.jobs.exam import Exam, exams, made_of
from llmops.jobs.gates import Place
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info, covers

INFO = Info(
    id="budget",
    why="a typo in one number can cost more than the change is worth",
    fix="make the jobs smaller, or say `llmops run --over-budget`: the verdict shows it",
    needs_evidence=True,
    good="""\
kind: Policy
spec:
  budgets: {per_pull_request: {cpu_hours: 40}}
""",
    bad="""\
kind: Policy
spec:
  budgets: {per_pull_request: {cpu_hours: -40}}
""",
)
UNITS: Mapping[Unit, str] = {"usd": "USD", "gpu_hours": "GPU-hours", "cpu_hours": "CPU-hours"}


def limits(base: Graph | None, head: Graph, place: Place) -> tuple[Budget, ...]:
    """Base's budgets, then head's where they differ; without a base, head's own."""
    found: dict[tuple[str, float], Budget] = {}
    for budget in (*_declared(base, "base", place), *_declared(head, "head", place)):
        found.setdefault((budget.name, budget.limit), budget)
    return tuple(found.values())


def _declared(graph: Graph | None, own: Side, place: Place) -> Iterator[Budget]:
    for policy in graph.of_kind("Policy") if graph is not None else ():
        given = (policy.spec.get("budgets") or {}).get("per_pull_request") or {}
        for unit in UNITS if graph is not None and covers(policy.spec, graph) else ():
            if given.get(unit) is not None:
                where = place(own, policy.ref, ("spec", "budgets", "per_pull_request", unit))
                name = f"{policy.ref}/{unit}"
                yield Budget(name, unit, float(given[unit]), own, where)


def with_use(
    found: tuple[Budget, ...],
    base: Graph | None,
    head: Graph,
    asked: tuple[Exam, ...],
    proven: Mapping[str, Proof],
) -> tuple[Budget, ...]:
    """The budgets with what this change's own jobs have used so far."""
    paid = prices(base if base is not None else head)
    used = [_used(job, proven[job.closure], paid) for job in own_jobs(base, asked, proven)]
    return tuple(_filled(budget, [one[budget.unit] for one in used]) for budget in found)


def _filled(budget: Budget, used: Sequence[float | None]) -> Budget:
    known = [one for one in used if one is not None]
    return replace(budget, used=math.fsum(known), unknown=len(used) - len(known))


def own_jobs(
    base: Graph | None, asked: tuple[Exam, ...], proven: Mapping[str, Proof]
) -> tuple[Job, ...]:
    """Jobs with evidence that this change needs and base, for itself, does not."""
    known_to_base = {m.job.closure for m in made_of(exams(None, base), "head")} if base else set()
    needed = {m.job.closure: m.job for m in (*made_of(asked, "head"), *made_of(asked, "base"))}
    return tuple(
        job for c, job in needed.items() if c not in known_to_base and proven.get(c) is not None
    )


def _used(job: Job, proof: Proof, paid: Mapping[str, float]) -> dict[Unit, float | None]:
    """What one job took; None where nobody knows."""
    wall, rate, gpu = wall_seconds(proof), price(job, paid), job.resources.gpu is not None
    hours = None if wall is None else wall / 3600 * job.resources.processes
    taken = hours if gpu else 0.0  # of GPUs
    return {
        "cpu_hours": None if hours is None else hours * job.resources.cpu,
        "gpu_hours": taken,
        "usd": None if taken is None or rate is None else taken * rate,
    }


@dataclass(frozen=True, slots=True)
class Held:
    """One budget held against a plan: the known total, and for how many jobs it is unknown."""

    budget: Budget
    total: float
    unknown: int

    @property
    def over(self) -> bool:
        """Whether what is known is above the limit already."""
        return self.total > self.budget.limit

    @property
    def words(self) -> str:
        """`Policy/default allows 40 GPU-hours for a pull request, this one would take 52`."""
        unit, limit = UNITS[self.budget.unit], self.budget.limit
        name = self.budget.name.rpartition("/")[0]
        allowed = f"{name} allows {limit:g} {unit} for a pull request"
        if self.over:
            used = f" ({self.budget.used:.3g} of them used)" if self.budget.used else ""
            return f"{allowed}, this one would take {self.total:.3g}{used}"
        more = " or took" if self.budget.unknown else ""
        return f"{allowed}, and for {_jobs(self.unknown)} it is not known what they take{more}"


def held(plan: Plan) -> tuple[Held, ...]:
    """Every budget of a plan, held against what its jobs used and will take."""
    found = []
    for budget in plan.budgets:
        total, unknown = known(plan.steps, budget.unit)
        found.append(Held(budget, budget.used + total, unknown + budget.unknown))
    return tuple(found)


def findings(facts: Facts) -> Iterator[Finding]:
    """What the jobs of this change used, against each budget."""
    found = limits(facts.base, facts.head, facts.place)
    if not found:
        return
    own = own_jobs(facts.base, facts.exams, facts.proven)
    said = any(facts.proven[job.closure].used.get("over_budget") for job in own)
    strict = any(c.rule == INFO.id and c.severity == "error" for c in facts.policies)
    unclear = Outcome.INCONCLUSIVE if strict else Outcome.WARNED
    for budget in with_use(found, facts.base, facts.head, facts.exams, facts.proven):
        yield _finding(budget, said, unclear)


def _finding(budget: Budget, said: bool, unclear: Outcome = Outcome.WARNED) -> Finding:
    used = f"{budget.used:.3g} of {budget.limit:g} {UNITS[budget.unit]} used by this change"
    outcome, hint = Outcome.PASSED, ""
    if budget.unknown:
        used = f"at least {used}; not known for {_jobs(budget.unknown)}"
        outcome, hint = unclear, UNKNOWN
    if budget.used > budget.limit:
        outcome = max(outcome, Outcome.WARNED)
        hint = "--over-budget was said" if said else "more than was estimated when they started"
    return Finding(
        INFO.id, budget.name, outcome, used, hint, budget.place, budget.judged_by,
        metric=budget.unit, value=budget.used, bound=f"max {budget.limit:g}",
    )  # fmt: skip


def _jobs(count: int) -> str:
    return f"{count} job{'' if count == 1 else 's'}"


UNKNOWN = "give gpu_classes of an Environment a usd_per_hour; a job without a time kept none"
