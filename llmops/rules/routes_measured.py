"""Rule `routes-measured`: every model that an Application routes requests to is measured.

Answers are made by the Application's `model`; what another route would answer is known only where
some exam has that route's model as its target. Warned of, or inconclusive where a Policy has the
rule with severity error.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Facts, Info
from llmops.specs.base import Ref

INFO = Info(
    id="routes-measured",
    why="users who take another route meet another model than the one that was judged",
    fix="declare an Evaluation whose target is that model",
    needs_evidence=True,
    controls=("iso42001/A.6.2.4",),
    good="""\
kind: Application
spec:
  model: Recipe/adapter
  routes:
    - {when: {sensitivity_at_least: personal}, model: Recipe/adapter}
    - {default: true, model: Recipe/adapter}
""",
    bad="""\
kind: Application
spec:
  model: Recipe/adapter
  routes:
    - {when: {sensitivity_at_least: personal}, model: Recipe/base}  # nothing measures it
    - {default: true, model: Recipe/adapter}
""",
)


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for each routed model of head that no exam is put to."""
    if facts.plan.selected:
        return
    asked = {exam.target for exam in facts.exams if exam.head is not None}
    strict = any(c.rule == INFO.id and c.severity == "error" for c in facts.policies)
    outcome = Outcome.INCONCLUSIVE if strict else Outcome.WARNED
    for app in facts.head.of_kind("Application"):
        told: set[Ref] = set()
        for i, route in enumerate(app.spec.get("routes", ())):
            model = Ref.parse(route["model"])
            if model in asked or model in told or route["model"] == app.spec["model"]:
                continue
            told.add(model)
            message = f"{app.ref} routes requests to {model}, which nothing measures"
            place = facts.place("head", app.ref, ("spec", "routes", i, "model"))
            gate = f"{app.ref}/routes/{model.name}"
            yield Finding(INFO.id, gate, outcome, message, INFO.fix, place)
