"""Which two trees are judged, by git object id: base's tip, and what would land on it.

In: a pull request, a merge group or a landed commit. Out: a `Scene`: both trees, read from git
after fetching, never from what an event says; nothing is checked out and nothing of head is run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from llmops.errors import GitError, UsageError
from llmops.forge.base import Pull
from llmops.gating.base import Desk
from llmops.reports.github_states import Subject
from llmops.source.sides import Sides
from llmops.source.tree import Tree

_TRAIL = 200  # steps that are looked back
_GONE = "the pull request can be pointed at another branch"


@dataclass(frozen=True, slots=True)
class Scene:
    """Two trees and whom a verdict on them is told to.

    `base` is the commit that `sides.base` is of, "" for a first commit. `change` names the change
    for policies that count within one. `pulls`: the pull requests that it consists of, as far as
    that is known; `pull` where it is one that is open.
    """

    about: Subject
    sides: Sides
    base: str
    change: str = ""
    pulls: tuple[Pull, ...] = ()
    pull: Pull | None = None

    @property
    def head(self) -> str:
        """The commit whose check it is, and at which workflows ran."""
        return self.about.head_sha


def subject(desk: Desk, head: str, number: int | None = None, ref: str = "") -> Subject:
    """Whom a publication is about, with the addresses that its words link to."""
    repo, settings = desk.forge.repo, desk.settings
    return Subject(
        repo=repo,
        number=number,
        head_sha=head,
        source_url=f"{settings.server}/{repo}/blob/{head}",
        details_url=settings.details_url,
        report_url=settings.report_url,
        ref=ref,
    )


def of_pull(desk: Desk, pull: Pull) -> Scene:
    """Head merged into the tip of the target branch. Raises UsageError on a conflict."""
    tip = _tip(desk, pull.base_ref)
    fetched(desk, pull.head_sha)
    try:
        landing = desk.project.repository.merged(tip, pull.head_sha)
    except UsageError as error:
        raise _called(error, {pull.head_sha: f"#{pull.number}", tip: pull.base_ref}) from error
    about = subject(desk, pull.head_sha, pull.number)
    scene = _scene(desk, about, (tip, pull.base_ref), landing)
    return replace(scene, change=f"#{pull.number}", pulls=(pull,), pull=pull)


def of_group(desk: Desk, head: str, branch: str) -> Scene:
    """Exactly a group's tree, against the tip of the branch that it would land on."""
    tip = _tip(desk, branch)
    fetched(desk, head)
    about = subject(desk, head, ref=f"refs/heads/{branch}")
    return _scene(desk, about, (tip, branch), desk.project.repository.tree(head))


def of_landed(desk: Desk, sha: str, branch: str, held: frozenset[str]) -> Scene:
    """Exactly a landed commit's tree, against the last one before it that was let land.

    `held`: git trees that were let land. Without any of them it is the step before; what came in
    by one push is judged together, so that nothing hides behind a harmless last commit.
    """
    _tip(desk, branch)
    fetched(desk, sha)
    landed = desk.project.repository.tree(sha)
    about = subject(desk, sha, ref=f"refs/heads/{branch}")
    before = desk.project.repository.trail(sha, _TRAIL)[1:]
    if not before:
        return Scene(about, Sides(None, landed), "")
    base = next((commit for commit, tree in before if tree in held), before[0][0])
    return _scene(desk, about, (base, f"{branch} before it"), landed)


def at(desk: Desk, scene: Scene, commit: str) -> Scene:
    """The same with another commit merged into the same base. Raises UsageError, GitError."""
    fetched(desk, commit)
    landing = desk.project.repository.merged(scene.base, commit)
    assert scene.sides.base is not None
    return replace(scene, sides=Sides(scene.sides.base, landing, (scene.base, commit)))


def _called(error: UsageError, names: Mapping[str, str]) -> UsageError:
    """The error in words that people know their commits by."""
    message, hint = error.message, error.hint
    for sha, name in names.items():
        message, hint = message.replace(sha, name), hint.replace(sha, name)
    return UsageError(message, hint=hint)


def _scene(desk: Desk, about: Subject, base: tuple[str, str], landing: Tree) -> Scene:
    commit, label = base
    below = replace(desk.project.repository.tree(commit), label=label)
    return Scene(about, Sides(below, landing, (commit, about.head_sha)), commit)


def _tip(desk: Desk, branch: str) -> str:
    """The tip of a branch at the forge, fetched. Raises UsageError where there is no such branch.

    A tip that moved between the look and the fetch is still fetched: it is named by its id.
    """
    tip = desk.remote.tip(branch)
    if tip is None:
        raise UsageError(f'there is no branch "{branch}" any more', hint=_GONE)
    _fetch(desk, tip, f"the tip of {branch}")
    return tip


def fetched(desk: Desk, commit: str) -> None:
    """Have a commit here. Raises GitError where it cannot be had any more."""
    _fetch(desk, commit, f"commit {commit[:7]}")


def _fetch(desk: Desk, commit: str, what: str) -> None:
    """Bring one commit here. Raises GitError where the forge does not have it any more."""
    if desk.project.repository.commit(commit) is not None:
        return
    desk.remote.fetch(commit)
    if desk.project.repository.commit(commit) is None:
        hint = "it was pushed over or removed; the next push is looked at"
        raise GitError(f"{what} cannot be had", hint=hint)
