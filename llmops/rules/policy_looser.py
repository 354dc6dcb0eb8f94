"""Rule `policy-looser`: what head holds weaker than base, or can no longer be judged.

Compares gate by gate. A bound that moved has a direction; anything else that changes an exam (its
cases, its metrics, its error allowance), a guardrail or a policy counts as looser, because nobody
can show that it is not. Base's version is judged as well, so loosening never helps the change
that brings it; it needs the approval that base's policy names for `policy_looser`.

What is compared stands in `looser_exams`, `looser_datasets`, `looser_guardrails`,
`looser_releases` and `looser_policies`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from llmops.rules import (
    approvals,
    looser_datasets,
    looser_exams,
    looser_guardrails,
    looser_policies,
    looser_releases,
)
from llmops.rules.base import Finding, Loosened, Outcome
from llmops.rules.facts import Facts, Info

INFO = Info(
    id="policy-looser",
    why="the change that lowers a bar must not be the one that jumps over it unseen",
    fix="ask for the approval that the policy of the target branch names",
    controls=("iso27001/A.8.32",),
    good="""\
kind: Evaluation
spec:
  checks:
    - name: accuracy
      metric: builtin/accuracy
      require: {min: 0.85}
      regression: {margin: 0.02}
""",
    bad="""\
kind: Evaluation
spec:
  checks:
    - name: accuracy
      metric: builtin/accuracy
      require: {min: 0.5}  # base has 0.8
      regression: {margin: 0.02}
""",
)
WHEN = "policy_looser"


def loosened(facts: Facts) -> tuple[Loosened, ...]:
    """Everything that head holds weaker than base, with the approval it needs and has."""
    if facts.base is None:
        return ()
    found = (
        *looser_exams.loosened(facts, facts.base, facts.head),
        *looser_datasets.loosened(facts, facts.base, facts.head),
        *looser_guardrails.loosened(facts, facts.base, facts.head),
        *looser_releases.loosened(facts, facts.base, facts.head),
        *looser_policies.loosened(facts, facts.base, facts.head),
    )
    asked = approvals.asked(facts, WHEN)
    names = ", ".join(one.name for one in asked)
    by = tuple(sorted({person for one in asked for person in one.by}))
    return tuple(replace(one, approval=names, approved_by=by) for one in dict.fromkeys(found))


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for all that is loosened: waiting for approval, or warned and shown."""
    if not facts.loosened or facts.base is None:
        return
    asked = approvals.asked(facts, WHEN)
    words = "; ".join(f"{o.what} {o.before} -> {o.after}" for o in facts.loosened[:3])
    more = f"; {len(facts.loosened) - 3} more" if len(facts.loosened) > 3 else ""
    place = facts.loosened[0].place
    if not asked:
        message = f"loosened, and base's policy asks for no approval: {words}{more}"
        yield Finding(INFO.id, "policy-looser", Outcome.WARNED, message, "", place, "base")
        return
    given = all(one.given for one in asked)
    outcome = Outcome.WARNED if given else Outcome.INCONCLUSIVE
    message = f"loosened: {words}{more}; has {' and '.join(one.words for one in asked)}"
    hint = "" if given else INFO.fix
    yield Finding(INFO.id, "policy-looser", outcome, message, hint, place, "base")
