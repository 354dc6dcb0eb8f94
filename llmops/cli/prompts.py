"""What `prompt test` and `prompt render` share: named Prompts, ready to be rendered."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmops.cli import common
from llmops.diagnostics import did_you_mean, printable
from llmops.errors import UsageError
from llmops.executors.rendering import Asked
from llmops.graph.build import Graph
from llmops.jobs.target import template_of
from llmops.project import State, read
from llmops.prompts import shots
from llmops.specs.base import Spec


@dataclass(frozen=True, slots=True)
class Found:
    """The work tree as it is, and the Prompts that were asked for."""

    state: State
    graph: Graph
    prompts: tuple[Spec, ...]


def find(args: argparse.Namespace, names: Sequence[str]) -> Found:
    """The Prompts of some names, all without any. Raises UsageError for one that is not there."""
    project = common.project(args)
    state = read(project, project.repository.work_tree(), head=True)
    graph = common.valid(state)
    every = {spec.ref.name: spec for spec in graph.of_kind("Prompt")}
    chosen = [_one(every, name) for name in names] or list(every.values())
    return Found(state, graph, tuple({spec.ref: spec for spec in chosen}.values()))


def _one(every: Mapping[str, Spec], name: str) -> Spec:
    short = name.removeprefix("Prompt/")
    if short not in every:
        hint = did_you_mean(short, every, otherwise=f"known are {', '.join(every) or 'none'}")
        raise UsageError(f'there is no Prompt "{printable(short)}"', hint=hint)
    return every[short]


def asked(
    found: Found, prompt: Spec, tests: Mapping[str, Mapping[str, Any]], *, probe: bool
) -> Asked:
    """A Prompt as a job would be told of it, with values to render it with."""
    files = {f.loc[2]: f.path for f in prompt.files if "few_shot" in f.loc}
    turns = {int(i): shots.turns(found.state.tree.read(path)) for i, path in files.items()}
    return Asked(template_of(prompt), turns, tests, probe)
