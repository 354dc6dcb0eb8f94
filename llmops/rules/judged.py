"""Claims on what a judge graded, with the judge's own errors in the bound.

In: the cells of a judged check, and the rated rows (`anchors.jsonl`) that the same judge graded
among the cases. Out: a Claim on what people would have said, and how good the judge is. A share is
decided on bounds corrected by sensitivity and specificity (Rogan and Gladen, at exact bounds of all
three); a mean on the judge's scores plus what people said beyond it, block by block.

A judge that is not shown to be good enough, that cannot tell good from bad, or that gets known
answers wrong too often decides nothing: inconclusive, never failed, for it says nothing about the
target. An invalid cell of an anchor counts as one of a case does: within what `on_case_error`
allows as the worst value, beyond that it decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmops.jobs.metrics import METRICS
from llmops.rules.asked import Asked
from llmops.rules.base import JudgeQuality, Outcome
from llmops.rules.claims import Cell, Claim, Question, cells, decide, ordered, sides
from llmops.rules.facts import Facts, Row
from llmops.statistics import binomial, judged, order, star

UNCALIBRATED = "how often the judge errs is not known, so it is not in this bound"
HALF = 0.5  # of the range: from here on an answer counts as good, where no pass_at says it
SORTS = {"good": "known good", "bad": "known bad", "injection": "that give the judge orders"}
Count = tuple[int, int]  # k of n


def decided(facts: Facts, one: Asked, bound: Mapping[str, float], found: Sequence[Cell]) -> Claim:
    """The claim on some cells, corrected by the judge's errors where these are measured."""
    question = one.question(bound)
    raw = decide(question, found)
    if not METRICS[one.check["metric"]].judged:
        return raw
    given = one.exam.asker.spec.get("judge", {}).get("calibration")
    if given is None:
        return replace(raw, not_shown=UNCALIBRATED if raw.outcome is Outcome.PASSED else "")
    rows = facts.anchors(one.head.job.closure)
    if rows is None:
        why = f"no rated rows are kept of {one.head.job.id}"
        return Claim(Outcome.INCONCLUSIVE, len(found), why, hint="llmops run")
    bench = Bench.of(rows, one.check, "min" if "min" in bound else "max")
    quality = _quality(bench, raw, question.alpha)
    if raw.value is None:
        return replace(raw, quality=quality)
    doubt = _doubt(bench, given, question) or _poor(bench, given, question)
    if doubt is not None:
        why, hint = doubt
        return Claim(Outcome.INCONCLUSIVE, raw.n, why, hint=hint, quality=quality)
    values = ordered(question, found)
    corrected = _share if question.scale.kind == "binary" else _mean
    return replace(corrected(question, values, bench), quality=quality)


@dataclass(frozen=True, slots=True)
class _Anchor:
    """One rated answer: what people said and what the judge said, None where it said nothing."""

    case: str
    id: str
    human: float
    judge: float | None
    repeats: tuple[float, ...]
    early: bool | None  # asked in the first half of the batch


@dataclass(frozen=True, slots=True)
class Bench:
    """A judge on rated answers, under one check: `cut` is where good begins, `worst` its value."""

    anchors: tuple[_Anchor, ...]
    controls: Mapping[str, tuple[float | None, ...]]  # sort -> what the judge said of each
    cut: float
    worst: float

    @classmethod
    def of(cls, rows: Sequence[Row], check: Mapping[str, Any], side: str) -> Bench:
        """The rated rows of one check, others' left out; `side` of the bound says what is worst."""
        name, plain = check["name"], {k: v for k, v in check.items() if k != "pass_at"}
        own = [row for row in rows if name in row["cells"]]
        said = {c.id: c.value for c in cells(own, plain)}
        scale = METRICS[check["metric"]]
        worst = scale.lower if side == "min" else scale.upper
        assert worst is not None
        return cls(
            tuple(_anchor(row, said, name) for row in own if row.get("control") is None),
            {
                sort: tuple(said[str(r["id"])] for r in own if r.get("control") == sort)
                for sort in SORTS
            },
            float(check.get("pass_at", HALF)),
            worst,
        )

    def passes(self, value: float) -> bool:
        """Whether a score counts as good."""
        return value >= self.cut

    def graded(self, good: bool) -> list[bool]:
        """Whether the judge passed each anchor that people found good (or bad)."""
        return [
            self.passes(self.worst if a.judge is None else a.judge)
            for a in self.anchors
            if self.passes(a.human) is good
        ]

    @property
    def true_positive(self) -> Count:
        """Good anchors that the judge passed, of how many."""
        found = self.graded(good=True)
        return found.count(True), len(found)

    @property
    def true_negative(self) -> Count:
        """Bad anchors that the judge failed, of how many."""
        found = self.graded(good=False)
        return found.count(False), len(found)

    def errors(self, sort: str) -> int:
        """Control items of a sort that the judge got wrong; no judgement lets nothing bad pass."""
        passed = [v is not None and self.passes(v) for v in self.controls[sort]]
        return passed.count(sort != "good")


def _anchor(row: Row, said: Mapping[str, float | None], name: str) -> _Anchor:
    cell = row["cells"][name]
    place, of = cell.get("place"), cell.get("of")
    known = isinstance(place, int) and isinstance(of, int)
    given = cell.get("repeats")
    each = given if isinstance(given, list) else ()
    repeats = tuple(v for v in each if isinstance(v, int | float))
    return _Anchor(
        case=str(row["case"]),
        id=str(row["id"]),
        human=float(row["rating"]),
        judge=said[str(row["id"])],
        repeats=repeats,
        early=2 * place < of if known else None,
    )


# How good the judge is


def _quality(bench: Bench, raw: Claim, alpha: float) -> JudgeQuality:
    """The figures that every surface prints; intervals at the level of the corrected bound."""
    good, bad = bench.true_positive, bench.true_negative
    return JudgeQuality(
        anchors=len(bench.anchors),
        sensitivity=_ratio(good),
        sensitivity_interval=_interval(good, alpha),
        specificity=_ratio(bad),
        specificity_interval=_interval(bad, alpha),
        controls=len(bench.controls["good"]) + len(bench.controls["bad"]),
        control_errors=bench.errors("good") + bench.errors("bad"),
        injected=len(bench.controls["injection"]),
        injected_errors=bench.errors("injection"),
        consistency=_consistency(bench),
        early=_right(bench, early=True),
        late=_right(bench, early=False),
        raw=raw.value,
        raw_interval=raw.interval,
    )


def _ratio(count: Count) -> float | None:
    return count[0] / count[1] if count[1] else None


def _interval(count: Count, alpha: float) -> tuple[float, float] | None:
    """Each side wrong with probability at most a quarter of alpha, as in the corrected bound."""
    if not count[1]:
        return None
    return binomial.lower(*count, alpha / 4), binomial.upper(*count, alpha / 4)


def _consistency(bench: Bench) -> float | None:
    """The share of anchors whose repeats all say the same; None with one repeat."""
    asked = [a for a in bench.anchors if len(a.repeats) > 1 and a.judge is not None]
    agree = sum(len({bench.passes(v) for v in a.repeats}) == 1 for a in asked)
    return agree / len(asked) if asked else None


def _right(bench: Bench, *, early: bool) -> float | None:
    """The share of anchors graded as people did, of those in one half of the batch."""
    half = [a for a in bench.anchors if a.early is early and a.judge is not None]
    right = sum(bench.passes(a.human) is bench.passes(a.judge or 0.0) for a in half)
    return right / len(half) if half else None


# Why it decides nothing


def _doubt(bench: Bench, given: Mapping[str, Any], question: Question) -> tuple[str, str] | None:
    """Why this batch of judgements counts for nothing, with a hint; None when it counts."""
    allowed = float(given["max_control_errors"])
    for sort, words in SORTS.items():
        wrong, of = bench.errors(sort), len(bench.controls[sort])
        if wrong > allowed * of:
            why = f"the judge is wrong on {wrong} of {of} control items {words}"
            hint = f"at most {allowed:g} may be; read anchors.jsonl, and take a better judge"
            return f"{why}: its judgements decide nothing", hint
    if not bench.anchors:
        return "no rated row is for this check", "add rows without control, or mend their check"
    if len({a.case for a in bench.anchors}) < len(bench.anchors):
        return "a rated row is counted twice", "remove the repetition"
    invalid = [a.id for a in bench.anchors if a.judge is None]
    if len(invalid) > question.errors_allowed * len(bench.anchors):
        names = ", ".join(invalid[:3]) + (", …" if len(invalid) > 3 else "")
        why = f"{len(invalid)} of {len(bench.anchors)} rated rows have no judgement: {names}"
        return why, "anchors.jsonl of the evaluate job has each one's reason"
    return None


def _poor(bench: Bench, given: Mapping[str, Any], question: Question) -> tuple[str, str] | None:
    """What the judge is not shown to be good at, and about how many more anchors would show it."""
    for word, sort, count in (
        ("sensitivity", "good", bench.true_positive),
        ("specificity", "bad", bench.true_negative),
    ):
        least, (right, of) = float(given[f"min_{word}"]), count
        if not of:
            return f"no anchor is rated {sort}, so the judge's {word} is not known", (
                "rate more answers: both classes are needed"
            )
        if binomial.shows(right, of, least, question.alpha / 4):
            continue
        why = (
            f"the judge's {word} {right / of:.3f} is not shown to be at least {least:g} "
            f"({right} of {of} {sort} anchors)"
        )
        alpha = question.more_alpha or question.alpha
        more = binomial.about_more(right, of, least, alpha / 4)
        hint = f"about {more} more {sort} anchors would" if more else "take a better judge"
        return why, hint
    return None


# What it decides


def _share(question: Question, values: Sequence[float], bench: Bench) -> Claim:
    """A share of cases, by the corrected bounds."""
    k, n = values.count(1.0), len(values)
    counts = bench.true_positive, bench.true_negative
    found = judged.binary(k, n, *counts, question.alpha)
    if not found.decidable or found.estimate is None:
        return Claim(Outcome.INCONCLUSIVE, n, found.why, hint="more anchors, or a better judge")
    outcome, why = sides(
        question.bound,
        passes=lambda side, t: found.lower >= t if side == "min" else found.upper <= t,
        fails=lambda side, t: found.upper < t if side == "min" else found.lower > t,
    )
    shown = judged.binary(k, n, *counts, 0.025)
    printed = (shown.lower, shown.upper) if shown.decidable else (found.lower, found.upper)
    claim = Claim(outcome, n, why, found.estimate, printed)
    if outcome is not Outcome.INCONCLUSIVE:
        return claim
    more, hint = _more(question, (k, n), *counts)
    return replace(claim, about_more=more, hint=hint)


MOST = 1024.0  # times as many cases or anchors, beyond which nobody will go


def _more(question: Question, graded: Count, good: Count, bad: Count) -> tuple[int | None, str]:
    """About how many more cases or anchors would decide it at these rates; the hint says which."""
    ((side, threshold),) = question.bound.items()
    alpha = question.more_alpha or question.alpha
    rated = good[1] + bad[1]

    def shows(cases: float, anchors: float) -> bool:
        counts = _times(graded, cases), _times(good, anchors), _times(bad, anchors)
        found = judged.binary(*counts[0], counts[1], counts[2], alpha)
        reached = found.lower >= threshold if side == "min" else found.upper <= threshold
        return found.decidable and reached

    if times := _least(lambda x: shows(x, 1)):
        more = math.ceil(graded[1] * (times - 1))
        return more, f"about {more} more cases would decide"
    if times := _least(lambda x: shows(1, x)):
        return None, f"about {math.ceil(rated * (times - 1))} more anchors would decide"
    if times := _least(lambda x: shows(x, x)):
        cases, anchors = (math.ceil(n * (times - 1)) for n in (graded[1], rated))
        return None, f"about {anchors} more anchors and {cases} more cases would decide"
    return None, "no number of cases or anchors will show this at the observed rates"


def _times(count: Count, factor: float) -> Count:
    """The same rate of more."""
    k, n = count
    of = round(n * factor)
    return round(k * of / n), of


def _least(holds: Callable[[float], bool]) -> float | None:
    """About the least factor above 1 for which `holds`; None if none up to MOST does."""
    if not holds(MOST):
        return None
    low, high = 1.0, MOST
    while high / low > 1.05:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _mean(question: Question, values: Sequence[float], bench: Bench) -> Claim:
    """A mean of scores: each anchor corrects a block of cases of its own."""
    low, high = question.scale.lower, question.scale.upper
    assert low is not None
    assert high is not None
    ranked = sorted(bench.anchors, key=lambda a: _place(question, a.case))[: len(values)]
    pairs = [(a.human, bench.worst if a.judge is None else a.judge) for a in ranked]
    found = judged.scores(values, pairs, low, high)
    tested = found.values, found.lower, found.upper
    at_most, at_least = (
        {t: test(tested[0], t, *tested[1:], question.alpha) for t in question.bound.values()}
        for test in (star.rejects_at_most, star.rejects_at_least)
    )
    outcome, why = sides(
        question.bound,
        passes=lambda side, t: at_most[t] if side == "min" else at_least[t],
        fails=lambda side, t: at_least[t] if side == "min" else at_most[t],
    )
    mean = min(max(math.fsum(found.values) / len(found.values), low), high)
    interval = (
        max(star.lower_bound(*tested, 0.025), low),
        min(star.upper_bound(*tested, 0.025), high),
    )
    hint = "more anchors would decide" if outcome is Outcome.INCONCLUSIVE else ""
    return Claim(outcome, len(values), why, mean, interval, hint=hint)


def _place(question: Question, case: str) -> str:
    return order.betting_key(question.dataset, question.split, question.gate, case)
