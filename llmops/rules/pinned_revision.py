"""Rule `pinned-revision`: everything from outside is named by a digest or a full revision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.rules.base import Finding, Outcome
from llmops.rules.facts import Config, Facts, Info, Loc
from llmops.specs.base import Spec

INFO = Info(
    id="pinned-revision",
    why="an address whose bytes can change makes evidence about something else",
    fix="add digest: sha256:<64 hex> of the bytes (and revision: <40 hex> for a hub)",
    controls=("iso42001/A.7.5",),
    good="""\
kind: Dataset
spec:
  sources:
    - name: all
      uri: https://data.example.org/bank.jsonl
      digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      license: CC-BY-4.0
      origin: open_dataset
---
kind: Policy
spec:
  rules: [{name: pinned, rule: pinned-revision}]
""",
    bad="""\
kind: Dataset
spec:
  sources:
    - name: all
      uri: https://data.example.org/bank.jsonl
      license: CC-BY-4.0
      origin: open_dataset
---
kind: Policy
spec:
  rules: [{name: pinned, rule: pinned-revision}]
""",
)


def check(facts: Facts, config: Config) -> Iterator[Finding]:
    """One finding for each address without a digest."""
    for spec in (*facts.head.of_kind("Model"), *facts.head.of_kind("Dataset")):
        for loc, outside in _outside(spec):
            if "uri" in outside and "digest" not in outside:
                place = facts.place("head", spec.ref, (*loc, "uri"))
                message = f"{spec.ref}: {outside['uri']} has no digest"
                yield Finding(INFO.id, config.gate, Outcome.FAILED, message, INFO.fix, place)


def _outside(spec: Spec) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    if "weights" in spec.spec:
        yield ("spec", "weights"), spec.spec["weights"]
    for i, source in enumerate(spec.spec.get("sources", [])):
        yield ("spec", "sources", i), source
