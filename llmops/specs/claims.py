"""What the claims of a check and of a slice may say together, whatever they are measured by.

In: one raw entry of `checks` or `slices`. Out: problems. Bounds are held against the range of their
metric later, in `jobs/bounds.py`, where metrics have one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.specs.problem import Loc, Problem, quoted


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
