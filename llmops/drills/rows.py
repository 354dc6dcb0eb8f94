"""Questions and answers of rows, whatever their format: read, and answers written anew.

Rows are curated ones, so their columns have our names. A format without an answer (attack,
lexicon) has none to plant in.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from llmops.drills.base import Row, UnfitError

ANSWERS = {"qa": "answer", "alpaca": "output", "completion": "completion"}
QUESTIONS = {"qa": "question", "alpaca": "instruction", "completion": "prompt", "attack": "prompt"}
_TURNS = {
    "messages": ("messages", "role", "content"),
    "sharegpt": ("conversations", "from", "value"),
}
_ASSISTANT, _USER = ("assistant", "gpt"), ("user", "human")


def question(row: Row, form: str) -> str:
    """What is asked: of a conversation the last turn of the user."""
    if form in _TURNS:
        return _turn(row, form, _USER)[1]
    return str(row[_known(QUESTIONS, form)])


def answer(row: Row, form: str) -> str:
    """What is to be answered: of a conversation the last turn of the assistant."""
    if form in _TURNS:
        return _turn(row, form, _ASSISTANT)[1]
    return str(row[_known(ANSWERS, form)])


def answered(row: Row, form: str, text: str) -> dict[str, Any]:
    """The row with another answer; all else stays."""
    if form not in _TURNS:
        return {**row, _known(ANSWERS, form): text}
    column, _, said = _TURNS[form]
    place, _ = _turn(row, form, _ASSISTANT)
    turns = [dict(turn) for turn in row[column]]
    turns[place][said] = text
    return {**row, column: turns}


def lines(rows: Iterable[Row]) -> bytes:
    """Rows as JSON Lines, without what curation adds."""
    kept = ({k: v for k, v in row.items() if k != "case"} for row in rows)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
    return text.encode("utf-8")


def _turn(row: Row, form: str, roles: Sequence[str]) -> tuple[int, str]:
    column, role, said = _TURNS[form]
    turns = list(enumerate(row[column]))
    found = [(i, str(turn[said])) for i, turn in turns if turn.get(role) in roles]
    if not found:
        raise UnfitError(f"a row of format {form} has no turn of {' or '.join(roles)}")
    return found[-1]


def _known(columns: dict[str, str], form: str) -> str:
    if form not in columns:
        raise UnfitError(f"rows of format {form} have no answer")
    return columns[form]
