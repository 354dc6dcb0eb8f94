"""What an administrator sets, for tests: rulesets, protection, environments."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.github.repository import FakeRepository
    from tests.github.server import FakeGitHub
    from tests.github.state import Organization

Rule = dict[str, Any]


def required_checks(*contexts: str, app_id: int | None = None, strict: bool = True) -> Rule:
    """The rule "require status checks", with the App as expected source where given."""
    source = {} if app_id is None else {"integration_id": app_id}
    checks = [{"context": name, **source} for name in contexts]
    about = {"required_status_checks": checks, "strict_required_status_checks_policy": strict}
    about["do_not_enforce_on_create"] = False
    return {"type": "required_status_checks", "parameters": about}


def reviews(count: int = 1, *, owners: bool = True, **more: Any) -> Rule:
    """The rule "require a pull request"."""
    about = {
        "required_approving_review_count": count, "require_code_owner_review": owners,
        "dismiss_stale_reviews_on_push": True, "require_last_push_approval": True,
        "required_review_thread_resolution": False,
    }  # fmt: skip
    return {"type": "pull_request", "parameters": about | more}


def merge_queue(**more: Any) -> Rule:
    """The rule "require merge queue"."""
    about = {
        "check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 5, "max_entries_to_merge": 5, "merge_method": "MERGE",
        "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5,
    }  # fmt: skip
    return {"type": "merge_queue", "parameters": about | more}


def workflows(repository_id: int, path: str, ref: str = "refs/heads/main") -> Rule:
    """The rule "require workflows to pass" of an organisation's ruleset."""
    one = {"repository_id": repository_id, "path": path, "ref": ref}
    return {"type": "workflows", "parameters": {"workflows": [one]}}


def paths(*restricted: str) -> Rule:
    """The rule "restrict file paths" of a push ruleset."""
    return {"type": "file_path_restriction", "parameters": {"restricted_file_paths": [*restricted]}}


def plain(*names: str) -> list[Rule]:
    """Rules without parameters: deletion, non_fast_forward, required_linear_history, ..."""
    return [{"type": name} for name in names]


def ruleset(
    fake: FakeGitHub, source: FakeRepository | Organization, rules: Sequence[Rule], *,
    name: str = "main", target: str = "branch", enforcement: str = "active",
    include: Sequence[str] = ("~DEFAULT_BRANCH",), bypass: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:  # fmt: skip
    """A new ruleset of a repository or an organisation."""
    full = getattr(source, "full_name", None)
    number, conditions = fake.next_id(), {"ref_name": {"include": [*include], "exclude": []}}
    made = {
        "id": number, "name": name, "target": target, "enforcement": enforcement,
        "source_type": "Repository" if full else "Organization",
        "source": full or source.login,  # type: ignore[union-attr]
        "node_id": "RRS_x", "_links": {"self": {"href": fake.url(f"rulesets/{number}")}},
        "created_at": fake.began, "updated_at": fake.began, "rules": [*rules],
        "conditions": conditions, "bypass_actors": [*bypass], "current_user_can_bypass": "never",
    }  # fmt: skip
    if not full:
        made["conditions"] = conditions | {"repository_name": {"include": ["~ALL"], "exclude": []}}
    source.rulesets[number] = made
    return made


def rules_of(repo: FakeRepository, branch: str) -> list[Rule]:
    """The active rules of a branch, each with its source, as GitHub lists them."""
    organization = repo.fake.organizations.get(repo.owner)
    every = [*repo.rulesets.values(), *(organization.rulesets.values() if organization else ())]
    return [
        {**rule, "ruleset_source_type": r["source_type"], "ruleset_source": r["source"],
         "ruleset_id": r["id"]}
        for r in every
        if r["enforcement"] == "active" and r["target"] == "branch" and _holds(repo, r, branch)
        for rule in r["rules"]
    ]  # fmt: skip


def _holds(repo: FakeRepository, made: dict[str, Any], branch: str) -> bool:
    names = made["conditions"]["ref_name"]
    return _any(repo, names["include"], branch) and not _any(repo, names["exclude"], branch)


def _any(repo: FakeRepository, patterns: Sequence[str], branch: str) -> bool:
    special = {"~ALL": True, "~DEFAULT_BRANCH": branch == repo.default_branch}
    return any(
        special.get(p, fnmatch.fnmatchcase(f"refs/heads/{branch}", p)) for p in patterns
    )  # fmt: skip
