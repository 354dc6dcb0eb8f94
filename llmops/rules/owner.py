"""Rule `owner`: every spec names an owner, and CODEOWNERS knows that name."""

from __future__ import annotations

from collections.abc import Iterator

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info

INFO = Info(
    id="owner",
    why="somebody has to answer for what a spec does in production",
    fix="set metadata.owner to a team or person of .github/CODEOWNERS",
    controls=("iso42001/A.3.2",),
    good="""\
kind: Model
metadata: {owner: team-quality}  # CODEOWNERS has @acme/team-quality
---
kind: Policy
metadata: {owner: team-quality}
spec:
  rules: [{name: owners, rule: owner}]
""",
    bad="""\
kind: Model
metadata: {owner: somebody}  # nobody is called so in CODEOWNERS
---
kind: Policy
metadata: {owner: team-quality}
spec:
  rules: [{name: owners, rule: owner}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each spec without an owner that CODEOWNERS knows."""
    known = known_owners(facts.owners)
    for spec in facts.head.specs.values():
        owner = spec.value["metadata"].get("owner")
        place = facts.place("head", spec.ref, ("metadata", "owner"))
        if owner is None:
            message = f"{spec.ref} has no owner"
        elif owner not in known:
            message = f'{spec.ref}: owner "{owner}" is not in CODEOWNERS'
        else:
            continue
        yield Finding(INFO.id, config.gate, Outcome.FAILED, message, INFO.fix, place)


def known_owners(lines: tuple[str, ...]) -> set[str]:
    """The names in CODEOWNERS, without `@` and organisation: `@acme/team-cs` -> `team-cs`."""
    words = (line.split("#")[0].split()[1:] for line in lines)
    return {word.removeprefix("@").rpartition("/")[2] for found in words for word in found}
