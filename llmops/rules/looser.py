"""What the modules that compare base with head share: places and short words."""

from __future__ import annotations

from typing import Any

from llmops.rules.facts import Facts
from llmops.specs.base import Spec

MOST = 40


def at_base(facts: Facts, spec: Spec) -> str:
    """Where base's spec stands."""
    return facts.place("base", spec.ref, ("spec",))


def short(value: Any) -> str:
    """A value in at most 40 characters."""
    text = str(value)
    return text if len(text) <= MOST else text[: MOST - 1] + "…"
