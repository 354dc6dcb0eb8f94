"""What the statements of a verdict are about: the closures that were judged, and the tree. Dry.

`closure` is one digest over every closure that head's plan needs, so that a rebase or a squash that
changes commits and no closure keeps it. `repo` is git's own name of the tree, with its commit where
the tree is a commit's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmops.digest import of_value
from llmops.jobs.base import Job, Plan, TreeName
from llmops.rules.base import Verdict

TYPE = "https://in-toto.io/Statement/v1"


def statement(verdict: Verdict, kind: str, predicate: dict[str, Any]) -> dict[str, Any]:
    """An in-toto Statement v1 about a verdict's subjects."""
    return {
        "_type": TYPE,
        "subject": subjects(verdict),
        "predicateType": kind,
        "predicate": predicate,
    }


def subjects(verdict: Verdict) -> list[dict[str, Any]]:
    """The closures as one digest, and the tree."""
    return [
        {"name": "closure", "digest": {"sha256": bare(closure_of(verdict.plan))}},
        {"name": "repo", "digest": git(verdict.head)},
    ]


def closure_of(plan: Plan) -> str:
    """One digest of all that head's tree needs judged: `sha256:<hex>`."""
    return of_closures(step.job for step in plan.steps)


def of_closures(jobs: Iterable[Job]) -> str:
    """The same of jobs; those of base's own target are none of head's."""
    return of_value(sorted({job.closure for job in jobs if job.side == "head"}))


def git(tree: TreeName) -> dict[str, str]:
    """The digests by which git knows a tree."""
    commit = {"gitCommit": tree.commit} if tree.commit else {}
    return {**commit, "gitTree": tree.tree}


def bare(digest: str) -> str:
    """The hex digits of `sha256:<hex>`."""
    return digest.removeprefix("sha256:")
