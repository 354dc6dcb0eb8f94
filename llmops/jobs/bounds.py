"""Graph -> diagnostics: every bound is one that its metric's values can meet and can miss.

A bound outside the range of its metric is a mistake; one at the end of the range always holds, so
it claims nothing, and that is warned of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.diagnostics import Diagnostic, Severity
from llmops.graph.build import SpanOf
from llmops.jobs.metrics import METRICS, Metric
from llmops.specs.base import Spec

SHARE = Metric("binary")
Loc = tuple[str | int, ...]


def of_check(spec: Spec, loc: Loc, given: Mapping[str, Any], span: SpanOf) -> Iterator[Diagnostic]:
    """What is wrong with the bounds of one check."""
    metric = METRICS.get(str(given["metric"]))
    if metric is None:
        return
    said = _Said(spec, str(given["metric"]), span)
    if metric.kind == "unbounded" and not {"pass_at", "statistic"} & given.keys():
        yield from _untestable(said, loc, given)
        return
    if metric.kind == "binary" and "statistic" in given:
        what = "every case is right or wrong, so a percentile of them says nothing"
        yield said.at((*loc, "statistic"), "wrong-value", what, "bound the share: remove statistic")
    if "pass_at" in given:
        yield from _pass_at(said, loc, float(given["pass_at"]), metric)
    yield from claims(said, loc, given, SHARE if "pass_at" in given else metric)


def of_slice(
    spec: Spec, loc: Loc, given: Mapping[str, Any], check: Mapping[str, Any], span: SpanOf
) -> Iterator[Diagnostic]:
    """What is wrong with the bounds of one slice of a check."""
    metric = METRICS.get(str(check["metric"]))
    if metric is None:
        return
    said, scale = _Said(spec, str(check["metric"]), span), SHARE if "pass_at" in check else metric
    if scale.kind == "unbounded" and "statistic" not in check:
        yield from _untestable(said, loc, given)
    else:
        yield from claims(said, loc, given, scale)


def of_share(spec: Spec, loc: Loc, given: Mapping[str, Any], span: SpanOf) -> Iterator[Diagnostic]:
    """What is wrong with the bounds of something that counts cases."""
    yield from claims(_Said(spec, "a share of cases", span), loc, given, SHARE)


class _Said:
    """Whose bounds they are, and of what, to tell about them."""

    def __init__(self, spec: Spec, name: str, span: SpanOf) -> None:
        self.spec, self.name, self.span = spec, name, span

    def at(
        self, loc: Loc, rule: str, what: str, hint: str, severity: Severity = Severity.ERROR
    ) -> Diagnostic:
        """A diagnostic at a place of the spec."""
        return Diagnostic(self.span(self.spec.ref, loc), rule, what, hint, severity)

    def outside(self, loc: Loc, what: str, scale: Metric) -> Diagnostic:
        """A number that no value of the metric can have."""
        upper = "any height" if scale.upper is None else f"{scale.upper:g}"
        hint = f"its values lie in {scale.lower or 0:g} to {upper}"
        return self.at(loc, "outside-range", what, hint)

    def nothing(self, loc: Loc, what: str) -> Diagnostic:
        """A bound that holds whatever is measured."""
        hint = "a bound that nothing can miss protects nobody; move it or remove it"
        return self.at(loc, "claims-nothing", what, hint, Severity.WARNING)


def _untestable(said: _Said, loc: Loc, given: Mapping[str, Any]) -> Iterator[Diagnostic]:
    """A mean without a range cannot be shown to clear a bound at any number of cases."""
    for key in ("require", "regression", "gap"):
        if key in given:
            what = f"{said.name} has no upper limit, so no number of cases can show its mean"
            hint = (
                "give the check statistic: p95, so that the percentile is bounded, or pass_at, so"
                " that each case passes or not, and bound the share that passes"
            )
            yield said.at((*loc, key), "untestable", what, hint)
            return


def _pass_at(said: _Said, loc: Loc, value: float, metric: Metric) -> Iterator[Diagnostic]:
    low, high = metric.lower, metric.upper
    at = (*loc, "pass_at")
    if (low is not None and value < low) or (high is not None and value > high):
        yield said.outside(at, f"pass_at {value:g} is no value that {said.name} can have", metric)
    elif low is not None and value == low:
        yield said.nothing(at, f"pass_at {value:g} is the lowest {said.name}: every case passes")


def claims(said: _Said, loc: Loc, given: Mapping[str, Any], scale: Metric) -> Iterator[Diagnostic]:
    """What is wrong with the bounds of one entry, on its scale."""
    for side, value in given.get("require", {}).items():
        yield from _bound(said, (*loc, "require", side), side, float(value), scale)
    for key, field, verb in (("regression", "margin", "get worse"), ("gap", "max", "differ")):
        if key in given and scale.lower is not None and scale.upper is not None:
            width, most = scale.upper - scale.lower, float(given[key][field])
            if most > width:
                what = f"{said.name} cannot {verb} by {most:g}"
                yield said.outside((*loc, key, field), what, scale)
            elif most == width:
                what = f"{said.name} cannot {verb} by more than {most:g}"
                yield said.nothing((*loc, key, field), what)


def _bound(said: _Said, at: Loc, side: str, value: float, scale: Metric) -> Iterator[Diagnostic]:
    low, high = scale.lower, scale.upper
    if (low is not None and value < low) or (high is not None and value > high):
        what = f"{side} {value:g} is no value that {said.name} can have"
        yield said.outside(at, what, scale)
    elif value == (low if side == "min" else high):
        yield said.nothing(at, f"{said.name} {side} {value:g} always holds")
