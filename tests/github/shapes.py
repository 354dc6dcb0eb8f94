"""JSON as GitHub writes it: users, repositories, commits, pull requests, reviews, comments.

Every field that GitHub's OpenAPI description requires is there, and what github3.py asks for on
top (the `.full` media type's `body_html`, `body_text`). `url(path)` is the fake's own API address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.github.state import App, Person

if TYPE_CHECKING:
    from tests.github.pulls import FakePull
    from tests.github.repository import FakeRepository
    from tests.github.server import FakeGitHub

Json = dict[str, Any]
_USER_URLS = (
    "followers", "subscriptions", "organizations", "repos", "received_events",
)  # fmt: skip
_USER_TEMPLATES = {
    "following": "following{/other_user}", "gists": "gists{/gist_id}",
    "starred": "starred{/owner}{/repo}", "events": "events{/privacy}",
}  # fmt: skip
_REPO_TEMPLATES = {
    "archive": "{archive_format}{/ref}", "assignees": "assignees{/user}",
    "blobs": "git/blobs{/sha}",
    "branches": "branches{/branch}", "collaborators": "collaborators{/collaborator}",
    "comments": "comments{/number}", "commits": "commits{/sha}",
    "compare": "compare/{base}...{head}", "contents": "contents/{+path}",
    "git_commits": "git/commits{/sha}", "git_refs": "git/refs{/sha}", "git_tags": "git/tags{/sha}",
    "issue_comment": "issues/comments{/number}", "issue_events": "issues/events{/number}",
    "issues": "issues{/number}", "keys": "keys{/key_id}", "labels": "labels{/name}",
    "milestones": "milestones{/number}", "notifications": "notifications{?since,all,participating}",
    "pulls": "pulls{/number}", "releases": "releases{/id}", "statuses": "statuses/{sha}",
    "trees": "git/trees{/sha}",
}  # fmt: skip
_REPO_URLS = (
    "contributors", "deployments", "downloads", "events", "forks", "hooks", "languages", "merges",
    "stargazers", "subscribers", "subscription", "tags", "teams",
)  # fmt: skip
_CLOSED_BOOKS: Json = {
    "stargazers_count": 0, "watchers_count": 0, "watchers": 0, "forks_count": 0, "forks": 0,
    "open_issues_count": 0, "open_issues": 0, "network_count": 0, "subscribers_count": 0,
    "size": 1, "has_issues": True, "has_projects": True, "has_wiki": True, "has_pages": False,
    "has_downloads": True, "has_discussions": False, "archived": False, "disabled": False,
    "homepage": None, "language": None, "license": None, "mirror_url": None,
}  # fmt: skip


def node(kind: str, number: int) -> str:
    return f"{kind}_kwDO{number:08d}"


def user(fake: FakeGitHub, person: Person) -> Json:
    base = fake.url(f"users/{person.login}")
    return {
        "login": person.login, "id": person.id, "node_id": node("U", person.id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{person.id}?v=4",
        "gravatar_id": "", "url": base, "html_url": f"https://github.com/{person.login}",
        "type": person.kind, "site_admin": False,
        **{f"{name}_url": f"{base}/{name}" for name in _USER_URLS},
        **{f"{name}_url": f"{base}/{tail}" for name, tail in _USER_TEMPLATES.items()},
    }  # fmt: skip


def app(fake: FakeGitHub, of: App) -> Json:
    return {
        "id": of.id, "slug": of.slug, "node_id": node("A", of.id), "name": of.slug,
        "owner": user(fake, fake.person(of.owner)), "description": "",
        "external_url": "https://example.com/", "html_url": f"https://github.com/apps/{of.slug}",
        "created_at": fake.began, "updated_at": fake.began,
        "permissions": dict(of.permissions), "events": list(of.events),
    }  # fmt: skip


def owner(repo: FakeRepository) -> Person:
    kind = "Organization" if repo.owner in repo.fake.organizations else "User"
    return repo.fake.person(repo.owner, kind=kind)


def minimal(repo: FakeRepository) -> Json:
    """A repository as it stands inside other answers."""
    base = repo.fake.url(f"repos/{repo.full_name}")
    return {
        "id": repo.id, "node_id": node("R", repo.id), "name": repo.name,
        "full_name": repo.full_name, "owner": user(repo.fake, owner(repo)),
        "private": repo.private, "html_url": f"https://github.com/{repo.full_name}",
        "description": None, "fork": repo.fork_of is not None, "url": base,
        **{f"{name}_url": f"{base}/{name}" for name in _REPO_URLS},
        **{f"{name}_url": f"{base}/{tail}" for name, tail in _REPO_TEMPLATES.items()},
    }  # fmt: skip


def repository(repo: FakeRepository, role: str = "") -> Json:
    fake, web = repo.fake, f"https://github.com/{repo.full_name}"
    whole = minimal(repo) | _CLOSED_BOOKS | {
        "default_branch": repo.default_branch, "clone_url": f"{web}.git", "svn_url": web,
        "git_url": f"git://github.com/{repo.full_name}.git", "visibility":
        "private" if repo.private else "public",
        "ssh_url": f"git@github.com:{repo.full_name}.git", "created_at": fake.began,
        "updated_at": fake.began, "pushed_at": fake.began, "allow_merge_commit": True,
        "allow_squash_merge": True, "allow_rebase_merge": True, "allow_auto_merge": False,
        "delete_branch_on_merge": False, "allow_forking": True, "is_template": False,
        "web_commit_signoff_required": False, "topics": [], "original": None,
    }  # fmt: skip
    del whole["original"]
    if role:
        order = ("pull", "triage", "push", "maintain", "admin")
        rank = ("read", "triage", "write", "maintain", "admin").index(role)
        whole["permissions"] = {name: order.index(name) <= rank for name in order}
    if repo.fork_of:
        whole["parent"] = whole["source"] = repository(repo.fork_of)
    return whole


def side(fake: FakeGitHub, repo: FakeRepository | None, branch: str, sha: str, login: str) -> Json:
    """A pull request's head or base; `repo` None where the fork is gone."""
    who = owner(repo) if repo else fake.person(login)
    return {
        "label": f"{login}:{branch}", "ref": branch, "sha": sha, "user": user(fake, who),
        "repo": repository(repo) if repo else None,
    }  # fmt: skip


def pull(of: FakePull) -> Json:
    """A pull request as lists have it."""
    repo, fake = of.repo, of.repo.fake
    base = fake.url(f"repos/{repo.full_name}/pulls/{of.number}")
    issue = fake.url(f"repos/{repo.full_name}/issues/{of.number}")
    web = f"https://github.com/{repo.full_name}/pull/{of.number}"
    tip = repo.git.heads().get(of.base, of.base_sha)
    hrefs = {
        "self": base, "html": web, "issue": issue, "comments": f"{issue}/comments",
        "review_comments": f"{base}/comments", "commits": f"{base}/commits",
        "review_comment": fake.url(f"repos/{repo.full_name}/pulls/comments{{/number}}"),
        "statuses": fake.url(f"repos/{repo.full_name}/statuses/{of.head_sha}"),
    }  # fmt: skip
    return {
        "id": 9_000_000 + of.number, "node_id": node("PR", of.number), "number": of.number,
        "url": base, "html_url": web, "diff_url": f"{web}.diff", "patch_url": f"{web}.patch",
        "issue_url": issue, "commits_url": hrefs["commits"], "comments_url": hrefs["comments"],
        "review_comments_url": hrefs["review_comments"], "statuses_url": hrefs["statuses"],
        "review_comment_url": hrefs["review_comment"], "state": of.state, "locked": False,
        "title": of.title, "user": user(fake, fake.person(of.author)), "body": of.body or None,
        "body_html": of.body, "body_text": of.body,
        "labels": [label(repo, name) for name in of.labels], "milestone": None,
        "active_lock_reason": None, "created_at": of.created_at, "updated_at": of.updated_at,
        "closed_at": of.closed_at, "merged_at": of.closed_at if of.merged_as else None,
        "merge_commit_sha": of.merge_commit(), "assignee": None, "assignees": [],
        "requested_reviewers": [], "requested_teams": [], "draft": of.draft,
        "head": side(fake, of.source, of.branch, of.head_sha, _whose(of)),
        "base": side(fake, repo, of.base, of.base_sha or tip, repo.owner),
        "_links": {name: {"href": href} for name, href in hrefs.items()},
        "author_association": association(of), "auto_merge": None,
    }  # fmt: skip


def _whose(of: FakePull) -> str:
    return of.source.owner if of.source else of.author


def whole_pull(of: FakePull) -> Json:
    """A pull request asked for by its number."""
    merges = of.merge_commit() is not None
    merged_by = of.repo.fake.person(of.merged_by) if of.merged_by else None
    return pull(of) | {
        "merged": of.merged_as is not None, "mergeable": merges if of.state == "open" else None,
        "rebaseable": merges, "mergeable_state": "clean" if merges else "dirty",
        "merged_by": user(of.repo.fake, merged_by) if merged_by else None, "comments": 0,
        "review_comments": 0, "maintainer_can_modify": False, "commits": 1, "additions": 1,
        "deletions": 0, "changed_files": 1,
    }  # fmt: skip


def association(of: FakePull) -> str:
    if of.association:
        return of.association
    return person_association(of.repo, of.author)


def person_association(repo: FakeRepository, login: str) -> str:
    """What GitHub says a person is to a repository."""
    organization = repo.fake.organizations.get(repo.owner)
    if login == repo.owner:
        return "OWNER"
    if organization and login in organization.members:
        return "MEMBER"
    return "COLLABORATOR" if login in repo.roles else "NONE"


def label(repo: FakeRepository, name: str) -> Json:
    known = repo.labels.setdefault(
        name, {"id": repo.fake.next_id(), "color": "ededed", "description": ""}
    )
    base = repo.fake.url(f"repos/{repo.full_name}/labels/{quote(name)}")
    return {
        **known,
        "name": name,
        "node_id": node("LA", known["id"]),
        "url": base,
        "default": False,
    }


def review(of: FakePull, made: Json) -> Json:
    repo, fake = of.repo, of.repo.fake
    base = fake.url(f"repos/{repo.full_name}/pulls/{of.number}")
    web = f"https://github.com/{repo.full_name}/pull/{of.number}"
    shown = f"{web}#pullrequestreview-{made['id']}"
    return {
        "id": made["id"], "node_id": node("PRR", made["id"]),
        "user": user(fake, fake.person(made["by"])), "body": made["body"], "state": made["state"],
        "html_url": shown, "pull_request_url": base, "submitted_at": made["submitted_at"],
        "_links": {"html": {"href": shown}, "pull_request": {"href": base}},
        "commit_id": made["commit_id"], "author_association": person_association(repo, made["by"]),
        "body_html": made["body"], "body_text": made["body"],
    }  # fmt: skip


def comment(repo: FakeRepository, made: Json) -> Json:
    fake, number = repo.fake, made["number"]
    of_app = made["app"]
    return {
        "id": made["id"], "node_id": node("IC", made["id"]),
        "url": fake.url(f"repos/{repo.full_name}/issues/comments/{made['id']}"),
        "html_url": f"https://github.com/{repo.full_name}/pull/{number}"
        f"#issuecomment-{made['id']}",
        "issue_url": fake.url(f"repos/{repo.full_name}/issues/{number}"),
        "user": user(fake, fake.person(made["by"])), "body": made["body"],
        "body_html": made["body"], "body_text": made["body"],
        "created_at": made["created_at"], "updated_at": made["updated_at"],
        "author_association": person_association(repo, made["by"]),
        "performed_via_github_app": app(fake, of_app) if of_app else None,
    }  # fmt: skip
