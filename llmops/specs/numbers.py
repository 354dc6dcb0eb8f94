"""Numbers that no JSON reader agrees on: not finite, or whole ones beyond 2**53."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from llmops.specs.problem import Loc, Problem

LARGEST = 2**53 - 1
_SMELL = re.compile(r"\d{16}|[eE][+]?\d{2}|(?i:\.inf|\.nan)")


def suspicious(text: str) -> bool:
    """A quick look at a whole file: whether `find` could find anything in it."""
    return _SMELL.search(text) is not None


def find(value: Any) -> Iterator[Problem]:
    """Every number below a value that canonical JSON cannot hold exactly."""
    stack: list[tuple[Loc, Any]] = [((), value)]
    while stack:
        loc, item = stack.pop()
        if isinstance(item, dict):
            stack += [((*loc, key), inner) for key, inner in item.items()]
        elif isinstance(item, list):
            stack += [((*loc, i), inner) for i, inner in enumerate(item)]
        elif isinstance(item, float) and not math.isfinite(item):
            yield Problem(loc, "wrong-value", "the number is not finite")
        elif isinstance(item, int) and abs(item) > LARGEST:
            what = "the whole number is beyond 2**53"
            yield Problem(loc, "wrong-value", what, "quote it if it is a name, not a number")
