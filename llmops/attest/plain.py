"""Values -> JSON in which every number is text. Dry.

A number in a statement is a decimal string: `0.1` is not what a binary float says it is, and two
readers of the same text must not see two numbers. Booleans and null stay what they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any

from llmops.rules.base import Outcome
from llmops.specs.base import Ref


def number(value: float) -> str:
    """The shortest decimal text that reads back as the same number: no exponent, no `.0`.

    A number that JSON does not have (NaN, infinity) is its word.
    """
    if not math.isfinite(value):
        return repr(value)
    written = format(Decimal(repr(value)), "f")
    return written.removesuffix(".0")


def text(value: str) -> str:
    r"""The text as UTF-8 can hold it: half of a surrogate pair is written as `\udc80`."""
    return value.encode("utf-8", "backslashreplace").decode()


def plain(value: Any) -> Any:
    """The JSON value of a dataclass, a sequence, a mapping or a scalar."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Outcome):
        return value.word
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Ref):
        return str(value)
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(plain(inner) for inner in value)
    return [plain(inner) for inner in value]
