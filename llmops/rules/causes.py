"""Findings that did not pass -> the changed lines that they may rest on.

A gate is about a target: what that target and the asking spec are made of is known from the graph,
so of all changed fields only those can have moved its number. A field that is for people only
never can. Which of several did it is not known, and not claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from llmops.graph.diff import loc_of
from llmops.jobs.base import Change
from llmops.rules.base import Cause, Finding, Outcome
from llmops.rules.facts import Facts
from llmops.specs.base import Ref

MOST = 4  # lines that one finding names


def explained(facts: Facts, found: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, those that did not pass with their causes."""
    changed = {c.ref: c for c in facts.plan.changes if c.action in ("added", "changed")}
    targets = _targets(facts)
    known: dict[str, tuple[Cause, ...]] = {}
    for one in found:
        if one.outcome is Outcome.PASSED or not changed:
            yield one
            continue
        about = "/".join(one.gate.split("/")[:2])
        if about not in known:
            known[about] = tuple(_causes(facts, changed, targets.get(about, ())))[:MOST]
        yield replace(one, causes=known[about])


def _targets(facts: Facts) -> Mapping[str, tuple[Ref, ...]]:
    """What each asking spec is about: itself and its targets, as head has them."""
    found: dict[str, dict[Ref, None]] = {}
    for exam in facts.exams:
        mine = found.setdefault(str(exam.asker.ref), {})
        mine.update(dict.fromkeys((exam.target, exam.asker.ref)))
    return {name: tuple(refs) for name, refs in found.items()}


def _causes(facts: Facts, changed: Mapping[Ref, Change], about: Iterable[Ref]) -> Iterator[Cause]:
    reached: dict[Ref, None] = {}
    for ref in about:
        if ref in facts.head.specs:
            reached.update(dict.fromkeys(facts.head.reach(ref)))
    for ref in reached:
        if ref in changed:
            yield from _lines(facts, changed[ref])


def _lines(facts: Facts, change: Change) -> Iterator[Cause]:
    """The changed lines of one spec; of a new one where it begins."""
    ref, spec = change.ref, facts.head.specs[change.ref]
    if not change.fields:
        yield Cause(str(ref), f"{ref} {change.action}", facts.place("head", ref, ("kind",)))
    for field in change.fields:
        if field.role != "descriptive":
            loc = loc_of(spec, field.path.removesuffix(" (content)"))
            yield Cause(str(ref), field.path, facts.place("head", ref, loc))
