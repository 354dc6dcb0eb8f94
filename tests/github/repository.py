"""A repository of the fake: its git on disk, its pull requests, and what GitHub keeps beside it.

Builders here are for tests (`push`, `pull`, `close`, ...); what the API does goes through them too,
so both make the same events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.github import settings
from tests.github.clock import stamp
from tests.github.git import BareGit, Files
from tests.github.pulls import FakePull
from tests.github.queue import MergeQueue

if TYPE_CHECKING:
    from tests.github.runs import FakeRun
    from tests.github.server import FakeGitHub


@dataclass(eq=False, repr=False)
class FakeRepository:
    """`owner/name`, bound to a bare git repository at `path`."""

    fake: FakeGitHub
    owner: str
    name: str
    id: int
    git: BareGit
    private: bool = False
    default_branch: str = "main"
    fork_of: FakeRepository | None = None
    roles: dict[str, str] = field(default_factory=dict)  # login -> role
    pulls: dict[int, FakePull] = field(default_factory=dict)
    comments: dict[int, dict[str, Any]] = field(default_factory=dict)
    issues: dict[int, dict[str, Any]] = field(default_factory=dict)  # that are no pull requests
    checks: dict[int, dict[str, Any]] = field(default_factory=dict)
    suites: dict[int, dict[str, Any]] = field(default_factory=dict)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: dict[int, dict[str, Any]] = field(default_factory=dict)
    sarifs: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[int, FakeRun] = field(default_factory=dict)
    rulesets: dict[int, dict[str, Any]] = field(default_factory=dict)
    protection: dict[str, dict[str, Any]] = field(default_factory=dict)  # branch -> protection
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)  # by path, see routes_settings
    queues: dict[str, MergeQueue] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)  # branch -> commit at the last look

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> Path:
        """The bare repository: a remote to clone from and push to."""
        return self.git.path

    def tip(self, branch: str = "") -> str:
        """The commit of a branch, the default one unless named."""
        return self.git.heads()[branch or self.default_branch]

    def push(
        self, files: Files | None = None, branch: str = "", *, onto: str | None = None,
        message: str = "A change", by: str = "dev",
    ) -> str:  # fmt: skip
        """Commit files (None deletes one) and push them to a branch. Returns the commit.

        A branch that is new starts at the default branch. `onto`: rewrite the branch (a force
        push) so that it is this one commit on top of that commit.
        """
        branch = branch or self.default_branch
        heads = self.git.heads()
        parent = onto or heads.get(branch) or heads.get(self.default_branch)
        person = self.fake.person(by)
        who = f"{person.login} <{person.email}>"
        made = self.git.commit(
            branch, files or {}, message, who, parent=parent, at=self.fake.seconds()
        )
        self.sync(by)
        return made

    def delete_branch(self, branch: str, by: str = "dev") -> None:
        self.git.set(f"refs/heads/{branch}", None)
        self.sync(by)

    def fork(self, owner: str) -> FakeRepository:
        """A fork of a person's own, with all branches."""
        return self.fake.fork(self, owner)

    def pull(
        self, branch: str = "change", files: Files | None = None, *, title: str = "A change",
        by: str = "dev", base: str = "", draft: bool = False, body: str = "",
        source: FakeRepository | None = None, association: str = "",
    ) -> FakePull:  # fmt: skip
        """Open a pull request; with `files`, of a new commit on `branch` (of `source`, a fork)."""
        head = source or self
        if files is not None:
            head.push(files, branch, by=by, message=title)
        pull = FakePull(
            self, self.fake.next_number(self), title, by, branch, base or self.default_branch,
            head, draft=draft, body=body, association=association,
            created_at=self.fake.stamp(), updated_at=self.fake.stamp(),
        )  # fmt: skip
        self.pulls[pull.number] = pull
        pull.look()
        pull.event("opened", by)
        return pull

    def comment(self, number: int, body: str, by: str = "dev", app: Any = None) -> dict[str, Any]:
        """A comment on a pull request, with its event."""
        at = self.fake.stamp()
        comment = {
            "id": self.fake.next_id(), "number": number, "body": body, "by": by, "app": app,
            "created_at": at, "updated_at": at,
        }  # fmt: skip
        self.comments[comment["id"]] = comment
        self.fake.emit_comment(self, comment, "created", by)
        return comment

    def queue(self, branch: str = "", **settings: Any) -> MergeQueue:
        """The merge queue of a branch, made at first use."""
        branch = branch or self.default_branch
        if branch not in self.queues:
            self.queues[branch] = MergeQueue(self, branch, **settings)
        return self.queues[branch]

    def ruleset(self, *rules: dict[str, Any], **about: Any) -> dict[str, Any]:
        """A ruleset of these rules (see `settings`), for the default branch unless said."""
        return settings.ruleset(self.fake, self, rules, **about)

    def rules(self, branch: str = "") -> list[dict[str, Any]]:
        """The rules that hold for a branch, of the repository and its organisation."""
        return settings.rules_of(self, branch or self.default_branch)

    def environment(self, name: str, **about: Any) -> dict[str, Any]:
        """An environment: `rules`, `secrets`, `deployment_branch_policy`, `branch_policies`."""
        self.environments[name] = {"id": self.fake.next_id(), **about}
        return self.environments[name]

    def checks_at(self, sha: str, name: str = "") -> list[dict[str, Any]]:
        """The check runs at a commit as they are seen: the newest of each name and App."""
        latest: dict[tuple[str, int], dict[str, Any]] = {}
        for check in self.checks.values():
            if check["head_sha"] == sha and name in ("", check["name"]):
                latest[check["name"], check["app"].id] = check
        return list(latest.values())

    def state_of(self, sha: str, name: str, source: int | None = None) -> str:
        """What a required check's box shows: a conclusion, a status, or "missing".

        `source`: the App that the ruleset expects; what others say under that name is not seen.
        """
        for check in reversed(self.checks_at(sha, name)):
            if source in (None, check["app"].id):
                return str(check["conclusion"] or check["status"])
        if source is not None:
            return "missing"
        for status in reversed(self.statuses):
            if status["sha"] == sha and status["context"] == name:
                return str(status["state"])
        return "missing"

    def sync(self, by: str = "dev") -> None:
        """Look at git for pushes since the last look; pull requests follow, events are made."""
        heads = self.git.heads()
        if heads == self.known:
            return
        before, self.known = self.known, heads
        for branch in sorted(heads.keys() | before.keys()):
            old, new = before.get(branch), heads.get(branch)
            if old != new:
                self.fake.emit_push(self, branch, old, new, by)
        for repo in self.fake.repositories.values():
            for pull in repo.pulls.values():
                pull.look(by)

    def stamp(self) -> str:
        return stamp(self.fake.clock.true_now())
