"""GitHub as a `base.Forge`: what the gate, the App and doctor ask of it.

github3.py builds and sends what it has a call for (see `handles.py`), its session the rest; both go
through the one `Wire`. A create whose answer was lost is looked for before it is sent again, so a
check or a comment comes into being once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import github3
import requests
from github3.session import GitHubSession
from requests.adapters import BaseAdapter, HTTPAdapter

from llmops.errors import UsageError
from llmops.forge import downloads, handles, nouns
from llmops.forge.base import (
    CHECK,
    CheckRun,
    Clock,
    Comment,
    ForgeError,
    Payload,
    Pull,
    Refused,
    Repo,
    Review,
    RunArtifact,
    Unsure,
    WorkflowRun,
)
from llmops.forge.clock import SystemClock
from llmops.forge.wire import ACCEPT, Pace, Token, Wire, home_of

AGENT = "llmops"
_ROLES = ("admin", "maintain", "write", "triage", "read", "none")
_MOST_ITEMS = 20_000
T = TypeVar("T")


def connect(
    repo: Repo,
    token: str | Token,
    *,
    api_url: str | None = None,
    clock: Clock | None = None,
    adapter: BaseAdapter | None = None,
    pace: Pace | None = None,
) -> GitHub:
    """A client for one repository. `token` is a secret or one of `auth.py`, which renews itself.

    `adapter` sends (tests give their own); `pace` is shared between repositories of one token.
    Asks nothing of GitHub yet. Raises UsageError for what cannot be a token or an address.
    """
    from llmops.forge.auth import Fixed

    known = Fixed(token) if isinstance(token, str) else token
    shared = pace or Pace(clock or SystemClock())
    wire = Wire(adapter or HTTPAdapter(max_retries=0), home_of(api_url), known, shared)
    return GitHub(repo, wire, session_of(wire))


def session_of(wire: Wire) -> GitHubSession:
    """github3's session whose every request goes through the wire."""
    session = GitHubSession()
    session.base_url = wire.home
    session.auth = handles.Signed()
    session.headers.update({"Accept": ACCEPT, "User-Agent": AGENT})
    session.max_redirects = 3
    for scheme in ("https://", "http://"):
        session.mount(scheme, wire)
    return session


class GitHub:
    """One repository on GitHub. See `base.Forge` for what each call gives."""

    def __init__(self, repo: Repo, wire: Wire, session: GitHubSession) -> None:
        self.repo = repo
        self.wire = wire
        self.clock: Clock = wire.pace.clock
        self._session = session
        self._root = f"repos/{repo}"
        self._login = ""
        self._seen = False
        self._here = handles.at(handles.RepositoryHandle, self._url(self._root), session)

    def __repr__(self) -> str:
        return f"GitHub({self.repo})"

    @property
    def app_id(self) -> int | None:
        """The App that we write as, None where that is not known."""
        return getattr(self.wire.token, "app_id", None)

    def login(self) -> str:
        """Who we write as; asked of GitHub once where the token does not tell."""
        if not self._login:
            self._login = str(getattr(self.wire.token, "login", "") or self._viewer())
        return self._login

    # -- anything ----------------------------------------------------------------------------

    def get(self, path: str, **params: Any) -> Any:
        """JSON of `GET path`, or None for 404."""
        try:
            return self._json("GET", path, params=params)
        except Refused as refusal:
            _only_404(refusal)
            return None

    def every(self, path: str, key: str = "", **params: Any) -> Iterator[Any]:
        """All items of a paged list, a hundred a page."""
        named = {"per_page": 100, **params}
        return _items(handles.Pages(self._url(path), self._session, named, key or None))

    def send(self, method: str, path: str, body: Payload) -> Any:
        """JSON of a write. Raises Unsure for a POST whose answer was lost: look, then repeat."""
        return self._json(method, path, json=dict(body))

    def repeat(self, path: str, body: Any) -> Any:
        """JSON of a POST that may happen twice without harm."""
        return self._once_made(lambda: self._json("POST", path, json=body), lambda: None)

    # -- pull requests -----------------------------------------------------------------------

    def pull(self, number: int) -> Pull | None:
        """One pull request as it is now."""
        found = _or_none(lambda: self._here.pull_request(number))
        if found is None:
            self._must_be_here()
            return None
        return nouns.read(nouns.pull, found)

    def pulls_of(self, head_sha: str) -> tuple[Pull, ...]:
        """The open pull requests whose head is that commit."""
        listed = self.every(f"{self._root}/commits/{head_sha}/pulls")
        pulls = [nouns.read(nouns.pull, one) for one in listed]
        return tuple(one for one in pulls if one.state == "open" and one.head_sha == head_sha)

    def open_pulls(self) -> tuple[Pull, ...]:
        """All open pull requests."""
        listed = _items(self._here.pull_requests(state="open"))
        return tuple(nouns.read(nouns.pull, one) for one in listed)

    def reviews(self, number: int) -> tuple[Review, ...]:
        """All reviews, oldest first."""
        at = self._url(f"{self._root}/pulls/{number}")
        listed = _items(handles.at(handles.PullHandle, at, self._session).reviews())
        return tuple(nouns.read(nouns.review, one) for one in listed)

    def in_team(self, team: str, login: str) -> bool | None:
        """Whether a person is an active member; None where we may not ask or there is no team."""
        organisation, _, slug = team.removeprefix("@").rpartition("/")
        at = f"orgs/{_quoted(organisation or self.repo.owner)}/teams/{_quoted(slug)}"
        try:
            found = self.get(f"{at}/memberships/{_quoted(login)}")
            if found is not None:
                return bool(found.get("state") == "active")
            return None if self.get(at) is None else False
        except Refused:
            return None

    def permission(self, login: str) -> str:
        """`admin`, `maintain`, `write`, `triage`, `read` or `none`."""
        found = self.get(f"{self._root}/collaborators/{_quoted(login)}/permission") or {}
        named = (found.get("role_name"), found.get("permission"))
        return next((str(one) for one in named if one in _ROLES), "none")

    def tip(self, branch: str) -> str | None:
        """The commit at the tip of a branch."""
        found = self.get(f"{self._root}/git/ref/heads/{quote(branch, safe='')}")
        if not isinstance(found, dict) or found.get("ref") != f"refs/heads/{branch}":
            self._must_be_here()
            return None
        return str(found["object"]["sha"])

    # -- checks, statuses, comments ----------------------------------------------------------

    def checks(self, sha: str, name: str = CHECK) -> tuple[CheckRun, ...]:
        """All check runs of a name at a commit, whoever made them, oldest first."""
        at = f"{self._root}/commits/{sha}/check-runs"
        listed = self.every(at, "check_runs", check_name=name, filter="all")
        found = [nouns.read(nouns.check_run, one) for one in listed]
        return tuple(sorted((one for one in found if one.name == name), key=lambda one: one.id))

    def annotations(self, check_id: int) -> tuple[Payload, ...]:
        """What a check run says of lines."""
        return tuple(self.every(f"{self._root}/check-runs/{check_id}/annotations"))

    def create_check(self, body: Payload) -> CheckRun:
        """A new check run; one that came into being unheard is taken instead of a second."""
        before = {one.id for one in self.checks(body["head_sha"], body["name"])}

        def unheard() -> CheckRun | None:
            now = self.checks(body["head_sha"], body["name"])
            mine = [one for one in now if one.id not in before and _same_key(one, body)]
            return mine[-1] if mine else None

        def make() -> CheckRun:
            return nouns.read(nouns.check_run, self._here.create_check_run(**body))

        return self._once_made(make, unheard)

    def update_check(self, check_id: int, body: Payload) -> CheckRun:
        """A check run of ours, changed; annotations are added once, also where nobody answered."""
        at = f"{self._root}/check-runs/{check_id}"
        handle = handles.at(handles.CheckHandle, self._url(at), self._session)
        adds = len((body.get("output") or {}).get("annotations") or ())
        wanted = self._check(at).annotations + adds if adds else 0

        def make() -> CheckRun:
            handle.update(**{key: value for key, value in body.items() if key != "head_sha"})
            return nouns.read(nouns.check_run, handle.answer)

        def unheard() -> CheckRun | None:
            now = self._check(at)
            return now if now.annotations >= wanted else None

        return self._once_made(make, unheard) if adds else _told(make)

    def set_status(self, sha: str, body: Payload) -> None:
        """A commit status; twice the same is one."""
        self._once_made(lambda: self._here.create_status(sha, **body), lambda: None)

    def statuses(self, sha: str) -> Iterator[Any]:
        """All commit statuses, newest first."""
        at = self._url(f"{self._root}/commits/{sha}")
        return _items(handles.at(handles.CommitHandle, at, self._session).statuses())

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments of a pull request, oldest first."""
        return (nouns.read(nouns.comment, one) for one in _items(self._issue(number).comments()))

    def create_comment(self, number: int, body: str) -> Comment:
        """A new comment; one that came into being unheard is taken instead of a second."""
        before = max((one.id for one in self.comments(number)), default=0)

        def unheard() -> Comment | None:
            now = [one for one in self.comments(number) if one.id > before]
            return next((one for one in now if one.body.strip() == body.strip()), None)

        def make() -> Comment:
            return nouns.read(nouns.comment, self._issue(number).create_comment(body))

        return self._once_made(make, unheard)

    def update_comment(self, comment_id: int, body: str) -> Comment:
        """A comment of ours, changed."""
        at = self._url(f"{self._root}/issues/comments/{comment_id}")
        handle = handles.at(handles.CommentHandle, at, self._session)
        _told(lambda: handle.edit(body))
        return nouns.read(nouns.comment, handle.answer)

    # -- runs and what they uploaded ---------------------------------------------------------

    def runs(self, head_sha: str) -> tuple[WorkflowRun, ...]:
        """Workflow runs at a commit, newest first."""
        listed = self.every(f"{self._root}/actions/runs", "workflow_runs", head_sha=head_sha)
        found = [nouns.read(nouns.workflow_run, one) for one in listed]
        return tuple(sorted(found, key=lambda one: -one.id))

    def artifacts(self, run_id: int) -> tuple[RunArtifact, ...]:
        """What a workflow run uploaded."""
        listed = self.every(f"{self._root}/actions/runs/{run_id}/artifacts", "artifacts")
        return tuple(nouns.read(nouns.artifact, one) for one in listed)

    def download(self, artifact: RunArtifact, to: Path, most_bytes: int) -> None:
        """The zip of an artifact, whole and of the digest that GitHub tells, or nothing at `to`."""
        where = self._url(f"{self._root}/actions/artifacts/{artifact.id}/zip")
        downloads.fetch(self.wire, self._session, where, artifact, to, most_bytes)

    # -- below -------------------------------------------------------------------------------

    def _url(self, path: str) -> str:
        return f"{self.wire.home}/{path.lstrip('/')}"

    def _check(self, at: str) -> CheckRun:
        return nouns.read(nouns.check_run, self._json("GET", at))

    def _must_be_here(self) -> None:
        """Raise Refused where it is the repository that is not to be seen, not a part of it."""
        if not self._seen and self.get(self._root) is None:
            raise Refused(
                f"there is no repository {self.repo} that this token may see",
                hint="check owner/name (GITHUB_REPOSITORY), and what the token was made for",
                status=404,
            )
        self._seen = True

    def _viewer(self) -> str:
        """Our login, "" where nobody tells; an installation's token has only GraphQL to ask."""
        try:
            return str((self.get("user") or {}).get("login") or "")
        except Refused:
            return self._graphql_viewer()

    def _graphql_viewer(self) -> str:
        home, asked = self.wire.home.removesuffix("/v3"), {"query": "{viewer{login}}"}
        try:
            post = partial(self._session.post, f"{home}/graphql", json=asked)
            answer = self._once_made(post, lambda: None).json()
        except Refused:
            return ""
        return str(((answer.get("data") or {}).get("viewer") or {}).get("login") or "")

    def _issue(self, number: int) -> Any:
        at = self._url(f"{self._root}/issues/{number}")
        return handles.at(handles.IssueHandle, at, self._session)

    def _json(self, method: str, path: str, **how: Any) -> Any:
        response = _told(lambda: self._session.request(method, self._url(path), **how))
        return response.json() if response.content.strip() else None

    def _once_made(self, make: Callable[[], T], unheard: Callable[[], T | None]) -> T:
        """What `make` gives; after a lost answer, what `unheard` finds, before it is made again."""
        patience = self.wire.pace.patience
        for attempt in range(patience.tries):
            try:
                return _told(make)
            except Unsure as error:
                last = error
            self.wire.rest(attempt)
            found = unheard()
            if found is not None:
                return found
        raise self.wire.pace.gave_up(f"{last.message}, {patience.tries} times")


def _items(pages: Any) -> Iterator[Any]:
    """What an iterator of github3 gives, its errors told as ours, and not without end."""
    for _ in range(_MOST_ITEMS):
        try:
            item = _told(lambda: next(pages))
        except StopIteration:
            return
        yield item
    raise ForgeError(f"a list of GitHub has more than {_MOST_ITEMS} items")


def _told(call: Callable[[], T]) -> T:
    """The value of a call; what github3 and requests raise becomes a ForgeError."""
    try:
        return call()
    except github3.exceptions.GitHubException as error:
        raise ForgeError(f"github answers what cannot be read ({type(error).__name__})") from None
    except requests.RequestException as error:
        raise ForgeError(f"github cannot be asked ({type(error).__name__})") from None


def _or_none(call: Callable[[], T]) -> T | None:
    try:
        return _told(call)
    except Refused as refusal:
        _only_404(refusal)
        return None


def _only_404(refusal: Refused) -> None:
    if refusal.status != 404:
        raise refusal


def _same_key(found: CheckRun, body: Payload) -> bool:
    return found.external_id == str(body.get("external_id") or "")


def _quoted(text: str) -> str:
    if not text or text in (".", ".."):
        raise UsageError(f'"{text}" is no name on GitHub')
    return quote(text, safe="")
