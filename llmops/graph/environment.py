"""The Environment in use, and a graph as it is placed there.

In: a graph and one of its Environments. Out: the same graph with the placement fields that the
Environment's overlays set, and which values those are. An overlay is no change of meaning:
fingerprints stay as they are, and so does every closure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from llmops.diagnostics import Diagnostic, did_you_mean
from llmops.graph.build import Graph, SpanOf
from llmops.graph.diff import loc_of, steps_of
from llmops.graph.fingerprint import fingerprints
from llmops.specs.base import Ref, Spec

DEFAULT = "local"
Loc = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """One value that an overlay sets: on which spec, and where the overlay stands."""

    target: Ref
    path: str
    value: Any
    loc: Loc


def in_use(graph: Graph, name: str | None = None) -> Spec | None:
    """The Environment of that name; without one the only one, or `local`. None if there is none."""
    if name:
        return graph.specs.get(Ref("Environment", name))
    known = graph.of_kind("Environment")
    return known[0] if len(known) == 1 else graph.specs.get(Ref("Environment", DEFAULT))


def overlays(environment: Spec | None) -> Iterator[Set]:
    """Everything an Environment sets on other specs, in the order in which it stands there."""
    given = environment.spec.get("overlays", []) if environment is not None else []
    for i, overlay in enumerate(given):
        for path, value in overlay["set"].items():
            target = Ref.parse(overlay["target"])
            yield Set(target, path, value, ("spec", "overlays", i, "set", path))


def placed(graph: Graph, environment: Spec | None) -> Graph:
    """The graph with the Environment's overlays; the very same graph when there are none."""
    wanted: dict[Ref, list[Set]] = {}
    for one in overlays(environment):
        if one.target in graph.specs and _fits(graph.specs[one.target], one.path):
            wanted.setdefault(one.target, []).append(one)
    if not wanted:
        return graph
    moved = {ref: _overlaid(graph.specs[ref], sets) for ref, sets in wanted.items()}
    made = Graph({**graph.specs, **moved}, graph.files)
    made.memo["fingerprints"] = fingerprints(graph)
    return made


def _overlaid(spec: Spec, sets: list[Set]) -> Spec:
    body = spec.spec
    for one in sets:
        body = _put(body, steps_of(one.path), one.value)
    return replace(spec, value={**spec.value, "spec": body}, digest=spec.meaning)


def _put(value: Any, steps: list[str], new: Any) -> Any:
    """A copy of a value with `new` at a path."""
    if not steps:
        return new
    step, *rest = steps
    if step.startswith("["):
        named = [_put(v, rest, new) if v["name"] == step[1:-1] else v for v in value]
        return type(value)(named)
    return {**value, step: _put(value.get(step, {}), rest, new)}


def _fits(spec: Spec, path: str) -> bool:
    """Whether a spec has the block, or the item of a list, that a path leads into."""
    *outer, last = steps_of(path)
    value: Any = spec.spec
    for step in outer:
        if step.startswith("["):
            value = next((v for v in value if v["name"] == step[1:-1]), None)
        else:
            value = value.get(step)
        if value is None:
            return False
    return last in value if "[" in path else True


def origins(graph: Graph, ref: Ref, environment: Spec | None) -> dict[Loc, Set]:
    """What an Environment sets on one spec, by its place inside that spec's document.

    Every other value of the spec as it is placed comes from the spec itself.
    """
    spec = graph.specs[ref]
    return {
        loc_of(spec, one.path): one
        for one in overlays(environment)
        if one.target == ref and _fits(spec, one.path)
    }


def check(graph: Graph, span: SpanOf) -> Iterator[Diagnostic]:
    """What only all specs together show: overlays over nothing, secrets that nobody lists."""
    for environment in graph.of_kind("Environment"):
        for one in overlays(environment):
            if not _fits(graph.specs[one.target], one.path):
                what = f"{one.target} has nothing at {one.path} that could be placed otherwise"
                hint = "an overlay changes what is there; declare it in the spec first"
                yield Diagnostic(span(environment.ref, one.loc), "unknown-path", what, hint)
    yield from _unlisted(graph, span)


def _unlisted(graph: Graph, span: SpanOf) -> Iterator[Diagnostic]:
    listing = [e for e in graph.of_kind("Environment") if "secrets" in e.spec]
    if not listing:
        return
    known = sorted({name for e in listing for name in e.spec["secrets"]["names"]})
    for spec in graph.specs.values():
        for loc, name in secrets_of(spec):
            if name not in known:
                what = f'no Environment lists the secret "{name}"'
                hint = did_you_mean(name, known, otherwise="add it to secrets.names of one")
                yield Diagnostic(span(spec.ref, loc), "unknown-secret", what, hint)


def secrets_of(spec: Spec) -> Iterator[tuple[Loc, str]]:
    """Every secret that a spec asks for by name, with its place."""
    if spec.ref.kind == "Environment":
        for one in overlays(spec):
            yield from _secrets(one.value, one.loc)
            if one.path.endswith(".secret"):
                yield one.loc, str(one.value)
    if spec.ref.kind == "Model":
        yield from _secrets(spec.spec, ("spec",))


def _secrets(value: Any, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if key == "secret" and isinstance(inner, str):
            yield (*loc, key), inner
        else:
            yield from _secrets(inner, (*loc, key))


def missing_secrets(graph: Graph, environment: Spec | None) -> Iterator[tuple[Ref, Loc, str]]:
    """Secrets that specs ask for and that the Environment in use, listing some, does not list."""
    if environment is None or "secrets" not in environment.spec:
        return
    listed = environment.spec["secrets"]["names"]
    for spec in placed(graph, environment).specs.values():
        if spec.ref.kind != "Environment":
            for loc, name in secrets_of(spec):
                if name not in listed:
                    yield spec.ref, loc, name
