"""Where two JSON texts part: the first place, with what each says. Dry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.diagnostics import printable

_ABSENT = object()
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Place:
    """`path`: `findings/3/value`. What the statement says there, and what follows."""

    path: str
    said: str
    follows: str


def first(said: bytes, follows: bytes) -> Place:
    """The first place in which a statement is not what follows; the whole where it is no JSON."""
    try:
        one, other = json.loads(said), json.loads(follows)
    except (ValueError, RecursionError):
        return Place("", printable(str(said), _SHOWN), printable(str(follows), _SHOWN))
    found = next(_places(one, other, ""), None)
    return found if found is not None else Place("", "the same values", "other bytes")


def _places(said: Any, follows: Any, path: str) -> Iterator[Place]:
    if isinstance(said, dict) and isinstance(follows, dict):
        for key in sorted(said.keys() | follows.keys()):
            inner = f"{path}/{key}" if path else str(key)
            yield from _places(said.get(key, _ABSENT), follows.get(key, _ABSENT), inner)
    elif isinstance(said, list) and isinstance(follows, list):
        for i in range(max(len(said), len(follows))):
            yield from _places(_at(said, i), _at(follows, i), f"{path}/{i}")
    elif type(said) is not type(follows) or said != follows:
        yield Place(printable(path, 200), _text(said), _text(follows))


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _ABSENT


def _text(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, Mapping | list):
        return f"{len(value)} values"
    return printable(value if isinstance(value, str) else json.dumps(value), _SHOWN)
