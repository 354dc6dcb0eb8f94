"""Rule `license`: every Model and every Dataset source carries a licence that the policy allows.

`with: {allow: [SPDX ids], deny_use: [SPDX ids]}`. Without `allow`, any licence but the denied.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info, Loc
from llmops.specs.base import Spec

INFO = Info(
    id="license",
    why="weights inherit the terms of what they were made from",
    fix="use another source, or ask the policy's owners to allow this licence",
    controls=("iso42001/A.7.3",),
    good="""\
kind: Model
spec: {license: Apache-2.0}
---
kind: Policy
spec:
  rules: [{name: licences, rule: license, with: {allow: [Apache-2.0, MIT]}}]
""",
    bad="""\
kind: Model
spec: {license: LicenseRef-unknown}
---
kind: Policy
spec:
  rules: [{name: licences, rule: license, with: {allow: [Apache-2.0, MIT]}}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each licence that is absent, denied or not allowed."""
    for spec in (*facts.head.of_kind("Model"), *facts.head.of_kind("Dataset")):
        for loc, what, found in _licences(spec):
            said = _judged(found, config)
            if said:
                place = facts.place("head", spec.ref, loc)
                yield Finding(
                    INFO.id, config.gate, Outcome.FAILED, f"{what} {said}", INFO.fix, place
                )


def _licences(spec: Spec) -> Iterator[tuple[Loc, str, str | None]]:
    if spec.ref.kind == "Model":
        yield ("spec", "license"), str(spec.ref), spec.spec.get("license")
        return
    for i, source in enumerate(spec.spec["sources"]):
        what = f"{spec.ref} source {source['name']}"
        yield ("spec", "sources", i, "license"), what, source.get("license")


def _judged(found: str | None, config: Config) -> str:
    if found is None:
        return "names no licence"
    if found in config.given.get("deny_use", []):
        return f"has licence {found}, which the policy denies"
    allowed = config.given.get("allow", [])
    if allowed and found not in allowed:
        return f"has licence {found}; allowed are {', '.join(allowed)}"
    return ""
