"""Datasets whose rows may go further than base says, or of which less is expected.

Rows may be in more places, or in any; they count as less delicate; something no longer has to
hold of them. It does not matter whether they are asked or learned from: curation stands on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.graph.build import Graph
from llmops.rules.base import Loosened
from llmops.rules.facts import Facts
from llmops.rules.looser import short
from llmops.rules.residency import LEVELS
from llmops.specs.base import Spec


def loosened(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """What head asks less of base's Datasets."""
    for old in base.of_kind("Dataset"):
        new = head.specs.get(old.ref)
        if new is not None:
            yield from _expectations(facts, old, new)
            yield from _residency(facts, old, new)
            yield from _sensitivity(facts, old, new)


def _expectations(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    before, after = (spec.spec.get("expectations", []) for spec in (old, new))
    gone = [e for e in before if e not in after]
    if gone:
        other = [e for e in after if e not in before]
        place = facts.place("head", new.ref, ("spec", "expectations"))
        words = short(other) if other else "removed"
        yield Loosened(f"{old.ref} expectations", short(gone), words, place)


def _residency(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    before, after = (list(spec.spec.get("residency", ())) for spec in (old, new))
    if before and (not after or set(after) - set(before)):
        place = facts.place("head", new.ref, ("spec", "residency"))
        words = short(", ".join(after) or "any place")
        yield Loosened(f"{old.ref} residency", short(", ".join(before)), words, place)


def _sensitivity(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    was, now = (spec.spec.get("sensitivity") for spec in (old, new))
    if was is not None and (now is None or LEVELS.index(now) < LEVELS.index(was)):
        place = facts.place("head", new.ref, ("spec", "sensitivity"))
        yield Loosened(f"{old.ref} sensitivity", was, now or "none", place)
