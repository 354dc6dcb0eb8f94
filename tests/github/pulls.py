"""A pull request of the fake: follows its branch, keeps refs/pull/N/head and N/merge in git."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.github.git import Files

if TYPE_CHECKING:
    from tests.github.repository import FakeRepository


@dataclass(eq=False, repr=False)
class FakePull:
    """A pull request. `head_sha` is the last commit that its branch had while it was open."""

    repo: FakeRepository
    number: int
    title: str
    author: str
    branch: str
    base: str
    source: FakeRepository | None  # None where the fork was deleted
    draft: bool = False
    body: str = ""
    association: str = ""
    state: str = "open"
    head_sha: str = ""
    base_sha: str = ""  # as GitHub's own copy has it: the base's tip at the last event
    merged_as: str | None = None
    merged_by: str = ""
    labels: list[str] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    created_at: str = ""
    updated_at: str = ""
    closed_at: str | None = None
    _merge: tuple[str, str, str | None] = ("", "", None)

    @property
    def from_fork(self) -> bool:
        return self.source is not self.repo

    @property
    def merge_ref(self) -> str:
        return f"refs/pull/{self.number}/merge"

    def push(self, files: Files, *, by: str = "", **how: Any) -> str:
        """A new commit on its branch (`onto`: a force push)."""
        assert self.source is not None, "the fork is gone"
        self.source.push(files, self.branch, by=by or self.author, **how)
        return self.head_sha

    def look(self, by: str = "") -> None:
        """Follow the branch, where it moved and the pull request is open."""
        tip = self.source.git.heads().get(self.branch) if self.source else None
        if self.state != "open" or tip is None or tip == self.head_sha:
            return
        first, before = not self.head_sha, self.head_sha
        if self.source is not self.repo and self.source is not None:
            where, refs = str(self.source.path), f"+{tip}:refs/pull/{self.number}/head"
            self.repo.git.run("fetch", "--quiet", where, refs)
        self.head_sha = tip
        self.repo.git.set(f"refs/pull/{self.number}/head", tip)
        self.base_sha = self.repo.git.heads().get(self.base, self.base_sha)
        self.updated_at = self.repo.stamp()
        if not first:
            self.event("synchronize", by or self.author, before=before, after=tip)

    def merge_commit(self) -> str | None:
        """The commit that would land now (refs/pull/N/merge), None in conflict or closed."""
        tip = self.repo.git.heads().get(self.base)
        if self.state != "open" or tip is None:
            return self.merged_as
        if self._merge[:2] != (tip, self.head_sha):
            made = self.repo.git.merge(tip, self.head_sha, f"Merge {self.head_sha} into {tip}")
            self._merge = (tip, self.head_sha, made)
            self.repo.git.set(self.merge_ref, made or None)
        return self._merge[2]

    def review(
        self, state: str = "APPROVED", by: str = "reviewer", *, commit: str = "", body: str = ""
    ) -> dict[str, Any]:
        """A submitted review, of the present head unless `commit` is given."""
        review = {
            "id": self.repo.fake.next_id(), "by": by, "state": state, "body": body,
            "commit_id": commit or self.head_sha, "submitted_at": self.repo.stamp(),
        }  # fmt: skip
        self.reviews.append(review)
        self.event("submitted", by, name="pull_request_review", review=review)
        return review

    def dismiss(self, review: dict[str, Any], by: str = "dev") -> None:
        review["state"] = "DISMISSED"
        self.event("dismissed", by, name="pull_request_review", review=review)

    def close(self, by: str = "") -> None:
        self.state, self.closed_at = "closed", self.repo.stamp()
        self.event("closed", by or self.author)

    def reopen(self, by: str = "") -> None:
        self.state, self.closed_at = "open", None
        self.look()
        self.event("reopened", by or self.author)

    def ready(self, by: str = "") -> None:
        """No draft any more."""
        self.draft = False
        self.event("ready_for_review", by or self.author)

    def merge(self, by: str = "", method: str = "merge") -> str:
        """Merge it now, past all rules. Returns the commit that landed."""
        return self.land(self.landing(method), by or self.author)

    def landing(self, method: str) -> str:
        """The commit that a method of merging would put on the base branch."""
        made = self.merge_commit()
        assert made is not None, f"pull request {self.number} does not merge"
        if method == "merge":
            return made
        git = self.repo.git
        tip, tree = git.heads()[self.base], git.tree_of(made)
        return git.tree_commit(tree, (tip,), f"{self.title} (#{self.number})")

    def land(self, commit: str, by: str) -> str:
        """The base branch is at `commit`, which contains this pull request."""
        self.repo.git.set(f"refs/heads/{self.base}", commit)
        self.merged_as, self.merged_by = commit, by
        self.state, self.closed_at = "closed", self.repo.stamp()
        self.repo.sync(by)
        self.event("closed", by)
        return commit

    def label(self, *names: str, by: str = "") -> None:
        for name in names:
            if name not in self.labels:
                self.labels.append(name)
                self.event("labeled", by or self.author, label={"name": name})

    def event(self, action: str, by: str, name: str = "pull_request", **more: Any) -> None:
        self.repo.fake.emit_pull(self, name, action, by, **more)
