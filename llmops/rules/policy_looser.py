"""Rule `policy-looser`: what head holds weaker than base, or can no longer be judged.

Compares gate by gate. A bound that moved has a direction; anything else that changes an exam (its
cases, its metrics, its error allowance) or a policy counts as looser, because nobody can show that
it is not. Base's version is judged as well (DESIGN.md law 6), so loosening never helps the change
that brings it; it needs the approval that base's policy names for `policy_looser`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from llmops.digest import of_value
from llmops.graph.build import Graph
from llmops.jobs import generate
from llmops.jobs.gates import alpha_of, bound_words
from llmops.jobs.make import use
from llmops.rules.base import Finding, Loosened, Outcome
from llmops.rules.facts import Facts, Info, applies
from llmops.specs.base import Spec

INFO = Info(
    id="policy-looser",
    why="the change that lowers a bar must not be the one that jumps over it unseen",
    fix="ask for the approval that the policy of the target branch names",
)


def loosened(facts: Facts) -> tuple[Loosened, ...]:
    """Everything that head holds weaker than base, with the approval it needs and has."""
    if facts.base is None:
        return ()
    found = [
        *_evaluations(facts, facts.base, facts.head),
        *_policies(facts, facts.base, facts.head),
    ]
    name, teams, count = _approval(facts, facts.base)
    by = tuple(sorted({a.by for a in facts.approvals if a.team in teams}))
    return (
        tuple(replace(one, approval=name, approved_by=by) for one in found)
        if count
        else (tuple(found))
    )


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for all that is loosened: waiting for approval, or warned and shown."""
    if not facts.loosened or facts.base is None:
        return
    name, teams, count = _approval(facts, facts.base)
    by = {a.by for a in facts.approvals if a.team in teams}
    words = "; ".join(f"{o.what} {o.before} -> {o.after}" for o in facts.loosened[:3])
    more = f"; {len(facts.loosened) - 3} more" if len(facts.loosened) > 3 else ""
    place = facts.loosened[0].place
    if count == 0:
        message = f"loosened, and base's policy asks for no approval: {words}{more}"
        yield Finding(INFO.id, "policy-looser", Outcome.WARNED, message, "", place, "base")
        return
    outcome = Outcome.WARNED if len(by) >= count else Outcome.INCONCLUSIVE
    has = f"{len(by)} of {count} approvals from {', '.join(teams)} ({name})"
    message = f"loosened: {words}{more}; has {has}"
    hint = "" if outcome is Outcome.WARNED else INFO.fix
    yield Finding(INFO.id, "policy-looser", outcome, message, hint, place, "base")


def _approval(facts: Facts, base: Graph) -> tuple[str, tuple[str, ...], int]:
    """The strictest approval that base's policies name: its name, teams and count."""
    asked = [
        (f"{policy.ref}/{a['name']}", tuple(a["from"]), int(a.get("count", 1)))
        for policy in base.of_kind("Policy")
        if applies(policy.spec, facts)
        for a in policy.spec.get("approvals", [])
        if a["when"] == "policy_looser"
    ]
    return max(asked, key=lambda a: a[2], default=("", (), 0))


def _evaluations(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    for old in base.of_kind("Evaluation"):
        target = use(old, "target").target
        if target not in head.specs:
            yield Loosened(
                str(old.ref), f"judges {target}", "its target is gone", _place(facts, old)
            )
        new = head.specs.get(old.ref)
        if new is None:
            yield Loosened(str(old.ref), "declared", "removed", _place(facts, old))
        else:
            yield from _evaluation(facts, old, new, base, head)


def _place(facts: Facts, old: Spec) -> str:
    return facts.place("base", old.ref, ("spec",))


def _evaluation(facts: Facts, old: Spec, new: Spec, base: Graph, head: Graph) -> Iterator[Loosened]:
    place = facts.place("head", new.ref, ("spec",))
    if use(old, "target").target != use(new, "target").target:
        before, after = use(old, "target").target, use(new, "target").target
        yield Loosened(f"{old.ref} target", str(before), str(after), place)
    if _cases(base, old) != _cases(head, new):
        yield Loosened(f"{old.ref} cases", *_cases_words(base, old, head, new), place)
    was, now = alpha_of(old.spec, base), alpha_of(new.spec, head)
    if now > was:
        yield Loosened(f"{old.ref} alpha", f"{was:g}", f"{now:g}", place)
    errors = [float(s.spec.get("on_case_error", {}).get("max", 0.0)) for s in (old, new)]
    if errors[1] > errors[0]:
        yield Loosened(f"{old.ref} on_case_error", f"{errors[0]:g}", f"{errors[1]:g}", place)
    for kind in ("checks", "slices"):
        yield from _entries(facts, old, new, kind)


def _cases(graph: Graph, evaluation: Spec) -> str:
    asked = generate.cases(graph, evaluation)
    generation = evaluation.spec.get("generation", {})
    return of_value([asked.made.job.closure, asked.part, asked.rows, asked.format, generation])


def _cases_words(base: Graph, old: Spec, head: Graph, new: Spec) -> tuple[str, str]:
    words = []
    for graph, spec in ((base, old), (head, new)):
        asked = generate.cases(graph, spec)
        rows = "all rows" if asked.rows is None else f"{asked.rows} rows"
        words.append(f"{rows} of {asked.dataset}#{asked.part} ({asked.made.job.closure[7:15]})")
    return words[0], words[1]


def _entries(facts: Facts, old: Spec, new: Spec, kind: str) -> Iterator[Loosened]:
    after = {entry["name"]: (i, entry) for i, entry in enumerate(new.spec.get(kind, []))}
    for entry in old.spec.get(kind, []):
        what = f"{old.ref}/{entry['name']}"
        if entry["name"] not in after:
            yield Loosened(
                what, "declared", "removed", facts.place("head", new.ref, ("spec", kind))
            )
            continue
        i, now = after[entry["name"]]
        place = facts.place("head", new.ref, ("spec", kind, i))
        for before, weaker in _weaker(entry, now):
            yield Loosened(what, before, weaker, place)


def _weaker(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each way in which `new` claims less than `old`, in words."""
    before, after = old.get("require", {}), new.get("require", {})
    if before and any(side not in after for side in before):
        yield bound_words(before), bound_words(after) or "no bound"
    elif before:
        lower = "min" in before and after["min"] < before["min"]
        higher = "max" in before and after["max"] > before["max"]
        if lower or higher:
            yield bound_words(before), bound_words(after)
    was, now = old.get("regression"), new.get("regression")
    if was is not None and now is None:
        yield f"regression margin {was['margin']:g}", "no regression"
    elif was is not None and now is not None:
        if now["margin"] > was["margin"]:
            yield f"regression margin {was['margin']:g}", f"margin {now['margin']:g}"
        if was.get("prove", False) and not now.get("prove", False):
            yield "prove: true", "prove: false"
    if old.get("pass_at") != new.get("pass_at") and not _raised(old, new):
        yield f"pass_at {old.get('pass_at')}", f"pass_at {new.get('pass_at')}"
    for key in sorted({*old, *new} - {"name", "require", "regression", "pass_at"}):
        if old.get(key) != new.get(key) and not _wider(key, old, new):
            yield f"{key} {_short(old.get(key))}", f"{_short(new.get(key))}"


def _raised(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return "pass_at" in old and "pass_at" in new and new["pass_at"] > old["pass_at"]


def _wider(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """More values of a slice are judged than before (no list means every value)."""
    if key != "values":
        return False
    return key not in new or (key in old and set(old[key]) <= set(new[key]))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _policies(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    for old in base.of_kind("Policy"):
        new = head.specs.get(old.ref)
        if new is None:
            yield Loosened(str(old.ref), "declared", "removed", _place(facts, old))
            continue
        place = facts.place("head", new.ref, ("spec",))
        for key in ("rules", "approvals"):
            yield from _policy_entries(old, new, key, place)
        rest = [
            k for k in sorted({*old.spec, *new.spec} - {"rules", "approvals"})
            if old.spec.get(k) != new.spec.get(k)
        ]  # fmt: skip
        for key in rest:
            before, after = _short(old.spec.get(key)), _short(new.spec.get(key))
            yield Loosened(f"{old.ref} {key}", before, after, place)


def _policy_entries(old: Spec, new: Spec, key: str, place: str) -> Iterator[Loosened]:
    after = {entry["name"]: entry for entry in new.spec.get(key, [])}
    for entry in old.spec.get(key, []):
        now = after.get(entry["name"])
        if now is None:
            yield Loosened(f"{old.ref}/{entry['name']}", "declared", "removed", place)
        elif _meaning(entry) != _meaning(now) and not _tighter_severity(entry, now):
            yield Loosened(f"{old.ref}/{entry['name']}", *_changed(entry, now), place)


def _meaning(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in entry.items() if k not in ("because", "controls")}


def _tighter_severity(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return {**_meaning(old), "severity": "error"} == _meaning(new)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, str]:
    keys = [k for k in sorted({*old, *new}) if old.get(k) != new.get(k)]
    before = ", ".join(f"{k} {_short(old.get(k))}" for k in keys)
    return before, ", ".join(f"{k} {_short(new.get(k))}" for k in keys)
