"""Rule `evidence-present`: something is measured at all; a tree that asks nothing never passes."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info

INFO = Info(
    id="evidence-present",
    why="a change that nothing measures looks exactly like a change that passes",
    fix="declare an Evaluation whose target is the Application, and run it",
    needs_evidence=True,
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """Each Application of head is the target of some exam; each named kind is declared."""
    targets = {exam.target for exam in facts.exams if exam.head is not None}
    if facts.plan.selected:
        return
    for app in facts.head.of_kind("Application"):
        if app.ref not in targets:
            yield _absent(config, f"no Evaluation has {app.ref} as its target")
    for kind in config.given.get("kinds", []):
        if not facts.head.of_kind(kind):
            yield _absent(config, f"no {kind} is declared")


def _absent(config: Config, message: str) -> Finding:
    return Finding(INFO.id, config.gate, Outcome.INCONCLUSIVE, message, INFO.fix, config.place)
