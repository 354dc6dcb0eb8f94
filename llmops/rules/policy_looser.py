"""Rule `policy-looser`: what head holds weaker than base, or can no longer be judged.

Compares gate by gate. A bound that moved has a direction; anything else that changes an exam (its
cases, its metrics, its error allowance) or a policy counts as looser, because nobody can show that
it is not. Base's version is judged as well, so loosening never helps the change
that brings it; it needs the approval that base's policy names for `policy_looser`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmops.digest import of_value
from llmops.graph.build import Graph
from llmops.jobs import generate
from llmops.jobs.gates import ALPHA, alpha_of, bound_words
from llmops.jobs.make import use
from llmops.rules.base import Finding, Loosened, Outcome
from llmops.rules.facts import Facts, Info, applies, covers, matches
from llmops.specs.base import Spec

INFO = Info(
    id="policy-looser",
    why="the change that lowers a bar must not be the one that jumps over it unseen",
    fix="ask for the approval that the policy of the target branch names",
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """An approval that base's policies ask for, and who gave it."""

    name: str
    teams: tuple[str, ...]
    count: int
    by: frozenset[str]

    @property
    def words(self) -> str:
        """`1 of 2 approvals from team-compliance (Policy/default/looser)`."""
        return (
            f"{len(self.by)} of {self.count} approvals from {', '.join(self.teams)} ({self.name})"
        )

    @property
    def given(self) -> bool:
        """Whether enough of them said yes."""
        return len(self.by) >= self.count


def loosened(facts: Facts) -> tuple[Loosened, ...]:
    """Everything that head holds weaker than base, with the approval it needs and has."""
    if facts.base is None:
        return ()
    found = (
        *_evaluations(facts, facts.base, facts.head),
        *_policies(facts, facts.base, facts.head),
    )
    asked = _approvals(facts, facts.base)
    names = ", ".join(one.name for one in asked)
    by = tuple(sorted({person for one in asked for person in one.by}))
    return tuple(replace(one, approval=names, approved_by=by) for one in dict.fromkeys(found))


def findings(facts: Facts) -> Iterator[Finding]:
    """One finding for all that is loosened: waiting for approval, or warned and shown."""
    if not facts.loosened or facts.base is None:
        return
    asked = _approvals(facts, facts.base)
    words = "; ".join(f"{o.what} {o.before} -> {o.after}" for o in facts.loosened[:3])
    more = f"; {len(facts.loosened) - 3} more" if len(facts.loosened) > 3 else ""
    place = facts.loosened[0].place
    if not asked:
        message = f"loosened, and base's policy asks for no approval: {words}{more}"
        yield Finding(INFO.id, "policy-looser", Outcome.WARNED, message, "", place, "base")
        return
    given = all(one.given for one in asked)
    outcome = Outcome.WARNED if given else Outcome.INCONCLUSIVE
    message = f"loosened: {words}{more}; has {' and '.join(one.words for one in asked)}"
    hint = "" if given else INFO.fix
    yield Finding(INFO.id, "policy-looser", outcome, message, hint, place, "base")


def _approvals(facts: Facts, base: Graph) -> tuple[_Asked, ...]:
    """The approvals that base's policies name: all of them are needed."""
    return tuple(
        _asked(facts, f"{policy.ref}/{a['name']}", a)
        for policy in base.of_kind("Policy")
        if applies(policy.spec, facts)
        for a in policy.spec.get("approvals", [])
        if a["when"] == "policy_looser"
    )


def _asked(facts: Facts, name: str, rule: Mapping[str, Any]) -> _Asked:
    """Who of the named teams agreed; an author's own word counts only with `allow_author`."""
    teams = tuple(rule["from"])
    said = {approval.by for approval in facts.approvals if approval.team in teams}
    counted = said if rule.get("allow_author", False) else said - facts.authors
    return _Asked(name, teams, int(rule.get("count", 1)), frozenset(counted))


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
    for what, before_words, after_words in _put(base, old, head, new):
        yield Loosened(f"{old.ref} {what}", before_words, after_words, place)
    yield from _expectations(facts, base, old, head)
    was, now = alpha_of(old.spec, base), alpha_of(new.spec, head)
    if now > was:
        yield Loosened(f"{old.ref} alpha", f"{was:g}", f"{now:g}", place)
    errors = [float(s.spec.get("on_case_error", {}).get("max", 0.0)) for s in (old, new)]
    if errors[1] > errors[0]:
        yield Loosened(f"{old.ref} on_case_error", f"{errors[0]:g}", f"{errors[1]:g}", place)
    for kind in ("checks", "slices"):
        yield from _entries(facts, old, new, kind)


def _put(base: Graph, old: Spec, head: Graph, new: Spec) -> Iterator[tuple[str, str, str]]:
    """Other cases, fewer of them, or other decoding: nobody can show that they are no easier."""
    before, after = generate.cases(base, old), generate.cases(head, new)
    was, now = _content(before), _content(after)
    fewer = after.rows is not None and (before.rows is None or after.rows < before.rows)
    if was != now:
        yield "cases", f"{_rows(before)} ({was[7:15]})", f"{_rows(after)} ({now[7:15]})"
    elif fewer:
        yield "sample", _rows(before), _rows(after)
    if old.spec.get("generation") != new.spec.get("generation"):
        yield "generation", _short(old.spec.get("generation")), _short(new.spec.get("generation"))


def _rows(asked: generate.Cases) -> str:
    rows = "all rows" if asked.rows is None else f"{asked.rows} rows"
    return f"{rows} of {asked.dataset}#{asked.part}"


def _content(asked: generate.Cases) -> str:
    """Digest of all that decides a part's rows; a part that is given stands in one source alone."""
    job = asked.made.job
    data = {k: v for k, v in job.spec["dataset"].items() if k != "expectations"}
    sources = {i.name.removeprefix("source/"): i.digest for i in job.inputs}
    splits = data["splits"]
    if splits["method"] == "given":
        named = splits["parts"][asked.part]
        data["splits"], sources = None, {named: sources[named]}
        data["sources"] = [s for s in data["sources"] if s["name"] == named]
    return of_value([data, asked.part, sources])


def _expectations(facts: Facts, base: Graph, old: Spec, head: Graph) -> Iterator[Loosened]:
    """What base expects of the asked rows' Dataset and head no longer does."""
    ref = use(old, "dataset").target
    before = base.specs[ref].spec.get("expectations", [])
    after = head.specs[ref].spec.get("expectations", []) if ref in head.specs else before
    gone = [e for e in before if e not in after]
    if gone:
        new = [e for e in after if e not in before]
        place = facts.place("head", ref, ("spec", "expectations"))
        words = _short(new) if new else "removed"
        yield Loosened(f"{ref} expectations", _short(gone), words, place)


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
        for key in sorted({*old.spec, *new.spec} - {"rules", "approvals"}):
            if old.spec.get(key) != new.spec.get(key) and not _tighter(key, old.spec, new.spec):
                before, after = _short(old.spec.get(key)), _short(new.spec.get(key))
                yield Loosened(f"{old.ref} {key}", before, after, place)
        yield from _unlabelled(facts, old, new, base, head)


def _tighter(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a policy asks more than before: less error, no mercy, for more applications."""
    if key == "alpha":
        return float(new.get(key, ALPHA)) <= float(old.get(key, ALPHA))
    if key == "on_inconclusive":
        return bool(new.get(key, "fail") == "fail")
    labels = [spec.get(key, {}).get("labels", {}).items() for spec in (old, new)]
    return bool(labels[1] <= labels[0])


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
        yield Loosened(str(old.ref), "applies", "applies to nothing", _place(facts, old))


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
    if "when" not in old:
        return {**before, "severity": "error"} == after
    more = after["count"] >= before["count"] and after["allow_author"] <= before["allow_author"]
    same = {**before, "count": after["count"], "allow_author": after["allow_author"]} == after
    return bool(more and same)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, str]:
    keys = [k for k in sorted({*old, *new}) if old.get(k) != new.get(k)]
    before = ", ".join(f"{k} {_short(old.get(k))}" for k in keys)
    return before, ", ".join(f"{k} {_short(new.get(k))}" for k in keys)
