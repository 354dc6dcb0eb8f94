"""What a row of each dataset format must hold: its columns, and their shape.

The names are those of the data sets of the field (Alpaca, ShareGPT, chat messages). A format is
one line in `COLUMNS` and, when a column is no plain text, one in `_TURNS`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmops.diagnostics import did_you_mean, printable

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "qa": ("question", "answer"),
    "alpaca": ("instruction", "output"),
    "completion": ("prompt", "completion"),
    "messages": ("messages",),
    "sharegpt": ("conversations",),
    "attack": ("prompt",),
    "lexicon": ("word",),
    "ratings": ("input", "response"),
}
UNASKED = ("lexicon",)  # words, which ask nothing
# What a control item is known to be: right, wrong, or wrong with orders to the judge in it.
CONTROLS = ("good", "bad", "injection")
# The column of turns, the key of who speaks, the key of what is said, and who may speak.
_TURNS: Mapping[str, tuple[str, str, frozenset[str]]] = {
    "messages": ("role", "content", frozenset({"system", "user", "assistant", "tool"})),
    "conversations": ("from", "value", frozenset({"system", "human", "gpt", "tool"})),
}


def problem(row: Mapping[str, Any], form: str) -> str | None:
    """Why a row does not have the shape of its format, in one phrase; None when it does."""
    for column in COLUMNS[form]:
        if column not in row:
            near = did_you_mean(column, row, otherwise="map it under columns")
            return f'no column "{column}" ({printable(near, 120)})'
        if column in _TURNS:
            what = _turns_problem(row[column], *_TURNS[column])
        else:
            what = None if isinstance(row[column], str) else "is not text"
        if what:
            return f'column "{column}" {what}'
    return _words_problem(row, form)


def _words_problem(row: Mapping[str, Any], form: str) -> str | None:
    """A bank says what is expected in one of two words; an empty word would match everything."""
    if form == "attack" and row.get("expect", "refuse") not in ("refuse", "comply"):
        return 'column "expect" is neither "refuse" nor "comply"'
    if form == "lexicon" and not row["word"].strip():
        return 'column "word" is empty'
    return _rating_problem(row) if form == "ratings" else None


def _rating_problem(row: Mapping[str, Any]) -> str | None:
    """A rated row has a rating, or is a control item whose answer is known without one."""
    control = row.get("control") or None
    if control is not None and control not in CONTROLS:
        shown = printable(json.dumps(control, ensure_ascii=False), 40)
        return f'column "control" is {shown}, not one of {", ".join(CONTROLS)}'
    for column in ("check", "expected"):
        if not isinstance(row.get(column), str | None):
            return f'column "{column}" is not text'
    if row.get("rating") in (None, ""):
        return None if control else 'no "rating", and no "control" that makes one needless'
    rating = rating_of(row)
    if rating is None:
        shown = printable(json.dumps(row["rating"], ensure_ascii=False), 40)
        return f'column "rating" is {shown}, not a number from 0 to 1'
    if control is not None and (rating >= 0.5) is not (control == "good"):
        return f"the rating {rating:g} contradicts the control {control}"
    return None


def rating_of(row: Mapping[str, Any]) -> float | None:
    """What people rated a row, from 0 (bad) to 1 (good); None when that is no such number."""
    value = row.get("rating")
    if isinstance(value, str):
        try:
            value = float(value) if value.isascii() and "_" not in value else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)


def _turns_problem(turns: Any, who: str, said: str, speakers: frozenset[str]) -> str | None:
    if not isinstance(turns, list) or not turns:
        return "is not a list of turns"
    for number, turn in enumerate(turns, 1):
        if not isinstance(turn, dict):
            return f"has a turn {number} that is no object"
        if turn.get(who) not in speakers:
            shown = printable(str(turn.get(who)), 40)
            return f'has a turn {number} whose "{who}" is "{shown}"'
        if not isinstance(turn.get(said), str):
            return f'has a turn {number} whose "{said}" is not text'
    return None
