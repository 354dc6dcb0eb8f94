"""A policy's tests: the real rules over made-up rows, in the tree that the policy stands in.

In: a tree, and what a test plants (fields that change, things that are gone, counts of right
cases). Out: what the rules found beside what the test expects. Base is the tree as it stands, head
the tree as the test changes it, so a lowered bound needs its approval here as in a pull request.
Rows are made up and without a fault unless the test counts otherwise; no model runs, and no test
reaches a verdict. Waivers are left out, so that a test says the same on every day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.diagnostics import did_you_mean, printable
from llmops.digest import of_bytes
from llmops.graph.build import Graph
from llmops.graph.planted import PlantError, Soil, planted
from llmops.jobs.base import Proof, Side, TreeName
from llmops.jobs.exam import Exam, exams, made_of
from llmops.jobs.gates import alpha_of
from llmops.jobs.metrics import METRICS
from llmops.jobs.parts import Part
from llmops.jobs.plan import Trees, plan
from llmops.rules.base import Finding, Outcome, Verdict
from llmops.rules.claims import scale_of
from llmops.rules.facts import Facts, Row
from llmops.rules.verdict import INFOS, judge
from llmops.rules.waiver import gates_of, is_known
from llmops.specs.base import Ref, Spec
from llmops.statistics.binomial import smallest_passing_count

ANCHORS = 8_000  # rated rows of a judge, half of them good
LEAST, MOST = 1_000, 64_000  # cases of an exam that no test counts
THERE = "1970-01-01T00:00:00Z"  # waivers are left out, so the day decides nothing
KEPT = Proof(of_bytes(b"made up"), "ok", used={"wall_seconds": 1.0}, finished_at=THERE)
SIDES: tuple[Side, ...] = ("base", "head")
HERE = TreeName("this tree", "0" * 40)


@dataclass(frozen=True, slots=True)
class Line:
    """One expectation of one test: `gate` is "" for the verdict as a whole."""

    test: str  # Policy/name/test
    gate: str
    expected: str
    got: str  # an outcome's word, or "" where the test itself is wrong
    message: str
    place: str = ""

    @property
    def held(self) -> bool:
        """Whether the rules found what was expected."""
        return self.got == self.expected


@dataclass(frozen=True, slots=True)
class Stage:
    """Where tests are played: the tree, its CODEOWNERS and other texts, base without waivers."""

    soil: Soil
    owners: tuple[str, ...]
    base: Graph
    text: Callable[[str], str | None]


def rehearse(
    soil: Soil,
    owners: tuple[str, ...] = (),
    wanted: Sequence[str] = (),
    text: Callable[[str], str | None] = lambda _path: None,
) -> tuple[Line, ...]:
    """Every line of every test of a tree's policies, or of the tests that are named."""
    stage = Stage(soil, owners, _without_waivers(soil.graph), text)
    return tuple(
        line
        for policy in soil.graph.of_kind("Policy")
        for i, test in enumerate(policy.spec.get("tests", ()))
        if not wanted or {test["name"], f"{policy.ref}/{test['name']}"} & set(wanted)
        for line in _lines(stage, policy, i, test)
    )


def _lines(stage: Stage, policy: Spec, i: int, test: Mapping[str, Any]) -> list[Line]:
    soil, base = stage.soil, stage.base
    name = f"{policy.ref}/{test['name']}"
    place = str(soil.span(policy.ref, ("spec", "tests", i, "name")))
    expected = test["expect"] if isinstance(test["expect"], dict) else {"": test["expect"]}
    try:
        head = _without_waivers(planted(soil, test.get("set", {}), test.get("remove", ())))
        counts = _counts(test.get("counts", {}), head, base)
        verdict = judge(_facts(stage, head, counts), judged_at=THERE, tool_version="")
        got = [_found(verdict, gate, policy.ref, (base, head)) for gate in expected]
    except PlantError as error:
        return [Line(name, gate, word, "", str(error), place) for gate, word in expected.items()]
    return [
        Line(name, gate, word, outcome, message, place)
        for (gate, word), (outcome, message) in zip(expected.items(), got, strict=True)
    ]


def _without_waivers(graph: Graph) -> Graph:
    specs = {
        ref: replace(spec, value={**spec.value, "spec": {**spec.spec, "waivers": []}})
        if spec.spec.get("waivers")
        else spec
        for ref, spec in graph.specs.items()
    }
    return Graph(specs, graph.files)


# ---- what was found ---------------------------------------------------------------------------


def _found(
    verdict: Verdict, gate: str, policy: Ref, graphs: tuple[Graph, Graph]
) -> tuple[str, str]:
    """The outcome and the words of a gate, a rule or ("") the verdict. PlantError: unknown."""
    if not gate:
        return verdict.outcome.word, _worst(verdict.findings)
    own = [f for f in verdict.findings if gate in _names(f, policy)]
    if own:
        return max(f.outcome for f in own).word, _worst(own)
    known = {*gates_of(graphs[0]), *gates_of(graphs[1])}
    if gate in INFOS or gate in known or f"{policy}/{gate}" in known:
        return Outcome.PASSED.word, "nothing was found"
    hint = did_you_mean(gate, sorted({*INFOS, *known}))
    what = f'no gate or rule is called "{printable(gate)}"'
    raise PlantError(f"{what}; {hint}" if hint else what)


def _names(finding: Finding, policy: Ref) -> tuple[str, ...]:
    """A finding by its gate, by a slice without its value, by its rule, by an entry's own name."""
    gate = finding.gate
    return gate, re.sub(r"\[[^\]]*\]$", "", gate), finding.rule, gate.removeprefix(f"{policy}/")


def _worst(found: Sequence[Finding]) -> str:
    return max(found, key=lambda f: f.outcome).message if found else "nothing was found"


# ---- made-up rows -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Count:
    """So many cases right, of so many; of one value of a slice, if named."""

    right: int
    of: int


def _counts(given: Mapping[str, Any], *graphs: Graph) -> Mapping[str, _Count]:
    """The counts of a test by gate. PlantError for a gate without rows."""
    known = {gate for graph in graphs for gate in gates_of(graph)}
    for gate in given:
        if not is_known(gate, known):
            hint = did_you_mean(gate, sorted(known))
            what = f'no gate is called "{printable(gate)}"'
            raise PlantError(f"{what}; {hint}" if hint else what)
    return {gate: _Count(one["right"], one["of"]) for gate, one in given.items()}


def _facts(stage: Stage, head: Graph, counts: Mapping[str, _Count]) -> Facts:
    base, soil = stage.base, stage.soil
    asked = exams(base, head)
    rows: dict[str, Sequence[Row]] = {}
    said: dict[str, Sequence[Row]] = {}
    rated: dict[str, Sequence[Row]] = {}
    counted: set[str] = set()
    for exam in asked:
        made = _rows(exam, counts, counted, base)
        for one in (exam.head, exam.base, exam.before):
            if one is not None:
                rows.setdefault(one.job.closure, made)
                said.setdefault(one.job.closure, _detectors(exam.part, len(made)))
                rated.setdefault(one.job.closure, _anchors(exam.part))
    if left := sorted(counts.keys() - counted):
        raise PlantError(f'"{printable(left[0])}" has no rows that could be counted')
    proven = {made.job.closure: KEPT for side in SIDES for made in made_of(asked, side)}
    planned = plan(base, head, (), proven, Trees(HERE, HERE, HERE.tree), asked=asked)
    return Facts(
        base=base, head=head, plan=planned, exams=asked, proven=proven, rows=rows.get,
        findings=said.get, anchors=rated.get, owners=stage.owners, digests=_asked_there,
        text=stage.text,
        place=lambda _side, ref, loc: str(soil.span(ref, loc)),
    )  # fmt: skip


def _rows(
    exam: Exam, counts: Mapping[str, _Count], counted: set[str], judging: Graph
) -> Sequence[Row]:
    """The rows of one exam: without a fault, but for the checks and slices that are counted."""
    part, asker = exam.part, str(exam.asker.ref)
    own = {c.given["name"]: counts.get(f"{asker}/{c.given['name']}") for c in part.checks}
    counted |= {f"{asker}/{name}" for name, count in own.items() if count is not None}
    groups = list(_groups(part, asker, counts, counted))
    sizes = {count.of for count in own.values() if count is not None}
    if len(sizes) > 1 or (sizes and groups):
        raise PlantError(f"{asker}: its checks and slices share rows, so count one of them alone")
    rows: list[Row] = []
    for column, value, check, count in groups:
        first, told = len(rows), {column: value}
        rows += [_row(part, first + i, i, {check: count}, told) for i in range(count.of)]
    columns = _columns(part, {(column, value) for column, value, *_ in groups})
    spread = max((len(values) for values in columns.values()), default=1)
    size = next(iter(sizes)) if sizes else _enough(part, judging) * spread
    for i in range(size):
        told = {column: values[i % len(values)] for column, values in columns.items() if values}
        rows.append(_row(part, len(rows), i, own, told))
    return rows


def _groups(
    part: Part, asker: str, counts: Mapping[str, _Count], counted: set[str]
) -> Iterator[tuple[str, str, str, _Count]]:
    """Values of slices that a test counts: column, value, check, count."""
    for entry in part.slices:
        one = entry.given
        name, values = f"{asker}/{one['name']}", [str(v) for v in one.get("values", ())]
        for gate, count in counts.items():
            value = gate.removeprefix(f"{name}[").removesuffix("]")
            if gate == name and len(values) == 1:
                value = values[0]
            elif gate == name or not gate.startswith(f"{name}["):
                continue
            if "column" in one:
                counted.add(gate)
                yield one["column"], value, one["check"], count


def _columns(part: Part, taken: set[tuple[str, str]]) -> Mapping[str, list[str]]:
    """The values that rows have in each column that a slice reads; counted ones are left out."""
    found: dict[str, list[str]] = {}
    for entry in part.slices:
        if column := entry.given.get("column"):
            some = ["one", "other"] if "gap" in entry.given else ["any"]
            values = [str(v) for v in entry.given.get("values", ())] or some
            known = found.setdefault(column, [])
            known += [v for v in values if v not in known and (column, v) not in taken]
    return found


def _enough(part: Part, judging: Graph) -> int:
    """So many cases without a fault that every bound of a part can be shown."""
    alpha = alpha_of(part, judging) / (8 if _judged(part) else 1)  # room for the correction
    entries = (*part.checks, *part.slices)
    lows = [float(e.given.get("require", {}).get("min", 0.0)) for e in entries]
    highs = [1.0 - float(e.given.get("require", {}).get("max", 1.0)) for e in entries]
    wanted = max((t for t in (*lows, *highs) if 0.0 < t < 1.0), default=0.0)
    size = max(LEAST, part.classes or 0)
    while size < MOST and smallest_passing_count(size, wanted, alpha) is None:
        size *= 2
    return size


def _judged(part: Part) -> tuple[str, ...]:
    """The checks of a part that a judge is asked for."""
    return tuple(str(e.given["name"]) for e in part.checks if METRICS[e.given["metric"]].judged)


def _anchors(part: Part) -> Sequence[Row]:
    """Rated rows on which a judge makes no mistake: a test is about the policy, not the judge."""
    names = _judged(part)
    return [
        {
            "id": f"rated-{i}", "case": of_bytes(f"rated {i}".encode()), "control": None,
            "rating": float(i % 2), "cells": {
                name: {"value": float(i % 2), "valid": True, "repeats": []} for name in names
            },
        }
        for i in range(ANCHORS if names else 0)
    ]  # fmt: skip


def _row(
    part: Part, number: int, i: int, counts: Mapping[str, _Count | None],
    columns: Mapping[str, str],
) -> Row:  # fmt: skip
    cells = {}
    for entry in part.checks:
        count = counts.get(entry.given["name"])
        good = count is None or i < count.right
        value = _value(entry.given, good)
        cells[entry.given["name"]] = {"value": value, "valid": True, "reason": "", "applies": True}
    pair = {"pair": f"p{number // 2}", "variant": "ab"[number % 2], "risk": "any"}
    return {
        "id": f"made-{number}", "case": of_bytes(str(number).encode()), "input": "made up",
        "expected": "", "response": "", "columns": {**pair, **columns}, "cells": cells,
    }  # fmt: skip


def _value(check: Mapping[str, Any], good: bool) -> float:
    """A value on the side of a check that it wants, or on the other."""
    metric, bound = METRICS[check["metric"]], check.get("require", {})
    if "statistic" in check and bound:
        (side, edge), *_ = bound.items()
        past = (abs(edge) + 1) * (1 if side == "max" else -1)
        return float(edge) if good else _inside(metric.lower, metric.upper, edge + past)
    wanted = good if scale_of(check).better == "higher" else not good
    if "pass_at" in check:
        edge = float(check["pass_at"])
        return edge if wanted else _inside(metric.lower, metric.upper, edge - abs(edge) - 1)
    high = metric.upper if metric.upper is not None else (metric.lower or 0.0) + 1
    low = metric.lower if metric.lower is not None else high - 1
    return high if wanted else low


def _inside(low: float | None, high: float | None, value: float) -> float:
    value = value if low is None else max(low, value)
    return value if high is None else min(high, value)


def _asked_there(closure: str, part: str) -> Sequence[tuple[str, str]]:
    """What the rows of a curated part ask: one question of its own for each part."""
    return [(f"{closure} {part}", "made-0")]


def _detectors(part: Part, cases: int) -> Sequence[Row]:
    """What the detectors of a scan would say that found nothing."""
    named = part.given.get("giskard", {}).get("detectors", ())
    return [
        {"detector": name, "status": "ok", "reason": "", "cases": cases, "errors": 0,
         "findings": []}
        for name in named
    ]  # fmt: skip
