"""Kind `Evaluation`: what is measured on which cases, and the bounds that must hold.

Metrics, data and sample decide what runs; bounds (`require`, `regression`, `slices`, `pass_at`,
`alpha`, `on_case_error`) only judge kept rows, so a moved bound makes no job.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.diagnostics import nearest
from llmops.specs import claims, metrics
from llmops.specs.blocks import (
    LIST,
    Bound,
    CaseErrors,
    Column,
    Gap,
    NonEmpty,
    Number,
    Regression,
    Scalar,
    Share,
    Statistic,
    Verbatim,
)
from llmops.specs.fields import Block, Name, RefTo, field, group
from llmops.specs.problem import Loc, Problem, block, duplicates, items, listed, one_sided, quoted
from llmops.specs.prompt import Decoding


class Sample(Block):
    """How many cases; which ones follows from hashes of the cases."""

    rows: int = field(role=("generate", "evaluate"), doc="Cases at most.", ge=1)


class Check(Block):
    """One metric with its bounds."""

    name: Name = field(role=("evaluate",), doc="Name of the check; the gate's id ends in it.")
    metric: NonEmpty = field(role=("evaluate",), doc="<engine>/<metric>.")
    with_: Verbatim | None = field(
        None, role=("evaluate",), doc="Parameters of the metric.", alias="with"
    )
    pass_at: Number | None = field(
        None, role="gate", doc="Score from which a case passes, in the metric's unit."
    )
    statistic: Statistic | None = field(
        None, role="gate", doc="A percentile of the values is bounded, instead of their mean."
    )
    require: Bound | None = group(None, doc="The bound that must be shown.")
    regression: Regression | None = group(None, doc="The comparison with base.")


class Slice(Block):
    """A check on each value of a column, or on pairs of cases that differ in one thing."""

    name: Name = field(role="gate", doc="Name of the slice; the gate's id ends in it.")
    column: Column | None = field(None, role="gate", doc="The column whose values cut the cases.")
    pairs: Annotated[str, RefTo(("Dataset",), part="optional")] | None = field(
        None, role=("generate", "evaluate"), doc="Cases in pairs, by the columns pair and variant."
    )
    values: Annotated[tuple[Scalar, ...], LIST] | None = field(
        None, role="gate", doc="Only these values; without it every value.", min_length=1
    )
    check: Name = field(role="gate", doc="Name of the check.")
    require: Bound | None = group(None, doc="The bound that must be shown on each value.")
    regression: Regression | None = group(None, doc="The comparison with base on each value.")
    gap: Gap | None = group(None, doc="Between the values of the column, or the two of a pair.")


class Calibration(Block):
    """What the judge is measured on: rated answers (anchors) and planted control items."""

    dataset: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("evaluate",), doc="Rated rows: name#part of a Dataset of format ratings."
    )
    min_sensitivity: Share = field(
        role="gate", doc="Share of good answers that it must be shown to pass."
    )
    min_specificity: Share = field(
        role="gate", doc="Share of bad answers that it must be shown to fail."
    )
    max_control_errors: Share = field(
        0.1, role="gate", doc="Share of each sort of control items that it may judge wrong."
    )


class Judge(Block):
    """Who judges what cannot be computed; every answer is kept with the evidence."""

    model: Annotated[str, RefTo(("Model", "Recipe"), bare="Model")] = field(
        role=("evaluate",), doc="Model or Recipe/…: an endpoint, or weights that are loaded."
    )
    repeats: int = field(
        1, role=("evaluate",), doc="Times each case is judged; their mean counts.", ge=1, le=25
    )
    temperature: Number = field(0.0, role=("evaluate",), doc="Chance in the answers.", ge=0, le=2)
    max_tokens: int = field(
        1024, role=("evaluate",), doc="Length of an answer; what is cut is invalid.", ge=1
    )
    timeout_minutes: Number | None = field(
        None, role="placement", doc="Minutes after which the judging is stopped.", gt=0
    )
    calibration: Calibration | None = group(None, doc="How its errors are known.")


class Evaluation(Block):
    """What is measured, on what, and what must hold."""

    target: Annotated[str, RefTo(("Application", "Recipe", "Model"))] = field(
        role=("generate",), doc="What answers: Application/…, Recipe/… or Model/…"
    )
    dataset: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("generate", "evaluate"), doc="The cases: name#part of a Dataset."
    )
    engine: Literal["builtin", "deepeval"] | None = field(
        None, role=("evaluate",), doc="What runs the metrics, beside builtin ones."
    )
    sample: Sample | None = group(None, doc="How many cases; all without it.")
    generation: Decoding | None = group(None, doc="Decoding, over the prompt's own.")
    judge: Judge | None = group(None, doc="Who judges, for metrics that ask a judge.")
    checks: Annotated[tuple[Check, ...], LIST] = group(doc="What is measured.", min_length=1)
    slices: Annotated[tuple[Slice, ...], LIST] = group((), doc="Checks by column.")
    alpha: float | None = field(
        None, role="gate", doc="Error rate allowed to each claim.", gt=0, lt=0.5
    )
    on_case_error: CaseErrors | None = group(None, doc="Cases without a valid value.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: known metrics, one-sided bounds, slices of checks that are there."""
    yield from duplicates(spec, ("spec",), "checks", "slices")
    names = [e["name"] for _, e in items(spec, "checks") if isinstance(e.get("name"), str)]
    for i, entry in items(spec, "checks"):
        loc: Loc = ("spec", "checks", i)
        yield from metrics.check(entry, loc, metrics.OF_EVALUATIONS, "an Evaluation")
        yield from _engine(entry, spec, loc)
        yield from one_sided(entry, loc)
        yield from claims.check(entry, loc)
    yield from _judge(spec)
    yield from claims.of_percentiles(spec)
    for i, entry in items(spec, "slices"):
        yield from one_sided(entry, ("spec", "slices", i))
        yield from claims.slice_(entry, ("spec", "slices", i))
        yield from _of(entry.get("check"), names, ("spec", "slices", i, "check"))


def _engine(entry: Mapping[str, Any], spec: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    metric = entry.get("metric")
    foreign = isinstance(metric, str) and metric.startswith("deepeval/")
    if foreign and spec.get("engine") == "builtin":
        what = f"metric {quoted(metric)} does not belong to engine builtin"
        yield Problem((*loc, "metric"), "wrong-value", what, "write engine: deepeval")


def _judge(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """A judge where one is needed, and only there."""
    asking = [
        (i, entry["metric"])
        for i, entry in items(spec, "checks")
        if isinstance(entry.get("metric"), str) and entry["metric"] in metrics.JUDGED
    ]
    if asking and "judge" not in spec:
        i, metric = asking[0]
        what = f"metric {quoted(metric)} asks a judge, and none is named"
        hint = "add judge: {model: …}, a Model with an endpoint, or Recipe/…"
        yield Problem(("spec", "checks", i, "metric"), "missing-field", what, hint)
    elif not asking and "judge" in spec:
        hint = f"metrics that ask one are {listed(sorted(metrics.JUDGED), 11)}"
        what = "there is a judge, and no check asks it"
        yield Problem(("spec", "judge"), "unused-judge", what, hint, key=True)
    elif "calibration" in block(spec, "judge"):
        yield from _percentiles(spec)


def _percentiles(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """Anchors correct shares and means, but not where in the scores a percentile lies."""
    for i, entry in items(spec, "checks"):
        if "statistic" in entry and entry.get("metric") in metrics.JUDGED:
            what = "a percentile of judged scores cannot be corrected by anchors"
            hint = "write pass_at instead of statistic, and bound the share that passes"
            yield Problem(("spec", "checks", i, "statistic"), "untestable", what, hint, key=True)


def _of(name: Any, known: list[str], loc: Loc) -> Iterator[Problem]:
    if isinstance(name, str) and name not in known:
        near = nearest(name, known)
        hint = f'did you mean "{near}"?' if near else f"known are {listed(known)}"
        yield Problem(loc, "unknown-check", f"there is no check {quoted(name)}", hint)
