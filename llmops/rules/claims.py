"""Claims on kept rows: cells -> Claim, decided as `llmops/docs/en/explanation/statistics.md` tells.

Shared by `require`, `slices` and `regression`. A cell that is absent, invalid, not finite or out
of its metric's range is never dropped: more of them than `on_case_error` allows is inconclusive,
and those allowed count as the worst value.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, overload

from llmops.jobs.metrics import METRICS, Metric, quantile
from llmops.rules.base import JudgeQuality, Outcome
from llmops.rules.facts import Facts, Row
from llmops.statistics import binomial, forecast, order, percentile, star


class Cell(NamedTuple):
    """One case under one check; `value` is None where the cell is invalid."""

    case: str
    id: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Column(Sequence[Cell]):
    """The cells of one check, kept as columns: thousands of cases cost three lists, not objects."""

    cases: tuple[str, ...]
    ids: tuple[str, ...]
    values: tuple[float | None, ...]

    @classmethod
    def of(cls, found: Sequence[Cell]) -> Column:
        """The same cells as columns."""
        if isinstance(found, Column):
            return found
        return cls(
            tuple([c.case for c in found]), tuple([c.id for c in found]),
            tuple([c.value for c in found]),
        )  # fmt: skip

    def invalid(self) -> list[str]:
        """The ids of cells without a value."""
        if None not in self.values:
            return []
        return [name for name, value in zip(self.ids, self.values, strict=True) if value is None]

    def by_case(self) -> dict[str, float | None]:
        """Values by their cases."""
        return dict(zip(self.cases, self.values, strict=True))

    def among(self, cases: frozenset[str]) -> Column:
        """Only the cells of some cases."""
        return Column.of([cell for cell in self if cell.case in cases])

    def __len__(self) -> int:
        """How many cells."""
        return len(self.cases)

    @overload
    def __getitem__(self, place: int) -> Cell: ...
    @overload
    def __getitem__(self, place: slice) -> Column: ...
    def __getitem__(self, place: int | slice) -> Cell | Column:
        """One cell, or a part of the columns."""
        if isinstance(place, slice):
            return Column(self.cases[place], self.ids[place], self.values[place])
        return Cell(self.cases[place], self.ids[place], self.values[place])

    def __iter__(self) -> Iterator[Cell]:
        """Cell by cell."""
        return map(Cell, self.cases, self.ids, self.values)


@dataclass(frozen=True, slots=True)
class Question:
    """What is claimed and how it is tested. `scale`: the metric, or 0/1 once `pass_at` applied.

    `statistic`: the percentile that is bounded (`p95`), "" where it is the mean.
    """

    gate: str
    metric: str
    scale: Metric
    bound: Mapping[str, float]
    alpha: float
    dataset: str
    split: str
    errors_allowed: float = 0.0
    statistic: str = ""
    more_alpha: float | None = None  # the next attempt's, where that is another one

    @property
    def later(self) -> float:
        """The level at which more cases would be judged: adding them is an attempt."""
        return self.alpha if self.more_alpha is None else self.more_alpha


@dataclass(frozen=True, slots=True)
class Claim:
    """The decision on one `require`, with the numbers it rests on."""

    outcome: Outcome
    n: int
    why: str
    value: float | None = None
    interval: tuple[float, float] | None = None
    about_more: int | None = None
    hint: str = ""
    quality: JudgeQuality | None = None
    not_shown: str = ""
    literal: str = ""  # what the point rule says, where the value alone does not tell


_NOTHING: Mapping[str, Any] = {}
INVALID_HINT = "rows.jsonl of the evaluate job has each cell's reason"


def cells(rows: Iterable[Row], check: Mapping[str, Any]) -> Column:
    """The column of one check; a value that the metric cannot have is no value.

    A case that the check says nothing about (a transformation that finds nothing to change in it)
    is left out: it can neither pass nor fail. No other metric may say so of a case.
    """
    return _column(_answers(rows), check)


def kept_cells(facts: Facts, closure: str, check: Mapping[str, Any]) -> Column:
    """`cells` of a job's kept rows, none where there are none; read once for all gates."""
    rows = facts.rows(closure) or ()
    kept: _Kept | None = facts.columns.get(closure)
    if kept is None or kept.rows is not rows:
        kept = facts.columns[closure] = _Kept(rows, _answers(rows))
    key = (check["name"], check["metric"], check.get("pass_at"))
    if key not in kept.columns:
        kept.columns[key] = _column(kept.answers, check)
    return kept.columns[key]


@dataclass(frozen=True, slots=True)
class _Answers:
    """Kept rows, whatever the check: case, id and cells by the name of their check."""

    cases: tuple[str, ...]
    ids: tuple[str, ...]
    cells: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was read of a job's rows: all cells, and the columns that some check asked for."""

    rows: Sequence[Row]
    answers: _Answers
    columns: dict[tuple[Any, ...], Column] = field(default_factory=dict)


def _answers(rows: Iterable[Row]) -> _Answers:
    read = [(str(row["case"]), str(row["id"]), row.get("cells", _NOTHING)) for row in rows]
    cases, ids, found = zip(*read, strict=True) if read else ((), (), ())
    return _Answers(cases, ids, found)


def _column(answers: _Answers, check: Mapping[str, Any]) -> Column:
    name = check["name"]
    given = [found.get(name, _NOTHING) for found in answers.cells]
    kept = [one.get("value") if one.get("valid") is True else None for one in given]
    column = Column(answers.cases, answers.ids, tuple(_values(check, kept)))
    if not str(check["metric"]).startswith("giskard/"):
        return column
    says = (one.get("applies") is not False or one.get("valid") is not True for one in given)
    return Column.of([cell for cell, said in zip(column, says, strict=True) if said])


def _values(check: Mapping[str, Any], kept: Sequence[Any]) -> list[float | None]:
    """What kept values of this check count as; None for one that the metric cannot have."""
    scale, pass_at = METRICS[check["metric"]], check.get("pass_at")
    low = -sys.float_info.max if scale.lower is None else scale.lower
    high = sys.float_info.max if scale.upper is None else scale.upper

    def read(value: Any) -> float | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return float(value) if low <= value <= high else None  # None also for what is no number

    found = [v if type(v) is float and low <= v <= high else read(v) for v in kept]
    if scale.kind == "binary":
        found = [value if value in (0.0, 1.0) else None for value in found]
    if pass_at is not None:
        found = [None if value is None else float(value >= pass_at) for value in found]
    return found


def scale_of(check: Mapping[str, Any]) -> Metric:
    """The scale that a check is judged on; its own bound says which way is better.

    Refusals are good where all should be refused and bad where none should.
    """
    scale = Metric("binary") if "pass_at" in check else METRICS[check["metric"]]
    bound = check.get("require", {})
    if len(bound) != 1:
        return scale
    return replace(scale, better="higher" if "min" in bound else "lower")


def decide(question: Question, found: Sequence[Cell]) -> Claim:
    """Passed when shown, failed when refuted, else inconclusive (never passed without data)."""
    column = Column.of(found)
    invalid, n = column.invalid(), len(column)
    if n == 0:
        return Claim(Outcome.INCONCLUSIVE, 0, "no case")
    if len(set(column.cases)) != n:
        return Claim(Outcome.INCONCLUSIVE, n, "a case is counted twice")
    if len(invalid) > question.errors_allowed * n:
        return Claim(Outcome.INCONCLUSIVE, n, invalid_words(invalid, n))
    if question.statistic:
        return _percentile(question, column.values)
    if question.scale.kind == "unbounded":
        return Claim(Outcome.INCONCLUSIVE, n, f"{question.metric} has no range to test a mean in")
    if question.scale.kind == "binary":
        return _binary(question, _or_worst(question, column.values))
    return _score(question, ordered(question, column))


def summary(found: Sequence[Cell], check: Mapping[str, Any]) -> float | None:
    """What the valid cells come to, for the reader: their mean, or the percentile of the check."""
    values = [value for value in Column.of(found).values if value is not None]
    if not values:
        return None
    if "statistic" in check:
        return percentile.value(values, quantile(check["statistic"]))
    return math.fsum(values) / len(values)


def invalid_words(invalid: Sequence[str], n: int) -> str:
    """`2 of 480 cells invalid: q-17, q-20`; `no case` where there is none."""
    if n == 0:
        return "no case"
    names = ", ".join(invalid[:3]) + (", …" if len(invalid) > 3 else "")
    return f"{len(invalid)} of {n} cells invalid: {names}"


def ordered(question: Question, found: Sequence[Cell]) -> list[float]:
    """Values in betting order."""
    column = Column.of(found)
    ranks = order.ranking(question.dataset, question.split, question.gate, column.cases)
    return _or_worst(question, [column.values[i] for i in ranks])


def _or_worst(question: Question, values: Iterable[float | None]) -> list[float]:
    """The values of cells; an allowed invalid one counts as the worst."""
    worst = question.scale.lower if "min" in question.bound else question.scale.upper
    assert worst is not None
    return [worst if value is None else value for value in values]


def _binary(question: Question, values: list[float]) -> Claim:
    n, k = len(values), values.count(1.0)
    low = binomial.lower(k, n, question.alpha)
    high = binomial.upper(k, n, question.alpha)
    outcome, why = sides(
        question.bound, passes=lambda side, t: low >= t if side == "min" else high <= t,
        fails=lambda side, t: high < t if side == "min" else low > t,
    )  # fmt: skip
    more = None
    if outcome is Outcome.INCONCLUSIVE and "min" in question.bound:
        more = binomial.about_more(k, n, question.bound["min"], question.later)
    elif outcome is Outcome.INCONCLUSIVE:
        more = binomial.about_more(n - k, n, 1 - question.bound["max"], question.later)
    return Claim(outcome, n, why, k / n, binomial.interval(k, n), more)


def _percentile(question: Question, values: Sequence[float | None]) -> Claim:
    """The share of values on the right side of the bound; an allowed invalid cell is on neither."""
    q, n = quantile(question.statistic), len(values)
    known = [value for value in values if value is not None]
    ((side, bound),) = question.bound.items()
    counted = percentile.claim(known, q, bound, "min" if side == "min" else "max")
    k, share = counted.k, counted.share
    low, high = binomial.lower(k, n, question.alpha), binomial.upper(k, n, question.alpha)
    outcome, why = sides(
        question.bound, passes=lambda *_: low >= share, fails=lambda *_: high < share
    )
    undecided = outcome is Outcome.INCONCLUSIVE
    more = binomial.about_more(k, n, share, question.later) if undecided else None
    ends = percentile.interval(known, q)
    interval = None if ends[0] is None or ends[1] is None else (ends[0], ends[1])
    claim = Claim(outcome, n, why, percentile.value(known, q), interval, more)
    rank = max(math.ceil(q * n * (1 - 1e-12)), 1)  # of the percentile, invalid cells at the bad end
    good = k >= (rank if side == "max" else n - rank + 1)
    return replace(claim, literal=("passed" if good else "failed") if known else "")


def _score(question: Question, values: list[float]) -> Claim:
    low, high = question.scale.lower, question.scale.upper
    assert low is not None
    assert high is not None
    at_most = {t: star.rejects_at_most(values, t, low, high, question.alpha)
               for t in question.bound.values()}  # fmt: skip
    at_least = {t: star.rejects_at_least(values, t, low, high, question.alpha)
                for t in question.bound.values()}  # fmt: skip
    outcome, why = sides(
        question.bound,
        passes=lambda side, t: at_most[t] if side == "min" else at_least[t],
        fails=lambda side, t: at_least[t] if side == "min" else at_most[t],
    )
    mean = math.fsum(values) / len(values)
    interval = (
        star.lower_bound(values, low, high, 0.025),
        star.upper_bound(values, low, high, 0.025),
    )
    more = _more_scores(question, values) if outcome is Outcome.INCONCLUSIVE else None
    return Claim(outcome, len(values), why, mean, interval, more)


def _more_scores(question: Question, values: list[float]) -> int | None:
    """About how many more cases show every side of the bound; None where no number will do."""
    low, high = question.scale.lower, question.scale.upper
    assert low is not None
    assert high is not None
    sides: list[tuple[forecast.Side, float]] = [
        ("min" if side == "min" else "max", bound) for side, bound in question.bound.items()
    ]
    found = [
        forecast.about_more(values, forecast.Scale(t, low, high, side), question.later)
        for side, t in sides
    ]
    known = [more for more in found if more is not None]
    return max(known, default=None) if len(known) == len(found) else None


def sides(bound: Mapping[str, float], passes: Any, fails: Any) -> tuple[Outcome, str]:
    """Every side must be shown; one refuted side fails."""
    for side, t in bound.items():
        if fails(side, t):
            word = "below the minimum" if side == "min" else "above the maximum"
            return Outcome.FAILED, f"{word} {t:g}"
    for side, t in bound.items():
        if not passes(side, t):
            return (
                Outcome.INCONCLUSIVE,
                f"not shown to be {'at least' if side == 'min' else 'at most'} {t:g}",
            )
    return Outcome.PASSED, "shown"
