"""What an administrator set: rulesets, environments, what Actions may do, secrets, runners.

`FakeRepository.settings` and `Organization.settings` hold the answers by the path below the
repository or organisation ("actions/permissions", "actions/secrets", ...); what is not set is
GitHub's default, or an empty list.
"""

from __future__ import annotations

from typing import Any

from tests.github import shapes
from tests.github.wire import Answer, Call, Route, missing, page


def _rulesets(call: Call) -> Answer:
    own = list(call.here.rulesets.values())
    organization = call.fake.organizations.get(call.here.owner)
    if organization and call.asked("includes_parents", "true") == "true":
        own += organization.rulesets.values()
    return page(call, [{k: v for k, v in r.items() if k not in _DETAILS} for r in own])


_DETAILS = ("rules", "conditions", "bypass_actors", "current_user_can_bypass")


def _ruleset(call: Call) -> Answer:
    number = call.number("ruleset_id")
    organization = call.fake.organizations.get(call.here.owner)
    every = call.here.rulesets | (organization.rulesets if organization else {})
    if number not in every:
        raise missing()
    hidden = () if _changes_rulesets(call) else ("bypass_actors",)
    return Answer(body={k: v for k, v in every[number].items() if k not in hidden})


def _changes_rulesets(call: Call) -> bool:
    """Whether the caller may change rulesets: others are not told who goes around them."""
    if call.who.permissions is not None:
        return call.who.permissions.get("administration") == "write"
    return call.fake.role(call.here, call.who.login) == "admin"


def _branch_rules(call: Call) -> Answer:
    return page(call, call.here.rules(call.args["branch"]))


def _org_rulesets(call: Call) -> Answer:
    made = call.fake.organizations.get(call.args["org"])
    if made is None:
        raise missing()
    return page(call, [{k: v for k, v in r.items() if k not in _DETAILS}
                       for r in made.rulesets.values()])  # fmt: skip


def _org_ruleset(call: Call) -> Answer:
    made = call.fake.organizations.get(call.args["org"])
    number = call.number("ruleset_id")
    if made is None or number not in made.rulesets:
        raise missing()
    return Answer(body=made.rulesets[number])


def _environment(call: Call, name: str) -> dict[str, Any]:
    made = call.here.environments[name]
    base = call.fake.url(f"repos/{call.here.full_name}/environments/{name}")
    rules = []
    for number, rule in enumerate(made.get("rules", ()), 1):
        rules.append({"id": number, "node_id": "GA_x", **rule})
    return {
        "id": made["id"], "node_id": shapes.node("EN", made["id"]), "name": name, "url": base,
        "html_url": f"https://github.com/{call.here.full_name}/deployments/{name}",
        "created_at": call.fake.began, "updated_at": call.fake.began, "protection_rules": rules,
        "deployment_branch_policy": made.get("deployment_branch_policy"),
    }  # fmt: skip


def _environments(call: Call) -> Answer:
    return page(call, [_environment(call, n) for n in call.here.environments], "environments")


def _one_environment(call: Call) -> Answer:
    if call.args["environment_name"] not in call.here.environments:
        raise missing()
    return Answer(body=_environment(call, call.args["environment_name"]))


def _branch_policies(call: Call) -> Answer:
    made = call.here.environments.get(call.args["environment_name"])
    if made is None:
        raise missing()
    return page(call, made.get("branch_policies", []), "branch_policies")


def _environment_secrets(call: Call) -> Answer:
    made = call.here.environments.get(call.args["environment_name"])
    if made is None:
        raise missing()
    return page(call, [_secret(call, n) for n in made.get("secrets", ())], "secrets")


def _secret(call: Call, name: str) -> dict[str, Any]:
    return {"name": name, "created_at": call.fake.began, "updated_at": call.fake.began}


def _org_secret(call: Call, name: str) -> dict[str, Any]:
    return _secret(call, name) | {"visibility": "all"}


def _secrets(call: Call) -> Answer:
    names = call.here.settings.get("actions/secrets", ())
    return page(call, [_secret(call, n) for n in names], "secrets")


def _shared_secrets(call: Call) -> Answer:
    names = call.here.settings.get("actions/organization-secrets", ())
    return page(call, [_secret(call, n) for n in names], "secrets")


def _dependabot_secrets(call: Call) -> Answer:
    names = call.here.settings.get("dependabot/secrets", ())
    return page(call, [_secret(call, n) for n in names], "secrets")


def _org_secrets(call: Call) -> Answer:
    made = call.fake.organizations.get(call.args["org"])
    if made is None:
        raise missing()
    names = made.settings.get("actions/secrets", ())
    return page(call, [_org_secret(call, n) for n in names], "secrets")


def _variables(call: Call) -> Answer:
    known = call.here.settings.get("actions/variables", {})
    return page(call, [_secret(call, n) | {"value": v} for n, v in known.items()], "variables")


def _permissions(call: Call) -> Answer:
    default = {"enabled": True, "allowed_actions": "all", "sha_pinning_required": False}
    return Answer(body=default | call.here.settings.get("actions/permissions", {}))


def _selected(call: Call) -> Answer:
    default = {"github_owned_allowed": True, "verified_allowed": False, "patterns_allowed": []}
    return Answer(body=default | call.here.settings.get("actions/permissions/selected-actions", {}))


def _workflow(call: Call) -> Answer:
    default = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False}
    return Answer(body=default | call.here.settings.get("actions/permissions/workflow", {}))


def _access(call: Call) -> Answer:
    default = {"access_level": "none"}
    return Answer(body=default | call.here.settings.get("actions/permissions/access", {}))


def _fork_approval(call: Call) -> Answer:
    name = "actions/permissions/fork-pr-contributor-approval"
    default = {"approval_policy": "first_time_contributors"}
    return Answer(body=default | call.here.settings.get(name, {}))


def _fork_private(call: Call) -> Answer:
    name = "actions/permissions/fork-pr-workflows-private-repos"
    default = {
        "run_workflows_from_fork_pull_requests": False,
        "send_write_tokens_to_workflows": False,
        "send_secrets_and_variables": False,
        "require_approval_for_fork_pr_workflows": True,
    }
    return Answer(body=default | call.here.settings.get(name, {}))


def _runners(call: Call) -> Answer:
    return page(call, call.here.settings.get("actions/runners", []), "runners")


def _hooks(call: Call) -> Answer:
    return page(call, call.here.settings.get("hooks", []))


def _keys(call: Call) -> Answer:
    return page(call, call.here.settings.get("keys", []))


_R = "repos/{owner}/{repo}"
_E = f"{_R}/environments"
_A = f"{_R}/actions"
_P = f"{_A}/permissions"
ADMIN = "administration:read"
ROUTES = (
    Route("GET", f"{_R}/rulesets", "metadata:read", _rulesets),
    Route("GET", f"{_R}/rulesets/{{ruleset_id}}", "metadata:read", _ruleset),
    Route("GET", f"{_R}/rules/branches/{{branch}}", "metadata:read", _branch_rules),
    Route("GET", "orgs/{org}/rulesets", "", _org_rulesets),
    Route("GET", "orgs/{org}/rulesets/{ruleset_id}", "", _org_ruleset),
    Route("GET", _E, "actions:read", _environments),
    Route("GET", f"{_E}/{{environment_name}}", "actions:read", _one_environment),
    Route("GET", f"{_E}/{{environment_name}}/deployment-branch-policies", "actions:read",
          _branch_policies),
    Route("GET", f"{_E}/{{environment_name}}/secrets", "environments:read", _environment_secrets),
    Route("GET", f"{_A}/secrets", "secrets:read", _secrets),
    Route("GET", f"{_A}/organization-secrets", "secrets:read", _shared_secrets),
    Route("GET", f"{_R}/dependabot/secrets", "dependabot_secrets:read", _dependabot_secrets),
    Route("GET", "orgs/{org}/actions/secrets", "organization_secrets:read", _org_secrets),
    Route("GET", f"{_A}/variables", "actions_variables:read", _variables),
    Route("GET", _P, ADMIN, _permissions),
    Route("GET", f"{_P}/selected-actions", ADMIN, _selected),
    Route("GET", f"{_P}/workflow", ADMIN, _workflow),
    Route("GET", f"{_P}/access", ADMIN, _access),
    Route("GET", f"{_P}/fork-pr-contributor-approval", ADMIN, _fork_approval),
    Route("GET", f"{_P}/fork-pr-workflows-private-repos", ADMIN, _fork_private),
    Route("GET", f"{_A}/runners", ADMIN, _runners),
    Route("GET", f"{_R}/hooks", "repository_hooks:read", _hooks),
    Route("GET", f"{_R}/keys", ADMIN, _keys),
)  # fmt: skip
