"""Lines of artifacts -> what of each a stranger may see: allow-lists, one for each artifact. Dry.

In: a line as its artifact has it, and tokens. Out: numbers, words of a known few, names, digests;
a token `sha256:…` where only the equality of texts matters; nothing else. To show a new key of an
artifact, add it to its function here: whatever no function names stays hidden.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.digest import PATTERN, canonical, of_bytes

_LABEL = re.compile(r"[A-Za-z0-9._:@/#+-]{1,64}")
_LONGEST_WORD = 40  # characters of a column's value that stand as they are
_MOST_WORDS = 200  # different values of a column that is one of labels
_STEPS = frozenset(
    {
        "exact duplicates", "parts", "the same again", "nearly the same again",
        "the same again, answered differently",
    }
)  # fmt: skip


def _token(nonce: bytes, value: Any) -> str:
    return of_bytes(nonce + canonical(value))


@dataclass
class Tokens:
    """Makes tokens, and remembers what each was made with."""

    key: bytes  # of this artifact: who has not the artifact has not the key
    used: list[bytes] = field(default_factory=list)

    def within(self, value: Any) -> str:
        """A token that is the same for the same value within this artifact."""
        return self.keyed(self.key, value)

    def keyed(self, key: bytes, value: Any) -> str:
        """A token that is the same for the same key and value."""
        self.used.append(hmac.digest(key, canonical(value), "sha256"))
        return _token(self.used[-1], value)


@dataclass
class Given:
    """The same, from nonces that somebody shows."""

    left: list[bytes]

    def within(self, value: Any) -> str:
        """The next token. Raises ValueError when there is no nonce for it."""
        if not self.left:
            raise ValueError("it shows too few nonces")
        return _token(self.left.pop(0), value)

    def keyed(self, _key: bytes, value: Any) -> str:
        """The next token."""
        return self.within(value)


AnyTokens = Tokens | Given
Show = Callable[[Any, AnyTokens], Any]
Words = Mapping[str, frozenset[str]]  # column -> the values that stand as they are


def shower(name: str, columns: Sequence[str], words: Words) -> Show:
    """What makes a public line of an artifact. KeyError where that has none."""
    if name in ROWS:
        return lambda row, tokens: _row(row, tokens, columns, words)
    return _asked if is_asked(name) else SHAPES[name]


def is_asked(name: str) -> bool:
    """Whether an artifact says what each row of a curated part asks."""
    return name.startswith("digests/") and name.endswith(".jsonl")


def words_of(rows: Sequence[Any], columns: Sequence[str]) -> Words:
    """The values of each column that are words: short, and few. All others become tokens."""
    found: dict[str, set[str]] = {name: set() for name in columns}
    for row in rows:
        for name, value in _columns_of(row).items():
            if name in found and type(value) is str:
                found[name].add(value)
    return {
        name: frozenset(filter(_is_word, values)) if len(values) <= _MOST_WORDS else frozenset()
        for name, values in found.items()
    }


def _columns_of(row: Any) -> Mapping[str, Any]:
    found = row.get("columns") if type(row) is dict else None
    return found if type(found) is dict else {}


def _is_word(text: str) -> bool:
    return len(text) <= _LONGEST_WORD and text.isprintable()


def as_shown(line: Any, row: Any) -> Words:
    """Which values of columns a public line shows as they are: those that it does."""
    shown, given = _columns_of(line), _columns_of(row)
    same = (name for name, v in shown.items() if type(v) is str and given.get(name) == v)
    return {name: frozenset({str(shown[name])}) for name in same}


def _row(row: Any, tokens: AnyTokens, columns: Sequence[str], words: Words) -> dict[str, Any]:
    """A line of rows.jsonl or anchors.jsonl. Raises ValueError for what rules read as none."""
    if not {"id", "case", "input", "response", "cells"} <= row.keys():
        raise ValueError("a row has not the keys of one")
    asked = hashlib.sha256(b"llmops/asked/v1" + canonical(row.get("input"))).digest()
    made: dict[str, Any] = {
        "id": _id(row.get("id"), tokens),
        "case": _case(row.get("case"), tokens),
        "input": _text(row.get("input"), lambda v: tokens.keyed(asked, v)),
        "expected": _text(row.get("expected"), tokens.within),
        "response": _text(row.get("response"), lambda v: tokens.keyed(asked, v)),
        "columns": dict(_columns(row.get("columns"), tokens, columns, words)),
        "cells": {name: _cell(cell) for name, cell in _named(row.get("cells"))},
    }
    if "control" in row:
        made["rating"], made["control"] = _rated(row)
    if "action" in row:
        made["action"] = _one_of(row["action"], ("allow", "block", "mask"))
        made["hits"] = [_hit(one) for one in _objects(row.get("hits"))]
    return made


def _rated(row: Any) -> tuple[float | None, str | None]:
    """What people said of a row, or what a control item is."""
    rating, control = _number(row.get("rating")), row["control"]
    if control not in (None, "good", "bad", "injection") or (control is None and rating is None):
        raise ValueError("a row is neither rated nor a control item")
    return rating, control


def _cell(cell: Any) -> dict[str, Any]:
    """The numbers of a cell; why it is invalid is text."""
    made: dict[str, Any] = {"value": _number(cell.get("value")), "valid": cell.get("valid") is True}
    if cell.get("applies") is False:
        made["applies"] = False
    if type(cell.get("repeats")) is list:
        made["repeats"] = [_number(one) for one in cell["repeats"]]
    return made | {name: _count(cell[name]) for name in ("place", "of") if name in cell}


def _columns(
    given: Any, tokens: AnyTokens, columns: Sequence[str], words: Words
) -> Iterator[tuple[str, Any]]:
    for name in columns if type(given) is dict else ():
        value = given.get(name)
        if type(value) in (bool, int, float):
            yield name, _number(value, truth=True)
        elif type(value) is str:
            same = value in words.get(name, ())
            yield name, value if same else tokens.keyed(b"column " + name.encode(), value)


def _hit(one: Mapping[str, Any]) -> dict[str, Any]:
    action = _one_of(one.get("action"), ("allow", "block", "mask"))
    return {"layer": _label(one.get("layer")), "action": action}


def _finding_line(line: Any, tokens: AnyTokens) -> dict[str, Any]:
    """A line of findings.jsonl: what a detector counted, and how severe what it found is."""
    return {
        "detector": _label(line.get("detector")),
        "status": _one_of(line.get("status"), ("ok", "error")),
        "reason": _text(line.get("reason") or None, tokens.within) or "",
        "cases": _count(line.get("cases")),
        "errors": _count(line.get("errors")),
        "findings": [_finding(one, tokens) for one in _objects(line.get("findings"))],
    }


def _finding(one: Mapping[str, Any], tokens: AnyTokens) -> dict[str, Any]:
    return {
        "severity": _one_of(one.get("severity"), ("low", "medium", "high")),
        "group": _text(one.get("group") or None, tokens.within) or "",
        "description": _text(one.get("description") or None, tokens.within) or "",
        "metric": _text(one.get("metric") or None, tokens.within) or "",
        "value": _number(one.get("value")),
        "cases": _count(one.get("cases")),
    }


def _asked(line: Any, tokens: AnyTokens) -> list[Any]:
    """A line of digests/*.jsonl: the digest of what is asked, and the row's id."""
    if len(line) != 2 or type(line[0]) is not str or not re.fullmatch(r"[0-9a-f]{32}", line[0]):
        raise ValueError("a line of digests is none")
    return [line[0], _id(line[1], tokens)]


def _response(line: Any, tokens: AnyTokens) -> dict[str, Any]:
    """A line of responses.jsonl: whether there is one, and what guardrails did."""
    made: dict[str, Any] = {"id": _id(line.get("id"), tokens)}
    made["error"] = _text(line.get("error"), tokens.within)
    for name in ("input_tokens", "output_tokens"):
        made[name] = _count(line.get(name))
    if "blocked" in line:
        made["blocked"] = line["blocked"] is True
        made["guard"] = [_hit(one) for one in _objects(line.get("guard"))]
    return made


def _logged(line: Any, _tokens: AnyTokens) -> dict[str, Any]:
    """A line of trainer_log.jsonl."""
    kept = ("step", "epoch", "loss", "grad_norm", "learning_rate")
    return {name: _number(line[name]) for name in kept if name in line}


def _funnel(steps: Any, tokens: AnyTokens) -> list[Any]:
    """funnel.json: counts; the words of a step that specs choose are a token."""
    return [_step(one, tokens) for one in _objects(steps)]


def _step(one: Mapping[str, Any], tokens: AnyTokens) -> dict[str, Any]:
    name = one.get("step")
    made: dict[str, Any] = {"step": name if name in _STEPS else _text(name, tokens.within)}
    kept = ("rows_in", "rows_out", "dropped", "found")
    return made | {key: _count(one[key]) for key in kept if key in one}


def _confusion(value: Any, tokens: AnyTokens) -> dict[str, Any]:
    """confusion.json: counts; a label is an expected answer, so it is a token."""
    return {
        "labels": [_text(one, tokens.within) for one in value["labels"]],
        "counts": [[_count(one) for one in row] for row in value["counts"]],
        **{key: [_count(one) for one in value[key]] for key in ("other", "invalid")},
    }


ROWS = ("rows.jsonl", "anchors.jsonl")
SHAPES: Mapping[str, Show] = {
    "findings.jsonl": _finding_line,
    "responses.jsonl": _response,
    "trainer_log.jsonl": _logged,
    "funnel.json": _funnel,
    "confusion.json": _confusion,
}


def _text(value: Any, token: Callable[[Any], str]) -> str | None:
    return None if value is None else token(value)


def _id(value: Any, tokens: AnyTokens) -> str:
    """An id as it stands, where it can hardly be a sentence; the same token everywhere if not."""
    if type(value) is str and _LABEL.fullmatch(value):
        return value
    return tokens.keyed(b"llmops/id/v1", value)


def _case(value: Any, tokens: AnyTokens) -> str:
    if type(value) is str and PATTERN.fullmatch(value):
        return value
    return tokens.keyed(b"llmops/case/v1", value)


def _label(value: Any) -> str | None:
    return value if type(value) is str and _LABEL.fullmatch(value) else None


def _one_of(value: Any, words: Sequence[str]) -> str | None:
    return value if type(value) is str and value in words else None


def _number(value: Any, *, truth: bool = False) -> float | None:
    """A number that canonical JSON has; truth values are none where rules read numbers."""
    if type(value) is bool:
        return value if truth else None
    if type(value) is int:
        return value if abs(value) < 2**53 else None
    return value if type(value) is float and math.isfinite(value) else None


def _count(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < 2**53 else None


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if type(one) is dict] if type(value) is list else []


def _named(cells: Any) -> Iterator[tuple[str, Any]]:
    """The cells of a row by the names that checks have; a key that is no name is hidden."""
    if not all(type(cell) is dict for cell in cells.values()):
        raise ValueError("a cell is none")
    return ((name, cell) for name, cell in cells.items() if _LABEL.fullmatch(name))
