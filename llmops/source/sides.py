"""A repository and two revisions -> the trees of a change: the tip it lands on, what would land.

Nothing is read but names and object ids, so whoever only asks whether something changed pays for
no more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from llmops.source.tree import Repository, Tree

DEFAULT_BASES = ("origin/HEAD", "main", "master")


@dataclass(frozen=True, slots=True)
class Sides:
    """`base` is None where there is none; `commits` are base's and head's, where both are some."""

    base: Tree | None
    head: Tree
    commits: tuple[str, str] | None = None


def sides(repository: Repository, base: str | None, head: str | None) -> Sides:
    """The two trees that the options of a command name."""
    below, above = trees(repository, base, head)
    tip = below.commit if below is not None else None
    return Sides(below, above, (tip, head or "HEAD") if tip else None)


def trees(repository: Repository, base: str | None, head: str | None) -> tuple[Tree | None, Tree]:
    """The tip of the target branch, and the tree that would land on it."""
    work = repository.work_tree() if head is None else None
    here = "HEAD" if head is None else head
    target = _default_base(repository) if base is None else base
    if target is None or (base is None and _is_first(repository, target, here, work)):
        return None, work or repository.tree(here)
    below = _called(repository.tree(target), target)
    if work is not None and work.dirty:
        return below, work
    landed = repository.merged(target, here)
    return below, landed if head is None or landed.commit is None else _called(landed, head)


def tip(repository: Repository) -> Tree | None:
    """The tip of the branch that changes land on, None where git knows none."""
    target = _default_base(repository)
    return repository.tree(target) if target is not None else None


def _called(tree: Tree, rev: str) -> Tree:
    """The tree under the name that the user knows it by, unless that is its commit's id."""
    return tree if (tree.commit or "").startswith(rev) else replace(tree, label=rev)


def _default_base(repository: Repository) -> str | None:
    """The branch that changes land on, as far as git knows it; HEAD when it knows none."""
    names = (*DEFAULT_BASES, "HEAD")
    return next((name for name in names if repository.commit(name)), None)


def _is_first(repository: Repository, base: str, head: str, work: Tree | None) -> bool:
    """The very first commit has no base: base is the empty tree."""
    commit = repository.commit(base)
    clean = work is None or not work.dirty
    same = commit is not None and commit == repository.commit(head)
    return same and clean and not repository.is_shallow() and not repository.commit(f"{base}^")
