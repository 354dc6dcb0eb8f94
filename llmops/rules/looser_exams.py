"""Evaluations, SafetyTests and guardrail tests that ask less than base's, part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.digest import of_value
from llmops.graph.build import Graph
from llmops.jobs import evaluate, generate
from llmops.jobs.gates import alpha_of, bound_words
from llmops.jobs.make import use
from llmops.jobs.parts import ASKERS, Part, dataset_of, parts, target_of
from llmops.rules.base import Loosened
from llmops.rules.claims import scale_of
from llmops.rules.facts import Facts
from llmops.rules.fail_on import SEVERITIES
from llmops.rules.looser import at_base, short
from llmops.specs.base import Spec


@dataclass(frozen=True, slots=True)
class _Asked:
    """One part of one side's spec."""

    graph: Graph
    spec: Spec
    part: Part

    @property
    def cases(self) -> generate.Cases:
        """What it asks."""
        return generate.cases(self.graph, dataset_of(self.spec, self.part), self.part.rows)


def loosened(facts: Facts, base: Graph, head: Graph) -> Iterator[Loosened]:
    """What head's askers ask less than base's."""
    for kind in ASKERS:
        for old in base.of_kind(kind):
            if old.ref.kind == "Guardrail" and not parts(old):
                continue
            target = target_of(old)
            if target not in head.specs and target != old.ref:
                yield Loosened(
                    str(old.ref), f"judges {target}", "its target is gone", at_base(facts, old)
                )
            new = head.specs.get(old.ref)
            if new is None:
                yield Loosened(str(old.ref), "declared", "removed", at_base(facts, old))
            else:
                yield from _spec(facts, old, new, base, head)


def _spec(facts: Facts, old: Spec, new: Spec, base: Graph, head: Graph) -> Iterator[Loosened]:
    place = facts.place("head", new.ref, ("spec",))
    if target_of(old) != target_of(new):
        yield Loosened(f"{old.ref} target", str(target_of(old)), str(target_of(new)), place)
    if old.spec.get("generation") != new.spec.get("generation"):
        before, after = short(old.spec.get("generation")), short(new.spec.get("generation"))
        yield Loosened(f"{old.ref} generation", before, after, place)
    spoken = [set(s.spec.get("languages", ())) for s in (old, new)]
    if gone := ", ".join(sorted(spoken[0] - spoken[1])):
        yield Loosened(f"{old.ref} languages", gone, "removed", place)
    yield from _judge(facts, _Bench(base, old), _Bench(head, new))
    errors = [float(s.spec.get("on_case_error", {}).get("max", 0.0)) for s in (old, new)]
    if errors[1] > errors[0]:
        yield Loosened(f"{old.ref} on_case_error", f"{errors[0]:g}", f"{errors[1]:g}", place)
    now = {part.name: part for part in parts(new)}
    for part in parts(old):
        if part.name in now:
            before_, after_ = _Asked(base, old, part), _Asked(head, new, now[part.name])
            yield from _part(facts, before_, after_)
        else:
            yield Loosened(f"{old.ref}/{part.name}", "declared", "removed", place)


@dataclass(frozen=True, slots=True)
class _Bench:
    """Who judges for one side's spec, and what decides each judgement."""

    graph: Graph
    spec: Spec

    @property
    def meaning(self) -> str:
        """Digest of the judge as its job gets it; of nobody, of nothing."""
        bench = evaluate.judge(self.graph, self.spec)
        given = [[i.name, i.job, i.digest] for i in bench.inputs]
        return of_value([bench.payload, given]) if bench.payload else ""

    @property
    def words(self) -> str:
        """The judge's name and how often it is asked."""
        given = self.spec.spec.get("judge")
        if given is None:
            return "none"
        repeats = f", {given['repeats']} times" if given["repeats"] > 1 else ""
        return f"{use(self.spec, 'judge', 'model').target}{repeats} ({self.meaning[7:15]})"


def _judge(facts: Facts, old: _Bench, new: _Bench) -> Iterator[Loosened]:
    """Another judge: nobody can show that it is no milder."""
    if old.spec.ref.kind == "Evaluation" and old.meaning not in ("", new.meaning):
        place = facts.place("head", new.spec.ref, ("spec", "judge"))
        yield Loosened(f"{old.spec.ref} judge", old.words, new.words, place)
    yield from _calibration(facts, old, new)


def _calibration(facts: Facts, old: _Bench, new: _Bench) -> Iterator[Loosened]:
    """A judge whose errors are less well known, or may be more."""
    was, now = (b.spec.spec.get("judge", {}).get("calibration") for b in (old, new))
    if was is None:
        return
    what, at = f"{old.spec.ref} judge.calibration", ("spec", "judge")
    if now is None:
        yield Loosened(what, "declared", "removed", facts.place("head", new.spec.ref, at))
        return
    place = facts.place("head", new.spec.ref, (*at, "calibration"))
    for key in ("min_sensitivity", "min_specificity", "max_control_errors"):
        lower, higher = now[key] < was[key], now[key] > was[key]
        if higher if key.startswith("max") else lower:
            yield Loosened(f"{what}.{key}", f"{was[key]:g}", f"{now[key]:g}", place)
    rated = [evaluate.anchors(b.graph, b.spec) for b in (old, new)]
    if rated[0] and rated[1] and _content(rated[0]) != _content(rated[1]):
        words = [f"{_rows(r)} ({_content(r)[7:15]})" for r in rated if r]
        yield Loosened(f"{what}.dataset", words[0], words[1], place)


def _part(facts: Facts, old: _Asked, new: _Asked) -> Iterator[Loosened]:
    name = f"{old.spec.ref}/{old.part.name}" if old.part.name else str(old.spec.ref)
    place = facts.place("head", new.spec.ref, new.part.loc)
    for what, before, after in (*_put(old, new), *_suite(old.part, new.part)):
        yield Loosened(f"{name} {what}", before, after, place)
    was, now = alpha_of(old.part, old.graph), alpha_of(new.part, new.graph)
    if now > was:
        yield Loosened(f"{name} alpha", f"{was:g}", f"{now:g}", place)
    for kind in ("checks", "slices"):
        yield from _entries(facts, old, new, kind)


def _put(old: _Asked, new: _Asked) -> Iterator[tuple[str, str, str]]:
    """Other cases or fewer of them: nobody can show that they are no easier."""
    before, after = old.cases, new.cases
    was, now = _content(before), _content(after)
    fewer = after.rows is not None and (before.rows is None or after.rows < before.rows)
    if was != now:
        yield "cases", f"{_rows(before)} ({was[7:15]})", f"{_rows(after)} ({now[7:15]})"
    elif fewer:
        yield "sample", _rows(before), _rows(after)


def _suite(old: Part, new: Part) -> Iterator[tuple[str, str, str]]:
    """What a suite or a test asks less than before, beside its cases and its checks."""
    if old.way != new.way:
        yield "engine", old.way, new.way
        return
    if old.gating and not new.gating:
        yield "gate", "true", "false"
    if old.fail_on is not None and (
        new.fail_on is None or SEVERITIES.index(new.fail_on) > SEVERITIES.index(old.fail_on)
    ):
        yield "fail_on", old.fail_on, new.fail_on or "nothing"
    if (new.classes or 0) < (old.classes or 0):
        yield "min_per_class", f"{old.classes}", f"{new.classes or 'none'}"
    before, after = old.given.get("giskard", {}), new.given.get("giskard", {})
    for key in ("detectors", "transformations"):
        if gone := sorted(set(before.get(key, ())) - set(after.get(key, ()))):
            yield key, ", ".join(gone), "removed"
    stages = [part.given.get("stage", "input") for part in (old, new)]
    if stages[0] != stages[1]:
        yield "stage", stages[0], stages[1]


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


def _entries(facts: Facts, old: _Asked, new: _Asked, kind: str) -> Iterator[Loosened]:
    after = {entry.given["name"]: entry for entry in new.part.entries(kind)}
    for entry in old.part.entries(kind):
        what = f"{old.spec.ref}/{entry.given['name']}"
        now = after.get(entry.given["name"])
        if now is None:
            place = facts.place("head", new.spec.ref, ("spec", kind))
            yield Loosened(what, "declared", "removed", place)
            continue
        place = facts.place("head", new.spec.ref, now.loc)
        for before, weaker in _weaker(entry.given, now.given):
            yield Loosened(what, before, weaker, place)
        if kind == "checks" and entry.given["name"] in _compared(old.part):
            yield from _turned(what, entry.given, now.given, place)


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
    if old.get("statistic") != new.get("statistic") and not _stricter(old, new):
        yield f"statistic {old.get('statistic')}", f"statistic {new.get('statistic')}"
    yield from _wider_gap(old, new)
    told = {"name", "require", "regression", "pass_at", "statistic", "gap", "pairs"}
    for key in sorted({*old, *new} - told):
        if old.get(key) != new.get(key) and not _wider(key, old, new):
            yield f"{key} {short(old.get(key))}", f"{short(new.get(key))}"


def _wider_gap(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    was, now = old.get("gap"), new.get("gap")
    if was is None:
        return
    if now is None:
        yield f"gap max {was['max']:g}", "no gap"
        return
    if now["max"] > was["max"]:
        yield f"gap max {was['max']:g}", f"max {now['max']:g}"
    if was.get("prove", False) and not now.get("prove", False):
        yield "gap prove: true", "prove: false"


def _compared(part: Part) -> set[str]:
    """The checks that are compared with base, as a whole or by a slice."""
    whole = {e.given["name"] for e in part.checks if "regression" in e.given}
    return whole | {e.given["check"] for e in part.slices if "regression" in e.given}


def _turned(
    what: str, old: Mapping[str, Any], new: Mapping[str, Any], place: str
) -> Iterator[Loosened]:
    """A regression that takes the other side for the better one."""
    before, after = (scale_of(check).better for check in (old, new))
    if before != after:
        yield Loosened(what, f"regression: {before} is better", f"{after} is better", place)


def _raised(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return "pass_at" in old and "pass_at" in new and new["pass_at"] > old["pass_at"]


def _stricter(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """A higher percentile under a maximum, a lower one over a minimum: it implies the old claim."""
    if not ("statistic" in old and "statistic" in new):
        return False
    higher = bool(new["statistic"] > old["statistic"])
    return higher if "max" in old.get("require", {}) else not higher


def _wider(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """More values of a slice are judged than before (no list means every value)."""
    if key != "values":
        return False
    return key not in new or (key in old and set(old[key]) <= set(new[key]))
