"""A webhook's event -> the subjects to look at again. Dry.

In: the event's name and its JSON, written by whoever: titles, branches and comments are a
stranger's. Out: ids and SHAs, each checked for its shape, or in one phrase why there is nothing to
do. What happened is not believed and not needed: whoever works on a subject looks at GitHub.

To react to one more event: a reader below, and one line in `READERS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmops.app.subjects import Subject, is_branch, is_id, is_repo
from llmops.forge.base import CHECK, is_sha

EVIDENCE = "llmops-evidence"  # the branch that holds statements
LOG = "llmops-log"  # the branch of what was signed
COMMAND = "/llmops"  # how a chat command begins
# A merge queue's branch: the target branch, the last pull request in it, the tip it was built on.
GROUPS = "gh-readonly-queue/"
_QUEUED = re.compile(r"(?:refs/heads/)?gh-readonly-queue/(.+)/pr-\d+-[0-9a-f]{40,64}")
_HEADS = "refs/heads/"
_WORD = re.compile(rf"^{COMMAND} run ", re.MULTILINE)  # counts on any line
_LABELS = ("labeled", "unlabeled", "assigned", "unassigned", "locked", "unlocked", "milestoned",
           "demilestoned", "review_requested", "review_request_removed")  # fmt: skip


class MalformedError(ValueError):
    """An event that lacks what its kind always has: GitHub did not write it so."""


@dataclass(frozen=True, slots=True)
class Event:
    """What an event comes to. `why`: why nothing is to be done, where `subjects` is empty.

    `repo` is "" for an event of a whole installation, whose sweeps are for every repository.
    """

    repo: str
    subjects: tuple[Subject, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Given:
    """An event's JSON and its repository."""

    payload: Mapping[str, Any]
    repo: str

    def text(self, *path: str) -> str:
        """A text inside, "" where there is none."""
        found = self.value(*path)
        return found if isinstance(found, str) else ""

    def value(self, *path: str) -> Any:
        """A value inside, None where the way to it is not there."""
        found: Any = self.payload
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    def id(self, *path: str) -> int:
        """A number that GitHub gave. Raises MalformedError."""
        found = self.value(*path)
        if not is_id(found):
            raise MalformedError(f"{'.'.join(path)} is no number of GitHub's")
        return int(found)

    def sha(self, *path: str) -> str:
        """A full object id. Raises MalformedError."""
        found = self.text(*path)
        if not is_sha(found):
            raise MalformedError(f"{'.'.join(path)} is no full object id")
        return found

    def branch(self, *path: str) -> str:
        """A branch's name, with or without `refs/heads/`. Raises MalformedError."""
        found = self.text(*path).removeprefix(_HEADS)
        if not is_branch(found):
            raise MalformedError(f"{'.'.join(path)} is no branch")
        return found

    def nothing(self, why: str) -> Event:
        """Nothing to do, and why."""
        return Event(self.repo, (), why)

    def look(self, **ids: Any) -> Event:
        """One subject."""
        return Event(self.repo, (Subject(self.repo, **ids),))


def read(name: str, payload: object) -> Event:
    """What an event of that name comes to. Raises MalformedError, and nothing else."""
    if not isinstance(payload, Mapping):
        raise MalformedError("the body is no JSON object")
    if name in WHOLE:
        return Event("", (), WHOLE[name])
    reader = READERS.get(name)
    given = _Given(payload, "")
    repo = given.text("repository", "full_name")
    if reader is None:
        return Event(repo if is_repo(repo) else "", (), "nothing here depends on such an event")
    if not is_repo(repo):
        raise MalformedError("repository.full_name is no repository")
    return reader(_Given(payload, repo))


def _pull(given: _Given) -> Event:
    number = given.id("pull_request", "number")
    if given.text("action") in _LABELS:
        return given.nothing("it changes nothing that is judged")
    return given.look(kind="pull", number=number)


def _check(given: _Given) -> Event:
    """A check of ours that a person asked for again."""
    if given.text("action") not in ("rerequested", "requested_action"):
        return given.nothing("only a check that is asked for again matters")
    if given.text("check_run", "name") != CHECK:
        return given.nothing("it is no check of ours")
    return _head(given, given.sha("check_run", "head_sha"), "check_run", "check_suite")


def _suite(given: _Given) -> Event:
    if given.text("action") != "rerequested":
        return given.nothing("only checks that are asked for again matter")
    return _head(given, given.sha("check_suite", "head_sha"), "check_suite")


def _run(given: _Given) -> Event:
    """A workflow run: what it uploads may be evidence."""
    return _head(given, given.sha("workflow_run", "head_sha"), "workflow_run")


def _head(given: _Given, sha: str, *path: str) -> Event:
    """Whatever has a commit as its head: a merge group where the branch is a merge queue's."""
    queued = _QUEUED.fullmatch(given.text(*path, "head_branch"))
    if queued and is_branch(queued[1]):
        return given.look(kind="group", sha=sha, branch=queued[1])
    return given.look(kind="commit", sha=sha)


def _group(given: _Given) -> Event:
    if given.text("action") == "destroyed":
        return given.nothing("the group is gone")
    sha, branch = given.sha("merge_group", "head_sha"), given.branch("merge_group", "base_ref")
    return given.look(kind="group", sha=sha, branch=branch)


def _push(given: _Given) -> Event:
    """What landed on the default branch; any branch may be the base of a pull request."""
    ref = given.text("ref")
    if not ref.startswith(_HEADS):
        return given.nothing("a tag is no branch")
    branch = given.branch("ref")
    if branch == LOG:
        return given.nothing("the log is what the gate said, and moves no verdict")
    sweep = Subject(given.repo, "sweep")
    if _QUEUED.fullmatch(ref):
        return given.nothing("a merge group has an event of its own")
    gone = given.value("deleted") is True
    if gone or branch != given.text("repository", "default_branch"):
        return Event(given.repo, (sweep,))
    landed = Subject(given.repo, "landed", sha=given.sha("after"), branch=branch)
    return Event(given.repo, (landed, sweep))


def _comment(given: _Given) -> Event:
    """A command to answer; or the word that lets runs count was said, changed or taken back."""
    number, comment = given.id("issue", "number"), given.id("comment", "id")
    if not isinstance(given.value("issue", "pull_request"), Mapping):
        return given.nothing("it is a comment on an issue")
    if given.text("comment", "user", "type") == "Bot":
        return given.nothing("a bot wrote it")
    new, body = given.text("action") == "created", given.text("comment", "body")
    if new and is_command(body):
        return given.look(kind="comment", number=number, comment=comment)
    if _WORD.search(body) or _WORD.search(given.text("changes", "body", "from")):
        return given.look(kind="pull", number=number)
    return given.nothing("it is no command" if new else "only a new comment is a command")


def is_command(body: str) -> bool:
    """Whether a comment's first word is ours."""
    return body[:200].split()[:1] == [COMMAND]


READERS: Mapping[str, Callable[[_Given], Event]] = {
    "check_run": _check,
    "check_suite": _suite,
    "issue_comment": _comment,
    "merge_group": _group,
    "pull_request": _pull,
    "pull_request_review": _pull,
    "push": _push,
    "workflow_run": _run,
}
# Events of a whole installation: "" where every repository is to be swept, else why nothing is.
WHOLE: Mapping[str, str] = {
    "installation": "",
    "installation_repositories": "",
    "ping": "pong",
}
