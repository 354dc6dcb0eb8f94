"""Events as webhooks carry them: what happened, in the words of GitHub's payloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.github import shapes, shapes_checks
from tests.github.shapes import Json

if TYPE_CHECKING:
    from tests.github.pulls import FakePull
    from tests.github.queue import Group, MergeQueue
    from tests.github.repository import FakeRepository
    from tests.github.runs import FakeRun
    from tests.github.server import FakeGitHub


def _common(fake: FakeGitHub, repo: FakeRepository, by: str) -> Json:
    common = {
        "repository": shapes.repository(repo),
        "sender": shapes.user(fake, fake.person(by)),
    }
    for app in fake.apps.values():
        number = fake.installation(app, repo.owner)
        common["installation"] = {"id": number, "node_id": shapes.node("I", number)}
    if repo.owner in fake.organizations:
        common["organization"] = {"login": repo.owner, "id": fake.person(repo.owner).id}
    return common


def emit_pull(
    fake: FakeGitHub, pull: FakePull, name: str, action: str, by: str, **more: Any
) -> None:
    """`pull_request` or `pull_request_review`."""
    if "review" in more:
        more["review"] = shapes.review(pull, more["review"])
        more["review"]["state"] = more["review"]["state"].lower()  # as webhooks write it
    body = {"action": action, "number": pull.number, "pull_request": shapes.whole_pull(pull)}
    fake.hooks.emit(name, body | more | _common(fake, pull.repo, by))


def emit_push(
    fake: FakeGitHub, repo: FakeRepository, branch: str, old: str | None, new: str | None, by: str
) -> None:
    body = {
        "ref": f"refs/heads/{branch}", "before": old or "0" * 40, "after": new or "0" * 40,
        "created": old is None, "deleted": new is None,
        "forced": bool(old and new and not repo.git.is_ancestor(old, new)), "base_ref": None,
        "compare": "", "commits": [],
        "head_commit": shapes_checks.simple_commit(repo, new) if new else None,
        "pusher": {"name": by, "email": fake.person(by).email},
    }  # fmt: skip
    fake.hooks.emit("push", body | _common(fake, repo, by))


def emit_run(fake: FakeGitHub, run: FakeRun, action: str) -> None:
    body = {"action": action, "workflow_run": shapes_checks.run(run)}
    body["workflow"] = {"id": body["workflow_run"]["workflow_id"], "path": run.path}
    fake.hooks.emit("workflow_run", body | _common(fake, run.repo, run.by))


def emit_group(fake: FakeGitHub, queue: MergeQueue, group: Group, action: str, **more: Any) -> None:
    repo = queue.repo
    about = {
        "head_sha": group.head_sha, "head_ref": group.ref, "base_sha": group.base_sha,
        "base_ref": f"refs/heads/{queue.branch}",
        "head_commit": shapes_checks.simple_commit(repo, group.head_sha),
    }  # fmt: skip
    body = {"action": action, "merge_group": about} | more
    fake.hooks.emit("merge_group", body | _common(fake, repo, "github-merge-queue[bot]"))


def emit_comment(
    fake: FakeGitHub, repo: FakeRepository, comment: Json, action: str, by: str
) -> None:
    pull = repo.pulls.get(comment["number"])
    issue: Json = {"number": comment["number"], "state": pull.state if pull else "open"}
    if pull is not None:
        where = fake.url(f"repos/{repo.full_name}/pulls/{pull.number}")
        issue |= {
            "title": pull.title, "user": shapes.user(fake, fake.person(pull.author)),
            "pull_request": {"url": where, "html_url": where, "diff_url": "", "patch_url": ""},
        }  # fmt: skip
    body = {"action": action, "issue": issue, "comment": shapes.comment(repo, comment)}
    fake.hooks.emit("issue_comment", body | _common(fake, repo, by))


def emit_check(
    fake: FakeGitHub, repo: FakeRepository, check: Json, action: str, by: str, **more: Any
) -> None:
    body = {"action": action, "check_run": shapes_checks.check_run(repo, check)}
    fake.hooks.emit("check_run", body | more | _common(fake, repo, by))
