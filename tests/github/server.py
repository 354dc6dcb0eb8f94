"""`FakeGitHub`: the whole of it, and how one request becomes one answer."""

from __future__ import annotations

import itertools
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from tests.github import events, openapi, routes
from tests.github.clock import VirtualClock, stamp
from tests.github.faults import Fault, Faults, limited
from tests.github.git import BareGit, Files
from tests.github.limits import Limits
from tests.github.repository import FakeRepository
from tests.github.runs import FakeRun
from tests.github.state import (
    ACTIONS_APP,
    GATE_PERMISSIONS,
    App,
    Caller,
    Organization,
    Person,
    Team,
    must_have,
)  # fmt: skip
from tests.github.tokens import who_is
from tests.github.transport import FakeAdapter, serve
from tests.github.webhooks import Webhooks
from tests.github.wire import Answer, Call, Refusal, Request, missing

HOST = "https://api.github.com"
Watcher = Callable[[Request, Answer], None]


class FakeGitHub:
    """GitHub with a memory; see the package's docstring for how to use it."""

    alive: ClassVar[weakref.WeakSet[FakeGitHub]] = weakref.WeakSet()

    def __init__(self, root: Path | None = None, clock: VirtualClock | None = None) -> None:
        self._folder = None if root else tempfile.TemporaryDirectory(prefix="llmops-github-")
        self.root = root or Path(str(self._folder and self._folder.name))
        self.clock = clock or VirtualClock()
        self.base, self.storage = HOST, "https://artifacts.storage.example"
        self.began = stamp(self.clock.true_now())
        self.date_skew = 0.0  # seconds by which the Date header, GitHub's own clock, is wrong
        self.repositories: dict[str, FakeRepository] = {}
        self.organizations: dict[str, Organization] = {}
        self.people: dict[str, Person] = {}
        self.apps: dict[int, App] = {}
        self.tokens: dict[str, Caller] = {}
        self.commits: dict[str, dict[str, Any]] = {}
        self.faults, self.limits, self.hooks = Faults(), Limits(), Webhooks()
        self.requests: list[tuple[Request, Answer]] = []
        self.leaks: list[str] = []  # secrets that arrived where they must not
        self.judged = 0  # so many of the requests were held against GitHub's description
        self.undescribed = False  # a test sends what GitHub does not describe, on purpose
        self.watchers: list[Watcher] = []
        self.actions = App(ACTIONS_APP, "github-actions", "github", {})
        self._ids = itertools.count(1001)
        self._lock = threading.RLock()
        FakeGitHub.alive.add(self)

    # -- what a test builds -------------------------------------------------------------------

    def repository(
        self, name: str, files: Files | None = None, *, private: bool = False
    ) -> FakeRepository:
        """`owner/name` with a first commit of files on `main`."""
        owner, _, short = name.partition("/")
        git = BareGit.new(self.root / owner / f"{short}.git")
        made = FakeRepository(self, owner, short, self.next_id(), git, private)
        self.repositories[name] = made
        made.push(files if files is not None else {"README.md": "# A repository\n"})
        self.hooks.take()  # what came before the test is nobody's event
        return made

    def fork(self, of: FakeRepository, owner: str) -> FakeRepository:
        name = f"{owner}/{of.name}"
        where = self.root / owner / f"{of.name}.git"
        of.git.run("clone", "--quiet", "--bare", str(of.path), str(where))
        made = FakeRepository(self, owner, of.name, self.next_id(), BareGit(where), fork_of=of)
        made.known = made.git.heads()
        self.repositories[name] = made
        return made

    def organization(self, login: str, *members: str) -> Organization:
        """An organisation; repositories of `login/...` are its own."""
        made = self.organizations.setdefault(login, Organization(login))
        made.members |= dict.fromkeys(members, "member")
        self.person(login, kind="Organization")
        return made

    def team(self, name: str, *members: str) -> Team:
        """A team `org/slug` with active members."""
        login, _, slug = name.partition("/")
        organization = self.organization(login, *members)
        team = organization.teams.setdefault(slug, Team(self.next_id(), slug))
        team.members |= dict.fromkeys(members, "active")
        return team

    def person(self, login: str, *, kind: str = "", email: str = "") -> Person:
        """Somebody, made at first sight; `...[bot]` is a bot."""
        if login not in self.people:
            sort = kind or ("Bot" if login.endswith("[bot]") else "User")
            mail = email or f"{login}@users.noreply.github.com"
            self.people[login] = Person(self.next_id(), login, sort, mail)
        if kind:
            self.people[login].kind = kind
        return self.people[login]

    def app(self, slug: str = "llmops-gate", owner: str = "acme", **permissions: str) -> App:
        """An App, installed for every owner. No permissions named: what the gate asks for."""
        made = App(self.next_id(), slug, owner, permissions or dict(GATE_PERMISSIONS))
        self.apps[made.id] = made
        self.person(made.bot)
        return made

    def installation(self, app: App, owner: str) -> int:
        return app.installations.setdefault(owner, self.next_id())

    def token(self, app: App, repo: FakeRepository, **permissions: str) -> str:
        """An installation token that works for an hour, with less permissions where named."""
        self.installation(app, repo.owner)
        held = permissions or app.permissions
        return self.admit(Caller(app.bot, app, held, owner=repo.owner), "ghs_", hours=1)

    def workflow_token(self, repo: FakeRepository, **permissions: str) -> str:
        """A job's GITHUB_TOKEN. No permissions named: those of the gate job."""
        held = permissions or GATE_PERMISSIONS
        who = Caller("github-actions[bot]", self.actions, held, repo.full_name, repo.owner)
        return self.admit(who, "ghs_", hours=24)

    def person_token(self, login: str) -> str:
        """A person's token: may what the person's role in a repository allows."""
        self.person(login)
        return self.admit(Caller(login), "ghp_")

    def admit(self, who: Caller, prefix: str, hours: float = 0) -> str:
        who.token = f"{prefix}{self.next_id():016d}{'tEsT' * 5}"
        if hours:
            who.expires_at = self.clock.true_now() + timedelta(hours=hours)
        self.tokens[who.token] = who
        return who.token

    def run(self, repo: FakeRepository, head_sha: str, **about: Any) -> FakeRun:
        """A workflow run that begins now."""
        from tests.github.runs import start

        return start(repo, head_sha, **about)

    # -- how it is reached --------------------------------------------------------------------

    def adapter(self) -> FakeAdapter:
        """A requests adapter: mount it on `https://` and nothing leaves the process."""
        return FakeAdapter(self)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Listen on 127.0.0.1; gives the API's address. Artifacts are on another port and name."""
        with serve(self) as (base, storage):
            before = self.base, self.storage
            self.base, self.storage = base, storage
            try:
                yield base
            finally:
                self.base, self.storage = before

    def webhooks(self) -> Webhooks:
        """The queue of events; looks at git for pushes first."""
        self.sync()
        return self.hooks

    def sync(self) -> None:
        for repo in list(self.repositories.values()):
            repo.sync()

    def assert_polite(self) -> None:
        """Fail where a client came too early, wrote too fast, leaked a secret, or asked what
        GitHub does not describe (where its description was downloaded, see `openapi`)."""
        assert not self.limits.breaches, "\n".join(self.limits.breaches)
        assert not self.leaks, "\n".join(self.leaks)
        self.assert_described()

    def assert_described(self) -> None:
        """Fail where a request or an answer is not as GitHub describes it."""
        watch = openapi.judged(self)
        assert watch is None or not watch.requests, "\n".join(watch.requests)
        assert watch is None or not watch.answers, "\n".join(watch.answers)

    def writes(self) -> list[Request]:
        """The writes that took effect, in order; a token that was asked for is none."""
        done = [r for r, answer in self.requests if r.writes and answer.status < 300]
        return [r for r in done if not r.path.endswith("access_tokens")]

    # -- what serves a request ----------------------------------------------------------------

    def handle(self, request: Request) -> tuple[Answer, Fault | None]:
        """One request: limits, faults, then the route. A fault goes back to the transport."""
        now = self.clock.true_now().timestamp()
        token = request.headers.get("authorization", "").partition(" ")[2]
        refused = self.limits.admit(request, token, now)
        if refused is not None:
            return self._finish(request, token, refused), None
        fault = self.faults.strike(request)
        if fault is not None and not fault.happens:
            return self._finish(request, token, self._struck(fault, token, now)), fault
        answer = self._finish(request, token, self.serve_one(request, token))
        if fault is not None and fault.kind in ("status", "limited"):
            answer = self._finish(request, token, self._struck(fault, token, now))
        return answer, fault

    def serve_one(self, request: Request, token: str) -> Answer:
        """The answer of the route, or of GitHub's refusal."""
        with self._lock:
            try:
                self.sync()
                return self._route(request, who_is(self, request))
            except Refusal as refusal:
                return refusal.answer

    def _route(self, request: Request, who: Caller) -> Answer:
        for route in routes.find(request.method):
            found = route.pattern.fullmatch(request.path)
            if found is None:
                continue
            args = found.groupdict()
            repo = self._repository(args, who)
            if route.needs == "app" and not who.is_app:
                raise Refusal(401, "A JSON web token could not be decoded")
            self._may(route.needs, who, repo)
            return route.handler(Call(self, request, who, args, repo))
        raise missing()

    def _repository(self, args: Mapping[str, str], who: Caller) -> FakeRepository | None:
        if "repo" not in args:
            return None
        repo = self.repositories.get(f"{args['owner']}/{args['repo']}")
        if repo is None or (repo.private and not self._sees(who, repo)):
            raise missing()
        return repo

    def _sees(self, who: Caller, repo: FakeRepository) -> bool:
        if who.permissions is not None:
            return who.repository in ("", repo.full_name) and who.owner == repo.owner
        return self.role(repo, who.login) != "none"

    def _may(self, needs: str, who: Caller, repo: FakeRepository | None) -> None:
        if repo is None:
            must_have(who, needs if who.permissions is not None else "", "none")
            return
        role = self.role(repo, who.login) if who.login else "none"
        if needs.endswith(":read") and not repo.private and who.permissions is None:
            role = role if role != "none" else "read"
        must_have(who, needs, role)
        if needs.endswith(":write") and who.permissions is not None and not self._sees(who, repo):
            raise Refusal(403, "Resource not accessible by integration")

    def role(self, repo: FakeRepository, login: str) -> str:
        """What a person may in a repository."""
        if login == repo.owner:
            return "admin"
        organization = self.organizations.get(repo.owner)
        if organization and organization.members.get(login) == "admin":
            return "admin"
        own = repo.roles.get(login, "none")
        if own == "none" and organization and login in organization.members:
            return str(organization.settings.get("default_repository_permission", "read"))
        return own

    def _struck(self, fault: Fault, token: str, now: float) -> Answer:
        if fault.kind != "limited":
            answer = fault.answer()
        else:
            answer, allowed = limited(fault, now)
            self.limits.hold(token, allowed)
        answer.struck = True
        return answer

    def _finish(self, request: Request, token: str, answer: Answer) -> Answer:
        now = self.clock.true_now()
        told = self.limits.headers(token, now.timestamp())
        skewed = now + timedelta(seconds=self.date_skew)
        common = {
            "Date": skewed.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "Content-Type": "application/json; charset=utf-8",
            "X-GitHub-Request-Id": f"FAKE:{len(self.requests)}",
        }
        answer.headers = {**common, **told, **answer.headers}
        self.requests.append((request, answer))
        for watcher in self.watchers:
            watcher(request, answer)
        return answer

    # -- small things that all parts use ------------------------------------------------------

    def url(self, path: str) -> str:
        return f"{self.base}/{path}"

    def next_id(self) -> int:
        return next(self._ids)

    def next_number(self, repo: FakeRepository) -> int:
        return max((*repo.pulls, *repo.issues), default=0) + 1

    def stamp(self, moment: datetime | None = None) -> str:
        return stamp(moment or self.clock.true_now())

    def seconds(self) -> int:
        return int(self.clock.true_now().timestamp())

    def login_of(self, email: str) -> str:
        """Whose commits bear an address, "" where nobody's."""
        return next((p.login for p in self.people.values() if p.email == email), "")

    def workflow_id(self, repo: FakeRepository, path: str) -> int:
        known = repo.settings.setdefault("workflow_ids", {})
        return int(known.setdefault(path, self.next_id()))

    emit_pull = events.emit_pull
    emit_push = events.emit_push
    emit_run = events.emit_run
    emit_group = events.emit_group
    emit_comment = events.emit_comment
    emit_check = events.emit_check
