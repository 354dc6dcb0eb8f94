"""A few-shot file -> turns, or what is wrong with each line.

JSONL, one example a line: `{"user": ..., "assistant": ...}`, both of them text that is not blank.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

KEYS = ("user", "assistant")


class Line(NamedTuple):
    """One line that is not empty: its number from 1, its turn or what is wrong with it."""

    number: int
    turn: Mapping[str, Any]
    wrong: str = ""


def lines(data: bytes) -> Iterator[Line]:
    """Every line of a file. Raises nothing for any bytes."""
    for number, raw in enumerate(data.split(b"\n"), 1):
        if raw.strip():
            yield _line(number, raw)


def _line(number: int, raw: bytes) -> Line:
    try:
        turn = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        said = "UTF-8" if isinstance(error, UnicodeDecodeError) else "JSON"
        return Line(number, {}, f"is no {said}")
    if not isinstance(turn, dict):
        return Line(number, {}, "is no JSON object")
    for key in KEYS:
        if not isinstance(turn.get(key), str) or not turn[key].strip():
            return Line(number, turn, f'has {"no" if key not in turn else "no text in"} "{key}"')
    if more := sorted(set(turn) - set(KEYS)):
        return Line(number, turn, f'has "{more[0]}", and an example is user and assistant')
    return Line(number, turn)


def turns(data: bytes) -> list[Mapping[str, Any]]:
    """The examples of a file. Raises ValueError naming the first line that is none."""
    found = list(lines(data))
    for line in found:
        if line.wrong:
            raise ValueError(f"line {line.number} {line.wrong}")
    return [line.turn for line in found]
