"""One Job from its parts: the closure is computed here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

from llmops.digest import of_value
from llmops.graph.build import Graph
from llmops.jobs.base import Input, Job, Resources
from llmops.jobs.tools import pins
from llmops.specs.base import JobType, Ref, Reference, Spec


@dataclass(frozen=True, slots=True)
class Made:
    """A job, the jobs it needs, and the specs whose own fields it was built from."""

    job: Job
    before: tuple[Made, ...] = ()
    reads: tuple[Ref, ...] = ()

    def all(self) -> tuple[Made, ...]:
        """This job and all it stands on, dependencies first, each closure once."""
        found: dict[str, Made] = {}
        stack: list[tuple[Made, bool]] = [(self, False)]
        while stack:
            made, done = stack.pop()
            if made.job.closure in found:
                continue
            if done:
                found[made.job.closure] = made
            else:
                stack.append((made, True))
                stack += [(m, False) for m in reversed(made.before)]
        return tuple(found.values())


def remembered(build: Callable[[Graph, Ref], Made]) -> Callable[[Graph, Ref], Made]:
    """Build each job of a graph once: the graph is frozen, so the job is too."""

    @wraps(build)
    def once(graph: Graph, ref: Ref) -> Made:
        key = (build.__module__, ref)
        if key not in graph.memo:
            graph.memo[key] = build(graph, ref)
        made: Made = graph.memo[key]
        return made

    return once


@dataclass(frozen=True, slots=True)
class HowTo:
    """What a job type fixes: its name, the worker's revision, the tools it uses."""

    type: JobType
    revision: int
    tools: tuple[str, ...] = ()

    def using(self, tools: tuple[str, ...]) -> HowTo:
        """The same with more tools, where one job of the type needs them."""
        return replace(self, tools=(*self.tools, *tools)) if tools else self


def make(
    how: HowTo,
    subject: Ref,
    payload: Mapping[str, Any],
    *,
    inputs: Iterable[Input] = (),
    before: Iterable[Made] = (),
    reads: Iterable[Ref] = (),
    seed: int = 0,
    resources: Resources | None = None,
    aside: Mapping[str, Any] | None = None,
) -> Made:
    """Build a job. `aside` reaches the worker but not the closure: it cannot change results."""
    resources = resources or Resources()
    inputs = tuple(sorted(inputs, key=lambda i: i.name))
    clean = without_none(payload)
    closure = of_value(
        {
            "type": how.type,
            "revision": how.revision,
            "tools": pins(how.tools),
            "payload": clean,
            "seed": seed,
            "processes": resources.processes,
            "inputs": [_origin(i) for i in inputs],
        }
    )
    before = tuple(before)
    job = Job(
        type=how.type,
        subject=subject,
        closure=closure,
        spec={**clean, **without_none(aside or {})},
        inputs=inputs,
        needs=tuple(dict.fromkeys(m.job.closure for m in before)),
        seed=seed,
        resources=resources,
        tools=pins(how.tools),
    )
    return Made(job, before, tuple(dict.fromkeys(reads)))


def _origin(given: Input) -> dict[str, Any]:
    """What of an input decides a result: its name and whose bytes; never where they are fetched."""
    names = ("name", "job", "artifact", "digest")
    return {k: v for k in names if (v := getattr(given, k)) is not None}


def without_none(value: Mapping[str, Any]) -> dict[str, Any]:
    """Top-level keys that hold something."""
    return {k: v for k, v in value.items() if v is not None}


def made_by(name: str, made: Made, artifact: str) -> Input:
    """An input that another job makes."""
    return Input(name=name, job=made.job.closure, artifact=artifact)


def use(spec: Spec, *loc: str | int) -> Reference:
    """The reference that stands at one place of a spec. KeyError if there is none."""
    for reference in spec.references:
        if reference.loc == loc or reference.loc == ("spec", *loc):
            return reference
    raise KeyError(f"{spec.ref} refers to nothing at {loc}")


def part_of(reference: Reference) -> str:
    """The part a dataset reference names; the whole dataset is the part `all`."""
    return reference.part or "all"


def spec_at(graph: Graph, reference: Reference) -> Spec:
    """The spec a reference names."""
    return graph.specs[reference.target]
