"""Policies that ask less than base's: rules, approvals, error rates, whom they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.graph.build import Graph
from llmops.jobs.attempts import allowed
from llmops.jobs.gates import ALPHA
from llmops.rules import (
    bank_classes,
    evidence_fresh,
    fail_on,
    gap,
    holdout,
    regression,
    require,
    reuse_audit,
    slices,
    split_overlap,
    waiver,
)
from llmops.rules.base import Loosened
from llmops.rules.facts import Facts, covers, matches, only_waives
from llmops.rules.looser import at_base, short
from llmops.specs.base import Ref, Spec

# Compared entry by entry, or in ways of their own, or not at all.
NO_CLAIMS = ("rules", "approvals", "waivers", "tests", "attempts", "count")
MILDER = ("error", "warning")
# Judged with severity error where no policy names them: naming them may be a loosening.
JUDGED_ANYWAY = tuple(
    m.INFO.id
    for m in (
        require,
        slices,
        regression,
        gap,
        fail_on,
        bank_classes,
        evidence_fresh,
        split_overlap,
        holdout,
        reuse_audit,
    )
)


def loosened(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """What head's policies ask less than base's."""
    yield from _waivers(facts, base, head)
    for old in base.of_kind("Policy"):
        new = head.specs.get(old.ref)
        if only_waives(old.spec):
            continue
        if new is None:
            yield Loosened(str(old.ref), "declared", "removed", at_base(facts, old))
            continue
        place = facts.place("head", new.ref, ("spec",))
        for key in ("rules", "approvals"):
            yield from _policy_entries(old, new, key, place)
        for key in sorted({*old.spec, *new.spec} - set(NO_CLAIMS)):
            if old.spec.get(key) != new.spec.get(key) and not _tighter(key, old.spec, new.spec):
                before, after = short(old.spec.get(key)), short(new.spec.get(key))
                yield Loosened(f"{old.ref} {key}", before, after, place)
        yield from _unlabelled(facts, old, new, base, head)
    yield from _milder(facts, base, head)
    yield from _more_attempts(facts, base, head)
    yield from _more_overlap(facts, base, head)


def _waivers(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """Waivers that base does not hold, for as many gates, Applications and days."""
    before = waiver.declared(base)
    named = {one.name: one for one in before}
    for one in waiver.declared(head):
        if not any(known.holds(one) for known in before):
            old = named.get(one.name)
            place = one.place(facts, "head")
            yield Loosened(one.name, _waived(old), _waived(one), place)


def _waived(one: waiver.Waiver | None) -> str:
    if one is None:
        return "not waived"
    whom = f" for {', '.join(f'{k} {v}' for k, v in one.labels.items())}" if one.labels else ""
    return f"{one.gate} waived until {one.given['expires']}{whom}"


def _milder(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """New entries by which a gate that was an error becomes a warning."""
    before, after = _severities(base), _severities(head)
    for policy in head.of_kind("Policy"):
        old = base.specs.get(policy.ref)
        known = {entry["name"] for entry in old.spec.get("rules", ())} if old else set()
        for i, entry in enumerate(policy.spec.get("rules", ())):
            rule = entry["rule"]
            was, now = (s.get(rule, "error") for s in (before, after))
            if rule in JUDGED_ANYWAY and entry["name"] not in known and (was, now) == MILDER:
                place = facts.place("head", policy.ref, ("spec", "rules", i))
                yield Loosened(f"{policy.ref}/{entry['name']}", f"{rule} is an {was}", now, place)


def _more_attempts(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """More attempts at a claim than base allows, or counted anew in each pull request.

    All policies of a tree together: the smallest number holds, and it rises as well where the
    policy that named it goes, or names none any more.
    """
    before, after = (allowed(_covering(graph)) for graph in (base, head))
    if after.attempts > before.attempts:  # so a policy of head says so
        place = facts.place("head", Ref.parse(after.policy), ("spec", "attempts"))
        told = short(before.attempts), short(after.attempts)
        yield Loosened(f"{after.policy} attempts", *told, place)
    if (before.by, after.by) == ("claim", "pull_request"):
        counting = next(p for p in _covering(head) if p.spec.get("count") == "pull_request")
        place = facts.place("head", counting.ref, ("spec", "count"))
        yield Loosened(f"{counting.ref} count", before.by, after.by, place)


def _covering(graph: Graph) -> list[Spec]:
    """The policies that are for something in a tree."""
    return [policy for policy in graph.of_kind("Policy") if covers(policy.spec, graph)]


def _more_overlap(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """Datasets of whose rows more may have been learned than base lets."""
    for dataset in base.of_kind("Dataset"):
        was, now = (split_overlap.share_of(g, dataset.ref.name) for g in (base, head))
        if now > was:
            place = facts.place("head", dataset.ref, ("spec",))
            what = f"split-overlap of {dataset.ref}"
            yield Loosened(what, f"max_share {was:g}", f"{now:g}", place)


def _severities(graph: Graph) -> dict[str, str]:
    """The strictest severity that one tree's policies give to each rule."""
    given = [
        (entry["rule"], entry.get("severity", "error"))
        for policy in graph.of_kind("Policy")
        if covers(policy.spec, graph)
        for entry in policy.spec.get("rules", ())
    ]
    return {rule: "error" if (rule, "error") in given else "warning" for rule, _ in given}


def _tighter(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a policy asks more than before: less error, no mercy, for more applications."""
    if key == "alpha":
        return float(new.get(key, ALPHA)) <= float(old.get(key, ALPHA))
    if key == "on_inconclusive":
        return bool(new.get(key, "fail") == "fail")
    if key == "profile":
        return bool(new.get(key, "assured") == "assured")
    if key == "max_evidence_age_days":
        return key not in old or (key in new and bool(new[key] <= old[key]))
    if key == "reuse_audit":
        return bool((new.get(key) or 0.0) >= (old.get(key) or 0.0))
    if key == "budgets":
        return _spends_less(old.get(key) or {}, new.get(key) or {})
    labels = [spec.get(key, {}).get("labels", {}).items() for spec in (old, new)]
    return bool(labels[1] <= labels[0])


def _spends_less(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether every limit is still there and none is higher."""
    before, after = (_limits(one) for one in (old, new))
    return all(unit in after and after[unit] <= limit for unit, limit in before.items())


def _limits(budgets: Mapping[str, Any]) -> Mapping[str, float]:
    """Every number that a policy's budgets set, by its name."""
    looks = {k: v for k, v in budgets.items() if k != "per_pull_request"}
    return {**(budgets.get("per_pull_request") or {}), **looks}


def _unlabelled(facts: Facts, old: Spec, new: Spec, base: Graph, head: Graph) -> Iterator[Loosened]:
    """Applications that a policy was for, and that lost the labels it looks for."""
    lost = [
        now
        for app in base.of_kind("Application")
        if (now := head.specs.get(app.ref)) is not None
        and matches(old.spec, app)
        and not matches(new.spec, now)
    ]
    for app in lost:
        place = facts.place("head", app.ref, ("metadata", "labels"))
        yield Loosened(f"{old.ref} for {app.ref}", "applies", "no longer applies", place)
    if not lost and covers(old.spec, base) and not covers(new.spec, head):
        yield Loosened(str(old.ref), "applies", "applies to nothing", at_base(facts, old))


def _policy_entries(old: Spec, new: Spec, key: str, place: str) -> Iterator[Loosened]:
    after = {entry["name"]: entry for entry in new.spec.get(key, [])}
    for entry in old.spec.get(key, []):
        now = after.get(entry["name"])
        if now is None:
            yield Loosened(f"{old.ref}/{entry['name']}", "declared", "removed", place)
        elif _meaning(entry) != _meaning(now) and not _asks_more(entry, now):
            yield Loosened(f"{old.ref}/{entry['name']}", *_changed(entry, now), place)


def _meaning(entry: Mapping[str, Any]) -> dict[str, Any]:
    asked = {k: v for k, v in entry.items() if k not in ("because", "controls")}
    defaults = {"count": 1, "allow_author": False} if "when" in entry else {"severity": "error"}
    return {**defaults, **asked}


def _asks_more(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """An error instead of a warning; more people, or not the author."""
    before, after = _meaning(old), _meaning(new)
    if before.get("rule") == after.get("rule") == split_overlap.INFO.id:
        for one in (before, after):
            one.pop("with", None)  # told by `_more_overlap`, for each Dataset
    if "when" not in old:
        return {**before, "severity": "error"} == after
    more = after["count"] >= before["count"] and after["allow_author"] <= before["allow_author"]
    same = {**before, "count": after["count"], "allow_author": after["allow_author"]} == after
    return bool(more and same)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, str]:
    keys = [k for k in sorted({*old, *new}) if old.get(k) != new.get(k)]
    before = ", ".join(f"{k} {short(old.get(k))}" for k in keys)
    return before, ", ".join(f"{k} {short(new.get(k))}" for k in keys)
