"""What the fake answers is what GitHub's own description says; and the judge is no rubber stamp."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from tests.github import Fault, openapi, settings
from tests.github.routes import ROUTES
from tests.github.world import API, World

needs_description = pytest.mark.skipif(
    not openapi.cached().is_file(), reason="GitHub's description was not downloaded (-m online)"
)
R = "repos/acme/llm"


@pytest.mark.online
def test_the_description_is_downloaded_and_kept_by_its_digest() -> None:
    if shutil.which("npm") is None:
        pytest.skip("no npm here")
    assert openapi.download() == openapi.cached()
    openapi.description.cache_clear()
    assert openapi.description()


class Watched(World):
    """A world with something of everything, and a judge."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.watch = openapi.watch(self.fake)
        fake, repo = self.fake, self.repo
        repo.push(
            {".github/workflows/llmops.yml": "on: push\n", ".github/CODEOWNERS": "* @acme/o\n"}
        )
        fake.organization("acme", "dev", "bob")
        fake.team("acme/owners", "bob").repositories["acme/llm"] = "push"
        repo.roles["bob"] = "write"
        pull = repo.pull("change", {"b.txt": "2\n"})
        pull.review("APPROVED", "bob")
        pull.label("llmops:passed")
        repo.pull("evil", {"c.txt": "3\n"}, by="eve", source=repo.fork("eve"))
        self.comment = repo.comment(1, "a word", "bob")["id"]
        self.run = fake.run(repo, pull.head_sha)
        self.artifact = self.run.upload("llmops-plan", {"plan.json": "{}"}).id
        self.run.jobs.append({"name": "gate"})
        self.run.approve("bob", "llmops-gpu")
        self.number = repo.ruleset(
            settings.required_checks("llmops/gate", app_id=self.app.id), settings.reviews(2),
            settings.merge_queue(), *settings.plain("deletion", "non_fast_forward"),
            bypass=[{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}],
        )["id"]  # fmt: skip
        rule = settings.workflows(repo.id, ".github/workflows/llmops.yml")
        settings.ruleset(fake, fake.organizations["acme"], [rule])
        repo.environment("llmops-gpu", secrets=["KEY"], rules=[{"type": "branch_policy"}])
        repo.settings |= {"actions/secrets": ["KEY"], "actions/variables": {"A": "1"}}
        every = ("checks", "contents", "actions", "pull_requests", "issues", "statuses",
                 "security_events", "deployments")  # fmt: skip
        reads = ("administration", "environments", "secrets", "members", "dependabot_secrets",
                 "organization_secrets", "actions_variables", "repository_hooks")  # fmt: skip
        held = dict.fromkeys(every, "write") | dict.fromkeys(reads, "read")
        self.app.permissions |= held
        self.use(fake.token(self.app, repo))

    def send(self, method: str, path: str, **body: Any) -> requests.Response:
        self.fake.clock.advance(1)
        return self.session.request(method, f"{API}/{path}", json=body or None, timeout=10)

    def as_app(self) -> None:
        now = int(self.fake.clock.true_now().timestamp())
        claims = {"iat": now - 60, "exp": now + 500, "iss": str(self.app.id)}
        self.use(jwt.encode(claims, self.app.key, algorithm="RS256"))


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def _reads(w: Watched, sha: str) -> list[str]:
    run, one = f"{R}/actions/runs/{w.run.id}", f"{R}/environments/llmops-gpu"
    return [
        R, f"{R}/pulls?state=all&per_page=1", f"{R}/pulls/1", f"{R}/pulls/2", f"{R}/pulls/1/files",
        f"{R}/pulls/1/commits", f"{R}/pulls/1/reviews", f"{R}/issues/1", f"{R}/issues/1/comments",
        f"{R}/issues/comments/{w.comment}", f"{R}/issues/1/labels", f"{R}/labels",
        f"{R}/commits/{sha}/pulls", f"{R}/commits/{sha}/check-runs?filter=all",
        f"{R}/commits/{sha}/check-suites", f"{R}/commits/{sha}/statuses",
        f"{R}/commits/{sha}/status", f"{R}/branches", f"{R}/branches/main",
        f"{R}/branches/main/protection", f"{R}/git/ref/heads/main",
        f"{R}/git/matching-refs/heads/", f"{R}/commits", f"{R}/commits/main",
        f"{R}/contents/.github/CODEOWNERS", f"{R}/contents/.github", f"{R}/codeowners/errors",
        f"{R}/actions/runs?head_sha={sha}&event=pull_request", run, f"{run}/attempts/1",
        f"{run}/jobs", f"{run}/artifacts", f"{run}/approvals", f"{R}/issues?labels=x",
        f"{R}/issues/comments?since=2026-11-26T00:00:00Z",
        f"{R}/actions/artifacts?name=llmops-plan",
        f"{R}/actions/artifacts/{w.artifact}", f"{R}/actions/artifacts/{w.artifact}/zip",
        f"{R}/actions/workflows", f"{R}/actions/workflows/llmops.yml",
        f"{R}/actions/workflows/llmops.yml/runs", "users/bob", "orgs/acme",
        "orgs/acme/members/bob", "orgs/acme/memberships/bob", "orgs/acme/teams",
        "orgs/acme/teams/owners", "orgs/acme/teams/owners/members",
        "orgs/acme/teams/owners/memberships/bob", f"{R}/teams", f"{R}/collaborators/bob",
        f"{R}/collaborators/bob/permission", "installation/repositories", "rate_limit",
        f"{R}/rulesets", f"{R}/rulesets/{w.number}", f"{R}/rules/branches/main",
        "orgs/acme/rulesets", f"orgs/acme/rulesets/{w.number + 1}", f"{R}/environments", one,
        f"{one}/deployment-branch-policies", f"{one}/secrets", f"{R}/actions/secrets",
        f"{R}/actions/organization-secrets", f"{R}/dependabot/secrets", "orgs/acme/actions/secrets",
        f"{R}/actions/variables", f"{R}/actions/permissions",
        f"{R}/actions/permissions/selected-actions", f"{R}/actions/permissions/workflow",
        f"{R}/actions/permissions/access", f"{R}/actions/permissions/fork-pr-contributor-approval",
        f"{R}/actions/permissions/fork-pr-workflows-private-repos", f"{R}/actions/runners",
        f"{R}/hooks", f"{R}/keys", f"{R}/pulls/99", "repos/acme/nothing",
    ]  # fmt: skip


def _checks(w: Watched, sha: str) -> None:
    one = {"path": "b.txt", "start_line": 1, "end_line": 1, "annotation_level": "failure",
           "message": "m"}  # fmt: skip
    said = {"title": "t", "summary": "s", "text": "x", "annotations": [one]}
    made = w.send("POST", f"{R}/check-runs", name="llmops/gate", head_sha=sha, output=said)
    where = f"{R}/check-runs/{made.json()['id']}"
    w.send("PATCH", where, status="completed", conclusion="failure", output=said)
    w.send("POST", f"{where}/rerequest")
    for path in (where, f"{where}/annotations"):
        w.send("GET", path)
    w.send("POST", f"{R}/statuses/{sha}", state="success", context="llmops/gate")
    log = gzip.compress(json.dumps({"version": "2.1.0", "runs": [{"results": []}]}).encode())
    packed = base64.b64encode(log).decode()
    body = {"commit_sha": sha, "ref": "refs/pull/1/head", "sarif": packed}
    sent = w.send("POST", f"{R}/code-scanning/sarifs", **body)
    w.send("GET", f"{R}/code-scanning/sarifs/{sent.json()['id']}")
    w.send("GET", f"{R}/code-scanning/analyses?ref=refs/pull/1/head")
    made = w.send("POST", f"{R}/deployments", ref=sha, required_contexts=[], environment="prod")
    where = f"{R}/deployments/{made.json()['id']}/statuses"
    w.send("POST", where, state="success", description="live")
    for path in (where, f"{R}/deployments?environment=prod"):
        w.send("GET", path)


def _words(w: Watched) -> None:
    made = w.send("POST", f"{R}/issues/1/comments", body="hello").json()["id"]
    where = f"{R}/issues/comments/{made}"
    w.send("PATCH", where, body="hello again")
    w.send("POST", f"{where}/reactions", content="eyes")
    w.send("DELETE", where)
    made = w.send("POST", f"{R}/issues", title="What landed was not judged", labels=["llmops"])
    w.send("PATCH", f"{R}/issues/{made.json()['number']}", state="closed")
    w.send("POST", f"{R}/labels", name="llmops:new", color="00ff00")
    w.send("POST", f"{R}/issues/1/labels", labels=["one", "two"])
    w.send("DELETE", f"{R}/issues/1/labels/one")
    w.send("PUT", f"{R}/issues/1/labels", labels=["three"])
    w.send("PUT", f"{R}/issues/1/labels", labels=[])
    w.send("POST", f"{R}/git/refs", ref="refs/heads/waiver", sha=w.repo.tip("change"))
    w.send("PATCH", f"{R}/git/refs/heads/waiver", sha=w.repo.tip(), force=True)
    w.repo.push({"w.txt": "1"}, "waiver")
    w.send("POST", f"{R}/pulls", title="A waiver", head="waiver", base="main")
    w.send("POST", f"{R}/pulls/4/reviews", event="COMMENT", body="x")
    w.send("PATCH", f"{R}/pulls/4", title="Another")
    run = f"{R}/actions/runs/{w.run.id}"
    w.send("POST", f"{run}/rerun")
    w.run.status = "action_required"
    for name in ("approve", "cancel"):
        w.send("POST", f"{run}/{name}")
    w.send("PUT", f"{R}/pulls/4/merge", merge_method="squash")


def _app(w: Watched) -> None:
    w.as_app()
    w.fake.webhooks().deliver(lambda headers, body: 500, "pull_request.opened")
    for path in ("app", "app/installations", f"{R}/installation", "app/hook/config",
                 "app/hook/deliveries"):  # fmt: skip
        w.send("GET", path)
    number = w.app.installations["acme"]
    permissions = {"checks": "write"}
    where = f"app/installations/{number}/access_tokens"
    w.send("POST", where, repositories=["llm"], permissions=permissions)
    w.send("POST", "app/hook/deliveries/1/attempts")
    w.use(w.fake.person_token("bob"))
    w.send("GET", "user")


@needs_description
def test_every_operation_of_the_fake_answers_as_github_describes(watched: Watched) -> None:
    assert watched.watch
    w, sha = watched, watched.repo.pulls[1].head_sha
    w.repo.protection["main"] = {"enforce_admins": {"url": "https://x", "enabled": True}}
    _checks(w, sha)
    for path in _reads(w, sha):
        w.send("GET", path)
    _words(w)
    _app(w)
    assert not w.watch.requests, "\n".join(w.watch.requests)
    assert not w.watch.answers, "\n".join(w.watch.answers)
    served = {f"{r.method} /{r.path}" for r in ROUTES if r.path not in openapi.OUTSIDE}
    assert served <= w.watch.used, f"not asked: {sorted(served - w.watch.used)}"
    bad = [(r.method, r.path, a.status, a.body) for r, a in w.fake.requests if a.status >= 400]
    assert [(m, p, s) for m, p, s, _ in bad] == [
        ("GET", f"{R}/pulls/99", 404), ("GET", "repos/acme/nothing", 404),
    ], bad  # fmt: skip


@needs_description
@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "check-runs", {"head_sha": "a" * 40}, "'name' is a required property"),
        ("POST", "check-runs", {"name": "x", "head_sha": "a", "titel": "t"}, "unknown titel"),
        ("PATCH", "check-runs/1", {"conclusion": "great"}, "'great' is not one of"),
        ("PATCH", "check-runs/1", {"output": {"summary": "s", "texte": "t"}}, "unknown texte"),
        ("POST", "issues/1/comments", {"body": 3}, "3 is not of type 'string'"),
        ("POST", "statuses/abc", {"state": "green"}, "'green' is not one of"),
        ("GET", "pulls?stat=open", {}, "the query has an unknown stat"),
        ("GET", "pulls?state=opened", {}, "'opened' is not one of"),
        ("GET", "pulls?per_page=many", {}, "'many' is not of type 'integer'"),
        ("GET", "check-run/1", {}, "GitHub has no such operation"),
    ],
)
def test_a_request_that_github_does_not_describe_is_told_of(
    tmp_path: Path, method: str, path: str, body: dict[str, Any], words: str
) -> None:
    world = World(tmp_path)
    watch = openapi.watch(world.fake)
    world.fake.undescribed = True
    world.ask(method, path, **body)
    assert watch
    assert any(words in line for line in watch.requests), watch.requests


@needs_description
def test_an_answer_without_a_field_is_told_of(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.github import shapes

    whole = shapes.comment

    def cut(*arguments: Any) -> dict[str, Any]:
        return {k: v for k, v in whole(*arguments).items() if k != "issue_url"} | {"id": "1"}

    monkeypatch.setattr(shapes, "comment", cut)
    watched.fake.undescribed = True
    watched.send("GET", f"{R}/issues/1/comments")
    assert watched.watch
    said = "\n".join(watched.watch.answers)
    assert "'issue_url' is a required property" in said
    assert "'1' is not of type 'integer'" in said


@needs_description
def test_what_a_fault_answers_is_not_judged_but_the_request_is(watched: Watched) -> None:
    watched.fake.undescribed = True
    watched.fake.faults.add(Fault(status=502))
    watched.send("POST", f"{R}/issues/1/comments", bdy="x")
    assert watched.watch
    assert not watched.watch.answers
    assert len(watched.watch.requests) == 2
