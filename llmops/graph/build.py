"""Specs -> Graph: every reference resolved, dependencies first, or diagnostics that say why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from llmops.diagnostics import Diagnostic, Span, did_you_mean, has_errors
from llmops.prompts.constraints import checks
from llmops.specs.base import Ref, Reference, Spec, elsewhere

Loc = tuple[str | int, ...]
SpanOf = Callable[[Ref, Loc], Span]
Broken = frozenset[tuple[str | None, str]]  # kind if known, and name


@dataclass(frozen=True)
class Graph:
    """Specs by reference, in an order in which dependencies come first; file digests by path."""

    specs: Mapping[Ref, Spec]
    files: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def memo(self) -> dict[Any, Any]:
        """Values derived from this graph, kept beside it by whoever derives them."""
        return {}

    @cached_property
    def dependents(self) -> Mapping[Ref, tuple[Ref, ...]]:
        """Who refers to each spec directly."""
        found: dict[Ref, list[Ref]] = {ref: [] for ref in self.specs}
        for spec in self.specs.values():
            for target in dict.fromkeys(r.target for r in spec.references):
                found[target].append(spec.ref)
        return {ref: tuple(users) for ref, users in found.items()}

    def of_kind(self, kind: str) -> tuple[Spec, ...]:
        """All specs of one kind, by name."""
        return self._by_kind.get(kind, ())

    @cached_property
    def _by_kind(self) -> Mapping[str, tuple[Spec, ...]]:
        found: dict[str, list[Spec]] = {}
        for ref in sorted(self.specs):
            found.setdefault(ref.kind, []).append(self.specs[ref])
        return {kind: tuple(specs) for kind, specs in found.items()}

    def reach(self, ref: Ref) -> tuple[Ref, ...]:
        """A spec and all it depends on, itself first."""
        seen: dict[Ref, None] = {}
        todo = [ref]
        while todo:
            current = todo.pop()
            if current not in seen:
                seen[current] = None
                todo += [r.target for r in self.specs[current].references]
        return tuple(seen)


EMPTY = Graph({})


@dataclass(frozen=True, slots=True)
class Built:
    """A graph, or None beside the diagnostics that forbid it (warnings may stand beside one)."""

    graph: Graph | None
    diagnostics: tuple[Diagnostic, ...]


def build(
    specs: Mapping[Ref, Spec],
    files: Mapping[str, str],
    span: SpanOf,
    known_files: Iterable[str],
    broken: Broken = frozenset(),
) -> Built:
    """Resolve every reference.

    `files` maps each named file that exists to its digest; `known_files` are the paths of the
    tree, for nearest-name hints. `broken` are (kind if known, name) of files that are no spec
    and were told as such: what refers to them is not a second mistake. All mistakes at once;
    never raises.
    """
    among = _Known(specs, known_files)
    problems: list[Diagnostic] = []
    whole = True
    for spec in specs.values():
        uses = [use for use in spec.references if not _told(use, specs, broken)]
        whole &= len(uses) == len(spec.references)
        problems += _references(spec, uses, specs, span, among)
        problems += _files(spec, files, among, span)
    order, circle = _order(specs)
    problems += [_circle(circle, specs, span)] if circle else []
    if has_errors(problems) or not whole:
        return Built(None, tuple(problems))
    return Built(Graph({ref: _whole(specs[ref], specs) for ref in order}, files), tuple(problems))


def _whole(spec: Spec, specs: Mapping[Ref, Spec]) -> Spec:
    """The spec with what others declare for it: an Evaluation has a check for each constraint.

    They stand beside its own value, in `derived`, since its text does not have them: what changed
    in a Prompt is told of the Prompt.
    """
    if spec.ref.kind != "Evaluation":
        return spec
    target = next(u.target for u in spec.references if u.loc == ("spec", "target"))
    prompts = (u.target for u in specs[target].references if u.loc == ("spec", "prompt"))
    found = tuple(
        (elsewhere(ref, ("spec", "constraints", i)), check)
        for ref in prompts
        for i, check in checks(specs[ref].spec)
    )
    return replace(spec, derived=found) if found else spec


def _told(use: Reference, specs: Mapping[Ref, Spec], broken: Broken) -> bool:
    """Whether what is referred to is there, but is no spec, which was told at its own place."""
    kind, name = use.target.kind, use.target.name
    return use.target not in specs and ((kind, name) in broken or (None, name) in broken)


MOST_HINTS = 100
_PATHS = ""  # in place of a kind


@dataclass(frozen=True)
class _Known:
    """The names and paths of a tree, for hints.

    A misspelt name is compared with every other one, so each is looked for once, and only the first
    hundred: a tree that lost a folder has thousands.
    """

    specs: Iterable[Ref]
    paths: Iterable[str]
    near: dict[tuple[str, str], str] = field(default_factory=dict)

    @cached_property
    def names(self) -> Mapping[str, list[str]]:
        """The names of each kind, sorted, and the paths as they come."""
        found: dict[str, list[str]] = {_PATHS: list(self.paths)}
        for ref in sorted(self.specs):
            found.setdefault(ref.kind, []).append(ref.name)
        return found

    def hint(self, kind: str, word: str, otherwise: str) -> str:
        """The nearest name of the kind, if one is near."""
        if (kind, word) not in self.near:
            if len(self.near) >= MOST_HINTS:
                return otherwise
            found = did_you_mean(word, self.names.get(kind, ()), otherwise=otherwise)
            self.near[kind, word] = found
        return self.near[kind, word]


def _references(
    spec: Spec, uses: Iterable[Reference], specs: Mapping[Ref, Spec], span: SpanOf, among: _Known
) -> Iterable[Diagnostic]:
    for use in uses:
        target = specs.get(use.target)
        if target is None:
            yield _dangling(spec, use, among, span)
        elif use.part is not None and use.part not in parts_of(target):
            known = parts_of(target)
            yield Diagnostic(
                span(spec.ref, use.loc),
                "unknown-part",
                f'{use.target} has no split "{use.part}"',
                did_you_mean(use.part, known, otherwise=f"known are {', '.join(known)}"),
            )


def parts_of(dataset: Spec) -> tuple[str, ...]:
    """The names of a dataset's parts; one part `all` when it declares no splits."""
    splits = dataset.spec.get("splits")
    return tuple(splits["parts"]) if splits else ("all",)


def _dangling(spec: Spec, use: Reference, among: _Known, span: SpanOf) -> Diagnostic:
    names = among.names.get(use.target.kind, [])
    listed = ", ".join(f'"{n}"' for n in names[:5]) + (", …" if len(names) > 5 else "")
    known = f"known are {listed}" if names else f"no {use.target.kind} is declared yet"
    return Diagnostic(
        span(spec.ref, use.loc),
        "unknown-ref",
        f'no {use.target.kind} named "{use.target.name}"',
        among.hint(*use.target, known),
    )


def _files(
    spec: Spec, files: Mapping[str, str], among: _Known, span: SpanOf
) -> Iterable[Diagnostic]:
    for use in spec.files:
        if use.path not in files:
            yield Diagnostic(
                span(spec.ref, use.loc),
                "missing-file",
                f'no file "{use.path}" in this tree',
                among.hint(_PATHS, use.path, "paths are from the repository's root; links are not"),
            )


def _order(specs: Mapping[Ref, Spec]) -> tuple[tuple[Ref, ...], tuple[Ref, ...]]:
    """Dependencies first, ties by name; or one circle. Iterative: depth is the user's."""
    state: dict[Ref, int] = {}
    order: list[Ref] = []
    edges = {
        ref: sorted({u.target for u in spec.references if u.target in specs}, reverse=True)
        for ref, spec in specs.items()
    }
    for root in sorted(specs):
        stack = [root]
        while stack:
            ref = stack[-1]
            if state.get(ref) == 2:
                stack.pop()
            elif state.get(ref) == 1:
                state[ref] = 2
                order.append(stack.pop())
            else:
                state[ref] = 1
                for target in edges[ref]:
                    if state.get(target) == 1:
                        return (), _trace(target, ref, edges, state)
                    if target not in state:
                        stack.append(target)
    return tuple(order), ()


def _trace(
    start: Ref, end: Ref, edges: Mapping[Ref, list[Ref]], state: Mapping[Ref, int]
) -> tuple[Ref, ...]:
    """The shortest way from `start` to `end` along open specs: with end -> start it is a circle."""
    came: dict[Ref, Ref | None] = {start: None}
    todo = [start]
    for ref in todo:
        if ref == end:
            break
        for target in edges[ref]:
            if target not in came and state.get(target) == 1:
                came[target] = ref
                todo.append(target)
    path: list[Ref] = []
    step: Ref | None = end
    while step is not None:
        path.append(step)
        step = came.get(step)
    return tuple(reversed(path))


def _circle(circle: tuple[Ref, ...], specs: Mapping[Ref, Spec], span: SpanOf) -> Diagnostic:
    first, following = circle[-1], circle[0]
    use = next(u for u in specs[first].references if u.target == following)
    words = " -> ".join(str(ref) for ref in (*circle, circle[0]))
    return Diagnostic(
        span(first, use.loc),
        "circle",
        f"specs refer to each other in a circle: {words}",
        "remove one of these references",
    )
