"""A whole run of a workflow: an event in, its jobs one after another, how each ended.

Where GitHub runs jobs side by side they come in the order of `needs` here; a matrix is run entry by
entry. A job is skipped where its `if` does not hold or, without a question about the status, where
something that it needs did not succeed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.github import FakeGitHub, shapes
from tests.github.pulls import FakePull
from tests.github.queue import Group
from tests.github.repository import FakeRepository
from tests.github.runs import FakeRun
from tests.runner import workflow
from tests.runner.actions import hands
from tests.runner.expressions import Closed, Scope, Unknown, condition, filled, text_of
from tests.runner.machine import HERE, Ended, Machine
from tests.runner.workflow import Job, Workflow

PATH = ".github/workflows/llmops.yml"
_BAD = ("failure", "cancelled")


@dataclass(frozen=True)
class Event:
    """What started a run, as `github` has it."""

    name: str
    payload: Mapping[str, Any]
    sha: str
    ref: str
    head_sha: str
    action: str = ""
    branch: str = ""
    base_ref: str = ""
    head_ref: str = ""
    source: str = ""
    from_fork: bool = False


@dataclass
class Done:
    """A run that has ended, or waits for a person (`waiting`: names of environments)."""

    run: FakeRun
    jobs: dict[str, Ended] = field(default_factory=dict)
    group: str = ""
    cancels: bool = False
    waiting: list[str] = field(default_factory=list)

    @property
    def conclusion(self) -> str:
        """What GitHub shows for the run: the worst of its jobs."""
        found = {job.conclusion for job in self.jobs.values()}
        return next((bad for bad in _BAD if bad in found), "success")

    def job(self, name: str) -> Ended:
        """A job by its name; of a matrix the only one that begins so."""
        named = [j for key, j in self.jobs.items() if key == name or key.startswith(f"{name} (")]
        assert len(named) == 1, f"{name}: {sorted(self.jobs)}"
        return named[0]

    @property
    def log(self) -> str:
        return "\n".join(f"---- {name}\n{job.log}" for name, job in self.jobs.items())

    @property
    def summary(self) -> str:
        return "".join(job.summary for job in self.jobs.values())


@dataclass
class Actions:
    """GitHub Actions for a repository. `variables`: `vars`; `world`: a stand-in worker's file.

    `secrets`: by environment; only jobs that name an environment have the context here.
    """

    fake: FakeGitHub
    repo: FakeRepository
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    world: Path | None = None
    required: str = ""  # the text of a workflow that a ruleset requires, from another repository
    srun: tuple[str, ...] = ()  # Slurm's own, where there is one; else a stand-in that takes notes
    machines: list[Machine] = field(default_factory=list)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)

    def pull_request(self, pull: FakePull, action: str = "synchronize", **how: Any) -> Done | None:
        """None where the workflow does not hear it, or the pull request is in conflict."""
        merged = pull.merge_commit()
        if merged is None:
            return None
        payload = {
            "action": action, "number": pull.number, "pull_request": shapes.whole_pull(pull),
            "repository": shapes.repository(self.repo),
        }  # fmt: skip
        event = Event(
            "pull_request", payload, merged, pull.merge_ref,
            pull.head_sha, action, pull.base, pull.base, pull.branch,
            pull.source.full_name if pull.source else "", pull.from_fork,
        )  # fmt: skip
        return self.start(event, **how)

    def merge_group(self, group: Group, **how: Any) -> Done | None:
        """The run of a merge group."""
        about = {
            "head_sha": group.head_sha, "head_ref": group.ref, "base_sha": group.base_sha,
            "base_ref": f"refs/heads/{self.repo.default_branch}",
        }  # fmt: skip
        payload = {"action": "checks_requested", "merge_group": about}
        event = Event(
            "merge_group", payload, group.head_sha, group.ref, group.head_sha, "checks_requested"
        )
        return self.start(event, **how)

    def push(self, before: str, after: str, branch: str = "main", **how: Any) -> Done | None:
        """The run of what landed."""
        ref = f"refs/heads/{branch}"
        payload = {"ref": ref, "before": before, "after": after}
        event = Event("push", payload, after, ref, after, "", branch)
        return self.start(event, **how)

    def start(
        self, event: Event, ends: Mapping[str, str] | None = None,
        approved: Mapping[str, str] | None = None, run: FakeRun | None = None,
        outputs: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Done | None:  # fmt: skip
        """Run what the event starts. `approved`: environment -> who let its jobs run.

        `ends`, `outputs`: how some jobs end, and with which outputs, instead of being run.
        """
        flow = workflow.read(self.required or self.text(event.sha, PATH))
        if not workflow.hears(flow, event.name, event.action, event.branch):
            return None
        if flow.permissions != {}:
            raise Unknown("a workflow of ours grants nothing at its top")
        where = f"acme/policy/{PATH}@refs/heads/main" if self.required else PATH
        if run is None:
            run = self.fake.run(
                self.repo, event.head_sha, event=event.name, source=event.source,
                head_branch=event.head_ref or event.branch, path=where,
            )  # fmt: skip
        else:
            run.rerun()
        told = {
            name: Ended(name, how, (outputs or {}).get(name, {}))
            for name, how in (ends or {}).items()
        }
        return Run(self, event, run, told, dict(approved or {})).all(flow)

    def text(self, commit: str, path: str) -> str:
        """A file as it stands at a commit."""
        return self.repo.git.run("show", f"{commit}:{path}")


@dataclass
class Run:
    """One run on its way through its jobs."""

    actions: Actions
    event: Event
    run: FakeRun
    ends: Mapping[str, Ended]
    approved: Mapping[str, str]
    inputs: Mapping[str, Any] | None = None
    may: Mapping[str, str] | None = None  # what the caller of these jobs may
    prefix: str = ""

    def all(self, flow: Workflow) -> Done:
        """Every job, and the run's end."""
        done = Done(self.run)
        self._jobs(flow, done)
        asked = Scope(self._contexts({}, ""))
        done.group = text_of(filled(flow.concurrency.get("group", ""), asked))
        done.cancels = bool(filled(flow.concurrency.get("cancel-in-progress", False), asked))
        if done.waiting:
            self.run.status = "waiting"
        else:
            self.run.finish(done.conclusion)
        return done

    def _jobs(self, flow: Workflow, done: Done) -> None:
        results: dict[str, dict[str, Any]] = {}
        for job in flow.jobs.values():
            if any(need not in results for need in job.needs):
                continue  # what it needs waits for a person
            needs = Closed({need: results[need] for need in job.needs})
            ended = list(self._job(job, needs, done))
            if ended:
                results[job.id] = _result(job, ended)

    def _job(self, job: Job, needs: Closed, done: Done) -> Iterator[Ended]:
        name = self.prefix + job.id
        status = next(
            (bad for bad in _BAD if any(one["result"] == bad for one in needs.values())),
            "success" if all(one["result"] == "success" for one in needs.values()) else "skipped",
        )
        scope = Scope(self._contexts(needs, ""), status)
        if name in self.ends:
            done.jobs[name] = self.ends[name]
            yield done.jobs[name]
        elif not condition(job.text.get("if"), scope):
            done.jobs[name] = Ended(name, "skipped")
            yield done.jobs[name]
        elif "uses" in job.text:
            yield self._called(job, scope, done)
        else:
            for key, entry in self._matrix(job, scope):
                ended = self._entry(job, f"{name}{key}", needs, entry, done)
                if ended is not None:
                    yield ended

    def _called(self, job: Job, scope: Scope, done: Done) -> Ended:
        """The jobs of a workflow beside this one, at the same commit."""
        path = job.text["uses"]
        if not path.startswith("$/.github/workflows/"):
            raise Unknown(f"the workflow {path} is not known here")
        flow = workflow.read(self.actions.text(self.event.sha, path.removeprefix("$/")))
        asked = flow.on["workflow_call"]["inputs"]
        given = filled(job.text.get("with", {}), scope)
        if set(given) - set(asked):
            raise Unknown(f"{path} has no such input")
        inputs = {name: given.get(name, about.get("default")) for name, about in asked.items()}
        inner = Run(
            self.actions, self.event, self.run, self.ends, self.approved, Closed(inputs),
            job.text["permissions"], f"{job.id} / ",
        )  # fmt: skip
        below = Done(self.run)
        inner._jobs(flow, below)
        done.jobs |= below.jobs
        done.waiting += below.waiting
        return Ended(job.id, below.conclusion)

    def _matrix(self, job: Job, scope: Scope) -> Iterator[tuple[str, dict[str, Any]]]:
        matrix = job.text.get("strategy", {}).get("matrix")
        if matrix is None:
            yield "", {}
            return
        if len(matrix) != 1:
            raise Unknown("only a matrix of one list is known here")
        ((key, listed),) = matrix.items()
        entries = filled(listed, scope)
        if not isinstance(entries, list) or not 0 < len(entries) <= 256:
            raise Unknown(f"GitHub takes no matrix of {entries!r}")
        for one in entries:
            yield f" ({one})", {key: one}

    def _entry(
        self, job: Job, name: str, needs: Closed, entry: dict[str, Any], done: Done
    ) -> Ended | None:  # fmt: skip
        contexts = self._contexts(needs, name) | {"matrix": Closed(entry)}
        where = text_of(filled(job.text.get("environment", ""), Scope(contexts)))
        if where and not self._released(where):
            done.waiting.append(where)
            return None
        if "environment" in job.text:
            contexts["secrets"] = dict(self.actions.secrets.get(where, {}))
        done.jobs[name] = ended = Ended(name, environment=where)
        may = {k: self._level(k, v) for k, v in job.text.get("permissions", {}).items()}
        ended.token = contexts["github"]["token"] = self._token(may)
        machine = self._machine(job, ended, contexts, writes=may.get("contents") == "write")
        machine.work(job.steps)
        named = job.text.get("outputs", {}).items()
        ended.outputs = {key: text_of(filled(value, machine.scope())) for key, value in named}
        self.run.jobs.append({"name": name, "conclusion": ended.conclusion})
        return ended

    def _machine(
        self, job: Job, ended: Ended, contexts: dict[str, Any], *, writes: bool
    ) -> Machine:
        actions = self.actions
        folder = actions.folder / f"machine-{len(actions.machines)}"
        actions.folder.mkdir(parents=True, exist_ok=True)
        payload = folder.with_suffix(".json")
        payload.write_text(json.dumps(self.event.payload), encoding="utf-8")
        table = hands(actions.repo, self.run, self.event.sha, self.event.ref, writes=writes)
        machine = Machine(folder, contexts, self._variables(job, payload), table, ended)
        if actions.world is not None:
            machine.use(HERE / "llmops_world.py", actions.world)
        if "ubuntu" not in str(filled(job.text["runs-on"], Scope(contexts))):
            machine.give_python()  # of the image of one's own machines
            stand_in = ("/bin/bash", HERE / "srun.sh", folder / "files" / "srun")
            machine.tool("srun", *(actions.srun or stand_in))
        ended.machine = machine
        actions.machines.append(machine)
        return machine

    def _released(self, environment: str) -> bool:
        """Whether nobody has to let the jobs of an environment run, or somebody did."""
        known = self.actions.repo.environments.get(environment) or {}
        kinds = [rule.get("type") for rule in known.get("rules", ())]
        if "required_reviewers" not in kinds:
            return True
        by = self.approved.get(environment)
        if by is not None:
            self.run.approve(by, environment)
        return by is not None

    def _level(self, name: str, level: str) -> str:
        """What a job may: no more than its caller, and only reading for a fork."""
        most = "write" if self.may is None else self.may.get(name, "none")
        if level == "write" and (self.event.from_fork or most != "write"):
            return "read" if most != "none" else "none"
        return level

    def _token(self, may: Mapping[str, str]) -> str:
        named = {name.replace("-", "_"): level for name, level in may.items()}
        return self.actions.fake.workflow_token(self.actions.repo, metadata="read", **named)

    def _contexts(self, needs: Mapping[str, Any], job: str) -> dict[str, Any]:
        event, run, repo = self.event, self.run, self.actions.repo.full_name
        github = Closed(
            event=event.payload, event_name=event.name, sha=event.sha, ref=event.ref,
            base_ref=event.base_ref, head_ref=event.head_ref, repository=repo,
            run_id=run.id, run_attempt=run.attempt, job=job, token="",
        )  # fmt: skip
        given = dict(self.actions.variables)
        found = {"github": github, "needs": needs, "vars": given}
        return found if self.inputs is None else found | {"inputs": self.inputs}

    def _variables(self, job: Job, payload: Path) -> dict[str, str]:
        event, run, repo = self.event, self.run, self.actions.repo.full_name
        named = run.path if "@" in run.path else f"{repo}/{run.path}@{event.ref}"
        return {
            "GITHUB_REPOSITORY": repo, "GITHUB_REPOSITORY_OWNER": repo.partition("/")[0],
            "GITHUB_EVENT_NAME": event.name, "GITHUB_EVENT_PATH": str(payload),
            "GITHUB_SHA": event.sha, "GITHUB_REF": event.ref, "GITHUB_BASE_REF": event.base_ref,
            "GITHUB_HEAD_REF": event.head_ref, "GITHUB_RUN_ID": str(run.id), "GITHUB_JOB": job.id,
            "GITHUB_RUN_ATTEMPT": str(run.attempt), "GITHUB_API_URL": self.actions.fake.base,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKFLOW_REF": named,
        }  # fmt: skip


def _result(job: Job, ended: list[Ended]) -> dict[str, Any]:
    found = {one.conclusion for one in ended}
    worst = next((bad for bad in _BAD if bad in found), ended[0].conclusion)
    declared = dict.fromkeys(job.text.get("outputs", {}), "")
    return {"result": worst, "outputs": Closed(declared | dict(ended[-1].outputs))}
