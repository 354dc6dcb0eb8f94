"""Which specs a person means: selectors in dbt's words, over one graph.

In: a graph, the changes since base, texts such as `Recipe/x+`, `state:modified`. Out: refs in the
graph's order. A term is `Kind/name`, `Kind`, `name`, each with `*`, or `method:value`; `+` before
it adds what it depends on, `+` after it what depends on it, `2+` two steps of it. Terms with `,`
between them must all hold; several selectors are joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.specs.base import Ref, Spec

METHODS = ("state", "label", "owner", "path")
STATES = ("modified", "new", "changed", "follows")
_TERM = re.compile(r"(?P<up>\d*\+)?(?P<what>[^+]+)(?P<down>\+\d*)?")


class SelectorError(ValueError):
    """A selector that means nothing; the text says why."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What selectors look at."""

    graph: Graph
    changes: Sequence[Change] = ()


def select(scene: Scene, selectors: Iterable[str]) -> tuple[Ref, ...]:
    """Every spec that one of the selectors names, dependencies first; all of them for none.

    Raises SelectorError for one that cannot be read. One that names nothing gives nothing.
    """
    given = list(selectors)
    if not given:
        return tuple(scene.graph.specs)
    found: set[Ref] = set()
    for selector in given:
        terms = [_term(scene, term.strip()) for term in selector.split(",")]
        found |= set.intersection(*terms)
    return tuple(ref for ref in scene.graph.specs if ref in found)


def _term(scene: Scene, text: str) -> set[Ref]:
    read = _TERM.fullmatch(text)
    if read is None:
        raise SelectorError(f'"{text}" is no selector')
    chosen = _named(scene, read["what"])
    graph = scene.graph
    found = set(chosen)
    if read["up"]:
        found |= _steps(chosen, lambda ref: _needs(graph.specs[ref]), _count(read["up"]))
    if read["down"]:
        found |= _steps(chosen, lambda ref: graph.dependents[ref], _count(read["down"]))
    return found


def _needs(spec: Spec) -> tuple[Ref, ...]:
    return tuple(use.target for use in spec.references)


def _count(mark: str) -> int | None:
    digits = mark.strip("+")
    return int(digits) if digits else None


def _steps(start: set[Ref], near: Callable[[Ref], Iterable[Ref]], most: int | None) -> set[Ref]:
    """All that is reached in `most` steps (any number for None)."""
    seen, edge = set(start), set(start)
    while edge and most != 0:
        edge = {other for ref in edge for other in near(ref)} - seen
        seen |= edge
        most = None if most is None else most - 1
    return seen


def _named(scene: Scene, what: str) -> set[Ref]:
    method, colon, value = what.partition(":")
    if not colon:
        return {ref for ref in scene.graph.specs if _called(ref, what)}
    if method not in METHODS:
        raise SelectorError(f'there is no selector "{method}:" (known are {_list(METHODS)})')
    if method == "state":
        return _state(scene, value)
    fits = {"label": _label, "owner": _owner, "path": _path}[method]
    return {ref for ref, spec in scene.graph.specs.items() if fits(spec, value)}


def _list(words: Iterable[str]) -> str:
    return ", ".join(f"{word}:" for word in words)


def _called(ref: Ref, pattern: str) -> bool:
    if "/" in pattern:
        return fnmatchcase(str(ref), pattern)
    return fnmatchcase(ref.name, pattern) or fnmatchcase(ref.kind.lower(), pattern.lower())


def _state(scene: Scene, value: str) -> set[Ref]:
    actions: Mapping[str, tuple[str, ...]] = {
        "modified": ("added", "changed"),
        "new": ("added",),
        "changed": ("changed",),
        "follows": ("follows",),
    }
    if value not in actions:
        raise SelectorError(f'there is no state "{value}" (known are {", ".join(STATES)})')
    return {change.ref for change in scene.changes if change.action in actions[value]} & set(
        scene.graph.specs
    )


def _label(spec: Spec, value: str) -> bool:
    key, equals, wanted = value.partition("=")
    found = spec.labels.get(key)
    return found is not None and (not equals or fnmatchcase(found, wanted))


def _owner(spec: Spec, value: str) -> bool:
    return fnmatchcase(str(spec.value["metadata"].get("owner", "")), value)


def _path(spec: Spec, value: str) -> bool:
    return spec.path.startswith(value) or fnmatchcase(spec.path, value)
