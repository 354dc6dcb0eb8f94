"""What else a publication may have: a commit status, labels, SARIF, deployments."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

from llmops.forge.base import Payload
from llmops.forge.desk import Desk, bears, same

_STATE = ("state", "description", "log_url", "environment_url")


def status(desk: Desk) -> None:
    """A commit status instead of the check."""
    body = desk.publication.status
    if body is None or not (desk.check_refused or desk.publication.check is None):
        return
    sha = desk.publication.head_sha
    listed = desk.forge.statuses(sha)
    shown = next((one for one in listed if one.get("context") == body.get("context")), None)
    if not bears(shown, body, tuple(body)):
        desk.write(lambda: desk.forge.set_status(sha, body))
    desk.as_status = True


def labels(desk: Desk) -> None:
    """Put our labels that hold and take away those that do not; others' stay."""
    wanted, number = desk.publication.labels, desk.publication.number
    if wanted is None or number is None:
        return
    at = desk.path(f"issues/{number}/labels")
    there = {str(one["name"]) for one in desk.forge.every(at)}
    lacking = [name for name in wanted if name not in there]
    extra = sorted((there & set(desk.publication.own_labels)) - set(wanted))
    if len(extra) > 1:
        whole = sorted((there - set(extra)) | set(wanted))
        desk.write(lambda: desk.forge.send("PUT", at, {"labels": whole}))
        return
    if lacking:
        desk.write(lambda: desk.forge.repeat(at, {"labels": lacking}))
    if extra:
        one = f"{at}/{quote(extra[0], safe='')}"
        desk.write(lambda: desk.delete(one))


def sarif(desk: Desk) -> None:
    """Upload the findings, unless the verdict stands and as many are there."""
    body = desk.publication.sarif
    if body is None or (not desk.check_written and _analysed(desk, body)):
        return
    desk.write(lambda: desk.forge.repeat(desk.path("code-scanning/sarifs"), body))


def _analysed(desk: Desk, body: Payload) -> bool:
    """Whether an upload of as many results is there for that commit and ref."""
    at = desk.path("code-scanning/analyses")
    runs = _sarif_runs(body)
    counts = {len(run.get("results") or ()) for run in runs}
    listed = desk.forge.get(at, ref=body["ref"], per_page=30) or []
    return any(
        one.get("commit_sha") == body["commit_sha"] and one.get("results_count") in counts
        for one in listed
    )


def _sarif_runs(body: Payload) -> list[Any]:
    log = json.loads(gzip.decompress(base64.b64decode(body["sarif"])))
    return list(log.get("runs") or ())


def deployments(desk: Desk) -> None:
    """Put the deployments of releases, each with its state."""
    for one in desk.publication.deployments:
        _deploy(desk, one["deployment"], one.get("status") or {})


def _deploy(desk: Desk, body: Payload, state: Payload) -> None:
    at = desk.path("deployments")
    asked = {key: body[key] for key in ("ref", "environment", "task") if key in body}
    there = (one for one in desk.forge.every(at, **asked) if _same_deployment(one, body))
    found = next(there, None) or desk.write(lambda: desk.forge.send("POST", at, body))
    if not state:
        return
    where = f"{at}/{found['id']}/statuses"
    last = next(iter(desk.forge.every(where)), None)
    if not bears(last, state, _STATE):
        desk.write(lambda: desk.forge.repeat(where, dict(state)))


def _same_deployment(found: Payload, body: Payload) -> bool:
    return same(found.get("description"), body.get("description"))
