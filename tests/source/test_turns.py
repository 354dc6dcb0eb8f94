"""Writers who lose wait longer the longer a try takes, so that many of them all get their turn."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator

import pytest

from llmops.source.turns import turns


def test_pauses_follow_how_long_a_try_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: most)
    clock = itertools.count(0, 0.5)  # each try takes half a second
    waited: list[float] = []
    numbers = list(turns(10, waited.append, lambda: next(clock)))
    assert numbers == list(range(1, 11))
    assert waited == [1, 2, 4, 8, 16, 32, 32, 32, 32]


def test_a_pause_has_a_least_and_a_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: most)
    for took, ends in ((0.0, (0.1, 3.2)), (100.0, (120.0, 120.0))):
        clock = itertools.count(0, took)
        waited: list[float] = []
        list(turns(8, waited.append, lambda clock=clock: next(clock)))  # type: ignore[misc]
        assert (waited[0], waited[-1]) == pytest.approx(ends)


def test_whoever_wins_at_once_waits_for_nobody() -> None:
    waited: list[float] = []
    for number in turns(60, waited.append):
        if number == 1:
            break
    assert waited == []


@pytest.mark.parametrize("seconds", [0.1, 3.0])
def test_twenty_writers_get_their_turn_within_sixty_tries(seconds: float) -> None:
    """A model: a try wins if nothing moved between its beginning and its end."""
    for seed in range(5):
        assert Contest(seed, writers=20, appends=50, seconds=seconds).most_tries() < 60


class Contest:
    """Writers with as many appends each, every try as long as said, on a clock of its own."""

    def __init__(self, seed: int, writers: int, appends: int, seconds: float) -> None:
        self.dice, self.seconds, self.now = random.Random(seed), seconds, 0.0
        self.left = [appends] * writers
        self.began = [0.0] * writers
        self.tries = [1] * writers
        self.waits: list[float] = []
        self.loops = [self.fresh() for _ in range(writers)]

    def fresh(self) -> Iterator[int]:
        loop = turns(60, self.waits.append, lambda: self.now)
        next(loop)
        return loop

    def most_tries(self) -> int:
        """How many the least lucky append of all needed."""
        kept = random.getstate()
        random.seed(self.dice.random())
        queue = [(self.dice.random(), n, False) for n in range(len(self.left))]
        moved, most = -1.0, 0
        while queue:
            heapq.heapify(queue)
            self.now, n, ends = heapq.heappop(queue)
            if not ends:
                self.began[n] = self.now
                queue.append((self.now + self.seconds * self.dice.uniform(0.7, 1.3), n, True))
            elif moved < self.began[n]:
                moved, most = self.now, max(most, self.tries[n])
                self.left[n] -= 1
                self.tries[n], self.loops[n] = 1, self.fresh()
                queue += [(self.now, n, False)] if self.left[n] else []
            else:
                self.tries[n] = next(self.loops[n])
                queue.append((self.now + self.waits.pop(), n, False))
        random.setstate(kept)
        return most
