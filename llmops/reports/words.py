"""The same words and the same numbers on every surface.

Numbers are rounded by Python's own formatting (correct to the last bit on every machine), never
to a text that equals a bound they miss, and never to `-0.000`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from llmops.digest import short
from llmops.reports import prose
from llmops.reports.escape import around, visible
from llmops.rules.base import Outcome

T = TypeVar("T")
MINUS = "−"
OUTCOME_SIGNS = {
    Outcome.PASSED: " ",
    Outcome.WARNED: "!",
    Outcome.INCONCLUSIVE: "?",
    Outcome.FAILED: "x",
}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def places_of(value: float, beside: str = "") -> int:
    """Decimals that a value deserves: three below 10, fewer above.

    More (six at most) when the rounded value would equal a number in `beside` that it is not.
    """
    size = abs(value)
    places = 3 if size < 10 else 2 if size < 100 else 1 if size < 1000 else 0
    if not math.isfinite(value):
        return 3
    bounds = {float(found) for found in _NUMBER.findall(beside)} - {value}
    while places < 6 and round(value, places) in bounds:
        places += 1
    return places


def number(value: float, places: int | None = None) -> str:
    """`0.081`, `12.50`, `1,235`; tiny ones as `4.0e-05`; `not finite` for NaN and infinity."""
    if not math.isfinite(value):
        return "not finite"
    shown = f"{value:,.{places_of(value) if places is None else places}f}"
    if re.search("[1-9]", shown):
        return shown
    return shown.lstrip("-") if places is not None or value == 0 else f"{value:.1e}"


def signed(value: float, places: int = 3) -> str:
    """`+0.038`, `-0.003`, and `0.000` without a sign."""
    shown = number(value, places)
    return f"+{shown}" if value > 0 and re.search("[1-9]", shown) else shown


def interval(bounds: tuple[float, float] | None, beside: str = "") -> str:
    """`[0.021, 0.055]`, or nothing."""
    return f"[{', '.join(number(b, places_of(b, beside)) for b in bounds)}]" if bounds else ""


def percent(fraction: float) -> str:
    """`95 %`, `12.3 %`."""
    shown = f"{fraction * 100:.1f}".removesuffix(".0")
    return f"{shown} %"


def count(n: int) -> str:
    """`1,200`."""
    return f"{n:,}"


def plural(n: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{count(n)} {noun}" + ("" if n == 1 else "s")


def date(moment: str) -> str:
    """`2026-11-22 10:04 UTC` of an RFC 3339 time in UTC; another text as it is."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?(Z|\+00:00)", moment)
    return f"{found[1]} {found[2]} UTC" if found else visible(moment, 40)


def digest_words(digest: str) -> str:
    """`sha256:9f2c0d1e…`."""
    return visible(short(digest), 20) + "…"


def oid_words(oid: str) -> str:
    """`77d0a1b2…` of a git object."""
    return visible(oid[:8], 40) + "…"


def capped(items: Sequence[T], most: int) -> tuple[Sequence[T], int]:
    """The first `most` items and how many are left; one more is shown rather than counted."""
    if len(items) <= most + 1:
        return items, 0
    return items[:most], len(items) - most


def value_words(value: Any, limit: int = 60) -> str:
    """A JSON value in few words: text bare, `unset` for none, the rest as JSON."""
    if value is None:
        return "unset"
    if isinstance(value, str):
        return visible(value, limit) if value.strip() else json.dumps(value)
    return visible(json.dumps(value, ensure_ascii=False, sort_keys=True), limit)


def change_words(before: Any, after: Any, limit: int = 60) -> str:
    """`8 -> 16`; of two texts the words that differ."""
    if prose.is_prose(before, after):
        return visible(prose.difference(before, after, 4 * limit), 4 * limit)
    if isinstance(before, str) and isinstance(after, str):
        before, after = around(before, after, limit)
    return f"{value_words(before, limit)} -> {value_words(after, limit)}"
