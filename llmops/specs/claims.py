"""What the claims of a check and of a slice may say together, whatever they are measured by.

In: one raw entry of `checks` or `slices`. Out: problems. Bounds are held against the range of their
metric later, in `jobs/bounds.py`, where metrics have one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.specs.problem import Loc, Problem, items, listed, one_of, quoted


def check(entry: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """A percentile is bounded by `require` alone: it is neither a share nor compared with base."""
    statistic = entry.get("statistic")
    if statistic is None:
        return
    if "pass_at" in entry:
        what = "pass_at counts cases, and statistic looks at their values; only one of them may be"
        yield Problem((*loc, "statistic"), "one-of", what, "keep one of them", key=True)
    if "regression" in entry:
        what = f"the change of {quoted(statistic)} cannot be tested case by case"
        hint = "compare a share: another check with pass_at and regression"
        yield Problem((*loc, "regression"), "untestable", what, hint, key=True)
    if "require" not in entry:
        what = f"{quoted(statistic)} is not bounded"
        hint = "add require: {max: …}, or remove statistic"
        yield Problem((*loc, "statistic"), "missing-field", what, hint, key=True)


def slice_(entry: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """A slice cuts by a column or reads pairs, and claims something of what it finds."""
    yield from one_of(entry, loc, ("column", "pairs"))
    if "pairs" in entry:
        yield from _pairs(entry, loc)
    elif not any(bound in entry for bound in BOUNDS):
        what = f"slice {quoted(entry.get('name'))} bounds nothing"
        yield Problem(loc, "missing-field", what, f"add one of {listed(BOUNDS)}", key=True)


BOUNDS = ("require", "regression", "gap")


def _pairs(entry: Mapping[str, Any], loc: Loc) -> Iterator[Problem]:
    """Pairs have a gap, and nothing that belongs to the values of a column."""
    if "gap" not in entry:
        what = f"slice {quoted(entry.get('name'))} compares pairs, and no gap bounds them"
        yield Problem(loc, "missing-field", what, "add gap: {max: …}", key=True)
    for name in ("require", "regression", "values"):
        if name in entry:
            what = f"pairs are compared with each other, so {quoted(name)} says nothing of them"
            hint = "put it on a slice by column, or on a check of an Evaluation of these cases"
            yield Problem((*loc, name), "one-of", what, hint, key=True)


def of_percentiles(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """Slices of a percentile are bounded value by value: no percentile is compared."""
    percentiles = [one.get("name") for _, one in items(spec, "checks") if "statistic" in one]
    for i, entry in items(spec, "slices"):
        for name in ("regression", "gap"):
            if name in entry and entry.get("check") in percentiles:
                what = f"check {quoted(entry['check'])} bounds a percentile, which has no {name}"
                hint = "compare a share: a slice of a check with pass_at"
                yield Problem(("spec", "slices", i, name), "untestable", what, hint, key=True)
