"""Workflow runs, jobs, artifacts; what Actions may do, its secrets, variables and runners."""

from __future__ import annotations

from typing import Any

from tests.github import shapes, shapes_checks
from tests.github.runs import FakeArtifact, FakeRun
from tests.github.wire import Answer, Call, Refusal, Route, missing, page


def _runs(call: Call) -> Answer:
    asked = {k: call.asked(k) for k in ("head_sha", "event") if call.asked(k)}
    state, branch = call.asked("status"), call.asked("branch")
    chosen = [
        r
        for r in reversed(call.here.runs.values())
        if all(getattr(r, name) == value for name, value in asked.items())
        and state in ("", r.status, r.conclusion)
        and branch in ("", r.head_branch)
    ]
    return _page_of_runs(call, chosen)


def _runs_of_workflow(call: Call) -> Answer:
    wanted = call.args["workflow_id"]
    chosen = [
        r
        for r in reversed(call.here.runs.values())
        if wanted in (r.path.rpartition("/")[2], str(call.fake.workflow_id(call.here, r.path)))
    ]
    return _page_of_runs(call, chosen)


def _page_of_runs(call: Call, chosen: list[FakeRun]) -> Answer:
    answer = page(call, chosen, "workflow_runs")
    answer.body["workflow_runs"] = [shapes_checks.run(r) for r in answer.body["workflow_runs"]]
    return answer


def _run(call: Call) -> FakeRun:
    run = call.here.runs.get(call.number("run_id"))
    if run is None:
        raise missing()
    return run


def _one(call: Call) -> Answer:
    return Answer(body=shapes_checks.run(_run(call)))


def _jobs(call: Call) -> Answer:
    run = _run(call)
    return page(call, [_job(call, run, job) for job in run.jobs], "jobs")


def _job(call: Call, run: FakeRun, job: dict[str, Any]) -> dict[str, Any]:
    base = call.fake.url(f"repos/{call.here.full_name}")
    number = job.setdefault("id", call.fake.next_id())
    whole = {
        "id": number, "node_id": "J_x", "run_id": run.id, "head_sha": run.head_sha,
        "run_url": f"{base}/actions/runs/{run.id}", "workflow_name": "llmops", "name": "gate",
        "head_branch": run.head_branch, "url": f"{base}/actions/jobs/{number}", "labels": [],
        "html_url": f"https://github.com/{call.here.full_name}/actions/runs/{run.id}",
        "status": "completed", "conclusion": "success", "started_at": run.created_at,
        "completed_at": run.created_at, "check_run_url": f"{base}/check-runs/{number}",
        "runner_id": 1, "runner_name": "hosted", "runner_group_id": 1, "created_at":
        run.created_at, "runner_group_name": "Default", "run_attempt": run.attempt, "steps": [],
    }  # fmt: skip
    return whole | job


def _approve(call: Call) -> Answer:
    run = _run(call)
    if run.status != "action_required" and run.conclusion != "action_required":
        raise Refusal(403, "This run is not from a fork or queued for approval.")
    run.status, run.conclusion = "queued", None
    call.fake.emit_run(run, "requested")
    return Answer(201, {})


def _approvals(call: Call) -> Answer:
    run, base = _run(call), call.fake.url(f"repos/{call.here.full_name}/environments")
    shown = []
    for made in run.approvals:
        name = made["environment"]
        known = call.here.environments.get(name) or call.here.environment(name)
        since = {"created_at": call.fake.began, "updated_at": call.fake.began}
        about = {"id": known["id"], "node_id": "EN_x", "name": name, "url": f"{base}/{name}"}
        about["html_url"] = f"https://github.com/{call.here.full_name}/deployments/{name}"
        who = shapes.user(call.fake, call.fake.person(made["by"]))
        shown.append({
            "state": made["state"], "comment": "", "user": who, "environments": [about | since],
        })  # fmt: skip
    return Answer(body=shown)


def _rerun(call: Call) -> Answer:
    _run(call).rerun(call.who.login)
    return Answer(201, {})


def _cancel(call: Call) -> Answer:
    run = _run(call)
    if run.status == "completed":
        raise Refusal(409, "Cannot cancel a workflow run that is completed.")
    run.finish("cancelled")
    return Answer(202, {})


def _artifacts_of(call: Call) -> Answer:
    run = _run(call)
    chosen = [(a, run) for a in run.artifacts if call.asked("name", a.name) == a.name]
    return _page_of_artifacts(call, chosen)


def _artifacts(call: Call) -> Answer:
    every = [(a, r) for r in call.here.runs.values() for a in r.artifacts]
    chosen = [(a, r) for a, r in reversed(every) if call.asked("name", a.name) == a.name]
    return _page_of_artifacts(call, chosen)


def _page_of_artifacts(call: Call, chosen: list[tuple[FakeArtifact, FakeRun]]) -> Answer:
    answer = page(call, chosen, "artifacts")
    shown = [shapes_checks.artifact(call.here, a, r) for a, r in answer.body["artifacts"]]
    answer.body["artifacts"] = shown
    return answer


def _found(call: Call) -> tuple[FakeArtifact, FakeRun]:
    number = call.number("artifact_id")
    for run in call.here.runs.values():
        for artifact in run.artifacts:
            if artifact.id == number:
                return artifact, run
    raise missing()


def _artifact(call: Call) -> Answer:
    return Answer(body=shapes_checks.artifact(call.here, *_found(call)))


def _download(call: Call) -> Answer:
    artifact, _ = _found(call)
    if not call.who.login:
        raise Refusal(401, "Requires authentication")
    if call.args["archive_format"] != "zip":
        raise missing()
    if artifact.expired:
        raise Refusal(410, "Artifact has expired")
    where = f"{call.fake.storage}/artifacts/{artifact.id}.zip?sig=fake"
    return Answer(302, None, {"Location": where})


def _workflows(call: Call) -> Answer:
    listed = [_workflow(call, path) for path in _workflow_files(call)]
    return page(call, listed, "workflows")


def _workflow_files(call: Call) -> list[str]:
    branch = call.here.default_branch
    return call.here.git.run(
        "ls-tree", "-r", "--name-only", branch, ".github/workflows/", ok=(0, 128)
    ).split()


def _workflow(call: Call, path: str) -> dict[str, Any]:
    number = call.fake.workflow_id(call.here, path)
    web = f"https://github.com/{call.here.full_name}"
    states = call.here.settings.get("workflow_states", {})
    return {
        "id": number, "node_id": "W_x", "name": path.rpartition("/")[2].partition(".")[0],
        "path": path, "state": states.get(path, "active"), "created_at": call.fake.began,
        "updated_at": call.fake.began, "html_url": f"{web}/blob/main/{path}",
        "url": call.fake.url(f"repos/{call.here.full_name}/actions/workflows/{number}"),
        "badge_url": f"{web}/workflows/x/badge.svg",
    }  # fmt: skip


def _named_workflow(call: Call) -> Answer:
    for path in _workflow_files(call):
        one = _workflow(call, path)
        if call.args["workflow_id"] in (str(one["id"]), path.rpartition("/")[2]):
            return Answer(body=one)
    raise missing()


_R = "repos/{owner}/{repo}"
_A = f"{_R}/actions"
_ONE = f"{_A}/runs/{{run_id}}"
_Z = f"{_A}/artifacts/{{artifact_id}}"
READ, WRITE = "actions:read", "actions:write"
ROUTES = (
    Route("GET", f"{_A}/runs", READ, _runs),
    Route("GET", _ONE, READ, _one),
    Route("GET", f"{_ONE}/attempts/{{attempt_number}}", READ, _one),
    Route("GET", f"{_ONE}/jobs", READ, _jobs),
    Route("GET", f"{_ONE}/approvals", READ, _approvals),
    Route("POST", f"{_ONE}/approve", WRITE, _approve),
    Route("POST", f"{_ONE}/rerun", WRITE, _rerun),
    Route("POST", f"{_ONE}/cancel", WRITE, _cancel),
    Route("GET", f"{_ONE}/artifacts", READ, _artifacts_of),
    Route("GET", f"{_A}/artifacts", READ, _artifacts),
    Route("GET", _Z, READ, _artifact),
    Route("GET", f"{_Z}/{{archive_format}}", READ, _download),
    Route("GET", f"{_A}/workflows", READ, _workflows),
    Route("GET", f"{_A}/workflows/{{workflow_id}}", READ, _named_workflow),
    Route("GET", f"{_A}/workflows/{{workflow_id}}/runs", READ, _runs_of_workflow),
)
