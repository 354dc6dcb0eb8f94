"""Every gate with an interval against its bound, in one drawing: claims, gaps, differences.

Each row says twice what was decided: by the one-sided bound, and by the measured number alone, as
a regulation reads it. Gates without an interval stand in the tables only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import ceil, floor, isfinite

from llmops.reports import charts, verdict_words, words
from llmops.reports.content import Block, Figure
from llmops.reports.teller import Teller, minus
from llmops.rules.base import Finding

_MOST, _PAGE = 120, 30  # rows in all; rows of one drawing, which is about a printed page
_COMPARED = re.compile(r"/regression(?=\[|$)")  # in the gate of a check, or of a slice's value
Bars = Callable[[Teller, Finding], charts.Bar]


def figures(told: Teller) -> Iterator[Block]:
    """The drawing; more than one where there are more gates than fit a page."""
    rows = [row for group in _groups(told) for row in ((group, bar) for bar in group.bars)]
    shown = rows[:_MOST]
    for start in range(0, len(shown), _PAGE):
        heads = tuple(map(told.say, ("c_value", "by_bound", "by_number")))
        part = _regrouped(shown[start : start + _PAGE])
        yield Figure(charts.grouped(told.say("gates_chart"), part, heads))


def _regrouped(rows: Sequence[tuple[charts.Group, charts.Bar]]) -> list[charts.Group]:
    kept: dict[str, list[charts.Bar]] = {}
    named = {group.name: group for group, _ in rows}
    for group, bar in rows:
        kept.setdefault(group.name, []).append(bar)
    return [
        charts.Group(name, tuple(bars), named[name].low, named[name].high)
        for name, bars in kept.items()
    ]


def _groups(told: Teller) -> Iterator[charts.Group]:
    """Shares on one scale, then gaps, then differences from base, then other units, each apart."""
    found = verdict_words.by_weight(told.report.verdict.findings)
    claims = [f for f in found if f.rule not in ("regression", "gap") and _drawable(f.interval, f)]
    shares = [_claim(told, f) for f in claims if _is_share(f)]
    if shares:
        edges = [edge for bar in shares for edge in _edges(bar)]
        low, high = floor(10 * min(edges)) / 10, ceil(10 * max(edges)) / 10
        yield charts.Group(told.say("group_shares"), tuple(shares), max(low, 0.0), min(high, 1.0))
    for rule, name, bars in (
        ("gap", "group_gaps", _gap), ("regression", "group_differences", _difference)
    ):  # fmt: skip
        apart = [f for f in found if f.rule == rule and _drawable(f.difference_interval, f)]
        if apart:
            yield _around_zero(told.say(name), [bars(told, f) for f in apart])
    for finding in [f for f in claims if not _is_share(f)][:6]:
        bar = _claim(told, finding)
        room = (max(_edges(bar)) - min(_edges(bar))) * 0.15 or 1.0
        scale = told.say("group_own", scale=finding.metric)
        yield charts.Group(scale, (bar,), min(_edges(bar)) - room, max(_edges(bar)) + room)


def _drawable(interval: tuple[float, float] | None, finding: Finding) -> bool:
    return interval is not None and all(map(isfinite, (*interval, finding.value or 0.0)))


def _is_share(finding: Finding) -> bool:
    return all(0 <= edge <= 1 for edge in (finding.value or 0.0, *(finding.interval or ())))


def _edges(bar: charts.Bar) -> tuple[float, ...]:
    return (bar.low, bar.high, bar.value, *bar.bounds)


def _around_zero(name: str, bars: Sequence[charts.Bar]) -> charts.Group:
    room = max(0.02, *(abs(edge) for bar in bars for edge in _edges(bar))) * 1.15
    return charts.Group(name, tuple(bars), -room, room)


def _claim(told: Teller, finding: Finding) -> charts.Bar:
    low, high = finding.interval or (0.0, 0.0)
    at = tuple(value for _, value in bounds(finding.bound))
    shown = words.number(finding.value or 0.0, words.places_of(finding.value or 0.0, finding.bound))
    return charts.Bar(
        label(told, finding), finding.outcome.word, finding.value or 0.0, low, high, at,
        minus(shown), (_by_bound(told, finding), _by_number(told, finding)),
    )  # fmt: skip


def _gap(told: Teller, finding: Finding) -> charts.Bar:
    most = [value for _, value in bounds(finding.bound)]
    return _apart(told, finding, tuple(x for value in most for x in (-value, value)))


def _difference(told: Teller, finding: Finding) -> charts.Bar:
    way = worse(told, finding)
    return _apart(told, finding, tuple(way * value for _, value in bounds(finding.bound)))


def _apart(told: Teller, finding: Finding, at: tuple[float, ...]) -> charts.Bar:
    value = finding.difference or 0.0
    low, high = finding.difference_interval or (value, value)
    return charts.Bar(
        label(told, finding), finding.outcome.word, value, low, high, at,
        minus(words.signed(value)), (_by_bound(told, finding), ("", "–")),
    )  # fmt: skip


def _by_bound(told: Teller, finding: Finding) -> tuple[str, str]:
    word = finding.assured or finding.unwaived or finding.outcome.word
    waived = told.say("waived_mark") if finding.waived_by else ""
    return word, f"{told.say(word)}{waived}"


def _by_number(told: Teller, finding: Finding) -> tuple[str, str]:
    return (finding.literal, told.say(finding.literal)) if finding.literal else ("", "–")


def label(told: Teller, finding: Finding) -> str:
    """What a row is called: without the kind, and without what all gates share."""
    every = verdict_words.common_subject(told.report.verdict.findings)
    gate = _COMPARED.sub("", name(told, finding))
    return verdict_words.short_gate(gate.removeprefix(f"{every}/") if every else gate)


def name(told: Teller, finding: Finding) -> str:
    """A gate's id, with whose it is where both sides judged it."""
    both = finding.gate in verdict_words.twice(told.report.verdict.findings)
    if both and finding.judged_by == "base":
        return told.say("gates_of_base", gate=finding.gate)
    return finding.gate


def bounds(bound: str) -> Iterator[tuple[str, float]]:
    """`min 0.8 max 0.9` -> (min, 0.8), (max, 0.9)."""
    given = bound.split()
    for side, value in zip(given[::2], given[1::2], strict=False):
        try:
            yield side, float(value)
        except ValueError:
            return


def worse(told: Teller, finding: Finding) -> int:
    """On which side of zero a loss lies: above it where the check's own bound is a maximum."""
    gate = _COMPARED.sub("", finding.gate)
    required = [f for f in told.report.verdict.findings if f.rule == "require"]
    asker = gate.rpartition("/")[0]
    grouped = finding.gate.endswith("]")  # of a slice, which has no bound of its own
    alike = [f for f in required if f.metric == finding.metric and f.gate.startswith(f"{asker}/")]
    claims = [f for f in required if f.gate == gate] or (alike if grouped else [])
    own = [f for f in claims if f.judged_by == finding.judged_by] or claims
    return 1 if any([side for side, _ in bounds(f.bound)] == ["max"] for f in own) else -1
