"""JSON as GitHub writes it: deployments and the combined status of a commit."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from tests.github.shapes import Json, app, minimal, node, user
from tests.github.shapes_checks import status

if TYPE_CHECKING:
    from tests.github.repository import FakeRepository


def combined(repo: FakeRepository, sha: str, latest: list[Json]) -> Json:
    """All latest statuses of a commit as one; pending where there is none."""
    states = {s["state"] for s in latest}
    bad = states & {"failure", "error"}
    state = "failure" if bad else "success" if states == {"success"} else "pending"
    base = repo.fake.url(f"repos/{repo.full_name}/commits/{sha}")
    kept = ("url", "avatar_url", "id", "node_id", "state", "description", "target_url", "context")

    listed = [status(repo, s) for s in latest]
    return {
        "state": state, "sha": sha, "total_count": len(latest), "repository": minimal(repo),
        "commit_url": base, "url": f"{base}/status",
        "statuses": [
            {k: s[k] for k in (*kept, "created_at", "updated_at")} for s in listed
        ],
    }  # fmt: skip


def deployment(repo: FakeRepository, made: Json) -> Json:
    fake = repo.fake
    base = fake.url(f"repos/{repo.full_name}/deployments/{made['id']}")
    return {
        "url": base, "id": made["id"], "node_id": node("DE", made["id"]), "sha": made["sha"],
        "ref": made["ref"], "task": made["task"], "payload": made["payload"],
        "original_environment": made["environment"], "environment": made["environment"],
        "description": made["description"], "creator": user(fake, fake.person(made["by"])),
        "created_at": made["created_at"], "updated_at": made["created_at"],
        "statuses_url": f"{base}/statuses",
        "repository_url": fake.url(f"repos/{repo.full_name}"), "transient_environment": False,
        "production_environment": made["environment"] == "production",
        "performed_via_github_app": app(fake, made["app"]) if made["app"] else None,
    }  # fmt: skip


def deployment_status(repo: FakeRepository, of: Json, made: Json) -> Json:
    fake = repo.fake
    base = fake.url(f"repos/{repo.full_name}/deployments/{of['id']}")
    return {
        "url": f"{base}/statuses/{made['id']}", "id": made["id"],
        "node_id": node("DES", made["id"]),
        "state": made["state"], "creator": user(fake, fake.person(made["by"])),
        "description": made.get("description", ""), "environment": of["environment"],
        "target_url": made.get("target_url", ""), "created_at": made["created_at"],
        "updated_at": made["created_at"], "deployment_url": base,
        "repository_url": fake.url(f"repos/{repo.full_name}"),
        "environment_url": made.get("environment_url", ""), "log_url": made.get("log_url", ""),
        "performed_via_github_app": app(fake, made["app"]) if made["app"] else None,
    }  # fmt: skip


def analysis(repo: FakeRepository, number: str, upload: Json, at: int, run: Json) -> Json:
    """One run of a SARIF upload, as code scanning lists it."""
    tool = run.get("tool", {}).get("driver", {})
    made = uuid.UUID(number).int % 2**31 + at
    return {
        "ref": upload["ref"], "commit_sha": upload["commit_sha"], "error": "", "warning": "",
        "analysis_key": "(api)", "environment": "{}", "created_at": upload["at"],
        "category": run.get("automationDetails", {}).get("id", ""), "id": made,
        "results_count": len(run.get("results", ())), "sarif_id": number, "deletable": True,
        "rules_count": len(tool.get("rules", ())),
        "url": repo.fake.url(f"repos/{repo.full_name}/code-scanning/analyses/{made}"),
        "tool": {"name": tool.get("name", "llmops"), "guid": None, "version": tool.get("version")},
    }  # fmt: skip
