"""Rule `evidence-fresh`: no measurement that a verdict rests on is older than a policy allows.

`Policy.max_evidence_age_days`. Weights do not age and are not meant: counted are the jobs that
measure a target (generate, evaluate, scan, guard), by the day on which they ended. Older evidence
is inconclusive, and so is evidence that does not say when it was made. The same closure is never
measured again until it passes; `llmops run --refresh` measures again what is too old, no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from llmops.errors import UsageError
from llmops.graph.build import Graph
from llmops.jobs.base import Job, Proof, Side
from llmops.jobs.exam import Exam, made_of
from llmops.jobs.gates import Place, nowhere
from llmops.jobs.make import Made
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info, covers

INFO = Info(
    id="evidence-fresh",
    why="what was true of an endpoint, a judge or a machine months ago may not be true today",
    fix="llmops run --refresh measures again what is too old",
    needs_evidence=True,
    controls=("iso42001/A.6.2.6",),
    good="""\
kind: Policy
spec:
  max_evidence_age_days: 30
""",
    bad="""\
kind: Policy
spec:
  max_evidence_age_days: 0  # then nothing could ever decide
""",
)
MEASURES = ("generate", "evaluate", "scan", "guard", "observe")
AHEAD = timedelta(hours=1)  # clocks differ; evidence from later than that has no age


@dataclass(frozen=True, slots=True)
class Limit:
    """How old evidence may be, as one policy says it."""

    gate: str
    days: float
    judged_by: Side
    place: str


def limits(base: Graph | None, head: Graph, place: Place) -> tuple[Limit, ...]:
    """Base's limits, then head's where they differ; without a base, head's own."""
    found: dict[tuple[str, float], Limit] = {}
    for limit in (*_declared(base, "base", place), *_declared(head, "head", place)):
        found.setdefault((limit.gate, limit.days), limit)
    return tuple(found.values())


def _declared(graph: Graph | None, own: Side, place: Place) -> Iterator[Limit]:
    for policy in graph.of_kind("Policy") if graph is not None else ():
        days = policy.spec.get("max_evidence_age_days")
        if days is not None and graph is not None and covers(policy.spec, graph):
            where = place(own, policy.ref, ("spec", "max_evidence_age_days"))
            yield Limit(f"{policy.ref}/max_evidence_age_days", float(days), own, where)


def measuring(asked: Iterable[Exam]) -> dict[str, Made]:
    """The jobs of some exams that measure a target, by closure, what they need first."""
    exams = tuple(asked)
    made = (*made_of(exams, "head"), *made_of(exams, "base"))
    return {m.job.closure: m for m in made if m.job.type in MEASURES}


def stale(
    jobs: Mapping[str, Made], proven: Mapping[str, Proof], days: float, now: str
) -> frozenset[str]:
    """Closures whose evidence is too old or has no age, and those measured from it."""
    found: set[str] = set()
    for closure, made in jobs.items():
        proof = proven.get(closure)
        if proof is not None and (_too_old(proof, days, now) or found & set(made.job.needs)):
            found.add(closure)
    return frozenset(found)


def again(
    base: Graph | None, head: Graph, asked: Iterable[Exam], proven: Mapping[str, Proof], now: str
) -> frozenset[str] | None:
    """What must be measured again for every limit to hold; None where no policy sets one."""
    days = [limit.days for limit in limits(base, head, nowhere)]
    return stale(measuring(asked), proven, min(days), now) if days else None


def refreshed(
    base: Graph | None, head: Graph, asked: Iterable[Exam], proven: Mapping[str, Proof], now: str
) -> frozenset[str]:
    """The same; UsageError where no policy says how old is too old."""
    found = again(base, head, asked, proven, now)
    if found is None:
        hint = "only then is anything measured twice: the same inputs have the same evidence"
        raise UsageError("no policy sets max_evidence_age_days, so nothing is too old", hint=hint)
    return found


def _too_old(proof: Proof, days: float, now: str) -> bool:
    age = age_days(proof.finished_at, now)
    return age is None or age > days


def age_days(finished_at: str, now: str) -> float | None:
    """How many days ago something ended; None where nobody can tell."""
    try:
        ended, judged = (datetime.fromisoformat(text) for text in (finished_at, now))
        age = judged - ended
    except (ValueError, TypeError):  # no times, or one of them without a zone
        return None
    return None if age < -AHEAD else max(age, timedelta()) / timedelta(days=1)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each limit: what is too old, or how old the oldest is."""
    found = limits(facts.base, facts.head, facts.place)
    gating = [exam for exam in facts.exams if exam.part.gating] if found else []
    ages = [
        (age_days(proof.finished_at, facts.now), made.job)
        for closure, made in measuring(gating).items()
        if (proof := facts.proven.get(closure)) is not None
    ]
    for limit in found if ages else ():
        yield _finding(limit, ages)


def _finding(limit: Limit, ages: list[tuple[float | None, Job]]) -> Finding:
    undated = [job.id for age, job in ages if age is None]
    known = sorted(((age, job.id) for age, job in ages if age is not None), reverse=True)
    old = [f"{name} ({_days(round(age, 1))})" for age, name in known if age > limit.days]
    outcome, hint = Outcome.INCONCLUSIVE, INFO.fix
    if undated:
        message = f"{_counted(undated, ages)} without a day on which it was made: {_some(undated)}"
    elif old:
        message = f"{_counted(old, ages)} older than {_days(limit.days)}: {_some(old)}"
    else:
        outcome, hint = Outcome.PASSED, ""
        message = f"the oldest of {len(ages)} pieces of evidence is {known[0][0]:.1f} days old"
    return Finding(
        INFO.id, limit.gate, outcome, message, hint, limit.place, limit.judged_by,
        metric="days", value=None if undated else known[0][0], bound=f"max {limit.days:g}",
        n=len(ages),
    )  # fmt: skip


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}"


def _counted(names: list[str], ages: list[tuple[float | None, Job]]) -> str:
    return f"{len(names)} of {len(ages)} pieces of evidence {'is' if len(names) == 1 else 'are'}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
