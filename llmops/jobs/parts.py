"""Asking specs -> Parts: what an Evaluation, a SafetyTest or a Guardrail's test asks, in one shape.

An Evaluation is one part without a name, whose checks are its own and those that constraints of the
target's Prompt make, and one more for each slice that compares pairs: those are
cases of another dataset, on which every check is measured and only the gap is claimed. A SafetyTest
is one part for each suite, a Guardrail one for each of its tests: each with cases of its own, so
each is an exam of its own. What is claimed stands in `checks` and `slices` with its place, in the
words of an Evaluation's checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llmops.jobs.make import use
from llmops.specs.base import Ref, Reference, Spec

Loc = tuple[str | int, ...]
Way = Literal["evaluate", "bank", "scan", "guard"]
ASKERS = ("Evaluation", "SafetyTest", "Guardrail")


@dataclass(frozen=True, slots=True)
class Entry:
    """One declared claim: where it stands and what it says (name, metric, require, ...)."""

    loc: Loc
    given: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is asked of a target: how, on which cases, with which claims.

    `rows`: at most so many cases. `given`: the suite or test as declared. `gating` is False for a
    suite that is only reported. `classes`: rows that each class of a bank must have. `fail_on`:
    the severity from which one finding fails.
    """

    name: str
    way: Way
    loc: Loc
    dataset: Loc
    rows: int | None = None
    checks: tuple[Entry, ...] = ()
    slices: tuple[Entry, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    alpha: float | None = None
    gating: bool = True
    classes: int | None = None
    fail_on: str | None = None

    @property
    def decides(self) -> bool:
        """Whether anything is claimed that can fail: what is only measured or reported cannot."""
        bounds = ("require", "regression", "gap")
        claimed = any(b in e.given for e in (*self.checks, *self.slices) for b in bounds)
        return self.gating and (claimed or bool(self.classes or self.fail_on))

    @property
    def compares(self) -> bool:
        """Whether it is asked for the gaps within its pairs alone: its checks claim nothing."""
        return any("pairs" in entry.given for entry in self.slices)

    def entries(self, kind: str) -> tuple[Entry, ...]:
        """The claims of one kind: `checks` or `slices`."""
        return self.checks if kind == "checks" else self.slices

    def check(self, name: str) -> Mapping[str, Any]:
        """The check of one name. KeyError if there is none."""
        found: Mapping[str, Any] = next(e.given for e in self.checks if e.given["name"] == name)
        return found


def parts(spec: Spec) -> tuple[Part, ...]:
    """What a spec asks; nothing for kinds that ask nothing."""
    return tuple(_PARTS[spec.ref.kind](spec)) if spec.ref.kind in _PARTS else ()


def target_of(spec: Spec) -> Ref:
    """What is asked: the target of an Evaluation or SafetyTest; a Guardrail is its own."""
    return spec.ref if spec.ref.kind == "Guardrail" else use(spec, "target").target


def dataset_of(spec: Spec, part: Part) -> Reference:
    """The cases that a part asks."""
    return use(spec, *part.dataset)


def _evaluation(spec: Spec) -> Iterator[Part]:
    yield Part(
        "",
        "evaluate",
        ("spec",),
        ("dataset",),
        spec.spec.get("sample", {}).get("rows"),
        (*_entries(spec, "checks"), *(Entry(loc, given) for loc, given in spec.derived)),
        tuple(e for e in _entries(spec, "slices") if "pairs" not in e.given),
        alpha=spec.spec.get("alpha"),
    )
    for entry in _entries(spec, "slices"):
        if "pairs" in entry.given:
            yield _pairs(spec, entry)


def _pairs(spec: Spec, entry: Entry) -> Part:
    """All pairs of a slice, whose cases are asked apart from the Evaluation's own."""
    return Part(
        str(entry.given["name"]),
        "evaluate",
        entry.loc,
        (*entry.loc[1:], "pairs"),
        checks=tuple(_measured(one) for one in _entries(spec, "checks")),
        slices=(entry,),
        alpha=spec.spec.get("alpha"),
    )


def _measured(check: Entry) -> Entry:
    """A check without what it claims of its own cases."""
    kept = {k: v for k, v in check.given.items() if k not in ("require", "regression")}
    return Entry(check.loc, kept)


def _entries(spec: Spec, key: str) -> tuple[Entry, ...]:
    return tuple(Entry(("spec", key, i), e) for i, e in enumerate(spec.spec.get(key, ())))


def _suites(spec: Spec) -> Iterator[Part]:
    checks = _entries(spec, "checks")
    for i, suite in enumerate(spec.spec["suites"]):
        way: Way = "scan" if "giskard" in suite else "bank"
        key = "giskard" if way == "scan" else "bank"
        gating = bool(suite.get("gate", True))
        severity = spec.spec.get("fail_on", {}).get("severity")
        yield Part(
            str(suite["name"]),
            way,
            ("spec", "suites", i),
            ("suites", i, key, "dataset"),
            suite[key].get("rows"),
            tuple(e for e in checks if e.given["suite"] == suite["name"]),
            given=suite,
            alpha=spec.spec.get("alpha"),
            gating=gating,
            classes=suite[key].get("min_per_class"),
            fail_on=severity if gating and suite[key].get("detectors") else None,
        )


def _tests(spec: Spec) -> Iterator[Part]:
    for i, test in enumerate(spec.spec.get("tests", ())):
        said = {
            "name": test["name"],
            "metric": f"guardrail/{test['expect']}",
            "require": test["require"],
        }
        yield Part(
            str(test["name"]),
            "guard",
            ("spec", "tests", i),
            ("tests", i, "dataset"),
            test.get("sample", {}).get("rows"),
            (Entry(("spec", "tests", i), said),),
            given=test,
            alpha=test.get("alpha"),
        )


_PARTS = {"Evaluation": _evaluation, "SafetyTest": _suites, "Guardrail": _tests}
