"""Labelled rows -> a model, a training and bounds that fit them: what a verdict in minutes needs.

In: `Labelled` rows. Out: `Sized`. Parts are cut by the hash of the text, the model is as large as
two cores train in minutes, and the first bound is what a model that learned nothing would reach,
as far as so many test rows can show it. The same rows give the same sizes on every machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from llmops.cli.labelled import Labelled
from llmops.errors import LlmopsError
from llmops.statistics import attempts, binomial, paired

SEED = 7  # of the splits
ALPHA, ATTEMPTS = 0.05, 3  # as the template's policy has them
MOST_TRAINED, MOST_VALIDATED, MOST_TESTED = 40_000, 2_000, 4_000  # rows; more takes too long here
MARGINS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3)
CHANGING = 0.1  # share of cases that change sides in an ordinary update
REACHABLE = 0.95  # a bound that only a better model than this would show is none to begin with
SLICED_LABELS = 20  # more labels than these are not gated one by one


@dataclass(frozen=True, slots=True)
class Parts:
    """Shares by part, as text that adds up to 1, and the labels of each part's rows."""

    shares: Mapping[str, str]
    counts: Mapping[str, Counter[str]]

    def rows(self, part: str) -> int:
        """How many rows a part has."""
        return sum(self.counts[part].values()) if part in self.counts else 0


@dataclass(frozen=True, slots=True)
class Sized:
    """What follows from the data: model, training, time and bounds."""

    parts: Parts
    hidden: int
    vocabulary: int
    steps: int
    batch: int
    seconds: int  # of training, on one core
    accuracy: float | None  # the first bound; None where these rows can show none
    beats: str  # what it is: "commonest", "guess", or ""
    margin: float
    floor: float  # for each label of `sliced`
    sliced: tuple[str, ...]

    @property
    def minutes(self) -> int:
        """Until the first verdict: training, and starting and asking beside it."""
        return max(1, round((self.seconds + 30 + self.parts.rows("test") * 0.004) / 60))


def sized(found: Labelled) -> Sized:
    """A model and bounds for these rows. Raises LlmopsError where a part would be empty."""
    parts = _parts(found)
    trained, tested = parts.rows("train"), parts.rows("test")
    if not trained or not tested:
        raise LlmopsError("the rows cannot be cut into parts", hint="more rows are needed")
    batch = 64 if trained > 2_000 else 32 if trained > 400 else 16
    steps = round(60 + 6 * math.sqrt(trained), -1)
    hidden = 128 if trained > 1_000 else 96
    tokens = min(sum(_tokens(r.text) + _tokens(r.label) for r in found.rows[:5000]), 10**9)
    each = tokens / min(len(found.rows), 5000) + 6
    seconds = steps * (0.02 + batch * each * 5e-5 * (hidden / 128))
    bound, beats = _accuracy(found.labels, tested)
    floor, sliced = _sliced(parts.counts["test"], len(found.labels))
    return Sized(
        parts, hidden, _vocabulary(found), int(steps), batch, max(5, int(round(seconds, -1))),
        bound, beats, _margin(tested), floor, sliced,
    )  # fmt: skip


def _parts(found: Labelled) -> Parts:
    from llmops.workers.splits import ByHash

    shares = _shares(len(found.rows))
    cut = ByHash(shares, SEED, "question")
    counts: dict[str, Counter[str]] = {name: Counter() for name in shares}
    for row in found.rows:
        part = cut.part({"question": row.text}, "")
        assert part is not None
        counts[part][row.label] += 1
    return Parts(shares, counts)


def _shares(rows: int) -> dict[str, str]:
    """Small files need a large test part; of large ones a part is enough, the rest is unused.

    The unused part lies beside `train` on the line that is cut: giving its share to `train` later
    moves no row of test or validation.
    """
    wanted = Fraction(3, 10) if rows < 1_000 else Fraction(2, 10)
    test = min(wanted, _share(MOST_TESTED, rows))
    validation = min(Fraction(1, 10), _share(MOST_VALIDATED, rows))
    train = min(Fraction(1) - test - validation, _share(MOST_TRAINED, rows))
    given: dict[str, Fraction] = {"test": test, "train": train, "validation": validation}
    unused = 1 - sum(given.values(), Fraction(0))
    given |= {"unused": unused} if unused else {}
    return {name: f"{float(share):.6g}" for name, share in sorted(given.items())}


def _share(most: int, rows: int) -> Fraction:
    """The share that `most` of `rows` are, in ten-thousandths and at least one."""
    return max(Fraction(1, 10_000), Fraction(most * 10_000 // rows, 10_000))


def _tokens(text: str) -> float:
    """About how many tokens a text is: a quarter of its letters, each sign of Chinese."""
    wide = sum(1 for sign in text if sign >= "\u2e80")
    return (len(text) - wide) / 3.5 + wide * 0.9


def _vocabulary(found: Labelled) -> int:
    letters = sum(len(row.text) for row in found.rows)
    return next((v for most, v in ((2e4, 512), (2e5, 1024), (2e6, 2048)) if letters < most), 4096)


def _accuracy(labels: Counter[str], tested: int) -> tuple[float | None, str]:
    """The share of the commonest label, else that of a guess, where these rows can show it."""
    common = max(labels.values()) / sum(labels.values())
    for share, beats in ((common, "commonest"), (1 / len(labels), "guess")):
        bound = math.ceil(round(share * 100, 6)) / 100
        if _can_show(tested, bound):
            return bound, beats
    return None, ""


def _can_show(rows: int, bound: float) -> bool:
    """Whether so many rows show the bound for a good model, even at the last attempt."""
    if not 0 < bound < 1 or rows < 1:
        return False
    level = attempts.level(ALPHA, ATTEMPTS, ATTEMPTS)
    rate = binomial.rate_for_power(rows, bound, 0.8, level)
    return rate is not None and rate <= REACHABLE


def _margin(tested: int) -> float:
    """The smallest margin that so many rows decide when a tenth of the cases change sides."""
    for margin in MARGINS:
        needed = paired.cases_for_margin(CHANGING, margin)
        if needed is not None and needed <= tested:
            return margin
    return MARGINS[-1]


def _sliced(counts: Counter[str], labels: int) -> tuple[float, tuple[str, ...]]:
    """The share of right answers that a guess among the labels reaches, and who can show more."""
    floor = math.ceil(round(100 / labels, 6)) / 100
    if labels > SLICED_LABELS:
        return floor, ()
    able = sorted(label for label, rows in counts.items() if _can_show(rows, floor))
    return floor, tuple(able)
