"""Guardrails that let more by than base's, and Applications that have fewer of them.

A layer that is gone, that masks where it blocked, or that looks for less is looser. So is a
pattern or a word list that became another one: nobody can show that it catches as much, though
the guardrail's own tests measure it. The order of layers means nothing: each sees the text as sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs import curate
from llmops.jobs.make import use
from llmops.rules.base import Loosened
from llmops.rules.facts import Facts
from llmops.rules.looser import at_base, short
from llmops.specs.base import STAGES, Spec


def loosened(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """What head's guardrails catch less than base's, as far as specs can tell."""
    for old in base.of_kind("Guardrail"):
        new = head.specs.get(old.ref)
        if new is not None:
            for stage in STAGES:
                yield from _stage(facts, stage, (base, old), (head, new))
    for old in base.of_kind("Application"):
        new = head.specs.get(old.ref)
        if new is not None:
            yield from _application(facts, old, new)


def _application(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    before, after = (list(spec.spec.get("guardrails", ())) for spec in (old, new))
    place = facts.place("head", new.ref, ("spec", "guardrails"))
    for name in before:
        if name not in after:
            yield Loosened(f"{old.ref} guardrails", str(name), "removed", place)
    if [n for n in before if n in after] != [n for n in after if n in before]:
        yield Loosened(f"{old.ref} guardrails", short(before), f"order {short(after)}", place)


Owned = tuple[Graph, Spec]


def _stage(facts: Facts, stage: str, old: Owned, new: Owned) -> Iterator[Loosened]:
    before, after = (
        {str(layer["name"]): (i, layer) for i, layer in enumerate(spec.spec.get(stage, ()))}
        for _, spec in (old, new)
    )
    ref = new[1].ref
    for name, (i, layer) in before.items():
        what = f"{ref} {stage} {name}"
        if name not in after:
            yield Loosened(what, str(layer["action"]), "removed", at_base(facts, old[1]))
            continue
        j, now = after[name]
        place = facts.place("head", ref, ("spec", stage, j))
        for was, weaker in _layer(layer, now):
            yield Loosened(what, was, weaker, place)
        if "lexicon" in layer and "lexicon" in now:
            digests = [_words(*old, stage, i), _words(*new, stage, j)]
            if digests[0] != digests[1]:
                yield Loosened(what, f"words {digests[0][7:15]}", f"{digests[1][7:15]}", place)


def _layer(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each way in which a layer catches less, in words."""
    if old["action"] == "block" and new["action"] != "block":
        yield str(old["action"]), str(new["action"])
    for key in ("regex", "pii", "lexicon"):
        if key in old and key not in new:
            yield key, "another kind of layer"
        elif key in old:
            yield from _LESS[key](old[key], new[key])


def _less_pii(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if gone := sorted(set(old["entities"]) - set(new["entities"])):
        yield f"entities {', '.join(gone)}", "removed"


def _less_regex(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if old != new:
        yield f"pattern {short(old.get('pattern'))}", short(new.get("pattern"))


def _less_lexicon(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if gone := sorted(set(old.get("normalize", ())) - set(new.get("normalize", ()))):
        yield f"normalize {', '.join(gone)}", "removed"
    if new.get("min_length", 1) > old.get("min_length", 1):
        yield f"min_length {old.get('min_length', 1)}", f"{new.get('min_length', 1)}"


_LESS = {"pii": _less_pii, "regex": _less_regex, "lexicon": _less_lexicon}


def _words(graph: Graph, spec: Spec, stage: str, i: int) -> str:
    """Which words a layer looks for: the curation of its list, and the part of it."""
    reference = use(spec, stage, i, "lexicon", "dataset")
    return f"{curate.job(graph, reference.target).job.closure}#{reference.part or 'all'}"
