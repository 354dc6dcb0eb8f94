"""JSON as GitHub writes it: check runs, statuses, workflow runs, artifacts, commits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.github.clock import stamp
from tests.github.runs import FakeArtifact, FakeRun
from tests.github.shapes import Json, app, minimal, node, user

if TYPE_CHECKING:
    from tests.github.repository import FakeRepository


def check_pulls(repo: FakeRepository, sha: str) -> list[Json]:
    """The open pull requests whose head is a commit, as checks list them (never of forks)."""
    return [
        {
            "id": 9_000_000 + p.number, "number": p.number,
            "url": repo.fake.url(f"repos/{repo.full_name}/pulls/{p.number}"),
            "head": _end(repo, p.branch, p.head_sha), "base": _end(repo, p.base, p.base_sha),
        }
        for p in repo.pulls.values()
        if p.head_sha == sha and p.state == "open" and not p.from_fork
    ]  # fmt: skip


def _end(repo: FakeRepository, branch: str, sha: str) -> Json:
    where = {"id": repo.id, "url": repo.fake.url(f"repos/{repo.full_name}"), "name": repo.name}
    return {"ref": branch, "sha": sha, "repo": where}


def check_run(repo: FakeRepository, made: Json) -> Json:
    fake = repo.fake
    base = fake.url(f"repos/{repo.full_name}/check-runs/{made['id']}")
    web = f"https://github.com/{repo.full_name}/runs/{made['id']}"
    said = made["output"]
    return {
        "id": made["id"], "node_id": node("CR", made["id"]), "name": made["name"],
        "head_sha": made["head_sha"], "external_id": made["external_id"], "url": base,
        "html_url": web, "details_url": made["details_url"] or web, "status": made["status"],
        "conclusion": made["conclusion"], "started_at": made["started_at"],
        "completed_at": made["completed_at"],
        "output": {
            "title": said.get("title"), "summary": said.get("summary"), "text": said.get("text"),
            "annotations_count": len(made["annotations"]), "annotations_url": f"{base}/annotations",
        },
        "check_suite": {"id": made["suite"]}, "app": app(fake, made["app"]),
        "pull_requests": check_pulls(repo, made["head_sha"]),
    }  # fmt: skip


def check_suite(repo: FakeRepository, made: Json) -> Json:
    base = repo.fake.url(f"repos/{repo.full_name}/check-suites/{made['id']}")
    runs = [c for c in repo.checks.values() if c["suite"] == made["id"]]
    done = bool(runs) and all(c["status"] == "completed" for c in runs)
    return {
        "id": made["id"], "node_id": node("CS", made["id"]), "head_branch": made["branch"],
        "head_sha": made["head_sha"], "status": "completed" if done else "queued",
        "conclusion": runs[-1]["conclusion"] if done else None, "url": base, "before": "0" * 40,
        "after": made["head_sha"], "created_at": made["created_at"],
        "updated_at": made["created_at"], "app": app(repo.fake, made["app"]),
        "head_commit": simple_commit(repo, made["head_sha"]), "repository": minimal(repo),
        "latest_check_runs_count": len(runs), "check_runs_url": f"{base}/check-runs",
        "pull_requests": check_pulls(repo, made["head_sha"]),
    }  # fmt: skip


def annotation(repo: FakeRepository, sha: str, made: Json) -> Json:
    shown = {name: made.get(name) for name in ("start_column", "end_column", "title")}
    lines = {"start_line": made["start_line"], "end_line": made["end_line"]}
    return shown | lines | {
        "path": made["path"], "annotation_level": made["annotation_level"],
        "message": made["message"], "raw_details": made.get("raw_details"),
        "blob_href": f"https://github.com/{repo.full_name}/blob/{sha}/{made['path']}",
    }  # fmt: skip


def status(repo: FakeRepository, made: Json) -> Json:
    who = repo.fake.person(made["by"])
    return {
        "id": made["id"], "node_id": node("SC", made["id"]),
        "url": repo.fake.url(f"repos/{repo.full_name}/statuses/{made['sha']}"),
        "avatar_url": None, "state": made["state"], "description": made["description"],
        "target_url": made["target_url"], "context": made["context"],
        "created_at": made["created_at"], "updated_at": made["created_at"],
        "creator": user(repo.fake, who),
    }  # fmt: skip


def simple_commit(repo: FakeRepository, sha: str) -> Json:
    about = commit_facts(repo, sha)
    people = {role: {k: about[role][k] for k in ("name", "email")} for role in _ROLES}
    return {
        "id": sha, "tree_id": about["tree"], "message": about["message"],
        "timestamp": about["committer"]["date"], **people,
    }  # fmt: skip


_ROLES = ("author", "committer")
_FORMAT = "%T%x00%P%x00%an%x00%ae%x00%at%x00%cn%x00%ce%x00%ct%x00%B"


def commit_facts(repo: FakeRepository, sha: str) -> dict[str, Any]:
    """What git knows of a commit."""
    cache = repo.fake.commits
    if sha not in cache:
        said = repo.git.run("show", "-s", f"--format={_FORMAT}", sha, ok=(0, 128)).split("\0")
        if len(said) < 9:  # a commit that this repository does not have
            said = ["0" * 40, "", "x", "x@x", "0", "x", "x@x", "0", "unknown"]
        cache[sha] = {
            "tree": said[0], "parents": said[1].split(), "message": said[8].strip("\n"),
            "author": _who(said[2:5]), "committer": _who(said[5:8]),
        }  # fmt: skip
    return cache[sha]


def _who(said: list[str]) -> dict[str, str]:
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(int(said[2]), UTC)
    return {"name": said[0], "email": said[1], "date": stamp(moment)}


def commit(repo: FakeRepository, sha: str) -> Json:
    """A commit as the REST API's commits have it."""
    fake, about = repo.fake, commit_facts(repo, sha)
    base = fake.url(f"repos/{repo.full_name}/commits/{sha}")
    git = fake.url(f"repos/{repo.full_name}/git")
    logins = {role: fake.login_of(about[role]["email"]) for role in _ROLES}
    return {
        "sha": sha, "node_id": node("C", int(sha[:7], 16)), "url": base,
        "html_url": f"https://github.com/{repo.full_name}/commit/{sha}",
        "comments_url": f"{base}/comments",
        "commit": {
            "url": f"{git}/commits/{sha}", "message": about["message"], "comment_count": 0,
            "author": about["author"], "committer": about["committer"],
            "tree": {"sha": about["tree"], "url": f"{git}/trees/{about['tree']}"},
            "verification": _UNSIGNED,
        },
        **{role: user(fake, fake.person(who)) if who else None for role, who in logins.items()},
        "parents": [
            {"sha": p, "url": fake.url(f"repos/{repo.full_name}/commits/{p}"),
             "html_url": f"https://github.com/{repo.full_name}/commit/{p}"}
            for p in about["parents"]
        ],
    }  # fmt: skip


_UNSIGNED = {
    "verified": False, "reason": "unsigned", "signature": None, "payload": None,
    "verified_at": None,
}  # fmt: skip


def run(made: FakeRun) -> Json:
    repo, fake = made.repo, made.repo.fake
    base = fake.url(f"repos/{repo.full_name}/actions/runs/{made.id}")
    head = fake.repositories.get(made.source, repo)
    who = user(fake, fake.person(made.by))
    return {
        "id": made.id, "node_id": node("WFR", made.id), "name": "llmops",
        "head_branch": made.head_branch, "head_sha": made.head_sha, "path": made.path,
        "display_title": "A change", "run_number": 1, "run_attempt": made.attempt,
        "event": made.event, "status": made.status, "conclusion": made.conclusion,
        "workflow_id": fake.workflow_id(repo, made.path), "check_suite_id": made.id,
        "check_suite_node_id": node("CS", made.id), "url": base,
        "html_url": f"https://github.com/{repo.full_name}/actions/runs/{made.id}",
        "pull_requests": check_pulls(repo, made.head_sha), "created_at": made.created_at,
        "updated_at": made.created_at, "run_started_at": made.created_at,
        "actor": who, "triggering_actor": who,
        "jobs_url": f"{base}/jobs", "logs_url": f"{base}/logs",
        "artifacts_url": f"{base}/artifacts",
        "check_suite_url": fake.url(f"repos/{repo.full_name}/check-suites/{made.id}"),
        "cancel_url": f"{base}/cancel", "rerun_url": f"{base}/rerun", "previous_attempt_url": None,
        "workflow_url": fake.url(
            f"repos/{repo.full_name}/actions/workflows/{fake.workflow_id(repo, made.path)}"
        ),
        "head_commit": simple_commit(head, made.head_sha), "repository": minimal(repo),
        "head_repository": minimal(head), "referenced_workflows": [],
    }  # fmt: skip


def artifact(repo: FakeRepository, made: FakeArtifact, of: FakeRun) -> Json:
    base = repo.fake.url(f"repos/{repo.full_name}/actions/artifacts/{made.id}")
    expires = repo.fake.clock.true_now() + timedelta(days=90)
    head = repo.fake.repositories.get(of.source, repo)
    return {
        "id": made.id, "node_id": node("ART", made.id), "name": made.name,
        "size_in_bytes": made.size, "url": base, "archive_download_url": f"{base}/zip",
        "expired": made.expired, "created_at": made.created_at, "updated_at": made.created_at,
        "expires_at": stamp(expires), "digest": made.digest,
        "workflow_run": {
            "id": of.id, "repository_id": repo.id, "head_repository_id": head.id,
            "head_branch": of.head_branch, "head_sha": of.head_sha,
        },
    }  # fmt: skip
