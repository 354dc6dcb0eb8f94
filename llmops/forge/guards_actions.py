"""What Actions may do, environments, runners and secrets -> what they guard. Dry.

A stranger's change must reach no machine of one's own, no token that writes and no secret before a
person has looked at it.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.forge.guards import ACTIONS, TOKEN, Asked, Guard
from llmops.forge.settings import Seen, Settings


def environments(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether a person looks before a stranger's change runs on a machine of one's own."""
    name, seen = "gpu-environment", settings.environments
    if not asked.environments:
        if asked.own_machines:
            message = "jobs run on machines of your own without an environment"
            hint = "write environment: on the job (llmops lint-ci shows where)"
            yield Guard(name, "missing", message, hint)
        return
    if seen.unknown:
        yield Guard(name, "unknown", f"environments are not told: {seen.unknown}", TOKEN)
        return
    known = {str(one.get("name")): one for one in seen.value}
    for one in asked.environments:
        rules = (known.get(one) or {}).get("protection_rules") or ()
        reviewed = [r for r in rules if r.get("type") == "required_reviewers"]
        page = f"Settings > Environments > {one}"
        for_forks = one in asked.for_forks
        if one not in known:
            message = f'environment "{one}" is not there: the first job makes it, unguarded'
            yield Guard(name, "missing", message, f"{page}: make it, with Required reviewers")
        elif any(rule.get("reviewers") for rule in reviewed):
            yield Guard(name, "ok", f'a person lets each run of environment "{one}" start')
        elif for_forks:
            message = f'nobody looks before a stranger\'s change runs in environment "{one}"'
            yield Guard(name, "missing", message, f"{page}: Required reviewers")
        elif not (known[one].get("deployment_branch_policy") or rules):
            message = f'every branch runs in environment "{one}" unasked'
            yield Guard(name, "warning", message, f"{page}: Required reviewers", False)
        else:
            yield Guard(name, "ok", f'environment "{one}" has rules of its own')


def token(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """What a job's token may do where the job does not say."""
    name, seen = "token-permissions", settings.workflow
    if seen.unknown:
        yield Guard(
            name, "unknown", f"what a job's token may do is not told: {seen.unknown}", TOKEN
        )
        return
    page = f"{ACTIONS} > Workflow permissions"
    if seen.value.get("default_workflow_permissions") != "read":
        message = "a job that says nothing has a token that may write"
        hint = f"{page}: Read repository contents and packages permissions"
        yield Guard(name, "missing", message, hint)
    else:
        yield Guard(name, "ok", "a job that says nothing has a token that may read")
    if seen.value.get("can_approve_pull_request_reviews", False):
        message = "a workflow may approve the pull request that brought it"
        hint = f"{page}: Allow GitHub Actions to create and approve pull requests: off"
        yield Guard("token-approves", "missing", message, hint)
    else:
        yield Guard("token-approves", "ok", "no workflow may approve a pull request")


def forks(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether a stranger's change starts only with somebody's word, and without secrets."""
    name, seen = "fork-approval", settings.forks
    if seen.unknown:
        yield Guard(name, "unknown", f"what forks may start is not told: {seen.unknown}", TOKEN)
    elif settings.public:
        yield _outsiders(name, str(seen.value.get("approval_policy")))
    else:
        page = f"{ACTIONS} > Fork pull request workflows"
        value, runs = seen.value, seen.value.get("run_workflows_from_fork_pull_requests", False)
        if runs and value.get("send_secrets_and_variables"):
            message = "pull requests of forks are given the secrets"
            hint = f"{page}: Send secrets and variables to workflows: off"
            yield Guard(name, "missing", message, hint)
        elif runs and value.get("send_write_tokens_to_workflows"):
            message = "pull requests of forks are given a token that may write"
            hint = f"{page}: Send write tokens to workflows: off"
            yield Guard(name, "missing", message, hint)
        else:
            yield Guard(name, "ok", "pull requests of forks get no secret and no token that writes")


def _outsiders(name: str, policy: str) -> Guard:
    if policy == "all_external_contributors":
        return Guard(name, "ok", "a person lets every stranger's run start")
    who = "one change accepted" if policy == "first_time_contributors" else "a GitHub account"
    message = f"whoever has {who} starts workflows without being asked"
    page = f"{ACTIONS} > Approval for running fork pull request workflows from contributors"
    return Guard(
        name, "warning", message, f"{page}: Require approval for all external contributors", False
    )


def machines(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether a public repository has machines of its own."""
    name, seen = "own-runners", settings.runners
    if not settings.public:
        return
    if seen.unknown:
        yield Guard(name, "unknown", f"runners are not told: {seen.unknown}", TOKEN, False)
    elif seen.value:
        guarded = settings.forks.value.get("approval_policy") == "all_external_contributors"
        message = "a public repository has runners of its own, which strangers' changes reach"
        hint = (
            "Settings > Actions > Runners: move them into a runner group of the organisation that"
        )
        hint += " only the workflow of the gate may use; every runner for one job (ephemeral)"
        yield Guard(name, "warning" if guarded else "missing", message, hint, must=not guarded)
    else:
        yield Guard(name, "ok", "no runner of its own stands open to strangers")


def secrets(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Which secrets every branch can read."""
    name = "secrets-in-reach"
    for where, told, page in (
        ("repository", "repository", "Settings"),
        ("organization", "organisation", "the organisation's Settings"),
    ):
        seen = settings.secrets.get(where, Seen(()))
        if seen.unknown:
            message = f"secrets of the {told} are not told: {seen.unknown}"
            yield Guard(name, "unknown", message, "ask with a token that has Secrets: read", False)
        elif seen.value:
            some = ", ".join(seen.value[:5]) + (" …" if len(seen.value) > 5 else "")
            message = f"every branch's workflow can read secrets of the {told}: {some}"
            hint = f"{page} > Secrets and variables > Actions: move each into an environment with"
            yield Guard(name, "warning", message, f"{hint} reviewers or a branch rule", False)
    if not any(
        s.value or s.unknown
        for w, s in settings.secrets.items()
        if not w.startswith("environment ")
    ):
        yield Guard(name, "ok", "no secret is in reach of every branch", must=False)


def allowed(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether only chosen actions run, each by its commit."""
    name, seen = "allowed-actions", settings.actions
    page = f"{ACTIONS} > Actions permissions"
    if seen.unknown:
        message = f"which actions may be used is not told: {seen.unknown}"
        yield Guard(name, "unknown", message, TOKEN, False)
        return
    if seen.value.get("allowed_actions") == "all":
        message = "a change may bring any action of anybody"
        hint = f"{page}: Allow OWNER, and select non-OWNER, actions and reusable workflows"
        yield Guard(name, "warning", message, hint, False)
    elif not seen.value.get("sha_pinning_required", False):
        message = "an action may be named by a tag, which can be moved"
        hint = f"{page}: Require actions to be pinned to a full-length commit SHA"
        yield Guard(name, "warning", message, hint, False)
    else:
        yield Guard(name, "ok", "only chosen actions run, each by its full commit", must=False)
