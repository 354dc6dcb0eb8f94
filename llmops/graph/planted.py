"""A graph in which some fields stand otherwise, as a policy's test wants them.

In: specs as they were written, values by `Kind/name.path`, things to remove. Out: the graph of the
changed documents, read by the same code as any other, or a PlantError in one phrase: a test that
plants nothing must not look like one that found nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.diagnostics import Diagnostic, Severity, did_you_mean, printable
from llmops.graph.build import Graph, SpanOf, build
from llmops.graph.diff import steps_of
from llmops.source.document import parse
from llmops.specs.base import Ref, Spec


class PlantError(ValueError):
    """What a test wants to change is not there, or makes no valid spec."""


@dataclass(frozen=True, slots=True)
class Soil:
    """A tree as it stands: its graph, each spec as it was written, and places."""

    graph: Graph
    written: Callable[[Ref], Mapping[str, Any]]
    span: SpanOf


def planted(soil: Soil, values: Mapping[str, Any], removed: Iterable[str] = ()) -> Graph:
    """The graph with those values set and those things gone. Raises PlantError."""
    documents: dict[Ref, Any] = {}
    gone: set[Ref] = set()
    for name, value in values.items():
        ref, steps = _named(name, soil.graph)
        if not steps:
            raise PlantError(f'"{printable(name)}" names a whole spec, not a field')
        documents[ref] = _put(_start(soil, documents, ref), steps, value, name)
    for name in removed:
        ref, steps = _named(name, soil.graph)
        if steps:
            documents[ref] = _cut(_start(soil, documents, ref), steps, name)
        else:
            gone.add(ref)
    made = {ref: _read(soil, ref, document) for ref, document in documents.items()}
    specs = {ref: made.get(ref, spec) for ref, spec in soil.graph.specs.items() if ref not in gone}
    built = build(specs, soil.graph.files, soil.span, soil.graph.files)
    if built.graph is None:
        raise PlantError(f"the change makes no valid tree: {_first(built.diagnostics)}")
    return built.graph


def _start(soil: Soil, documents: Mapping[Ref, Any], ref: Ref) -> Any:
    return documents[ref] if ref in documents else soil.written(ref)


def _named(name: str, graph: Graph) -> tuple[Ref, list[str]]:
    """The spec that a path begins with (the longest, since names may hold dots), and the rest."""
    found = [ref for ref in graph.specs if f"{name}.".startswith(f"{ref}.")]
    if not found:
        known = [str(ref) for ref in graph.specs]
        asked = name if "/" not in name else "/".join(name.split("/")[:2]).partition(".")[0]
        hint = did_you_mean(asked, known)
        raise PlantError(f'no spec is called "{printable(asked)}"{f"; {hint}" if hint else ""}')
    ref = max(found, key=lambda one: len(str(one)))
    steps = steps_of(name.removeprefix(str(ref)).removeprefix("."))
    return ref, steps if not steps or steps[0] == "metadata" else ["spec", *steps]


def _put(value: Any, steps: list[str], new: Any, name: str) -> Any:
    """A copy of a value with `new` at a path; blocks on the way are made where they lack."""
    if not steps:
        return new
    step, *rest = steps
    if step.startswith("["):
        at = _index(value, step, name)
        return [_put(v, rest, new, name) if i == at else v for i, v in enumerate(value)]
    below = value if isinstance(value, Mapping) else {}
    return {**below, step: _put(below.get(step), rest, new, name)}


def _cut(value: Any, steps: list[str], name: str) -> Any:
    """A copy of a value without what stands at a path."""
    step, *rest = steps
    if step.startswith("["):
        at = _index(value, step, name)
        if rest:
            return [_cut(v, rest, name) if i == at else v for i, v in enumerate(value)]
        return [v for i, v in enumerate(value) if i != at]
    if not isinstance(value, Mapping) or step not in value:
        raise PlantError(f'nothing stands at "{printable(name)}"')
    if not rest:
        return {k: v for k, v in value.items() if k != step}
    return {**value, step: _cut(value[step], rest, name)}


def _index(value: Any, step: str, name: str) -> int:
    """The place of a named entry in its list."""
    known = [v.get("name") for v in value if isinstance(v, Mapping)] if _many(value) else []
    if step[1:-1] not in known:
        hint = did_you_mean(step[1:-1], map(str, known))
        what = f'nothing is called "{printable(step[1:-1])}" at "{printable(name)}"'
        raise PlantError(f"{what}; {hint}" if hint else what)
    return known.index(step[1:-1])


def _many(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _read(soil: Soil, ref: Ref, document: Any) -> Spec:
    from llmops.specs.load import load_one

    path = soil.graph.specs[ref].path
    parsed = parse(path, json.dumps(document, ensure_ascii=False).encode("utf-8"))
    wrong = list(parsed.diagnostics)
    spec = None
    if parsed.document is not None:
        spec, found = load_one(parsed.document)
        wrong += found
    if spec is None:
        raise PlantError(f"the change makes {ref} invalid: {_first(wrong)}")
    return spec


def _first(found: Iterable[Diagnostic]) -> str:
    return next((d.message for d in found if d.severity is Severity.ERROR), "it does not resolve")
