"""Which pull requests a merge group consists of, found by what its commits are.

A message says which ones to look at; that one is in the group is believed only where merging its
head into the step before gives exactly the tree of a step. So nobody brings the approvals of a
pull request with them by naming it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from llmops.errors import GitError, UsageError
from llmops.forge.base import Pull
from llmops.gating.base import Desk
from llmops.gating.scenes import Scene, fetched

_NUMBER = re.compile(r"#(\d{1,9})\b")
_STEPS = 64  # of one group
_LOOKED_AT = 128  # numbers that its messages name


def with_pulls(desk: Desk, scene: Scene) -> Scene:
    """The scene with the pull requests that its head brings, as far as that can be shown."""
    steps = desk.project.repository.landed(scene.base, scene.head)
    if len(steps) > _STEPS:
        return scene
    trail = (scene.base, *(commit for commit, _ in steps))
    numbers = dict.fromkeys(
        int(n) for _, message in steps for n in _NUMBER.findall(message) if int(n)
    )
    asked = (desk.forge.pull(number) for number in list(numbers)[:_LOOKED_AT])
    found = tuple(pull for pull in asked if pull is not None and _is_in(desk, pull, trail))
    return replace(scene, pulls=found)


def _is_in(desk: Desk, pull: Pull, trail: Sequence[str]) -> bool:
    try:
        fetched(desk, pull.head_sha)
    except GitError:
        return False
    return any(_brings(desk, before, pull.head_sha, trees) for before, trees in _steps(desk, trail))


def _steps(desk: Desk, trail: Sequence[str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Each step with the trees that come after it: a rebase lands as several commits."""
    trees = [desk.project.repository.tree(commit).oid for commit in trail]
    for place, before in enumerate(trail[:-1]):
        yield before, frozenset(trees[place + 1 :])


def _brings(desk: Desk, before: str, head: str, trees: frozenset[str]) -> bool:
    try:
        return desk.project.repository.merged(before, head).oid in trees
    except UsageError:
        return False
