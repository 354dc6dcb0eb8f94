"""Rule `prompt-lint`: no Prompt has what the warnings about prompts are for.

`llmops validate` shows them as warnings, each with its id; this rule makes them count.
`with: {ignore: [undelimited-input]}` names those that a team has decided to live with.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info

INFO = Info(
    id="prompt-lint",
    why="most accidents with prompts are plain to see before anything runs",
    fix="mend the Prompt as the hint says, or name the warning in with: {ignore: [...]}",
    controls=("iso42001/A.6.2.4",),
    good="""\
kind: Prompt
spec:
  inputs: {question: {type: string, maxLength: 2000, untrusted: true}}
---
kind: Policy
spec:
  rules: [{name: prompts, rule: prompt-lint}]
""",
    bad="""\
kind: Prompt
spec:
  inputs: {question: {type: string, untrusted: true}}  # of any length
---
kind: Policy
spec:
  rules: [{name: prompts, rule: prompt-lint}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each warning about a Prompt that is not ignored."""
    from llmops.specs.prompt_lint import lint

    ignored = set(config.given.get("ignore", ()))
    for prompt in facts.head.of_kind("Prompt"):
        for one in lint(prompt.spec):
            if one.rule not in ignored:
                message = f"{prompt.ref}: {one.message} ({one.rule})"
                place = facts.place("head", prompt.ref, one.loc)
                yield Finding(INFO.id, config.gate, Outcome.FAILED, message, one.hint, place)
