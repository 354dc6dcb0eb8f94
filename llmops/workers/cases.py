"""A case as people read it: what is asked, what is expected, its columns; and the case changed.

In: a curated row and the format of its dataset. `question` is the text of the user that a person
would read, `changed` the same case with another text in that place, all else as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.diagnostics import printable
from llmops.workers.chat import Row, RowError, conversation
from llmops.workers.contract import WorkerError

COLUMNS: Mapping[str, str] = {
    "qa": "question",
    "alpaca": "instruction",
    "completion": "prompt",
    "attack": "prompt",
    "ratings": "input",
}
# The column of turns, the key of who speaks, who the user is, and the key of what is said.
_TURNS: Mapping[str, tuple[str, str, str, str]] = {
    "messages": ("messages", "role", "user", "content"),
    "sharegpt": ("conversations", "from", "human", "value"),
}


def question(case: Row, form: str) -> str:
    """What a person would read as the question."""
    if form in COLUMNS:
        return str(case.get(COLUMNS[form], ""))
    users = [m["content"] for m in _turns(case, form) if m["role"] == "user"]
    return users[-1] if users else ""


def asked(case: Row, form: str) -> str:
    """All that is asked, without the answer: of a conversation what was said before it as well."""
    if form == "alpaca" and case.get("input"):
        return f"{question(case, form)}\n{case['input']}"
    if form in COLUMNS:
        return question(case, form)
    turns = [m for m in _turns(case, form) if m["role"] != "system"]
    last = max((i for i, m in enumerate(turns) if m["role"] == "user"), default=-1)
    return "\n".join(m["content"] for m in turns[: last + 1])


def expected(case: Row, spec: Mapping[str, Any]) -> str | None:
    """The expected answer; of a conversation its last turn, if that is the assistant's."""
    if spec.get("expected"):
        value = case.get(spec["expected"])
        return value if isinstance(value, str) else None
    last = _turns(case, spec["format"])[-1]
    return last["content"] if last["role"] == "assistant" else None


def columns(case: Row) -> dict[str, Any]:
    """The plain values of a case, by which it can be sliced; its id and digest are none."""
    plain = {k: v for k, v in case.items() if v is None or isinstance(v, str | int | float)}
    return {k: v for k, v in plain.items() if k not in ("id", "case")}


def changed(case: Row, form: str, text: str) -> dict[str, Any]:
    """The case with another question; one without a question stays as it is."""
    if form in COLUMNS:
        return {**case, COLUMNS[form]: text}
    column, who, user, said = _TURNS[form]
    turns = list(case[column])
    places = [i for i, turn in enumerate(turns) if turn.get(who) == user]
    if places:
        turns[places[-1]] = {**turns[places[-1]], said: text}
    return {**case, column: turns}


def _turns(case: Row, form: str) -> list[dict[str, str]]:
    try:
        return conversation(case, form)
    except RowError as error:
        raise WorkerError(f'case "{printable(case["id"])}": {error}') from error
