"""JSON of GitHub's REST API -> the nouns of `base.py`. Dry.

A deleted account or fork is null there: its name is "" here. Raises ForgeError where an answer
lacks what every answer of its kind has: that is no GitHub we know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from llmops.forge.base import (
    CheckRun,
    Comment,
    ForgeError,
    Pull,
    Review,
    RunArtifact,
    WorkflowRun,
)

Json = Mapping[str, Any]
T = TypeVar("T")


def read(kind: Callable[[Json], T], value: Any) -> T:
    """The noun in a value. Raises ForgeError where it is none."""
    try:
        return kind(value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        name = kind.__name__.replace("_", " ")
        raise ForgeError(f"github answers something that is no {name} ({error!r:.60})") from None


def pull(value: Json) -> Pull:
    """A pull request, of its own page or of a list (which does not say `merged`)."""
    head, base = value["head"], value["base"]
    head_repo = str((head.get("repo") or {}).get("full_name") or "")
    base_repo = str((base.get("repo") or {}).get("full_name") or "")
    return Pull(
        number=int(value["number"]),
        state="open" if value["state"] == "open" else "closed",
        merged=bool(value.get("merged", value.get("merged_at") is not None)),
        draft=bool(value.get("draft")),
        head_sha=str(head["sha"]),
        head_ref=str(head["ref"]),
        base_sha=str(base["sha"]),
        base_ref=str(base["ref"]),
        author=_login(value.get("user")),
        from_fork=head_repo.lower() != base_repo.lower() or not head_repo,
        association=str(value.get("author_association") or "NONE"),
        title=str(value.get("title") or ""),
        labels=tuple(str(label["name"]) for label in value.get("labels") or ()),
        head_repo=head_repo,
    )


def review(value: Json) -> Review:
    """A review; one that is only begun has no time."""
    return Review(
        id=int(value["id"]),
        by=_login(value.get("user")),
        state=value["state"],
        commit=str(value.get("commit_id") or ""),
        submitted_at=str(value.get("submitted_at") or ""),
        by_bot=_is_bot(value.get("user")),
    )


def check_run(value: Json) -> CheckRun:
    """A check run with what it shows."""
    output = value.get("output") or {}
    app = value.get("app") or {}
    return CheckRun(
        id=int(value["id"]),
        name=str(value["name"]),
        head_sha=str(value["head_sha"]),
        status=str(value["status"]),
        conclusion=value.get("conclusion"),
        external_id=str(value.get("external_id") or ""),
        app_id=app.get("id"),
        url=str(value.get("html_url") or ""),
        annotations=int(output.get("annotations_count") or 0),
        started_at=str(value.get("started_at") or ""),
        details_url=str(value.get("details_url") or ""),
        app_slug=str(app.get("slug") or ""),
        output={key: output.get(key) or "" for key in ("title", "summary", "text")},
    )


def comment(value: Json) -> Comment:
    """An issue comment."""
    return Comment(
        id=int(value["id"]),
        by=_login(value.get("user")),
        body=str(value.get("body") or ""),
        url=str(value.get("html_url") or ""),
        by_app=(value.get("performed_via_github_app") or {}).get("id"),
        created_at=str(value.get("created_at") or ""),
    )


def workflow_run(value: Json) -> WorkflowRun:
    """A run of a workflow."""
    source = value.get("head_repository") or {}
    return WorkflowRun(
        id=int(value["id"]),
        attempt=int(value.get("run_attempt") or 1),
        head_sha=str(value["head_sha"]),
        event=str(value["event"]),
        status=str(value.get("status") or ""),
        conclusion=value.get("conclusion"),
        path=str(value.get("path") or "").partition("@")[0],
        repository=str(source.get("full_name") or ""),
        created_at=str(value.get("created_at") or ""),
    )


def artifact(value: Json) -> RunArtifact:
    """What a run uploaded."""
    run = value.get("workflow_run") or {}
    return RunArtifact(
        id=int(value["id"]),
        name=str(value["name"]),
        size_bytes=int(value["size_in_bytes"]),
        run_id=int(run.get("id") or 0),
        expired=bool(value.get("expired")),
        digest=str(value.get("digest") or ""),
        head_sha=str(run.get("head_sha") or ""),
        expires_at=str(value.get("expires_at") or ""),
    )


def _login(user: Json | None) -> str:
    return str((user or {}).get("login") or "")


def _is_bot(user: Json | None) -> bool:
    return (user or {}).get("type") == "Bot" or _login(user).endswith("[bot]")
