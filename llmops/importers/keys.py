"""Flat keys of a training tool -> places of a Recipe, by a table.

In: a table of `Key` (theirs, ours, what is done to the value) and the values of a configuration.
Out: the values in a draft, a note for each that is not carried, and a note for each key that the
table does not have. The table is the manual's page as well, so what it says is what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.diagnostics import nearest
from llmops.importers.base import Draft, NotCarriedError
from llmops.specs.base import Ref

Turn = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of theirs. `to`: a place of a Recipe, or words for what `by_hand` makes of it.

    `why`: why it is not carried, or what changes on the way. A name that ends in `*` is a prefix.
    """

    name: str
    to: str = ""
    why: str = ""
    turn: Turn | None = None
    by_hand: bool = False


def plain(value: Any) -> Any:
    """The value as it is."""
    return value


def truth(value: Any) -> bool:
    """True or false, as YAML 1.1 reads it too (`yes`, `on`), or a word that says neither."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word in ("true", "yes", "on"):
        return True
    if word in ("false", "no", "off"):
        return False
    raise NotCarriedError("it is neither true nor false")


def number(value: Any) -> int | float:
    """A number, or a text that is one: other loaders read 2e-5 as text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    try:
        found = float(value) if isinstance(value, str) and len(value) < 40 else None
    except ValueError:
        found = None
    if found is None or found != found or abs(found) == float("inf"):
        raise NotCarriedError("it is no number")
    return int(found) if found.is_integer() and "." not in value and "e" not in value else found


def whole(value: Any) -> int:
    """A whole number."""
    found = number(value)
    if isinstance(found, float) and not found.is_integer():
        raise NotCarriedError("it is no whole number")
    return int(found)


def word(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise NotCarriedError("it is no text")
    return value


def carry(draft: Draft, recipe: Ref, table: tuple[Key, ...]) -> None:
    """Every key of the configuration: put where it belongs, noted, or left to the importer."""
    for name, value in draft.document.value.items():
        key = find(table, name)
        if key is None:
            _unknown(draft, name, value, table)
        elif key.by_hand or value is None:
            continue
        elif key.turn is not None:
            _put(draft, recipe, key, name, value)
        elif not idle(value):
            draft.note((name,), key.why)


def _put(draft: Draft, recipe: Ref, key: Key, name: str, value: Any) -> None:
    assert key.turn is not None
    try:
        draft.put(recipe, key.to, key.turn(value), (name,))
    except NotCarriedError as error:
        if not idle(value):
            draft.note((name,), str(error))
        return
    if key.why and (draft.get(recipe, key.to) != value or not key.to.endswith(f".{name}")):
        draft.say(recipe, key.to, f"{name}: {key.why}")


def _unknown(draft: Draft, name: str, value: Any, table: tuple[Key, ...]) -> None:
    if value is None:
        return
    near = nearest(name, [key.name for key in table])
    hint = f'; did it mean "{near}"?' if near else ""
    draft.note((name,), f"llmops does not know this key{hint}")


def find(table: tuple[Key, ...], name: str) -> Key | None:
    """The line of a table that a key belongs to."""
    by_name = {key.name: key for key in table}
    if name in by_name:
        return by_name[name]
    prefixes = (key for key in table if key.name.endswith("*"))
    return next((key for key in prefixes if name.startswith(key.name[:-1])), None)


def idle(value: Any) -> bool:
    """Whether a value asks for nothing: absent, false, zero, no words."""
    return value is None or value is False or value in (0, "", [], {})


def rows(table: tuple[Key, ...]) -> Iterator[tuple[str, str, str]]:
    """The table for people: theirs, ours, what to know; keys of one fate stand together."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for key in table:
        ours = f"`{key.to}`" if key.turn is not None else key.to or "not carried"
        grouped.setdefault((ours, key.why), []).append(f"`{key.name}`")
    for (ours, why), names in grouped.items():
        yield ", ".join(names), ours, why


def by_name(table: tuple[Key, ...]) -> Mapping[str, Key]:
    """The lines of a table by their name."""
    return {key.name: key for key in table}
