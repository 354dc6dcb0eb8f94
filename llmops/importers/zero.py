"""A DeepSpeed configuration that a training tool names by its path -> `deepspeed` of a Recipe.

What TrainingArguments say too is left to them ("auto"), what llmops does itself or does not know is
taken out, and each of both is noted, with the file it stood in.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmops.diagnostics import Span
from llmops.importers.base import Draft, Found, told
from llmops.importers.hub import as_json
from llmops.specs import upstream
from llmops.specs.base import Ref
from llmops.specs.problem import Loc

MOST_ROUNDS = 200


def put(draft: Draft, recipe: Ref, given: Any, found: Found | None, of: Loc) -> None:
    """The configuration in the draft, or a note why it is not there."""
    value = given if isinstance(given, dict) else as_json(found.data or b"") if found else None
    if not isinstance(value, dict):
        why = "the file is not here, or is no JSON object; write its content under deepspeed:"
        draft.note(of, why)
        return
    path = found.path if found and not isinstance(given, dict) else draft.document.path
    kept, left = _fit(value)
    for name, was, why in left:
        draft.note_in(Span(path), told(name, was), why)
    if kept:
        draft.put(recipe, "deepspeed", kept, of)
        draft.say(recipe, "deepspeed", f"from {path}")


def _fit(value: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Any, str]]]:
    """As much of it as a Recipe may say, and what was left out of it, with the reason."""
    kept: dict[str, Any] = _copy(value)
    left: list[tuple[str, Any, str]] = []
    for _ in range(MOST_ROUNDS):
        problem = next(upstream.deepspeed(kept, ()), None)
        if problem is None:
            return kept, left
        *outer, last = (str(step) for step in problem.loc)
        block = kept
        for step in outer:
            block = block[step]
        why = problem.message + (f"; {problem.hint}" if problem.hint else "")
        left.append((".".join((*outer, last)), block.pop(last), why))
    return {}, left


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value
