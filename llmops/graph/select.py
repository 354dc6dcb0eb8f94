"""Which specs a person means: selectors in dbt's grammar, over one graph or two.

In: graphs, the changes between them, texts such as `Recipe/x+`, `state:modified`. Out: refs in the
graph's order. A term is a name, `Kind`, `Kind/name`, a path, each with `*`, `?`, `[ab]`, or
`method:value` (see `methods.py`); `+` before it adds what it needs, behind it what follows from it,
`2+` and `+2` so many steps of that; `@` adds what follows and all that those need. Terms with `,`
between them must all hold, those with a space between them are joined.

A word that nothing is called is a mistake: one in a pipeline must not select nothing and be green.
A state that nothing is in is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from llmops.graph import methods
from llmops.graph.base import Change
from llmops.graph.build import Graph
from llmops.graph.methods import Look, SelectorError
from llmops.specs.base import Ref

# Digits are few, so that no number is too long to be one; a value may hold a `+`.
_TERM = re.compile(
    r"(?P<at>@)?(?P<up>\d{0,4}\+)?(?P<what>.*?)(?P<down>\+\d{0,4})?", re.DOTALL
)  # fmt: skip
_METHOD = re.compile(r"(?P<method>[A-Za-z_]+)(?P<more>\.[^:]*)?:(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scene:
    """What selectors look at: head's graph first, then base's where that counts too.

    `jobs` and `results` are asked for where `needs` says so: the types of the jobs that are about a
    spec, and what the kept evidence says of it.
    """

    graphs: tuple[Graph, ...]
    changes: Sequence[Change] = ()
    jobs: Mapping[Ref, frozenset[str]] = field(default_factory=dict)
    results: Mapping[Ref, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a selector, read. `up` and `down`: steps, None for any number of them."""

    text: str
    method: str  # "" for a name
    more: str  # what stands behind a point in the method: `config.lora.r:8`
    value: str
    at: bool = False
    up: int | None = 0
    down: int | None = 0


def read(selectors: Iterable[str]) -> tuple[tuple[Term, ...], ...]:
    """Each selector as its terms. SelectorError for what cannot be read."""
    words = [word for text in selectors for word in (text.split() or [text])]
    return tuple(tuple(_term(part, word) for part in word.split(",")) for word in words)


def needs(selectors: Iterable[str]) -> frozenset[str]:
    """The methods that selectors use. SelectorError for what cannot be read."""
    return frozenset(term.method for terms in read(selectors) for term in terms)


def select(
    scene: Scene, selectors: Sequence[str], exclude: Sequence[str] = ()
) -> tuple[Ref, ...]:  # fmt: skip
    """Every spec that one of the selectors names, dependencies first, without the excluded.

    All of them where nothing is selected. Raises SelectorError for a selector that cannot be read,
    and for a word that nothing is called.
    """
    every = {ref: None for graph in scene.graphs for ref in graph.specs}
    found = _union(scene, selectors) if selectors else set(every)
    left = found - _union(scene, exclude)
    return tuple(ref for ref in every if ref in left)


def _union(scene: Scene, selectors: Sequence[str]) -> set[Ref]:
    found: set[Ref] = set()
    for terms in read(selectors):
        found |= set.intersection(*(_found(scene, term) for term in terms))
    return found


def _term(text: str, word: str) -> Term:
    read = _TERM.fullmatch(text)
    assert read is not None, "every text is a term"
    what = read["what"]
    if not what:
        hint = "write a,b without a space" if "," in word else methods.HINT
        raise SelectorError(f'"{word}" is no selector', hint)
    if read["at"] and read["down"]:
        hint = "@x has all that follows from x already"
        raise SelectorError(f'"{text}": "@" before and "+" behind do not go together', hint)
    said = _METHOD.fullmatch(what)
    named = (said["method"], (said["more"] or "")[1:], said["value"]) if said else ("", "", what)
    methods.expect(*named)
    return Term(text, *named, bool(read["at"]), _count(read["up"]), _count(read["down"]))


def _count(mark: str | None) -> int | None:
    digits = "0" if mark is None else mark.strip("+")
    return int(digits) if digits else None


def _found(scene: Scene, term: Term) -> set[Ref]:
    looks = [Look(graph, scene.changes, scene.jobs, scene.results) for graph in scene.graphs]
    named = [methods.named(look, term.method, term.more, term.value) for look in looks]
    if not any(named):
        methods.expect_some(looks, term.method, term.more, term.value)
    return {
        ref
        for graph, chosen in zip(scene.graphs, named, strict=True)
        for ref in _around(graph, chosen, term)
    }


def _around(graph: Graph, chosen: set[Ref], term: Term) -> set[Ref]:
    """The chosen specs with the steps up and down that a term asks for."""
    if term.at:
        return _steps(_steps(chosen, lambda ref: graph.dependents[ref], None), _needs(graph), None)
    above = _steps(chosen, _needs(graph), term.up)
    return above | _steps(chosen, lambda ref: graph.dependents[ref], term.down)


def _needs(graph: Graph) -> Callable[[Ref], Iterable[Ref]]:
    return lambda ref: (use.target for use in graph.specs[ref].references)


def _steps(start: set[Ref], near: Callable[[Ref], Iterable[Ref]], most: int | None) -> set[Ref]:
    """All that is reached in `most` steps (any number for None)."""
    seen, edge = set(start), set(start)
    while edge and most != 0:
        edge = {other for ref in edge for other in near(ref)} - seen
        seen |= edge
        most = None if most is None else most - 1
    return seen


def depends_on_change(selectors: Iterable[str]) -> bool:
    """Whether it is an answer that nothing is selected: what changed, what was measured."""
    return bool(needs(selectors) & methods.OPEN)
