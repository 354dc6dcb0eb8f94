"""Rulesets and classic protection of a branch -> what they guard. Dry.

What a gate must stand: another's check of its name, a push around it, another tree than was judged,
an approval of something else, and whoever may go around the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmops.forge import owners
from llmops.forge.guards import (
    RULESETS,
    Asked,
    Branch,
    Guard,
    absent,
    branch_of,
    required,
    workflows,
)
from llmops.forge.settings import EVIDENCE, LOG, Settings

ACTIONS_APP = 15368  # github-actions: what any workflow of the repository writes as
MOST_BYPASS = 1  # one break-glass role
PATHS = (".github/workflows/llmops.yml", "policies/any.yaml")  # whose change needs an owner
_ROLES = {1: "read", 2: "maintain", 3: "triage", 4: "write", 5: "admin"}
_KEEPS = {"non_fast_forward": "Block force pushes", "deletion": "Restrict deletions"}
_BROAD = ("maintain", "write", "triage", "read")


def check(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether the check must pass, or a workflow of the organisation."""
    name, branch = "required-check", branch_of(settings, settings.branch)
    known = workflows(branch)
    if required(branch, asked.check):
        yield Guard(name, "ok", f'"{asked.check}" must pass on {branch.name}')
    elif known:
        listed = ", ".join(sorted(known))
        yield Guard(name, "ok", f"{branch.name} needs the organisation's workflow {listed}")
    else:
        message = f'"{asked.check}" is not required on {branch.name}'
        sleeping = _sleeping(settings, asked.check)
        message += f': ruleset "{sleeping}" asks for it but is not active' if sleeping else ""
        hint = (
            f"{RULESETS}: set Enforcement status to Active" if sleeping else
            f'{RULESETS} > New branch ruleset: Require status checks to pass, add "{asked.check}"'
            " (llmops doctor --ruleset target prints one to import)"
        )  # fmt: skip
        yield absent(branch, name, message, hint)


def source(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether nobody but the gate can make the check green."""
    name, branch = "check-source", branch_of(settings, settings.branch)
    sources = required(branch, asked.check)
    if not sources:
        if workflows(branch):
            yield Guard(name, "ok", "GitHub itself runs the required workflow")
        return
    known = {one for one in sources if one is not None}
    page = f'{RULESETS}: Require status checks to pass > "{asked.check}" > source'
    if not known:
        message = f'anybody with a token that may write checks can make "{asked.check}" green'
        yield Guard(name, "missing", message, f"{page}: choose your llmops App")
    elif asked.app_id is not None and known != {asked.app_id}:
        other = ", ".join(str(one) for one in sorted(known))
        message = f'"{asked.check}" is expected from App {other}, and yours is {asked.app_id}'
        yield Guard(name, "missing", message, f"{page}: choose your llmops App")
    elif ACTIONS_APP in known:
        message = f'every workflow of this repository can make "{asked.check}" green'
        hint = f"{page}: choose your llmops App; or let the organisation require the workflow"
        yield Guard(name, "warning", message, hint)
    else:
        numbers = ", ".join(map(str, sorted(known)))
        yield Guard(name, "ok", f'only App {numbers} can write "{asked.check}"')


def latest(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether what lands is what was judged."""
    branch = branch_of(settings, settings.branch)
    queue = branch.has("merge_queue")
    strict = any(
        one.get("strict_required_status_checks_policy")
        for one in branch.of("required_status_checks")
    )
    name = "judged-tree"
    if queue or strict:
        how = "a merge queue tests" if queue else "a branch must be up to date, so the check is of"
        yield Guard(name, "ok", f"{how} exactly what lands on {branch.name}")
    else:
        message = f"what lands on {branch.name} need not be the tree that was judged"
        hint = f"{RULESETS}: Require merge queue, or Require branches to be up to date"
        yield absent(branch, name, message, hint)
    if not queue and not branch.unknown:
        message = "without a merge queue each change waits for the one before it to land"
        yield Guard("merge-queue", "warning", message, f"{RULESETS}: Require merge queue", False)


def pushes(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether the branch changes by pull requests alone, and keeps its history."""
    branch = branch_of(settings, settings.branch)
    if branch.has("pull_request"):
        yield Guard("pull-request", "ok", f"{branch.name} changes by pull requests only")
    else:
        message = f"whoever may write can push to {branch.name} without a pull request"
        hint = f"{RULESETS}: Require a pull request before merging"
        yield absent(branch, "pull-request", message, hint)
    yield from _kept("force-push", branch, "history can be rewritten")


def _kept(name: str, branch: Branch, what: str) -> Iterator[Guard]:
    """Whether a branch keeps what it has."""
    lacking = [label for kind, label in _KEEPS.items() if not branch.has(kind)]
    if lacking:
        fields = " and ".join(lacking)
        hint = f"{RULESETS}, for the branch {branch.name}: {fields}"
        yield absent(branch, name, f"{what} on {branch.name}", hint)
    else:
        yield Guard(name, "ok", f"{branch.name} cannot be rewritten or deleted")


def evidence(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether the branch of evidence keeps what it has, and the gate alone writes it."""
    yield from _written(settings, EVIDENCE, "evidence", "kept evidence")


def log(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """The same of the log, where there is one: what was signed stays where it stands."""
    if settings.logged:
        yield from _written(settings, LOG, "log", "what was signed")


def _written(settings: Settings, name: str, short: str, what: str) -> Iterator[Guard]:
    branch = branch_of(settings, name)
    yield from _kept(f"{short}-branch", branch, f"{what} can be rewritten")
    if not branch.has("update") and not branch.unknown:
        message = f"whoever may write can push to {name}, beside the gate"
        hint = (
            f"{RULESETS}, for the branch {name}: Restrict updates, and your llmops App alone"
            " in Bypass list (llmops doctor --ruleset evidence-writer prints one to import)"
        )
        yield Guard(f"{short}-writer", "warning", message, hint, False)


def bypass(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Who may go around the rules of the branch: at most one role for emergencies."""
    name = "bypass"
    numbers = {one.get("ruleset_id") for one in settings.rules[settings.branch].value}
    guarding = [one for one in settings.rulesets.value if one.get("id") in numbers]
    if settings.rulesets.unknown or any("bypass_actors" not in one for one in guarding):
        why = settings.rulesets.unknown or "only those who may change a ruleset see its bypass list"
        hint = "ask with a token of somebody who may change rulesets (Administration: write)"
        yield Guard(name, "unknown", f"who may go around the rules is not told: {why}", hint)
        return
    if not guarding and not settings.protection[settings.branch].value:
        return  # there is nothing to go around, which other guards tell
    actors = sorted({actor(one) for r in guarding for one in r["bypass_actors"] or ()})
    classic = settings.protection[settings.branch].value
    if classic and not (classic.get("enforce_admins") or {}).get("enabled", False) and not guarding:
        actors.append("administrators (Do not allow bypassing the above settings is off)")
    broad = [one for one in actors if one in {f"everybody with the role {r}" for r in _BROAD}
             or one == "deploy keys"]  # fmt: skip
    page = f"{RULESETS}: Bypass list"
    if broad:
        message = f"{broad[0]} may go around the rules of {settings.branch}"
        yield Guard(name, "missing", message, f"{page}: leave at most one role for emergencies")
    elif len(actors) > MOST_BYPASS:
        message = f"{len(actors)} may go around the rules of {settings.branch}: {', '.join(actors)}"
        yield Guard(name, "missing", message, f"{page}: leave at most one role for emergencies")
    elif actors:
        message = f"{actors[0]} may go around the rules of {settings.branch}, and nobody else"
        yield Guard(name, "ok", message)
    else:
        yield Guard(name, "ok", f"nobody may go around the rules of {settings.branch}")


def actor(one: Mapping[str, Any]) -> str:
    """One entry of a bypass list in words."""
    kind, number = one.get("actor_type"), one.get("actor_id")
    if kind == "RepositoryRole":
        return f"everybody with the role {_ROLES.get(number or 0, number)}"
    words = {"OrganizationAdmin": "owners of the organisation", "DeployKey": "deploy keys"}
    named = {"Team": "team", "Integration": "App", "User": "person"}
    return words.get(str(kind)) or f"{named.get(str(kind), kind)} {number}"


def reviews(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether an approval is of what lands."""
    branch = branch_of(settings, settings.branch)
    rules = list(branch.of("pull_request"))
    if not rules:
        return
    page = f"{RULESETS}: Require a pull request before merging"
    if not any(one.get("dismiss_stale_reviews_on_push") for one in rules):
        message = "an approval stays when other commits are pushed after it"
        hint = f"{page} > Dismiss stale pull request approvals when new commits are pushed"
        yield Guard("stale-reviews", "missing", message, hint)
    else:
        yield Guard("stale-reviews", "ok", "an approval ends when other commits are pushed")
    if not any((one.get("required_approving_review_count") or 0) > 0 for one in rules):
        message = "a pull request needs no approval of anybody else"
        yield Guard("approvals", "warning", message, f"{page} > Required approvals: 1", False)
    if not any(one.get("require_last_push_approval") for one in rules):
        message = "who pushed last may be the one who approves"
        hint = f"{page} > Require approval of the most recent reviewable push"
        yield Guard("last-push", "warning", message, hint, False)


def paths(settings: Settings, asked: Asked) -> Iterator[Guard]:
    """Whether a change of .github/ or policies/ needs somebody who owns it."""
    name, branch = "owned-paths", branch_of(settings, settings.branch)
    restricted = [
        str(path)
        for one in settings.rulesets.value
        if one.get("enforcement") == "active" and one.get("target") == "push"
        for rule in one.get("rules") or ()
        if rule.get("type") == "file_path_restriction"
        for path in (rule.get("parameters") or {}).get("restricted_file_paths", ())
    ]
    open_ = [one for one in PATHS if not owners.match(restricted, one)]
    asks = any(one.get("require_code_owner_review") for one in branch.of("pull_request"))
    lacking = [one for one in open_ if not owners.of(settings.codeowners.value, one)]
    folders = " and ".join(f"{one.split('/')[0]}/" for one in (lacking or open_))
    if not open_ or (asks and not lacking):
        yield Guard(name, "ok", ".github/ and policies/ change only with somebody who owns them")
    elif lacking and settings.codeowners.unknown:
        message = f"CODEOWNERS cannot be read: {settings.codeowners.unknown}"
        yield Guard(name, "unknown", message, "ask with a token that has Contents: read")
    elif lacking:
        message = f"nobody owns {folders}: who changes a bound or the workflow needs no owner"
        hint = f"write owners of {folders} into .github/CODEOWNERS; then {RULESETS}: Require a"
        hint += " pull request before merging > Require review from Code Owners"
        yield Guard(name, "missing", message, hint)
    else:
        message = f"a change of {folders} asks none of its owners"
        hint = f"{RULESETS}: Require a pull request before merging"
        yield absent(branch, name, message, f"{hint} > Require review from Code Owners")


def _sleeping(settings: Settings, check: str) -> str:
    """The name of a ruleset that asks for the check and is not active."""
    for one in settings.rulesets.value:
        rules = Branch("", tuple(one.get("rules") or ()), "")
        if one.get("enforcement") != "active" and required(rules, check):
            return str(one.get("name"))
    return ""
