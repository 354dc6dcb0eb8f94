"""Error rates by simulation: how often a gate says what is false, drawn from fixed seeds.

Each function gives `Rate`s; `test_simulations.py` holds them against what was promised, and
`python -m tests.benchmarks.errors` writes them down. The bets are those of `llmops.statistics.star`
for many samples at once (`largest_log_wealth`; a test compares the two). Exact bounds are looked up
from `llmops.statistics.binomial` itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from llmops.statistics import attempts, binomial, forecast, paired

Array = np.ndarray[Any, np.dtype[np.float64]]
Draw = Callable[[np.random.Generator, tuple[int, int]], Array]
ALPHA = 0.05


@dataclass(frozen=True)
class Rate:
    """`wrong` of `runs` simulated verdicts; at most `nominal` of all should be.

    `promised` False is a way that is not taken, beside the one that is.
    """

    what: str
    wrong: int
    runs: int
    nominal: float = ALPHA
    promised: bool = True

    @property
    def share(self) -> float:
        """The simulated rate."""
        return self.wrong / self.runs

    def shown_too_high(self) -> bool:
        """The 99 % lower bound of the rate exceeds the nominal one."""
        return binomial.lower(self.wrong, self.runs, 0.01) > self.nominal

    def far_too_high(self) -> bool:
        """The rate exceeds 1.2 times the nominal one."""
        return self.share > 1.2 * self.nominal


def largest_log_wealth(ys: Array, m: float | Array, target: float) -> Array:
    """`star.star_log_wealth` on [0, 1] for each row of `ys`, against "the mean is at most m"."""
    runs, n = ys.shape
    wealth, best = np.zeros(runs), np.zeros(runs)
    s, s2, v = np.full(runs, 0.5), np.full(runs, 0.25), np.full(runs, 0.25)
    goal = target + 1e-9
    for t in range(n):
        y = ys[:, t]
        bet = np.sqrt(2 * np.maximum(goal - wealth, 0.0) / ((n - t) * v))
        gain = np.log1p(np.minimum(bet, 0.99 / m) * (y - m))
        wealth = np.where(best >= goal, wealth, wealth + gain)
        best = np.maximum(best, wealth)
        s += y
        s2 += (y - s / (t + 2)) ** 2
        v = s2 / (t + 2)
    return best


def refuted(ys: Array, m: float | Array, alpha: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Whether each row refutes "the mean is at most m" at level alpha."""
    target = -math.log(alpha)
    return largest_log_wealth(ys, m, target) >= target + 1e-9


# Coverage of the bounds of a mean

SHAPES: dict[str, tuple[Draw, float]] = {
    "right or wrong, 9 of 10": (lambda r, k: (r.random(k) < 0.9).astype(float), 0.9),
    "rare hits, 3 of 100": (lambda r, k: (r.random(k) < 0.03).astype(float), 0.03),
    "flat": (lambda r, k: r.random(k), 0.5),
    "skewed to the top, beta(9, 1)": (lambda r, k: r.beta(9, 1, k), 0.9),
    "skewed to the bottom, beta(0.3, 6)": (lambda r, k: r.beta(0.3, 6, k), 0.3 / 6.3),
    "nearly constant, 0.695 to 0.705": (lambda r, k: 0.695 + 0.01 * r.random(k), 0.7),
}


def coverage(runs: int = 20_000) -> Iterator[Rate]:
    """How often each bound of a mean is beyond it, that is, the true mean is refuted."""
    for i, (name, (draw, mean)) in enumerate(SHAPES.items()):
        for n in (20, 200, 1000):
            ys = draw(np.random.default_rng([1, i, n]), (runs, n))
            below = int(refuted(ys, mean, ALPHA).sum())
            above = int(refuted(1 - ys, 1 - mean, ALPHA).sum())
            yield Rate(f"lower bound, {name}, {n} cases", below, runs)
            yield Rate(f"upper bound, {name}, {n} cases", above, runs)


def coverage_of_t(runs: int = 20_000) -> Rate:
    """The t bound on 50 scores of which few are high: what STaR-Bets is taken instead of."""
    ys = np.random.default_rng([2]).random((runs, 50)) ** 60
    mean, spread = ys.mean(axis=1), ys.std(axis=1, ddof=1)
    above = mean + 1.6766 * spread / math.sqrt(50)
    return Rate(
        "t upper bound, very skewed, 50 cases", int((above < 1 / 61).sum()), runs, ALPHA, False
    )


def coverage_of_shares(runs: int = 200_000) -> Iterator[Rate]:
    """The same for exact bounds of shares."""
    for i, (share, n) in enumerate([(0.9, 50), (0.9, 1000), (0.97, 300), (0.5, 100), (0.02, 400)]):
        ks = np.random.default_rng([3, i]).binomial(n, share, runs)
        below = np.array([binomial.lower(k, n, ALPHA) > share for k in range(n + 1)])
        above = np.array([binomial.upper(k, n, ALPHA) < share for k in range(n + 1)])
        yield Rate(f"lower bound of a share of {share:g}, {n} cases", int(below[ks].sum()), runs)
        yield Rate(f"upper bound of a share of {share:g}, {n} cases", int(above[ks].sum()), runs)


# Detect gates together

GATES = 31
CASES = 300


def _differences(rng: np.random.Generator, runs: int, common: float, loss: float) -> Array:
    """Paired differences in [0, 1] (0.5: no change) of all gates, alike in a share of the cases."""
    shape = (runs, GATES, CASES)
    alike = rng.random((runs, 1, CASES))
    u = np.where(rng.random(shape) < common, alike, rng.random(shape))
    return np.where(u < 0.05 + loss, 0.0, np.where(u > 0.95, 1.0, 0.5))


def _raw_p(ys: Array, margin: float) -> Array:
    """P values of "not worse than the margin" for each gate of each run."""
    runs, gates, n = ys.shape
    target = math.log(gates / ALPHA)
    mirrored = 1 - ys.reshape(runs * gates, n)
    best = largest_log_wealth(mirrored, (1 + margin) / 2, target)
    return np.exp(-best).reshape(runs, gates)


def _holm_rejects(ps: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which gates of each run are refuted under Holm's correction."""
    gates = ps.shape[1]
    order = np.argsort(ps, axis=1)
    ranked = np.take_along_axis(ps, order, axis=1)
    adjusted = np.maximum.accumulate(ranked * (gates - np.arange(gates)), axis=1)
    found = np.zeros(ps.shape, dtype=bool)
    np.put_along_axis(found, order, adjusted <= ALPHA, axis=1)
    return found


def detect_gates(runs: int = 4000) -> Iterator[Rate]:
    """31 gates that are worse by exactly their margin: how often any of them says failed."""
    margin = 0.05
    for i, common in enumerate((0.0, 0.5, 0.9)):
        rng = np.random.default_rng([4, i])
        any_failed = alone = 0
        for _ in range(runs // 500):
            ps = _raw_p(_differences(rng, 500, common, margin), margin)
            any_failed += int(_holm_rejects(ps).any(axis=1).sum())
            alone += int((ps <= ALPHA).any(axis=1).sum())
        yield Rate(f"any of 31 detect gates failed, {common:.0%} of cases alike", any_failed, runs)
        what = f"the same without Holm's correction, {common:.0%} alike"
        yield Rate(what, alone, runs, ALPHA, False)


def detect_gates_beside_bad_ones(runs: int = 2000) -> Rate:
    """Ten gates are far worse, 21 are at their margin: how often any of the 21 says failed."""
    margin, rng, wrong = 0.05, np.random.default_rng([5]), 0
    for _ in range(runs // 500):
        ys = _differences(rng, 500, 0.5, margin)
        ys[:, :10] = _differences(rng, 500, 0.5, 0.4)[:, :10]
        found = _holm_rejects(_raw_p(ys, margin))
        assert found[:, :10].mean() > 0.9
        wrong += int(found[:, 10:].any(axis=1).sum())
    return Rate("any of 21 such gates failed beside 10 bad ones", wrong, runs)


# Looking again


@cache
def _needed(n: int, threshold: float, alpha: float) -> int:
    count = binomial.smallest_passing_count(n, threshold, alpha)
    return n + 1 if count is None else count


def _edits(rng: np.random.Generator, runs: int, looks: int, n: int, kept: float) -> Array:
    """Right answers of a system at 0.90 after each of many edits; `kept` of the cases stay."""
    share, counts = 0.9, np.empty((runs, looks))
    easy = rng.random((runs, n)) < share
    for j in range(looks):
        fresh = rng.random((runs, n)) < share
        counts[:, j] = np.where(rng.random((runs, n)) < kept, easy, fresh).sum(axis=1)
    return counts


def twenty_edits(runs: int = 10_000, n: int = 400) -> Iterator[Rate]:
    """A system exactly at its threshold, changed in one space twenty times and judged each time."""
    for i, kept in enumerate((0.1, 0.7)):
        counts = _edits(np.random.default_rng([6, i]), runs, 20, n, kept)
        free = (counts >= _needed(n, 0.9, ALPHA)).any(axis=1)
        what = f"passed in any of 20 edits that keep {kept:.0%} of the answers"
        yield Rate(f"{what}, each at full alpha", int(free.sum()), runs, ALPHA, False)
        for allowed in (1, 3):
            levels = [attempts.level(ALPHA, k, allowed) for k in range(1, allowed + 1)]
            needed = np.array([_needed(n, 0.9, level) for level in levels])
            passed = (counts[:, :allowed] >= needed).any(axis=1)
            yield Rate(f"{what}, attempts: {allowed}", int(passed.sum()), runs)


MOST_ADDED = 2000


@cache
def _more(k: int, n: int, alpha: float) -> int | None:
    """The cases asked for, as far as somebody would add them; None where no number would do."""
    if k <= 0.9 * n:
        return None
    if 0.5 / (k / n - 0.9) ** 2 > 3 * MOST_ADDED:  # far more are asked for
        return MOST_ADDED
    more = binomial.about_more(k, n, 0.9, alpha)
    return None if more is None else min(more, MOST_ADDED)


def added_cases(runs: int = 20_000) -> Iterator[Rate]:
    """A system at its threshold that adds the cases the gate asks for, and is judged anew.

    At most 2,000 at a time; old cases stay. Untaxed, each look has full alpha; with `attempts: 3`
    each has its level.
    """
    rng = np.random.default_rng([7])
    for name, levels, promised in (
        ("each at full alpha", [ALPHA] * 3, False),
        ("attempts: 3", [attempts.level(ALPHA, k, 3) for k in (1, 2, 3)], True),
        ("attempts: 1", [attempts.level(ALPHA, 1, 1)], True),
    ):
        wrong = 0
        for start in rng.binomial(300, 0.9, runs):
            k, n = int(start), 300
            for attempt, level in enumerate(levels):
                if k >= _needed(n, 0.9, level):
                    wrong += 1
                    break
                following = levels[min(attempt + 1, len(levels) - 1)]
                more = _more(k, n, following)
                if more is None:
                    break
                k, n = k + int(rng.binomial(more, 0.9)), n + more
        yield Rate(f"passed after adding the cases asked for, {name}", wrong, runs, ALPHA, promised)


def borderline_scores(runs: int = 4000, n: int = 300) -> Iterator[Rate]:
    """Scores whose mean is the threshold, judged again after each of three independent edits."""
    rng = np.random.default_rng([8])
    samples = [rng.beta(8, 2, (runs, n)) for _ in range(3)]
    for name, levels, promised in (
        ("each at full alpha", [ALPHA] * 3, False),
        ("attempts: 3", [attempts.level(ALPHA, k, 3) for k in (1, 2, 3)], True),
        ("attempts: 1", [ALPHA], True),
    ):
        passed = np.zeros(runs, dtype=bool)
        for ys, level in zip(samples, levels, strict=False):
            passed |= refuted(ys, 0.8, level)
        yield Rate(
            f"scores at the threshold passed, {name}", int(passed.sum()), runs, ALPHA, promised
        )


# Power at the planned number of cases


@dataclass(frozen=True)
class Power:
    """How often the planned number of cases shows what is true.

    `exact`: the power that such a number has, where it can be computed.
    """

    what: str
    n: int
    shown: int
    runs: int
    exact: float | None = None

    @property
    def share(self) -> float:
        """The simulated power."""
        return self.shown / self.runs


def power_of_shares(runs: int = 200_000) -> Iterator[Power]:
    """At `stable_cases_for_power`, for the published pairs and one at a later attempt's level."""
    asked = [(0.90, 0.93, ALPHA), (0.95, 0.97, ALPHA), (0.95, 0.98, ALPHA), (0.98, 0.99, ALPHA),
             (0.90, 0.93, 0.0125)]  # fmt: skip
    for i, (threshold, rate, alpha) in enumerate(asked):
        n = binomial.stable_cases_for_power(threshold, rate, 0.9, alpha)
        assert n is not None
        ks = np.random.default_rng([9, i]).binomial(n, rate, runs)
        shown = int((ks >= _needed(n, threshold, alpha)).sum())
        exact = binomial.power(n, threshold, rate, alpha)
        yield Power(f"share {threshold:g}, true {rate:g}, level {alpha:g}", n, shown, runs, exact)


def power_of_margins(runs: int = 2000) -> Iterator[Power]:
    """An unchanged system at `cases_for_margin`."""
    for i, (discordance, margin) in enumerate(
        [(0.1, 0.02), (0.3, 0.05), (0.1, 0.05), (0.02, 0.02)]
    ):
        n = paired.cases_for_margin(discordance, margin)
        assert n is not None
        u = np.random.default_rng([10, i]).random((runs, n))
        ys = np.where(u < discordance / 2, 0.0, np.where(u > 1 - discordance / 2, 1.0, 0.5))
        shown = int(refuted(ys, (1 - margin) / 2, ALPHA).sum())
        yield Power(f"margin {margin:g}, {discordance:.0%} change sides", n, shown, runs)


def power_of_scores(runs: int = 2000) -> Iterator[Power]:
    """At `forecast.cases_for_mean`, with the true spread."""
    for i, (name, gap) in enumerate(
        [("flat", 0.03), ("skewed to the top, beta(9, 1)", 0.02), ("right or wrong, 9 of 10", 0.02)]
    ):
        draw, mean = SHAPES[name]
        lies = forecast.spread(draw(np.random.default_rng([11, i]), (100_000, 1))[:, 0].tolist())
        n = forecast.cases_for_mean(mean, forecast.Scale(mean - gap, 0, 1), lies)
        assert n is not None
        ys = draw(np.random.default_rng([12, i]), (runs, n))
        shown = int(refuted(ys, mean - gap, ALPHA).sum())
        yield Power(f"mean {gap:g} above its threshold, {name}", n, shown, runs)
