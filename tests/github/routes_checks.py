"""Check runs and suites, commit statuses, SARIF uploads, deployments."""

from __future__ import annotations

import base64
import gzip
import json
import re
import uuid
from typing import Any

from tests.github import shapes_checks, shapes_deploy
from tests.github.wire import Answer, Call, Refusal, Route, invalid, missing, page

MOST_BYTES = 65_535  # of a check's summary or text; the documentation says characters
MOST_ANNOTATIONS = 50  # a request
MOST_SARIF = 10 * 2**20  # of the gzip
MOST_RESULTS = 25_000
MOST_SAME_NAME = 1_000
CONCLUSIONS = (
    "success", "failure", "neutral", "cancelled", "skipped", "timed_out", "action_required",
)  # fmt: skip
STATUSES = ("queued", "in_progress", "completed")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LEVELS = ("notice", "warning", "failure")


def _commit(call: Call, name: str) -> str:
    """A commit by branch, tag or id. Raises 422 where there is none."""
    sha = call.here.git.resolve(call.args[name])
    if sha is None:
        raise Refusal(422, f"No commit found for SHA: {call.args[name]}")
    return sha


def _checked(body: dict[str, Any]) -> None:
    """What GitHub refuses in the body of a check run."""
    if body.get("status", "queued") not in STATUSES:
        raise invalid("CheckRun", "status", "status is not included in the list", "invalid")
    if body.get("conclusion") is not None and body["conclusion"] not in CONCLUSIONS:
        raise invalid("CheckRun", "conclusion", "conclusion is not included in the list", "invalid")
    if body.get("status") == "completed" and not body.get("conclusion"):
        raise invalid("CheckRun", "conclusion", "conclusion is missing", "missing_field")
    for name in ("started_at", "completed_at"):
        if name in body and not _MOMENT.fullmatch(str(body[name])):
            raise invalid("CheckRun", name, f"{name} is no timestamp", "invalid")
    output = body.get("output") or {}
    for name in ("summary", "text"):
        if len(str(output.get(name) or "").encode()) > MOST_BYTES:
            raise invalid("CheckRun", name, f"Only {MOST_BYTES} characters are allowed")
    if output and (not output.get("summary") or not output.get("title")):
        raise invalid("CheckRun", "output", "title and summary are required", "missing_field")
    if len(output.get("annotations") or ()) > MOST_ANNOTATIONS:
        raise invalid("CheckRun", "annotations", "No more than 50 annotations are allowed")
    for annotation in output.get("annotations") or ():
        _annotated(annotation)


def _annotated(annotation: dict[str, Any]) -> None:
    for name in ("path", "start_line", "end_line", "annotation_level", "message"):
        if annotation.get(name) in (None, ""):
            raise invalid("CheckRun", f"annotations.{name}", f"{name} is missing", "missing_field")
    if annotation["annotation_level"] not in LEVELS:
        raise invalid("CheckRun", "annotation_level", "is not included in the list", "invalid")
    if annotation["start_line"] > annotation["end_line"] or annotation["start_line"] < 1:
        raise invalid("CheckRun", "start_line", "start_line must not be after end_line")
    columns = "start_column" in annotation or "end_column" in annotation
    if columns and annotation["start_line"] != annotation["end_line"]:
        raise invalid("CheckRun", "start_column", "only where start_line equals end_line")
    if len(annotation["message"].encode()) > 64 * 1024:
        raise invalid("CheckRun", "message", "message exceeds 64 KB")
    if len(str(annotation.get("title") or "")) > 255:
        raise invalid("CheckRun", "title", "title exceeds 255 characters")


def _suite(call: Call, sha: str) -> int:
    """The one suite of a commit and an App."""
    assert call.who.app is not None
    for suite in call.here.suites.values():
        if suite["head_sha"] == sha and suite["app"] is call.who.app:
            return int(suite["id"])
    heads = call.here.git.heads()
    branch = next((name for name, tip in heads.items() if tip == sha), None)
    made = {
        "id": call.fake.next_id(), "head_sha": sha, "app": call.who.app, "branch": branch,
        "created_at": call.fake.stamp(),
    }  # fmt: skip
    call.here.suites[made["id"]] = made
    return int(made["id"])


def _create(call: Call) -> Answer:
    body = call.body
    if call.who.app is None:
        raise Refusal(403, "You must authenticate via a GitHub App.")
    for name in ("name", "head_sha"):
        if not body.get(name):
            raise invalid("CheckRun", name, f"{name} is missing", "missing_field")
    sha = str(body["head_sha"])
    if not call.here.git.has(sha):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    _checked(body)
    same = [c for c in call.here.checks.values() if c["head_sha"] == sha]
    if sum(c["name"] == body["name"] for c in same) >= MOST_SAME_NAME:
        raise Refusal(422, "Too many check runs of the same name in a suite")
    check = {
        "id": call.fake.next_id(), "name": body["name"], "head_sha": sha, "external_id": "",
        "details_url": None, "status": "queued", "conclusion": None, "output": {},
        "started_at": call.fake.stamp(), "completed_at": None, "annotations": [],
        "app": call.who.app, "suite": _suite(call, sha), "actions": [],
    }  # fmt: skip
    call.here.checks[check["id"]] = check
    _set(call, check, body)
    call.fake.emit_check(call.here, check, "created", call.who.login)
    return Answer(201, shapes_checks.check_run(call.here, check))


def _set(call: Call, check: dict[str, Any], body: dict[str, Any]) -> None:
    """Annotations are appended; the rest is replaced."""
    for name in ("name", "external_id", "details_url", "status", "started_at", "actions"):
        if name in body:
            check[name] = body[name]
    if body.get("conclusion"):
        check["conclusion"], check["status"] = body["conclusion"], "completed"
        check["completed_at"] = body.get("completed_at") or call.fake.stamp()
    elif body.get("status") in ("queued", "in_progress"):
        check["conclusion"] = check["completed_at"] = None
    output = dict(body.get("output") or {})
    check["annotations"] += output.pop("annotations", None) or []
    check["output"] = {**check["output"], **output}


def _check(call: Call) -> dict[str, Any]:
    check = call.here.checks.get(call.number("check_run_id"))
    if check is None:
        raise missing()
    return check


def _update(call: Call) -> Answer:
    check, body = _check(call), call.body
    if call.who.app is not check["app"]:
        raise Refusal(403, f"Invalid app_id `{check['app'].id}` - check run can only be modified "
                      "by the GitHub App that created it.")  # fmt: skip
    _checked({"status": check["status"], "conclusion": check["conclusion"], **body})
    _set(call, check, body)
    if body.get("conclusion"):
        call.fake.emit_check(call.here, check, "completed", call.who.login)
    return Answer(body=shapes_checks.check_run(call.here, check))


def _one(call: Call) -> Answer:
    return Answer(body=shapes_checks.check_run(call.here, _check(call)))


def _annotations(call: Call) -> Answer:
    check = _check(call)
    shown = [
        shapes_checks.annotation(call.here, check["head_sha"], a) for a in check["annotations"]
    ]
    return page(call, shown)


def _rerequest(call: Call) -> Answer:
    call.fake.emit_check(call.here, _check(call), "rerequested", call.who.login)
    return Answer(201, {})


def _of_ref(call: Call) -> Answer:
    sha, name, app = _commit(call, "ref"), call.asked("check_name"), call.asked("app_id")
    every = [c for c in call.here.checks.values() if c["head_sha"] == sha]
    if call.asked("filter", "latest") == "latest":
        every = call.here.checks_at(sha)
    chosen = [
        c
        for c in reversed(every)
        if name in ("", c["name"])
        and app in ("", str(c["app"].id))
        and call.asked("status", c["status"]) == c["status"]
    ]
    answer = page(call, chosen, "check_runs")
    shown = [shapes_checks.check_run(call.here, c) for c in answer.body["check_runs"]]
    answer.body["check_runs"] = shown
    return answer


def _suites(call: Call) -> Answer:
    sha = _commit(call, "ref")
    chosen = [s for s in call.here.suites.values() if s["head_sha"] == sha]
    return page(call, [shapes_checks.check_suite(call.here, s) for s in chosen], "check_suites")


def _state(call: Call) -> Answer:
    body, sha = call.body, call.args["sha"]
    if not call.here.git.has(sha):
        raise Refusal(422, f"No commit found for SHA: {sha}")
    if body.get("state") not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state", "state is not included in the list", "custom")
    if len(str(body.get("description") or "")) > 140:
        raise invalid("Status", "description", "description is too long (maximum is 140"
                      " characters)")  # fmt: skip
    made = {
        "id": call.fake.next_id(), "sha": sha, "state": body["state"], "by": call.who.login,
        "context": body.get("context", "default"), "target_url": body.get("target_url"),
        "description": body.get("description"), "created_at": call.fake.stamp(),
    }  # fmt: skip
    call.here.statuses.append(made)
    return Answer(201, shapes_checks.status(call.here, made))


def _statuses(call: Call) -> Answer:
    sha = _commit(call, "ref")
    found = [s for s in reversed(call.here.statuses) if s["sha"] == sha]
    return page(call, [shapes_checks.status(call.here, s) for s in found])


def _combined(call: Call) -> Answer:
    sha = _commit(call, "ref")
    latest = {s["context"]: s for s in call.here.statuses if s["sha"] == sha}
    return Answer(body=shapes_deploy.combined(call.here, sha, list(latest.values())))


def _upload(call: Call) -> Answer:
    body = call.body
    for name in ("commit_sha", "ref", "sarif"):
        if not body.get(name):
            raise invalid("Sarif", name, f"{name} is missing", "missing_field")
    if not str(body["ref"]).startswith("refs/"):
        raise Refusal(422, "ref must be a full reference, as refs/heads/main")
    try:
        packed = base64.b64decode(body["sarif"], validate=True)
        if len(packed) > MOST_SARIF:
            raise Refusal(413, "The SARIF file is too large.")
        log = json.loads(gzip.decompress(packed))
        results = [len(run.get("results", ())) for run in log["runs"]]
    except (ValueError, OSError, KeyError, EOFError):
        raise Refusal(400, "The SARIF file is not valid.") from None
    if len(results) > 20 or max(results, default=0) > MOST_RESULTS:
        raise Refusal(400, "The SARIF file has too many runs or results.")
    number = str(uuid.UUID(int=call.fake.next_id()))
    kept = {k: body[k] for k in ("commit_sha", "ref")}
    call.here.sarifs[number] = {"log": log, "at": call.fake.stamp(), **kept}
    where = call.fake.url(f"repos/{call.here.full_name}/code-scanning/sarifs/{number}")
    return Answer(202, {"id": number, "url": where})


def _sarif(call: Call) -> Answer:
    if call.args["sarif_id"] not in call.here.sarifs:
        raise missing()
    url = call.fake.url(f"repos/{call.here.full_name}/code-scanning/analyses")
    return Answer(body={"processing_status": "complete", "analyses_url": url, "errors": None})


def _analyses(call: Call) -> Answer:
    ref = call.asked("ref")
    return page(call, [
        shapes_deploy.analysis(call.here, number, upload, at, run)
        for number, upload in reversed(call.here.sarifs.items())
        for at, run in enumerate(upload["log"]["runs"])
        if ref in ("", upload["ref"])
    ])  # fmt: skip


def _deploy(call: Call) -> Answer:
    body = call.body
    sha = call.here.git.resolve(str(body.get("ref") or ""))
    if sha is None:
        raise Refusal(422, "No ref found for: " + str(body.get("ref")))
    made = {
        "id": call.fake.next_id(), "sha": sha, "ref": body["ref"], "by": call.who.login,
        "app": call.who.app, "task": body.get("task", "deploy"),
        "environment": body.get("environment", "production"), "payload": body.get("payload", {}),
        "description": body.get("description"), "created_at": call.fake.stamp(), "statuses": [],
    }  # fmt: skip
    required = body.get("required_contexts")
    if required is None and any(
        call.here.state_of(sha, s["context"]) != "success"
        for s in call.here.statuses
        if s["sha"] == sha
    ):
        raise Refusal(409, "Conflict: Commit status checks failed for " + str(body["ref"]))
    call.here.deployments[made["id"]] = made
    return Answer(201, shapes_deploy.deployment(call.here, made))


def _deployments(call: Call) -> Answer:
    asked = {k: call.asked(k) for k in ("sha", "ref", "task", "environment") if call.asked(k)}
    chosen = [
        d
        for d in reversed(call.here.deployments.values())
        if all(d[name] == value for name, value in asked.items())
    ]
    return page(call, [shapes_deploy.deployment(call.here, d) for d in chosen])


def _deployment(call: Call) -> dict[str, Any]:
    found = call.here.deployments.get(call.number("deployment_id"))
    if found is None:
        raise missing()
    return found


def _deployed(call: Call) -> Answer:
    of, body = _deployment(call), call.body
    states = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
    if body.get("state") not in states:
        raise invalid("DeploymentStatus", "state", "state is not included in the list", "custom")
    made = {"id": call.fake.next_id(), "by": call.who.login, "app": call.who.app} | body
    made["created_at"] = call.fake.stamp()
    of["statuses"].append(made)
    return Answer(201, shapes_deploy.deployment_status(call.here, of, made))


def _deployment_states(call: Call) -> Answer:
    of = _deployment(call)
    shown = [shapes_deploy.deployment_status(call.here, of, s) for s in reversed(of["statuses"])]
    return page(call, shown)


_R = "repos/{owner}/{repo}"
_C = f"{_R}/check-runs/{{check_run_id}}"
_D = f"{_R}/deployments"
_S = f"{_R}/code-scanning/sarifs"
ROUTES = (
    Route("POST", f"{_R}/check-runs", "checks:write", _create),
    Route("GET", _C, "checks:read", _one),
    Route("PATCH", _C, "checks:write", _update),
    Route("GET", f"{_C}/annotations", "checks:read", _annotations),
    Route("POST", f"{_C}/rerequest", "checks:write", _rerequest),
    Route("GET", f"{_R}/commits/{{ref}}/check-runs", "checks:read", _of_ref),
    Route("GET", f"{_R}/commits/{{ref}}/check-suites", "checks:read", _suites),
    Route("POST", f"{_R}/statuses/{{sha}}", "statuses:write", _state),
    Route("GET", f"{_R}/commits/{{ref}}/statuses", "statuses:read", _statuses),
    Route("GET", f"{_R}/commits/{{ref}}/status", "statuses:read", _combined),
    Route("POST", _S, "security_events:write", _upload),
    Route("GET", f"{_S}/{{sarif_id}}", "security_events:read", _sarif),
    Route("GET", f"{_R}/code-scanning/analyses", "security_events:read", _analyses),
    Route("POST", _D, "deployments:write", _deploy),
    Route("GET", _D, "deployments:read", _deployments),
    Route("POST", f"{_D}/{{deployment_id}}/statuses", "deployments:write", _deployed),
    Route("GET", f"{_D}/{{deployment_id}}/statuses", "deployments:read", _deployment_states),
)
