"""Rule `evidence-present`: something is measured at all; a tree that asks nothing never passes."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info
from llmops.specs.base import Ref, Spec

INFO = Info(
    id="evidence-present",
    why="a change that nothing measures looks exactly like a change that passes",
    fix="declare what judges the Application (an Evaluation with it as target), and run it",
    needs_evidence=True,
    controls=("eu-ai-act/art-9", "iso42001/A.6.2.4"),
    good="""\
kind: Evaluation
spec:
  checks: [{name: accuracy, metric: builtin/accuracy, require: {min: 0.8}}]
---
kind: Policy
spec:
  rules: [{name: evidence, rule: evidence-present, with: {kinds: [Evaluation]}}]
""",
    bad="""\
kind: Evaluation
spec:
  checks: [{name: accuracy, metric: builtin/accuracy}]  # measured, and nothing can fail
  slices: []
---
kind: Policy
spec:
  rules: [{name: evidence, rule: evidence-present, with: {kinds: [Evaluation]}}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """Each Application that the policy is for is judged by an Evaluation and the named kinds."""
    if facts.plan.selected:
        return
    apps = [
        a for a in facts.head.of_kind("Application") if config.labels.items() <= a.labels.items()
    ]
    kinds = list(dict.fromkeys(("Evaluation", *config.given.get("kinds", []))))
    for kind in kinds:
        judged = _judged(facts, kind)
        for app in apps:
            if kind == "Guardrail":
                yield from _guarded(config, app, judged)
            elif app.ref not in judged:
                yield _absent(config, _unjudged(facts, kind, app.ref))
        if not judged and not apps:
            yield _absent(config, f"no {kind} judges anything")


def _judged(facts: Facts, kind: str) -> set[Ref]:
    """What some exam of a kind that can fail was put to."""
    return {
        exam.target
        for exam in facts.exams
        if exam.head is not None and exam.part.decides and exam.asker.ref.kind == kind
    }


def _unjudged(facts: Facts, kind: str, app: Ref) -> str:
    """Why an Application counts as not judged by a kind: not asked, or nothing can fail."""
    asked = any(exam.target == app and exam.asker.ref.kind == kind for exam in facts.exams)
    return f"no {kind} {'with a bound ' if asked else ''}has {app} as its target"


def _guarded(config: Config, app: Spec, judged: set[Ref]) -> Iterator[Finding]:
    """An Application has guardrails, and each of them has tests."""
    named = [Ref("Guardrail", str(name)) for name in app.spec.get("guardrails", ())]
    if not named:
        yield _absent(config, f"{app.ref} has no Guardrail")
    for ref in named:
        if ref not in judged:
            yield _absent(config, f"{ref} of {app.ref} has no test")


def _absent(config: Config, message: str) -> Finding:
    return Finding(INFO.id, config.gate, Outcome.INCONCLUSIVE, message, INFO.fix, config.place)
