"""Releases that watch less than base's, and Environments that let more out.

A number that moved has a direction where its name has one; a check or a monitor that is new asks
more. Whatever else changed counts as looser: other steps, another metric, a place that an
Environment says it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from llmops.digest import canonical
from llmops.graph.build import Graph
from llmops.graph.diff import leaves
from llmops.rules.base import Loosened
from llmops.rules.facts import Facts
from llmops.rules.looser import at_base, short
from llmops.specs.base import Spec

LESS_IS_MORE = frozenset({
    "max_ratio", "max", "alpha", "max_hold_hours", "max_seconds", "drill_every_days",
    "max_age_days", "max_usd_per_day", "mean_days_between_false_alarms",
})  # fmt: skip
MORE_IS_MORE = frozenset({"min", "power"})
NAMED = re.compile(r"^(strategy\.canary\.analysis|monitors)\[[^\]]*\]")
LIFE = "lifecycle."


def loosened(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """What head's Releases and Environments hold weaker than base's."""
    for old in base.of_kind("Release"):
        new = head.specs.get(old.ref)
        if new is None:
            yield Loosened(str(old.ref), "declared", "removed", at_base(facts, old))
        else:
            yield from _release(facts, old, new)
    for old in base.of_kind("Environment"):
        new = head.specs.get(old.ref)
        if new is None and "egress" in old.spec:
            yield Loosened(f"{old.ref} egress", "declared", "removed", at_base(facts, old))
        elif new is not None:
            yield from _environment(facts, old, new)


def _release(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    before, after = _claims(old), _claims(new)
    gone = dict.fromkeys(
        found[0] for path in before if (found := NAMED.match(path)) and not _held(found[0], after)
    )
    place = facts.place("head", new.ref, ("spec",))
    for name in gone:
        yield Loosened(f"{old.ref} {name}", "declared", "removed", place)
    for path in dict.fromkeys((*before, *after)):
        named = NAMED.match(path)
        if named and (named[0] in gone or not _held(named[0], before)):
            continue
        was, now = before.get(path), after.get(path)
        if canonical(was) != canonical(now) and not _tighter(path, was, now):
            yield Loosened(f"{old.ref} {path}", _word(was), _word(now), place)


def _claims(release: Spec) -> dict[str, Any]:
    found = leaves(release.value)
    return {k: v for k, v in found.items() if not k.startswith(("metadata.", LIFE))}


def _held(name: str, claims: dict[str, Any]) -> bool:
    return any(path.startswith(name) for path in claims)


def _tighter(path: str, was: Any, now: Any) -> bool:
    """Whether a bound is new, or moved to the side that asks more."""
    key = path.rpartition(".")[2]
    if key not in LESS_IS_MORE | MORE_IS_MORE or now is None:
        return False
    if was is None:
        return True
    return bool(now < was if key in LESS_IS_MORE else now > was)


def _environment(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    """More hosts, more secrets, or other places than base's."""
    place = facts.place("head", new.ref, ("spec",))
    hosts, now = old.spec.get("egress"), new.spec.get("egress")
    if hosts is not None and (now is None or set(now) - set(hosts)):
        more = sorted(set(now or ()) - set(hosts))
        after = "any public host" if now is None else f"also {short(', '.join(more))}"
        yield Loosened(f"{old.ref} egress", short(", ".join(hosts)), after, place)
    names = [set(s.spec.get("secrets", {}).get("names", ())) for s in (old, new)]
    if others := sorted(names[1] - names[0]):
        before = short(", ".join(sorted(names[0])) or "none")
        yield Loosened(f"{old.ref} secrets", before, f"also {short(', '.join(others))}", place)
    places = [", ".join(s.spec.get("residency", ())) for s in (old, new)]
    if places[0] != places[1]:
        yield Loosened(f"{old.ref} residency", _word(places[0]), _word(places[1]), place)


def _word(value: Any) -> str:
    return "nothing" if value in (None, "") else short(value)
