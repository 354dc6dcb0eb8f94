"""Rule `holdout`: how often the same test rows were looked at, against `holdout_looks_per_dataset`.

A look is a job that measured something (evaluate, scan, guard) and whose kept evidence was given
these very rows, found by their digest: a new name for the dataset is no fresh set. Every look
counts, base's own and advisory ones too. Above the limit of base's policies (the smallest wins)
each claim on those rows is inconclusive: whoever looks often enough learns the answers.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.jobs.attempts import Refusal
from llmops.jobs.base import Side
from llmops.jobs.exam import Exam
from llmops.jobs.parts import dataset_of
from llmops.rules.base import Finding, Look, Outcome
from llmops.rules.facts import Facts, Info, applies

INFO = Info(
    id="holdout",
    why="rows that decide again and again are no longer unseen: edits are fitted to them",
    fix="bring fresh rows for the test part; the old ones may train",
    needs_evidence=True,
    good="""\
kind: Policy
spec:
  budgets: {holdout_looks_per_dataset: 50}
""",
    bad="""\
kind: Policy
spec:
  budgets: {holdout_looks_per_dataset: 0}
""",
)
FIELD = "holdout_looks_per_dataset"


def looks(facts: Facts) -> tuple[Look, ...]:
    """Every set of rows that a claim rests on, by digest, with its looks and the limit."""
    found: dict[str, Look] = {}
    limit = _limit(facts)
    most = limit[1] if limit is not None else None
    for exam in facts.exams:
        if exam.head is not None and exam.part.gating:
            seen = facts.looked(exam.head.job.closure)
            if seen is not None and seen.digest not in found:
                found[seen.digest] = Look(_named(exam), seen.digest, seen.count, most)
    return tuple(sorted(found.values(), key=lambda look: (look.dataset, look.digest)))


def refusal(facts: Facts, closure: str) -> Refusal | None:
    """Why nothing may be decided on the rows of a closure, None where it may."""
    limit, seen = _limit(facts), facts.looked(closure)
    if limit is None or seen is None or seen.count <= limit[1] or _only_warns(facts):
        return None
    return Refusal(_words(seen.count, limit[1]), INFO.fix)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each set of rows that has a limit."""
    limit = _limit(facts)
    for look in looks(facts) if limit is not None else ():
        assert limit is not None
        over = look.count > limit[1]
        word = _words(look.count, limit[1]) if over else f"{look.count} of {limit[1]} looks"
        said = f"{look.dataset}: {word}"
        yield Finding(
            INFO.id,
            look.dataset,
            Outcome.INCONCLUSIVE if over else Outcome.PASSED,
            said,
            INFO.fix if over else "",
            limit[0],
            "base" if facts.base is not None else "head",
            metric="looks",
            value=float(look.count),
            bound=f"max {limit[1]}",
            refused=Refusal(said, INFO.fix) if over else None,
        )


def _only_warns(facts: Facts) -> bool:
    """Whether base's policies name the rule, and none of them as an error."""
    side = "base" if facts.base is not None else "head"
    own = (one for one in facts.policies if one.rule == INFO.id and one.judged_by == side)
    return {one.severity for one in own} == {"warning"}


def _words(count: int, most: int) -> str:
    return f"looked at {count} times, {most} are allowed"


def _named(exam: Exam) -> str:
    dataset = dataset_of(exam.asker, exam.part)
    return f"{dataset.target}#{dataset.part}" if dataset.part else str(dataset.target)


def _limit(facts: Facts) -> tuple[str, int] | None:
    """Where the smallest limit stands, and what it is; None where nobody sets one."""
    side: Side = "base" if facts.base is not None else "head"
    found = [
        (int(policy.spec["budgets"][FIELD]), str(policy.ref), policy)
        for policy in facts.judging().of_kind("Policy")
        if (policy.spec.get("budgets") or {}).get(FIELD) is not None and applies(policy.spec, facts)
    ]
    if not found:
        return None
    most, _, policy = min(found, key=lambda one: one[:2])
    return facts.place(side, policy.ref, ("spec", "budgets", FIELD)), most
