"""A mistake before it has a place in a text: the path inside the document, rule, words, hint.

Checks of a kind yield `Problem`s; `load.py` turns each into a Diagnostic by asking the document
for the span, so that positions are computed only when something is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.diagnostics import Severity, printable
from llmops.specs.secrets import looks_secret

Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake at `loc`; `key` points at the key instead of its value."""

    loc: Loc
    rule: str
    message: str
    hint: str = ""
    key: bool = False
    severity: Severity = Severity.ERROR


MOST = 100  # mistakes of one file that are told: whoever has so many to mend knows enough


_LEFT = dict.fromkeys(Severity, MOST)


def first(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The first hundred of each severity; once there are so many errors, none is looked for."""
    left = _LEFT.copy()
    for problem in problems:
        if left[problem.severity]:
            left[problem.severity] -= 1
            yield problem
        elif problem.severity is Severity.ERROR:
            return


def shown(value: Any) -> str:
    """A value in the user's words: `text "4"`, `number 4`, `a list`; never a secret."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, int | float):
        return f"number {value!r:.40}" if isinstance(value, float) else f"number {_int(value)}"
    if isinstance(value, str):
        return "a secret" if looks_secret(value) else f'text "{printable(value, 60)}"'
    return "a list" if isinstance(value, list | tuple) else "a map"


def _int(value: int) -> str:
    return str(value) if -(10**40) < value < 10**40 else "of more than 40 digits"


def quoted(value: Any) -> str:
    """A word of the user in quotation marks; never a secret."""
    if isinstance(value, str):
        return "a secret" if looks_secret(value) else f'"{printable(value, 60)}"'
    return shown(value)


def listed(names: Iterable[str], limit: int = 6) -> str:
    """`"a", "b", …` in the order given."""
    known = list(names)
    return ", ".join(f'"{n}"' for n in known[:limit]) + (", …" if len(known) > limit else "")


def path_of(loc: Loc) -> str:
    """`("spec", "data", 0, "weight")` -> `data[0].weight`."""
    words = ""
    for step in loc[1:] if loc[:1] == ("spec",) else loc:
        words += f"[{step}]" if isinstance(step, int) else f".{_step(step)}"
    return words.removeprefix(".")


def _step(step: str) -> str:
    return "…" if looks_secret(step) else printable(step, 60)


def block(value: Any, *keys: str) -> Mapping[str, Any]:
    """The map at a path of raw values; an empty one when it is absent or no map."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Any, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The maps of a list with their places, whatever else stands in the list."""
    found = value.get(key) if isinstance(value, dict) else None
    for i, item in enumerate(found if isinstance(found, list) else ()):
        if isinstance(item, dict):
            yield i, item


def one_of(
    value: Any, loc: Loc, names: tuple[str, ...], others: Iterable[str] = ()
) -> list[Problem]:
    """Exactly one of some keys names the branch. `others`: keys that excuse the absence."""
    if not isinstance(value, dict):
        return []
    found = [name for name in names if value.get(name) is not None]
    if len(found) == 1 or (not found and any(name in value for name in others)):
        return []
    if not found:
        what = f"{path_of(loc) or 'spec'} needs one of {listed(names)}"
        return [Problem(loc, "missing-field", what, "one key names the branch", key=True)]
    what = f"{listed(found)} stand together; only one of them may"
    return [Problem((*loc, found[-1]), "one-of", what, "keep one of them", key=True)]


def one_sided(entry: Any, loc: Loc) -> Iterator[Problem]:
    """The bound of an entry, where it has one, is `{min: x}` or `{max: x}`."""
    if isinstance(block(entry).get("require"), dict):
        yield from one_of(block(entry, "require"), (*loc, "require"), ("min", "max"))


def once(names: Any, loc: Loc) -> Iterator[Problem]:
    """Names that stand twice in a list of names."""
    seen: set[str] = set()
    known = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    for i, name in enumerate(known):
        if name in seen:
            yield Problem((*loc, i), "duplicate-name", f"{quoted(name)} stands here twice")
        seen.add(name)


def duplicates(value: Any, loc: Loc, *keys: str) -> Iterator[Problem]:
    """Names given twice among the lists of named things below `keys`."""
    seen: set[str] = set()
    for key in keys:
        for i, item in items(value, key):
            name = item.get("name")
            if not isinstance(name, str):
                continue
            if name in seen:
                what = f"the name {quoted(name)} is used twice"
                yield Problem((*loc, key, i, "name"), "duplicate-name", what, "rename one of them")
            seen.add(name)
