"""What a judge's word is worth: bounds of the true share or mean, corrected by rated anchors.

In: how a judge graded the gated cases, and how it graded anchors that people rated too, drawn from
the same population. Out: bounds that hold although the judge errs, and whether people's labels
alone would have been cheaper. The error rate is shared out: half of it for the judge's own sample,
a quarter each for how often it is right on good and on bad answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from llmops.statistics import binomial

Count = tuple[int, int]  # k of n


@dataclass(frozen=True, slots=True)
class Corrected:
    """One-sided bounds of the true share, each right with probability at least 1 - alpha.

    `estimate` is the corrected share itself, None where it has no meaning. Undecidable (with a
    reason in `why`) is a judge that the anchors do not show to be better than chance, and one
    whose grades contradict them; the bounds are then 0 and 1.
    """

    lower: float
    upper: float
    decidable: bool
    estimate: float | None = None
    why: str = ""


def binary(
    k: int, n: int, true_positive: Count, true_negative: Count, alpha: float = 0.05
) -> Corrected:
    """Bounds of the true share of good answers when a judge passed k of n.

    `true_positive` counts the good anchors that it passed of all good ones, `true_negative` the
    bad anchors that it failed of all bad ones.

    Raises ValueError for counts that are none, or alpha outside (0, 1).
    """
    _rate(alpha, "an error rate")
    passed = _both(k, n, alpha / 2)
    right_on_good = _both(*true_positive, alpha / 4)
    right_on_bad = _both(*true_negative, alpha / 4)
    why = _doubt(passed, right_on_good, right_on_bad)
    if why:
        return Corrected(0.0, 1.0, False, None, why)
    return Corrected(
        lower=_share(passed[0], right_on_good[1], right_on_bad[0]),
        upper=_share(passed[1], right_on_good[0], right_on_bad[1]),
        decidable=True,
        estimate=_estimate(k, n, true_positive, true_negative),
    )


@dataclass(frozen=True, slots=True)
class Rectified:
    """Values whose mean is the mean that people would have given, within [lower, upper]."""

    values: tuple[float, ...]
    lower: float
    upper: float


def scores(
    judged: Sequence[float], rated: Sequence[tuple[float, float]], lower: float, upper: float
) -> Rectified:
    """One value per anchor: the mean of its own block of judged-only scores, plus human - judge.

    `judged` are the judge's scores of the cases that nobody rated, `rated` the pairs (human,
    judge) of the anchors, both in betting order and within [lower, upper]; `star` tests and bounds
    the mean of the values. Blocks are as equal as can be and share no case, so the values do not
    depend on each other.

    Raises ValueError for scores outside the range, an empty range, or fewer judged scores than
    anchors.
    """
    _range(lower, upper)
    _within(judged, "score", lower, upper)
    _within([human for human, _ in rated], "human rating", lower, upper)
    _within([judge for _, judge in rated], "judge's rating", lower, upper)
    m, n = len(judged), len(rated)
    if m < n:
        raise ValueError(f"{m} judged scores cannot give each of {n} anchors a block of its own")
    blocks = (judged[i * m // n : (i + 1) * m // n] for i in range(n))
    width = upper - lower
    values = tuple(
        min(max(math.fsum(block) / len(block) + human - judge, lower - width), upper + width)
        for block, (human, judge) in zip(blocks, rated, strict=True)
    )
    return Rectified(values, lower - width, upper + width)


@dataclass(frozen=True, slots=True)
class Compared:
    """Half widths of two-sided intervals, and what each way costs at the judge's half width.

    `labels`: so many human labels alone give the interval of the corrected judge; None when the
    judge cannot be corrected at all.
    """

    human_half_width: float
    judge_half_width: float
    labels: int | None
    human_cost: float | None
    judge_cost: float

    @property
    def cheaper(self) -> str:
        """`human` or `judge`: who shows the same for less."""
        if self.human_cost is None:
            return "human"
        return "judge" if self.judge_cost < self.human_cost else "human"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a judged gate is planned with: the true share and how often the judge is right."""

    rate: float
    sensitivity: float
    specificity: float


def cost_compare(
    expected: Expected,
    anchors: int,
    judged: int,
    confidence: float = 0.95,
    label_cost: float = 1.0,
    judgement_cost: float = 0.0,
) -> Compared:
    """A judge corrected by so many anchors, against people's labels of the anchors alone.

    Anchors are drawn from the gated population, so a share `expected.rate` of them is good. Human
    half widths are Wilson's at that rate; the judge's are those of `binary` at the counts that are
    expected.

    Raises ValueError for shares outside [0, 1], no anchors, no judged cases, a confidence outside
    (0, 1), or a cost below 0.
    """
    if anchors < 1 or judged < 1:
        raise ValueError(f"{anchors} anchors and {judged} judged cases compare nothing")
    if not (0 <= label_cost < math.inf and 0 <= judgement_cost < math.inf):
        raise ValueError("a cost must be finite and at least 0")
    _rate(confidence, "a confidence")
    judge = _judge_half_width(expected, anchors, judged, confidence)
    human = _human_half_width(expected.rate, anchors, confidence)
    labels = None if judge is None else labels_for(expected.rate, judge, confidence)
    return Compared(
        human_half_width=human,
        judge_half_width=0.5 if judge is None else judge,
        labels=labels,
        human_cost=None if labels is None else labels * label_cost,
        judge_cost=anchors * label_cost + judged * judgement_cost,
    )


def _both(k: int, n: int, alpha: float) -> tuple[float, float]:
    return binomial.lower(k, n, alpha), binomial.upper(k, n, alpha)


def _doubt(passed: tuple[float, float], good: tuple[float, float], bad: tuple[float, float]) -> str:
    """Why no bound follows; "" if one does. The share passed lies between 1 - Sp and Se."""
    if good[0] + bad[0] <= 1:
        return "the anchors do not show the judge to be better than chance"
    if passed[0] > good[1]:
        return "the judge passes more cases than it passes of the good anchors"
    if passed[1] < 1 - bad[1]:
        return "the judge passes fewer cases than it passes of the bad anchors"
    return ""


def _share(passed: float, sensitivity: float, specificity: float) -> float:
    """Rogan and Gladen's correction (1978), clipped to a share."""
    share = (passed + specificity - 1) / (sensitivity + specificity - 1)
    return min(max(share, 0.0), 1.0)


def _estimate(k: int, n: int, good: Count, bad: Count) -> float | None:
    sensitivity, specificity = good[0] / good[1], bad[0] / bad[1]
    return _share(k / n, sensitivity, specificity) if n else None


def _judge_half_width(
    expected: Expected, anchors: int, judged: int, confidence: float
) -> float | None:
    for share in (expected.rate, expected.sensitivity, expected.specificity):
        if not 0 <= share <= 1:
            raise ValueError(f"a share must lie in 0 to 1, not {share}")
    good = round(expected.rate * anchors)
    bad = anchors - good
    passed = expected.rate * expected.sensitivity + (1 - expected.rate) * (1 - expected.specificity)
    found = binary(
        round(passed * judged),
        judged,
        (round(expected.sensitivity * good), good),
        (round(expected.specificity * bad), bad),
        (1 - confidence) / 2,
    )
    return (found.upper - found.lower) / 2 if found.decidable else None


def _human_half_width(rate: float, n: int, confidence: float) -> float:
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    return math.sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)


def labels_for(rate: float, half_width: float, confidence: float = 0.95) -> int:
    """The fewest labels of people whose interval (Wilson's, at this rate) is no wider.

    Raises ValueError for a rate outside [0, 1], a half width that is not positive, or a confidence
    outside (0, 1).
    """
    if not 0 <= rate <= 1 or not half_width > 0:
        raise ValueError(f"no labels give a rate of {rate} a half width of {half_width}")
    _rate(confidence, "a confidence")
    low, high = 0, 1
    while _human_half_width(rate, high, confidence) > half_width:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if _human_half_width(rate, middle, confidence) > half_width:
            low = middle
        else:
            high = middle
    return high


def _rate(value: float, what: str) -> None:
    if not 0 < value < 1:  # also where it is not a number
        raise ValueError(f"{what} must lie between 0 and 1, not {value}")


def _range(lower: float, upper: float) -> None:
    if not (math.isfinite(lower) and math.isfinite(upper) and lower < upper):
        raise ValueError(f"no range of values: {lower} to {upper}")


def _within(values: Sequence[float], what: str, lower: float, upper: float) -> None:
    for i, x in enumerate(values):
        if not lower <= x <= upper:  # also where it is not a number
            raise ValueError(f"{what} {i} is {x}, outside {lower} to {upper}")
