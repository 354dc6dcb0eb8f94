"""Whether a person allowed a run, where its workflow is in the hands of whoever wrote the change.

A pull request of a fork, and one that edits the workflow it runs under, can upload whatever it
likes. Evidence of such a run counts when a person other than the author allowed exactly that
commit: by releasing the run at GitHub (an environment with required reviewers), or by a comment
`/llmops run COMMIT` of somebody with write access.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from llmops.forge.base import Pull, WorkflowRun
from llmops.gating.base import Desk
from llmops.gating.scenes import Scene

HINT = "somebody with write access reads the change, and comments"
WRITERS = ("admin", "maintain", "write")
_SAID = re.compile(r"^/llmops run ([0-9a-f]{40}|[0-9a-f]{64})[ \t]*\r?$", re.MULTILINE)
_OWN = (".github/actions",)  # what the workflow is made of beside its own file


def in_doubt(desk: Desk, scene: Scene) -> str:
    """Why a person has to allow the runs of a scene, "" where nobody has to."""
    if scene.pull is None:
        return ""
    if scene.pull.from_fork:
        return "a pull request of a fork"
    if _edits_workflow(desk, scene):
        return f"it edits the workflow that it runs under ({desk.settings.workflow})"
    return ""


def allowed_by(desk: Desk, pull: Pull, run: WorkflowRun | None = None) -> str:
    """Who allowed the commit, or this run of it; "" where nobody did."""
    released = _released(desk, run) if run is not None else iter(())
    return next(chain(released, _said(desk, pull)), "")


def command(scene: Scene) -> str:
    """What somebody with write access comments to allow exactly this commit."""
    return f"/llmops run {scene.head}"


def _edits_workflow(desk: Desk, scene: Scene) -> bool:
    """Whether head's workflow, or an action beside it, is not base's."""
    base, head = scene.sides.base, scene.sides.head
    path = desk.settings.workflow
    files = [tree.blobs().get(path) for tree in (base, head) if tree is not None]
    oids = {blob.oid if blob is not None else "" for blob in files}
    folders = ({tree.subtree(name) for tree in (base, head) if tree is not None} for name in _OWN)
    return len(oids) > 1 or any(len(found) > 1 for found in folders)


def _released(desk: Desk, run: WorkflowRun) -> Iterator[str]:
    """People who released a run that waited for them."""
    path = f"repos/{desk.forge.repo}/actions/runs/{run.id}/approvals"
    for one in desk.forge.get(path) or ():
        user = one.get("user") or {}
        if one.get("state") == "approved" and user.get("type") == "User":
            yield str(user.get("login", ""))


def _said(desk: Desk, pull: Pull) -> Iterator[str]:
    """People with write access who named exactly this commit in a comment."""
    asked: dict[str, bool] = {}
    for comment in desk.forge.comments(pull.number):
        if comment.by_app is not None or comment.by.casefold() == pull.author.casefold():
            continue
        if pull.head_sha in _SAID.findall(comment.body):
            if comment.by not in asked:
                asked[comment.by] = desk.forge.permission(comment.by) in WRITERS
            if asked[comment.by]:
                yield comment.by
