"""Rule `secret`: what opens a door is a name in the runner's secret store, never a value.

Text that looks like a key is refused when a spec is read (`literal-secret`); this rule adds that
an endpoint names its key as `{secret: NAME}`, and that the Environment in use lists that name where
it lists any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from llmops.graph.environment import in_use, missing_secrets
from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info

INFO = Info(
    id="secret",
    why="a value in git is public to everybody who ever clones it",
    fix="write {secret: NAME} and put the value into the runner's secret store",
    controls=("iso27001/A.5.17",),
    good="""\
kind: Environment
spec:
  executor: {local: {}}
  secrets: {names: [JUDGE_KEY]}
---
kind: Model
metadata: {name: judge}
spec:
  endpoint:
    protocol: openai
    base_url: https://judge.example.org/v1
    model: judge-2026-08-14
    api_key: {secret: JUDGE_KEY}
---
kind: Policy
spec:
  rules: [{name: keys, rule: secret}]
""",
    bad="""\
kind: Environment
spec:
  executor: {local: {}}
  secrets: {names: [OTHER_KEY]}  # JUDGE_KEY is not handed out here
---
kind: Model
metadata: {name: judge}
spec:
  endpoint:
    protocol: openai
    base_url: https://judge.example.org/v1
    model: judge-2026-08-14
    api_key: {secret: JUDGE_KEY}
---
kind: Policy
spec:
  rules: [{name: keys, rule: secret}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each key that is no name, and for each name that nobody hands out here."""
    for model in facts.head.of_kind("Model"):
        key = model.spec.get("endpoint", {}).get("api_key")
        if key is not None and not (isinstance(key, Mapping) and "secret" in key):
            place = facts.place("head", model.ref, ("spec", "endpoint", "api_key"))
            message = f"{model.ref}: api_key is not a secret's name"
            yield Finding(INFO.id, config.gate, Outcome.FAILED, message, INFO.fix, place)
    environment = in_use(facts.head, facts.plan.environment or None)
    for ref, loc, name in missing_secrets(facts.head, environment):
        assert environment is not None
        message = f'{ref} asks for the secret "{name}", which {environment.ref} does not list'
        hint = "add it to secrets.names there, or run in another Environment with --env"
        place = facts.place("head", ref, loc)
        yield Finding(INFO.id, config.gate, Outcome.FAILED, message, hint, place)
