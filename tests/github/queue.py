"""A merge queue: groups are real commits, each on top of the one before, judged by their checks.

As GitHub builds it (https://docs.github.com/repositories/configuring-branches-and-merges-in-your-
repository/configuring-pull-request-merges/managing-a-merge-queue): entry k's group is the base
branch with the entries 1 to k merged, on a branch of its own, with an event `merge_group`. A group
whose required checks fail loses its own pull request; those behind it are built again. What has
passed lands in order, at most `batch` pull requests at a time, by moving the base branch to the
group's commit, so exactly the tree that was judged lands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.github.pulls import FakePull
    from tests.github.repository import FakeRepository

PASSING = ("success", "neutral", "skipped")  # what satisfies a required check on GitHub


@dataclass(eq=False, repr=False)
class Group:
    """One merge group: the pull requests in it, in order; the last one is its own."""

    pulls: tuple[FakePull, ...]
    base_sha: str
    head_sha: str
    ref: str

    @property
    def pull(self) -> FakePull:
        return self.pulls[-1]


@dataclass(eq=False, repr=False)
class MergeQueue:
    """The queue of one branch. `build`: how many groups exist at once; `batch`: land at most."""

    repo: FakeRepository
    branch: str
    method: str = "merge"
    build: int = 5
    batch: int = 5
    required: tuple[str, ...] = ("llmops/gate",)
    source: int | None = None  # the App that the ruleset expects the checks of
    entries: list[FakePull] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    landed: list[Group] = field(default_factory=list)
    dropped: list[FakePull] = field(default_factory=list)

    def add(self, *pulls: FakePull) -> None:
        """Put pull requests at the end, and build the groups that have room."""
        self.entries += pulls
        self.fill()

    def fill(self) -> list[Group]:
        """Build groups until `build` exist. Returns the new ones."""
        made = []
        while len(self.groups) < min(self.build, len(self.entries)):
            group = self._build(self.entries[len(self.groups)])
            if group is not None:
                made.append(group)
        return made

    def settle(self) -> list[Group]:
        """What the checks now allow: land what passed, drop what failed. Returns what landed."""
        if self.groups and self.groups[0].base_sha != self.repo.tip(self.branch):
            self._clear(0)  # somebody pushed past the queue: all are built again
            self.fill()
            return []
        failed = next((g for g in self.groups if self._colour(g) == "failed"), None)
        if failed is not None:
            self._drop(failed)
        passed = 0
        while passed < len(self.groups) and self._colour(self.groups[passed]) == "passed":
            passed += 1
        done = self._land(self.groups[: min(passed, self.batch)])
        self.fill()
        return done

    def remove(self, pull: FakePull) -> None:
        """Somebody takes a pull request out; those behind it are built again."""
        group = next((g for g in self.groups if g.pull is pull), None)
        if group is None:
            self.entries.remove(pull)
            return
        self._drop(group)
        self.fill()

    def _build(self, pull: FakePull) -> Group | None:
        git = self.repo.git
        before = self.groups[-1].head_sha if self.groups else self.repo.tip(self.branch)
        commit = git.merge(before, pull.head_sha, f"Merge pull request #{pull.number}")
        if commit is None:
            self.entries.remove(pull)
            self.dropped.append(pull)
            return None
        if self.method == "squash":
            title = f"{pull.title} (#{pull.number})"
            commit = git.tree_commit(git.tree_of(commit), (before,), title)
        name = f"gh-readonly-queue/{self.branch}/pr-{pull.number}-{before}"
        git.set(f"refs/heads/{name}", commit)
        others = self.groups[-1].pulls if self.groups else ()
        group = Group((*others, pull), before, commit, f"refs/heads/{name}")
        self.groups.append(group)
        self.repo.sync("github-merge-queue[bot]")
        self.repo.fake.emit_group(self, group, "checks_requested")
        return group

    def _colour(self, group: Group) -> str:
        states = [self.repo.state_of(group.head_sha, name, self.source) for name in self.required]
        if all(state in PASSING for state in states):
            return "passed"
        waits = ("missing", "queued", "in_progress", "pending", "waiting")
        return "waits" if all(s in waits or s in PASSING for s in states) else "failed"

    def _drop(self, failed: Group) -> None:
        at = self.groups.index(failed)
        self.entries.remove(failed.pull)
        self.dropped.append(failed.pull)
        self._clear(at)

    def _clear(self, at: int) -> None:
        gone, self.groups = self.groups[at:], self.groups[:at]
        for group in gone:
            self._destroy(group, "invalidated")

    def _land(self, groups: list[Group]) -> list[Group]:
        if not groups:
            return []
        last = groups[-1].head_sha
        for group in groups:
            group.pull.land(last, "github-merge-queue[bot]")
            group.pull.merged_as = group.head_sha
            self.entries.remove(group.pull)
            self.groups.remove(group)
            self._destroy(group, "merged")
        self.groups = [
            Group(g.pulls[len(groups) :], g.base_sha, g.head_sha, g.ref) for g in self.groups
        ]
        self.landed += groups
        return groups

    def _destroy(self, group: Group, reason: str) -> None:
        self.repo.git.set(group.ref, None)
        self.repo.sync("github-merge-queue[bot]")
        self.repo.fake.emit_group(self, group, "destroyed", reason=reason)
