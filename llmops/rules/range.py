"""Rule `range`: a number in every spec of a kind lies between two values.

`with: {field: Kind.path.to.number, min: x, max: y}`; a spec without the field is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info

INFO = Info(
    id="range",
    why="some settings are known to be wrong whatever they would measure",
    fix="choose a value inside the range, or ask the policy's owners to widen it",
    good="""\
kind: Recipe
spec:
  training: {learning_rate: 1.0e-3, num_train_epochs: 3}
---
kind: Policy
spec:
  rules: [{name: epochs, rule: range, with: {field: Recipe.training.num_train_epochs, max: 5}}]
""",
    bad="""\
kind: Recipe
spec:
  training: {learning_rate: 1.0e-3, num_train_epochs: 30}
---
kind: Policy
spec:
  rules: [{name: epochs, rule: range, with: {field: Recipe.training.num_train_epochs, max: 5}}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each number outside."""
    kind, _, path = str(config.given["field"]).partition(".")
    keys = path.split(".")
    for spec in facts.head.of_kind(kind):
        value = _at(spec.spec, keys)
        said = _outside(value, config.given)
        if said:
            place = facts.place("head", spec.ref, ("spec", *keys))
            message = f"{spec.ref} {path} {value} {said}"
            yield Finding(INFO.id, config.gate, Outcome.FAILED, message, INFO.fix, place)


def _at(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _outside(value: Any, given: Mapping[str, Any]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "is not a number"
    if "min" in given and not value >= given["min"]:
        return f"is below the minimum {given['min']:g}"
    if "max" in given and not value <= given["max"]:
        return f"is above the maximum {given['max']:g}"
    return ""
