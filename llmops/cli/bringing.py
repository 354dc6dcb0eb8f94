"""Artifacts that a saved plan reads and that lie elsewhere, brought here: for `evidence pull`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from llmops.cli import common, sharing
from llmops.diagnostics import printable
from llmops.errors import LlmopsError, StoreError
from llmops.evidence.elsewhere import Source
from llmops.evidence.rows import is_judged_by
from llmops.evidence.store import Store
from llmops.jobs.base import Plan
from llmops.pipeline import lent
from llmops.project import Project, read


def bring(args: argparse.Namespace, found: Project) -> None:
    """All of them, or StoreError with the first that cannot be had."""
    planned = sharing.plan_file(args)
    store = _store(found, planned)
    asked = [*_wanted(planned), *(() if args.shard else _judged(store, planned))]
    wanted = [one for one in dict.fromkeys(asked) if one[1] in store.absent(one[0])]
    problems: list[LlmopsError] = []
    for closure, name in wanted:
        try:
            store.artifact(closure, name)
        except LlmopsError as error:
            problems.append(error)
    brought = sharing.many(len(wanted) - len(problems), "artifact")
    common.say(f"Brought here: {brought} of {len(wanted):,} that the plan reads and were not here.")
    if problems:
        first = problems[0]
        raise StoreError(printable(first.message, 600), hint=printable(first.hint, 300))


def _wanted(planned: Plan) -> Iterator[tuple[str, str]]:
    """Closure and artifact: what jobs to run read of others, and what rules read of kept ones."""
    run = {step.job.closure for step in planned.steps if step.state == "run"}
    seen: dict[tuple[str, str], None] = {}
    for step in planned.steps:
        for given in step.job.inputs if step.job.closure in run else ():
            if given.job is not None and given.artifact is not None and given.job not in run:
                seen[given.job, given.artifact] = None
    yield from seen


def _judged(store: Store, planned: Plan) -> Iterator[tuple[str, str]]:
    """What rules read of the jobs that a plan does not run again."""
    for step in planned.steps:
        evidence = store.evidence(step.job.closure) if step.state == "reuse" else None
        for artifact in evidence.result.artifacts if evidence is not None else ():
            if is_judged_by(artifact.name):
                yield step.job.closure, artifact.name


def _store(found: Project, planned: Plan) -> Store:
    """The store of the project with the places that base's Environment and a token open."""
    name = planned.base or planned.head
    state = read(found, found.repository.tree(name.tree))
    sources = _uploads(found, os.environ)
    return replace(lent(found, (state.graph,), planned.environment), sources=sources).store


def _uploads(found: Project, environ: Mapping[str, str]) -> tuple[Source, ...]:
    """Uploads of workflow runs, where there is a token that may read them."""
    if not any(environ.get(name, "").strip() for name in sharing.GITHUB):
        return ()
    from llmops.evidence.uploads import Uploads
    from llmops.forge import auth
    from llmops.forge.client import connect

    repo = auth.repository(environ, _origin(found))
    forge = connect(repo, auth.from_environment(environ))
    return (Uploads(found.reports.absolute(), forge=forge),)


def _origin(found: Project) -> str:
    from llmops.source.remote import Remote

    try:
        return Remote(found.repository).address
    except LlmopsError:
        return ""
