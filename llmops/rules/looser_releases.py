"""Releases that watch less than base's, and Environments that let more out.

A number that moved has a direction where its name has one; a check or a monitor that is new asks
more. Whatever else changed counts as looser: other steps, another metric, a place that an
Environment says it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from llmops.digest import canonical
from llmops.graph.build import Graph
from llmops.graph.diff import leaves, loc_of
from llmops.graph.environment import in_use
from llmops.jobs.estimate import prices
from llmops.jobs.gates import ALPHA
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
    yield from _used(facts, base, head)
    yield from _prices(facts, base, head)


def _used(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """Jobs that were held against a place or a list of hosts, and now are not, or by another."""
    name = facts.plan.environment or None
    old, new = in_use(base, name), in_use(head, name)
    if old is None or not {"residency", "egress"} & old.spec.keys():
        return
    if new is None or new.ref != old.ref:
        after = str(new.ref) if new is not None else "none without --env"
        yield Loosened("Environment in use", str(old.ref), after, at_base(facts, old))


def _prices(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """Prices that a budget in dollars counts with: lower ones let more be spent."""
    policies = base.of_kind("Policy")
    limits = [(p.spec.get("budgets") or {}).get("per_pull_request") or {} for p in policies]
    if not any("usd" in limit for limit in limits):
        return
    before, after = prices(base), prices(head)
    for name, price in before.items():
        if after.get(name, 0.0) < price:
            owner = next(e for e in base.of_kind("Environment") if name in e.spec["gpu_classes"])
            now = f"{after[name]:g}" if name in after else "nothing"
            what = f"{owner.ref} usd_per_hour of {name}"
            yield Loosened(what, f"{price:g}", now, at_base(facts, owner))


def _release(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    before, after = _claims(old), _claims(new)
    gone = dict.fromkeys(
        found[0] for path in before if (found := NAMED.match(path)) and not _held(found[0], after)
    )
    for name in gone:
        place = facts.place("head", new.ref, loc_of(new, name))
        yield Loosened(f"{old.ref} {name}", "declared", "removed", place)
    for path in dict.fromkeys((*before, *after)):
        named = NAMED.match(path)
        if named and (named[0] in gone or not _held(named[0], before)):
            continue
        was, now = before.get(path), after.get(path)
        if canonical(was) != canonical(now) and not _tighter(path, was, now):
            place = facts.place("head", new.ref, loc_of(new, path))
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
    if was is None and key != "alpha":
        return True
    was = ALPHA if was is None else was
    return bool(now < was if key in LESS_IS_MORE else now > was)


def _environment(facts: Facts, old: Spec, new: Spec) -> Iterator[Loosened]:
    """More hosts, more secrets, or other places than base's."""

    def place(field: str) -> str:
        return facts.place("head", new.ref, ("spec", field))

    hosts, now = old.spec.get("egress"), new.spec.get("egress")
    if hosts is not None and (now is None or set(now) - set(hosts)):
        more = sorted(set(now or ()) - set(hosts))
        after = "any public host" if now is None else f"also {short(', '.join(more))}"
        yield Loosened(f"{old.ref} egress", short(", ".join(hosts)), after, place("egress"))
    names = [set(s.spec.get("secrets", {}).get("names", ())) for s in (old, new)]
    if others := sorted(names[1] - names[0]):
        before = short(", ".join(sorted(names[0])) or "none")
        after = f"also {short(', '.join(others))}"
        yield Loosened(f"{old.ref} secrets", before, after, place("secrets"))
    places = [", ".join(s.spec.get("residency", ())) for s in (old, new)]
    if places[0] != places[1]:
        before, after = map(_word, places)
        yield Loosened(f"{old.ref} residency", before, after, place("residency"))


def _word(value: Any) -> str:
    """A value in few words; the steps of a canary as `5 %, quality 24h, pause, 100 %`."""
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return short(", ".join(map(_step, value)))
    return "nothing" if value in (None, "") else short(value)


def _step(step: Mapping[str, Any]) -> str:
    if "setWeight" in step:
        return f"{step['setWeight']} %"
    if "analysis" in step:
        return f"{'+'.join(step['analysis']['templates'])} {step['analysis']['duration']}"
    return f"pause {step.get('pause', {}).get('duration', '')}".strip()
