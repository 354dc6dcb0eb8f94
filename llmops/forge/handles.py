"""github3.py's calls without its parsers: it builds and sends, and gives back the JSON.

github3 4.0.1 raises IncompleteResponse where an answer lacks a key that it wants (`body_html`, an
App's `description`), and TypeError for the null of a deleted account; after a write that would be
an error about something that happened. A handle is one of its objects, known by address only, whose
calls answer JSON. Lists are its iterator, which follows GitHub's pages.
"""

from __future__ import annotations

from typing import Any

from github3.checks import CheckRun
from github3.exceptions import UnprocessableResponseBody
from github3.issues.comment import IssueComment
from github3.issues.issue import Issue
from github3.pulls import PullRequest
from github3.repos.commit import RepoCommit
from github3.repos.deployment import Deployment
from github3.repos.repo import Repository
from github3.session import AppInstallationTokenAuth, GitHubSession
from github3.structs import GitHubIterator


class Signed(AppInstallationTokenAuth):
    """Tells github3 that we may write; the token itself is added by the wire.

    github3 lets nobody but an installation of an App create a check run, and a workflow's token is
    one whose end nobody tells us.
    """

    def __init__(self) -> None:
        super().__init__("", "9999-12-31T23:59:59Z")

    def __call__(self, request: Any) -> Any:
        """The request as it is."""
        return request

    def __repr__(self) -> str:
        return "Signed(***)"


class Plain:
    """What an iterator of github3 is to make of an item: the item."""

    def __new__(cls, item: Any) -> Any:
        """The item as it is."""
        return item


class Pages(GitHubIterator):
    """The items of a list, page after page, as they are. A page that is no list is an error."""

    def __init__(self, url: str, session: Any, params: Any, key: str | None) -> None:
        super().__init__(-1, url, Plain, session, params, None, None, key)

    def _get_json(self, response: Any) -> Any:
        page = super()._get_json(response)
        items = page
        if self.list_key:
            items = page.get(self.list_key) if isinstance(page, dict) else None
        if not isinstance(items, list):
            raise UnprocessableResponseBody("no list", None)
        return items


class _Handle:
    """The mixed-in half: an address, and JSON as the answer of every call."""

    answer: Any = None

    def _update_attributes(self, json: Any) -> None:
        self._api = json["url"]
        self.statuses_url = f"{json['url']}/statuses"
        self.answer = json

    def _instance_or_null(self, _: Any, json: Any) -> Any:
        return json

    def _iter(
        self, _: int, url: str, kind: Any, params: Any = None, *rest: Any, **named: Any
    ) -> Any:
        return Pages(url, self, dict(params or {}), named.get("list_key"))


class RepositoryHandle(_Handle, Repository):
    """`/repos/{owner}/{name}`."""


class PullHandle(_Handle, PullRequest):
    """`.../pulls/{number}`."""


class IssueHandle(_Handle, Issue):
    """`.../issues/{number}`: where a pull request has its comments and labels."""


class CommentHandle(_Handle, IssueComment):
    """`.../issues/comments/{id}`."""


class CheckHandle(_Handle, CheckRun):
    """`.../check-runs/{id}`."""


class CommitHandle(_Handle, RepoCommit):
    """`.../commits/{sha}`."""


class DeploymentHandle(_Handle, Deployment):
    """`.../deployments/{id}`."""


def at(kind: type[Any], url: str, session: GitHubSession) -> Any:
    """A handle of a kind at an address; nothing is asked for it."""
    return kind({"url": url}, session)
