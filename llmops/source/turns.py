"""Taking turns without a server: how long whoever lost a compare-and-swap waits. Wet.

In: how many tries there are. Out: their numbers, with a pause before each but the first. A pause is
drawn from up to twice, four times, ... as long as the last try took, so that on a slow machine or
network many writers spread as widely as on a fast one: twenty who each try for a second and wait
for two at most would find the branch moved nineteen times of twenty, for ever.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

_WIDEST = 64  # times as long as a try: more writers than that are rare
_LEAST_SECONDS, _MOST_SECONDS = 0.05, 120.0


def turns(
    tries: int, pause: Callable[[float], None], clock: Callable[[], float] = time.monotonic
) -> Iterator[int]:
    """1, 2, ... up to `tries`; whoever asks for the next one has lost, and waits first."""
    for number in range(1, tries + 1):
        began = clock()
        yield number
        if number < tries:
            took = max(_LEAST_SECONDS, clock() - began)
            widest = took * min(2**number, _WIDEST)
            pause(random.uniform(0, min(widest, _MOST_SECONDS)))
