"""What landed is held against what was judged.

The ledger names every tree that a verdict was told of, with the policies that judged it. A landed
tree that is among them, and was let land, is done. Any other is judged now with the evidence there
is, since the target branch may have moved by something that changes nothing; what does not hold
then was not judged, which is a failed check on that commit and an issue, opened once.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

from llmops.forge.base import Refused
from llmops.gating.base import Desk, Landed
from llmops.gating.evidence import entries
from llmops.gating.scenes import Scene
from llmops.jobs.attempts import HELD, Judged
from llmops.reports import github_landed as words

_ISSUES = 500  # of ours, that are looked through
_PULLS = 5


def held(desk: Desk) -> frozenset[str]:
    """The git trees that some verdict let land."""
    found = (entry for entry in entries(desk) if isinstance(entry, Judged))
    return frozenset(entry.tree for entry in found if entry.outcome in HELD)


def judged_before(desk: Desk, scene: Scene) -> Judged | None:
    """The last verdict on exactly this tree under exactly these policies, None without one."""
    policy = scene.sides.base.subtree("policies") if scene.sides.base is not None else None
    same = (
        entry
        for entry in entries(desk)
        if isinstance(entry, Judged)
        and (entry.tree, entry.policy) == (scene.sides.head.oid, policy)
    )
    return max(same, key=lambda entry: entry.judged_at, default=None)


def let_land(found: Judged | None) -> bool:
    """Whether a verdict let it land."""
    return found is not None and found.outcome in HELD


def with_pulls(desk: Desk, scene: Scene) -> Scene:
    """The scene with the merged pull requests that brought its commit: what people said of them."""
    listed = desk.forge.get(f"repos/{desk.forge.repo}/commits/{scene.head}/pulls") or ()
    numbers = [int(one["number"]) for one in listed][:_PULLS]
    found = (desk.forge.pull(number) for number in numbers)
    return replace(scene, pulls=tuple(pull for pull in found if pull is not None and pull.merged))


def incident(desk: Desk, subject: Landed, scene: Scene, why: str) -> tuple[str, ...]:
    """Open the issue about a commit unless there is one, open or closed; what went wrong."""
    try:
        if _known(desk, subject.sha) is None:
            body = words.issue(scene.about, scene.sides.head.oid, subject.branch, why)
            made = desk.forge.send("POST", f"repos/{desk.forge.repo}/issues", body)
            _only_first(desk, subject.sha, int(made["number"]))
    except Refused as refused:
        return (f"issue: {refused.message}",)
    return ()


def _known(desk: Desk, sha: str) -> int | None:
    """The number of the first issue about a commit, None without one."""
    listed = desk.forge.every(
        f"repos/{desk.forge.repo}/issues", state="all", labels=words.LABEL, direction="asc"
    )
    mark = words.marker(sha)
    found = [
        int(issue["number"])
        for issue in islice(listed, _ISSUES)
        if "pull_request" not in issue and str(issue.get("body") or "").startswith(mark)
    ]
    return min(found, default=None)


def _only_first(desk: Desk, sha: str, made: int) -> None:
    """Of two that were opened at once the later one is closed as not planned."""
    first = _known(desk, sha)
    if first is not None and first < made:
        path = f"repos/{desk.forge.repo}/issues/{made}"
        desk.forge.send("PATCH", path, {"state": "closed", "state_reason": "not_planned"})
