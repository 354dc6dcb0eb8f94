"""Kind `SafetyTest`: attacks and changed inputs put to a target, and the bounds that must hold.

A suite is a scan by giskard (detectors look for weaknesses, transformations change each case and
compare the answers) or a bank of prompts that should be refused or answered. Data, detectors and
transformations decide what runs; bounds and `fail_on` only judge what was kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Literal

from llmops.diagnostics import nearest
from llmops.specs import claims, metrics
from llmops.specs.blocks import (
    LIST,
    SET,
    Bound,
    CaseErrors,
    Language,
    NonEmpty,
    Number,
    Regression,
    Statistic,
    Verbatim,
)
from llmops.specs.fields import Block, Name, RefTo, field, group
from llmops.specs.problem import (
    Loc,
    Problem,
    block,
    duplicates,
    items,
    listed,
    one_of,
    one_sided,
    quoted,
)
from llmops.specs.prompt import Parameters

Detector = Literal[
    "text_perturbation",
    "ethical_bias",
    "performance_bias",
    "data_leakage",
    "overconfidence",
    "underconfidence",
    "stochasticity",
    "spurious_correlation",
    "prompt_injection",
]
Transformation = Literal[
    "typos",
    "uppercase",
    "lowercase",
    "titlecase",
    "punctuation",
    "accents",
    "gender",
    "religion",
    "country",
]


class Giskard(Block):
    """Detectors and transformations of giskard over the rows of a dataset."""

    detectors: Annotated[tuple[Detector, ...], SET] = field(
        (), role=("scan",), doc="What looks for weaknesses; a finding has a severity."
    )
    transformations: Annotated[tuple[Transformation, ...], SET] = field(
        (), role=("scan",), doc="Changes of a case that should not change the answer."
    )
    dataset: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("scan",), doc="The cases: name#part of a Dataset."
    )
    rows: int | None = field(None, role=("scan",), doc="Cases at most.", ge=1)


class Bank(Block):
    """Prompts that should be refused, or should not be."""

    dataset: Annotated[str, RefTo(("Dataset",), part="optional")] = field(
        role=("generate", "evaluate"), doc="A Dataset of the format attack."
    )
    rows: int | None = field(None, role=("generate", "evaluate"), doc="Prompts at most.", ge=1)
    min_per_class: int | None = field(
        None, role="gate", doc="Fewest prompts of each value of the column risk.", ge=1
    )


class Suite(Block):
    """One set of attacks; one key names the engine."""

    name: Name = field(role="gate", doc="Name of the suite; findings are told under it.")
    gate: bool = field(True, role="gate", doc="false: it is reported and decides nothing.")
    giskard: Giskard | None = group(None, doc="A scan by giskard.")
    bank: Bank | None = group(None, doc="A static bank of prompts.")


class Check(Block):
    """One metric of one suite with its bounds."""

    name: Name = field(
        role=("evaluate", "scan"), doc="Name of the check; the gate's id ends in it."
    )
    suite: Name = field(role=("evaluate", "scan"), doc="Name of the suite whose cases count.")
    metric: NonEmpty = field(role=("evaluate", "scan"), doc="<engine>/<metric>.")
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


class FailOn(Block):
    """Which findings fail whatever the rates are."""

    severity: Literal["high", "medium", "low"] = field(
        role="gate", doc="One finding as grave as this fails."
    )


class SafetyTest(Block):
    """Attack and refusal suites against one target."""

    target: Annotated[str, RefTo(("Application", "Recipe", "Model"))] = field(
        role=("generate", "scan"), doc="What is attacked: Application/…, Recipe/… or Model/…"
    )
    languages: Annotated[tuple[Language, ...], SET] = field(
        ("en",), role=("scan",), doc="Languages of the cases; words are swapped only in these.",
        min_length=1,
    )  # fmt: skip
    generation: Parameters | None = group(None, doc="Decoding, over the prompt's own.")
    suites: Annotated[tuple[Suite, ...], LIST] = group(doc="What is tried.", min_length=1)
    checks: Annotated[tuple[Check, ...], LIST] = group((), doc="What must hold of the suites.")
    fail_on: FailOn | None = group(None, doc="Findings that fail by themselves.")
    alpha: float | None = field(
        None, role="gate", doc="Error rate allowed to each claim.", gt=0, lt=0.5
    )
    on_case_error: CaseErrors | None = group(None, doc="Cases without a valid value.")


def check(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """What types cannot say: one engine a suite, checks of suites and metrics that are there."""
    yield from duplicates(spec, ("spec",), "suites", "checks")
    for i, suite in items(spec, "suites"):
        yield from one_of(suite, ("spec", "suites", i), ("giskard", "bank"), ("results",))
        yield from _asks(suite, ("spec", "suites", i, "giskard"))
    suites = {s["name"]: s for _, s in items(spec, "suites") if isinstance(s.get("name"), str)}
    for i, entry in items(spec, "checks"):
        loc: Loc = ("spec", "checks", i)
        yield from _of(entry, suites, loc)
        yield from one_sided(entry, loc)
        yield from claims.check(entry, loc)
    yield from _unjudged(spec)


def _asks(suite: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """A scan that asks for nothing would pass whatever the target does."""
    scan = block(suite, "giskard")
    if scan and not scan.get("detectors") and not scan.get("transformations"):
        what = "a scan without detectors and transformations finds nothing"
        yield Problem(
            loc, "missing-field", what, 'add "detectors:" or "transformations:"', key=True
        )


def _of(
    entry: Mapping[str, Any], suites: Mapping[str, Mapping[str, Any]], loc: Loc
) -> Iterator[Problem]:
    """A check names a suite that is there, and a metric that this suite gives."""
    name = entry.get("suite")
    if isinstance(name, str) and name not in suites:
        near = nearest(name, suites)
        hint = f'did you mean "{near}"?' if near else f"known are {listed(suites) or 'none'}"
        yield Problem((*loc, "suite"), "unknown-suite", f"there is no suite {quoted(name)}", hint)
    known = isinstance(name, str) and name in suites
    offered = _offered(suites[name]) if known else tuple(metrics.METRICS)  # type: ignore[index]
    yield from metrics.check(entry, loc, offered, f"suite {quoted(name)}")


def _offered(suite: Mapping[str, Any]) -> Collection[str]:
    """The metrics that a suite gives."""
    if "bank" in suite:
        return metrics.OF_BANKS
    asked = block(suite, "giskard").get("transformations")
    named = [t for t in asked if isinstance(t, str)] if isinstance(asked, list) else []
    return [f"giskard/{t}" for t in named if t in metrics.TRANSFORMATIONS]


def _unjudged(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """A suite that should decide and that nothing judges gives false comfort."""
    judged = [entry.get("suite") for _, entry in items(spec, "checks")]
    for i, suite in items(spec, "suites"):
        name, bank = suite.get("name"), "bank" in suite
        scan = block(suite, "giskard")
        reported = suite.get("gate") is False or bool(spec.get("fail_on") and scan.get("detectors"))
        asks = bank or scan.get("detectors") or scan.get("transformations")
        if isinstance(name, str) and asks and name not in judged and (bank or not reported):
            what = f"nothing {'measures' if bank else 'judges'} suite {quoted(name)}"
            other = "" if bank else ", or fail_on for its detectors, or write gate: false"
            yield Problem(
                ("spec", "suites", i, "name"), "unjudged", what, f"add a check of it{other}"
            )
