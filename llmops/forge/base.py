"""The nouns of a forge: what is read of a pull request, and what is published about it. Dry.

Payloads are the JSON bodies that GitHub's REST API takes (version 2022-11-28), made by
`reports/github*.py` and sent as they are. Times are UTC, RFC 3339, as GitHub writes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from llmops.errors import LlmopsError, UsageError

Payload = Mapping[str, Any]
CHECK = "llmops/gate"  # the name of the one required check
COMMENT = "<!-- llmops:gate v1 "  # how the sticky comment's first line begins
# GitHub's conclusions that the gate uses: never neutral, never skipped.
Conclusion = Literal["success", "failure", "action_required"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class ForgeError(LlmopsError):
    """GitHub cannot be reached, refuses, or answers what cannot be true (exit 3, resumable)."""


class Refused(ForgeError):
    """GitHub said no for good: `status` 401, 403 or 404; the message names what is missing."""

    def __init__(self, message: str, *, hint: str = "", status: int = 0) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class GaveUp(ForgeError):
    """Tried as long as it makes sense. `resume_at`: when it may be tried again, UTC RFC 3339."""

    def __init__(self, message: str, *, hint: str = "", resume_at: str = "") -> None:
        super().__init__(message, hint=hint)
        self.resume_at = resume_at


class Unsure(ForgeError):
    """A POST was sent and its answer lost: it may have happened. Look, then send it again."""


class Clock(Protocol):
    """Time as a seam: tests give one that only moves when somebody sleeps."""

    def now(self) -> datetime:
        """The wall clock, UTC, aware."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository on a forge: `owner/name`."""

    owner: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Repo:
        """From `owner/name`. Raises UsageError for anything else."""
        if not _NAME.fullmatch(text):
            raise UsageError(f'"{text[:120]}" is no repository', hint="write it as owner/name")
        owner, _, name = text.partition("/")
        return cls(owner, name)

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"


def is_sha(text: str) -> bool:
    """Whether a text is a full object id: 40 or 64 hex digits."""
    return _SHA.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request as GitHub has it now. `from_fork`: its head is another repository's branch.

    `author` is a login; `association` OWNER, MEMBER, COLLABORATOR, CONTRIBUTOR, ... or NONE.
    """

    number: int
    state: Literal["open", "closed"]
    merged: bool
    draft: bool
    head_sha: str
    head_ref: str
    base_sha: str  # as the event or list has it; the gate takes the tip of base_ref itself
    base_ref: str
    author: str
    from_fork: bool
    association: str = "NONE"
    title: str = ""
    labels: tuple[str, ...] = ()
    head_repo: str = ""  # owner/name, "" where the fork was deleted


@dataclass(frozen=True, slots=True)
class Review:
    """One review of a pull request; `commit` is what the reviewer saw."""

    id: int
    by: str
    state: Literal["APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"]
    commit: str
    submitted_at: str
    by_bot: bool = False


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A check run; `app_id` says who made it."""

    id: int
    name: str
    head_sha: str
    status: str
    conclusion: str | None
    external_id: str = ""
    app_id: int | None = None
    url: str = ""
    annotations: int = 0
    started_at: str = ""
    details_url: str = ""
    app_slug: str = ""  # its App writes as `slug[bot]`
    output: Payload = field(default_factory=dict)  # title, summary, text


@dataclass(frozen=True, slots=True)
class Comment:
    """An issue comment; `by` is a login, `by_app` the App's id where one wrote it."""

    id: int
    by: str
    body: str
    url: str = ""
    by_app: int | None = None
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of a workflow at one commit."""

    id: int
    attempt: int
    head_sha: str
    event: str
    status: str
    conclusion: str | None
    path: str  # of the workflow file
    repository: str  # owner/name of the repository that the head commit is in
    created_at: str = ""


@dataclass(frozen=True, slots=True)
class RunArtifact:
    """An artifact of a workflow run, as GitHub lists it; its bytes are untrusted."""

    id: int
    name: str
    size_bytes: int
    run_id: int
    expired: bool
    digest: str = ""  # sha256:<hex> where GitHub says it
    head_sha: str = ""
    expires_at: str = ""  # UTC, RFC 3339


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that is to be seen of one state at one commit. None or empty: left as it is.

    `check` is the body of a check run without annotations (name, head_sha, status, conclusion,
    external_id, output); `annotations` at most 200, worst first, sent in fifties. `comment` is the
    whole sticky comment of pull request `number`. `status` is a commit status, for tokens that may
    not write checks. `labels` are the labels of ours that the pull request is to bear, out of
    `own_labels`. `sarif` is the body of a SARIF upload; `deployments` bodies of deployments, each
    with `status`, the body of its state, beside it.
    """

    head_sha: str
    number: int | None = None
    check: Payload | None = None
    annotations: Sequence[Payload] = ()
    comment: str | None = None
    comment_mode: Literal["replace", "append", "off"] = "replace"
    status: Payload | None = None
    labels: tuple[str, ...] | None = None
    own_labels: tuple[str, ...] = ()
    sarif: Payload | None = None
    deployments: Sequence[Mapping[str, Payload]] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a publication. `left`: parts not published, each with the reason in words."""

    check_url: str = ""
    comment_url: str = ""
    writes: int = 0
    left: tuple[str, ...] = ()
    as_status: bool = False  # a commit status stands where no check could be written
    resume_at: str = ""  # when what is left may be tried again, UTC RFC 3339; "" where never
    extra: Mapping[str, Any] = field(default_factory=dict)


class Forge(Protocol):
    """What the gate, the App and doctor ask of GitHub. Reads raise ForgeError; so do writes.

    Every call goes through one layer that waits, retries and spaces writes; a call returns when it
    has happened, or raises. `None` or an empty tuple: GitHub has none. 404 of a thing that may be
    absent is None; of one that must be there it is Refused.
    """

    repo: Repo
    clock: Clock

    @property
    def app_id(self) -> int | None:
        """The App that we write as; None for a person's token and where it is not known."""

    def login(self) -> str:
        """Who we write as: `slug[bot]` for an App, "" where nobody tells."""

    def get(self, path: str, **params: Any) -> Any:
        """JSON of `GET path` (below the API's root, as in `repos/o/r/rulesets`), or None for 404.

        Raises Refused for 401 and 403.
        """

    def every(self, path: str, key: str = "", **params: Any) -> Iterator[Any]:
        """All items of a paged list; `key` where the list is a member of an object."""

    def send(self, method: str, path: str, body: Payload) -> Any:
        """JSON of a write. Writes are serial and at least a second apart.

        Raises Unsure for a POST whose answer was lost.
        """

    def repeat(self, path: str, body: Any) -> Any:
        """JSON of a POST that may happen twice without harm (labels, statuses, SARIF)."""

    def pull(self, number: int) -> Pull | None:
        """One pull request as it is now."""

    def pulls_of(self, head_sha: str) -> tuple[Pull, ...]:
        """The open pull requests whose head is that commit."""

    def open_pulls(self) -> tuple[Pull, ...]:
        """All open pull requests."""

    def reviews(self, number: int) -> tuple[Review, ...]:
        """All reviews, oldest first."""

    def in_team(self, team: str, login: str) -> bool | None:
        """Whether a person is an active member of `owner/team`; None where we may not ask."""

    def permission(self, login: str) -> str:
        """`admin`, `maintain`, `write`, `triage`, `read` or `none`."""

    def tip(self, branch: str) -> str | None:
        """The commit at the tip of a branch."""

    def checks(self, sha: str, name: str = CHECK) -> tuple[CheckRun, ...]:
        """All check runs of a name at a commit, whoever made them."""

    def annotations(self, check_id: int) -> tuple[Payload, ...]:
        """The annotations that a check run has."""

    def create_check(self, body: Payload) -> CheckRun:
        """A new check run."""

    def update_check(self, check_id: int, body: Payload) -> CheckRun:
        """A check run of ours, changed."""

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments of a pull request, oldest first."""

    def create_comment(self, number: int, body: str) -> Comment:
        """A new comment."""

    def update_comment(self, comment_id: int, body: str) -> Comment:
        """A comment of ours, changed."""

    def set_status(self, sha: str, body: Payload) -> None:
        """A commit status."""

    def statuses(self, sha: str) -> Iterator[Any]:
        """All commit statuses of a commit as GitHub writes them, newest first."""

    def runs(self, head_sha: str) -> tuple[WorkflowRun, ...]:
        """Workflow runs at a commit, newest first."""

    def artifacts(self, run_id: int) -> tuple[RunArtifact, ...]:
        """What a workflow run uploaded."""

    def download(self, artifact: RunArtifact, to: Path, most_bytes: int) -> None:
        """The zip of an artifact. Raises ForgeError when it has more bytes, or expired."""
