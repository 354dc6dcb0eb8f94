"""Kind `Release`: how traffic moves to a new version, what is watched, and what turns it back.

Steps in the words of Argo Rollouts (`setWeight`, `pause`, `analysis`); an analysis compares the
new version with a baseline by templates of this Release. Everything is checked when it is
declared and protected like any bound: weakening an analysis needs the approval for loosening. No
command moves traffic yet; `llmops validate` and `llmops plan` say so wherever one is declared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.diagnostics import did_you_mean
from llmops.specs.blocks import LIST, NonEmpty, Number, Share, form
from llmops.specs.fields import Block, Name, RefTo, field, group
from llmops.specs.problem import (
    Loc,
    Problem,
    block,
    duplicates,
    items,
    listed,
    once,
    one_of,
    quoted,
)

Duration = Annotated[str, form(r"^[1-9]\d*[smhd]$", "a duration, as in 30m, 2h or 1d")]
MetricName = Annotated[
    str, form(r"^[A-Za-z0-9_]+([./-][A-Za-z0-9_]+)+$", "a metric, as in otel/refusal_rate")
]
Kept = Annotated[
    str, form(r"^keep_[1-9]\d*_days$", "keep_ and a number of days, as in keep_30_days")
]
STEPS = ("setWeight", "pause", "analysis")
BOUNDS = ("max_ratio", "max", "min")
WATCHES = ("drift", "refresh", "metric")


class Pause(Block):
    """Wait: for a time, or for a person to say go."""

    duration: Duration | None = field(
        None, role="gate", doc="How long; without it until a person says go."
    )


class Analyse(Block):
    """Measure for a while; the step ends well when every template passes."""

    templates: Annotated[tuple[Name, ...], LIST] = field(
        role="gate", doc="Names of `analysis` below.", min_length=1
    )
    duration: Duration = field(role="gate", doc="How long it is measured.")


class Step(Block):
    """One step; one key names it."""

    setWeight: int | None = field(
        None, role="gate", doc="Per cent of users on the new version.", ge=0, le=100
    )
    pause: Pause | None = group(None, doc="Wait.")
    analysis: Analyse | None = group(None, doc="Measure.")


class Analysis(Block):
    """One thing that must hold while traffic moves."""

    name: Name = field(role="gate", doc="Name that steps refer to.")
    metric: MetricName = field(role="gate", doc="What is measured, by its telemetry name.")
    statistic: Literal["mean", "p50", "p90", "p95", "p99"] | None = field(
        None, role="gate", doc="Which number of a distribution."
    )
    compare: Literal["baseline"] | None = field(
        None, role="gate", doc="Against the old version at the same time."
    )
    max_ratio: Number | None = field(
        None, role="gate", doc="New over old at most; needs compare.", gt=0
    )
    max: Number | None = field(None, role="gate", doc="Highest value that still holds.")
    min: Number | None = field(None, role="gate", doc="Lowest value that still holds.")
    unit: NonEmpty | None = field(None, role="gate", doc="Unit of the bound, as in s.")
    alpha: float | None = field(
        None, role="gate", doc="Error rate allowed to the claim.", gt=0, lt=0.5
    )
    window_hours: Number | None = field(None, role="gate", doc="Hours looked back.", gt=0)


class Canary(Block):
    """Traffic in steps, each measured before the next."""

    split_by: Literal["user", "session", "header"] = field(
        role="gate", doc="What is kept together; a request alone would split conversations."
    )
    steps: Annotated[tuple[Step, ...], LIST] = group(doc="In order.", min_length=1)
    analysis: Annotated[tuple[Analysis, ...], LIST] = group((), doc="What is measured.")
    baseline: Literal["fresh"] = field(
        "fresh", role="gate", doc="A fresh copy of the old version, of equal size."
    )
    on_inconclusive: Literal["hold", "extend"] = field(
        "hold", role="gate", doc="What an undecided analysis does."
    )
    on_fail: Literal["rollback"] = field("rollback", role="gate", doc="What a failed one does.")
    max_hold_hours: Number | None = field(
        None, role="gate", doc="Hours of holding after which it is rolled back.", gt=0
    )


class Variant(Block):
    """One of the versions that are compared."""

    prompt: Annotated[str, RefTo(("Prompt",))] = field(role="gate", doc="What it is told.")
    weight: int = field(role="gate", doc="Per cent of users.", ge=1, le=99)


class Primary(Block):
    """The one number that decides, declared before the first look."""

    metric: MetricName = field(role="gate", doc="What is measured.")
    min_effect: Number = field(role="gate", doc="Smallest difference that matters.", gt=0)
    power: Share = field(0.8, role="gate", doc="Chance to see an effect that is there.")
    alpha: float = field(0.05, role="gate", doc="Error rate allowed.", gt=0, lt=0.5)


class Ab(Block):
    """Two or more versions side by side."""

    variants: Annotated[tuple[Variant, ...], LIST] = group(doc="What is compared.", min_length=2)
    primary: Primary = group(doc="What decides.")
    stop_after_days: int = field(role="gate", doc="Days after which it ends.", ge=1)


class Strategy(Block):
    """How traffic moves; one key names it."""

    canary: Canary | None = group(None, doc="In measured steps.")
    ab: Ab | None = group(None, doc="Side by side.")


class Rollback(Block):
    """The way back."""

    to: Literal["last_verified"] = field("last_verified", role="gate", doc="Where it goes.")
    max_seconds: int | None = field(None, role="gate", doc="Seconds it may take.", ge=1)
    drill_every_days: int | None = field(None, role="gate", doc="How often it is tried.", ge=1)


class Lifecycle(Block):
    """What becomes of versions."""

    previous: Kept | None = field(None, role="static", doc="How long the old one is kept.")
    successor: Annotated[str, RefTo(("Release",))] | None = field(
        None, role="static", doc="The Release that takes over."
    )


class Drift(Block):
    """A change of the inputs against the rows that were learned."""

    of: Literal["embedding_cluster"] = field(role="gate", doc="What is watched.")
    reference: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role="gate", doc="name#part of a Dataset."
    )
    mean_days_between_false_alarms: Number = field(
        role="gate", doc="How seldom it may cry wolf.", gt=0
    )


class Monitor(Block):
    """What is watched after the last step; one of `drift`, `refresh` and `metric` names it."""

    name: Name = field(role="gate", doc="Name of the monitor.")
    drift: Drift | None = group(None, doc="Inputs that change.")
    refresh: Annotated[str, RefTo(("Dataset",))] | None = field(
        None, role="gate", doc="A Dataset that must not grow old."
    )
    max_age_days: int | None = field(None, role="gate", doc="How old it may be.", ge=1)
    metric: MetricName | None = field(None, role="gate", doc="A number of the telemetry.")
    max: Number | None = field(None, role="gate", doc="Highest value of the metric.")
    min: Number | None = field(None, role="gate", doc="Lowest value of the metric.")
    max_usd_per_day: Number | None = field(
        None, role="gate", doc="What the metric may cost a day.", gt=0
    )
    every: Duration | None = field(None, role="gate", doc="How often it is looked at.")
    on_alarm: Literal["open_pull_request", "open_issue", "fail_main"] = field(
        role="gate", doc="What an alarm does."
    )


class Release(Block):
    """How traffic moves to an Application, and what is watched."""

    application: Annotated[str, RefTo(("Application",))] = field(
        role="static", doc="What is released."
    )
    environments: Annotated[tuple[Annotated[str, RefTo(("Environment",))], ...], LIST] = field(
        role="static", doc="Where, in order.", min_length=1
    )
    strategy: Strategy = group(doc="How traffic moves.")
    rollback: Rollback | None = group(None, doc="The way back.")
    lifecycle: Lifecycle | None = group(None, doc="What becomes of versions.")
    monitors: Annotated[tuple[Monitor, ...], LIST] = group((), doc="What is watched afterwards.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: one branch, growing weights, templates that are there, bounds."""
    yield from duplicates(spec, ("spec",), "monitors")
    yield from once(spec.get("environments"), ("spec", "environments"))
    yield from one_of(spec.get("strategy"), ("spec", "strategy"), ("canary", "ab"))
    yield from _canary(block(spec, "strategy", "canary"), ("spec", "strategy", "canary"))
    yield from _shares(block(spec, "strategy", "ab"), ("spec", "strategy", "ab", "variants"))
    for i, monitor in items(spec, "monitors"):
        yield from _monitor(monitor, ("spec", "monitors", i))


def _canary(canary: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    yield from duplicates(canary, loc, "analysis")
    for i, one in items(canary, "analysis"):
        yield from _analysis(one, (*loc, "analysis", i))
    names = [
        one["name"] for _, one in items(canary, "analysis") if isinstance(one.get("name"), str)
    ]
    for i, step in items(canary, "steps"):
        yield from one_of(step, (*loc, "steps", i), STEPS)
        yield from _templates(step, names, (*loc, "steps", i, "analysis", "templates"))
    yield from _weights(canary, loc)
    yield from _unused(canary, names, loc)


def _analysis(one: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Exactly one bound, and a ratio only of two versions."""
    yield from one_of(one, loc, BOUNDS)
    if one.get("max_ratio") is not None and one.get("compare") is None:
        what = "max_ratio compares with nothing"
        yield Problem((*loc, "max_ratio"), "missing-field", what, "add compare: baseline", key=True)
    if one.get("compare") is not None and one.get("max_ratio") is None:
        what = "compare: baseline has no max_ratio to hold"
        yield Problem((*loc, "compare"), "missing-field", what, "add max_ratio:", key=True)


def _templates(step: Mapping[str, Any], names: list[str], loc: Loc) -> Iterator[Problem]:
    asked = block(step, "analysis").get("templates")
    for i, name in enumerate(asked if isinstance(asked, list) else ()):
        if isinstance(name, str) and name not in names:
            known = f"known are {listed(names)}" if names else "declare it under analysis"
            what = f"there is no analysis {quoted(name)}"
            hint = did_you_mean(name, names, otherwise=known)
            yield Problem((*loc, i), "unknown-template", what, hint)


def _weights(canary: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Weights grow, end at 100, and the last of them is measured before."""
    last, measured = -1, False
    for i, step in items(canary, "steps"):
        weight, at = step.get("setWeight"), (*loc, "steps", i, "setWeight")
        measured |= step.get("analysis") is not None
        if not isinstance(weight, int) or isinstance(weight, bool):
            continue
        if weight <= last:
            what = f"setWeight {weight} does not grow: it is {last} before"
            yield Problem(at, "wrong-value", what, "weights of a canary only grow")
        if weight == 100 and not measured:
            what = "all traffic moves before anything was measured"
            hint = "put an analysis step before setWeight: 100"
            yield Problem(at, "wrong-value", what, hint)
        last = max(last, weight)
    if last != 100 and canary.get("steps"):
        what = f"the steps end at {max(last, 0)} per cent of traffic"
        yield Problem((*loc, "steps"), "wrong-value", what, "end with setWeight: 100", key=True)


def _unused(canary: Mapping[str, Any], names: list[str], loc: Loc) -> Iterator[Problem]:
    """An analysis that no step asks for would be taken for a safeguard."""
    asked = [block(step, "analysis").get("templates") for _, step in items(canary, "steps")]
    used = [name for found in asked if isinstance(found, list) for name in found]
    for i, one in items(canary, "analysis"):
        if one.get("name") in names and one["name"] not in used:
            what = f"no step asks for the analysis {quoted(one['name'])}"
            hint = "name it in the templates of a step, or remove it"
            yield Problem((*loc, "analysis", i, "name"), "unused-template", what, hint)


def _shares(ab: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    weights = [variant.get("weight") for _, variant in items(ab, "variants")]
    whole = [w for w in weights if isinstance(w, int) and not isinstance(w, bool)]
    if weights and len(whole) == len(weights) and sum(whole) != 100:
        what = f"the weights of the variants add up to {sum(whole)}"
        yield Problem(loc, "wrong-value", what, "they must add up to 100", key=True)


NEEDS = {
    "refresh": ("max_age_days",),
    "metric": ("max", "min", "max_usd_per_day"),
}


def _monitor(monitor: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """One thing is watched, with the bounds that belong to it and no others."""
    yield from one_of(monitor, loc, WATCHES)
    for watched, bounds in NEEDS.items():
        given = [name for name in bounds if monitor.get(name) is not None]
        if monitor.get(watched) is not None and not given:
            what = f"a monitor by {watched} needs {listed(bounds)}"
            yield Problem((*loc, watched), "missing-field", what, "add one of them", key=True)
        for name in given if monitor.get(watched) is None else ():
            what = f'"{name}" belongs to a monitor by {watched}'
            yield Problem((*loc, name), "wrong-value", what, "remove it", key=True)
