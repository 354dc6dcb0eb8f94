"""What a job of GitHub Actions is told about itself -> a subject and settings. Dry.

In: the environment's variables and the event's JSON, of which only ids, SHAs and branch names are
taken: what is judged is read from the forge and from git. Out: `Subject`, `Settings`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmops.errors import UsageError
from llmops.gating.base import SERVER, WORKFLOW, Group, Landed, PullRequest, Settings, Subject

_HEADS = "refs/heads/"
_SUBJECTS = "pull_request, merge_group or push"
_WORKFLOW = re.compile(r"[^/@]+/[^/@]+/(\.github/workflows/[^@]+)@.*", re.DOTALL)


def subject_of(event: str, data: Any) -> Subject:
    """What an event is about. Raises UsageError for an event that is about nothing of ours."""
    if not event:
        hint = f"in a workflow of {_SUBJECTS}, or say --pull N, --group SHA or --landed SHA"
        raise UsageError("what is to be judged is not known", hint=hint)
    try:
        return _subject(event, data)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"the event of this job is no {event} that we can read") from error


def _subject(event: str, data: Any) -> Subject:
    if event.startswith("pull_request") and event != "pull_request_target":
        return PullRequest(_number(data["pull_request"]["number"]))
    if event == "merge_group":
        group = data["merge_group"]
        return Group(str(group["head_sha"]), _branch(group["base_ref"]))
    if event == "push":
        return Landed(str(data["after"]), _branch(data["ref"]))
    hint = f"the gate is a job of a workflow on {_SUBJECTS}"
    raise UsageError(f'a job of "{event[:60]}" has nothing to judge', hint=hint)


def _number(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("no number")
    return value


def _branch(ref: Any) -> str:
    if not str(ref).startswith(_HEADS):
        raise ValueError("no branch")
    return str(ref).removeprefix(_HEADS)


def settings_of(environ: Mapping[str, str], **said: Any) -> Settings:
    """How the gate works as a job: its own run has ended for it, since it needs all others.

    `said`: settings that a person gave.
    """
    server = environ.get("GITHUB_SERVER_URL", "").rstrip("/") or SERVER
    named = _WORKFLOW.fullmatch(environ.get("GITHUB_WORKFLOW_REF", ""))
    own = environ.get("GITHUB_RUN_ID", "")
    repository = environ.get("GITHUB_REPOSITORY", "")
    run = int(own) if own.isdecimal() and environ.get("GITHUB_ACTIONS") == "true" else 0
    found = {
        "server": server,
        "workflow": named[1] if named else WORKFLOW,
        "own_run": run,
        "details_url": f"{server}/{repository}/actions/runs/{run}" if run else "",
    }
    return Settings(**{**found, **{key: value for key, value in said.items() if value}})
