"""What guards a gate, as rulesets to import on GitHub: bodies of `POST /repos/…/rulesets`.

In: which of them, and the App that writes the check. Out: the JSON, as `gh api --input` and the
page "Import a ruleset" take it. `target` holds the branch that changes land on; `evidence`
keeps what the gate wrote, evidence and the log, and `evidence-writer` lets nobody else write it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llmops.errors import UsageError
from llmops.forge.base import CHECK
from llmops.forge.settings import EVIDENCE, LOG

_WRITTEN = (f"refs/heads/{EVIDENCE}", f"refs/heads/{LOG}")  # what the gate writes
_ROLE_ADMIN = 5  # the id of the role "admin" in every repository


def target(app_id: int | None) -> dict[str, Any]:
    """Pull requests alone, the check from its App, a merge queue; one role for emergencies."""
    source = {} if app_id is None else {"integration_id": app_id}
    checks = {
        "strict_required_status_checks_policy": False,  # the queue tests what lands
        "do_not_enforce_on_create": False,
        "required_status_checks": [{"context": CHECK, **source}],
    }
    reviews = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": True,
        "require_last_push_approval": True,
        "required_review_thread_resolution": False,
    }
    queue = {
        "check_response_timeout_minutes": 360,
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 5,
        "max_entries_to_merge": 5,
        "merge_method": "MERGE",
        "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 5,
    }
    rules: list[dict[str, Any]] = [
        {"type": "deletion"},
        {"type": "non_fast_forward"},
        {"type": "pull_request", "parameters": reviews},
        {"type": "required_status_checks", "parameters": checks},
        {"type": "merge_queue", "parameters": queue},
    ]
    bypass = [
        {"actor_id": _ROLE_ADMIN, "actor_type": "RepositoryRole", "bypass_mode": "pull_request"}
    ]
    return _ruleset("llmops: what lands was judged", ("~DEFAULT_BRANCH",), rules, bypass)


def evidence(app_id: int | None) -> dict[str, Any]:
    """Nothing is rewritten or deleted, by nobody."""
    rules: list[dict[str, Any]] = [{"type": "deletion"}, {"type": "non_fast_forward"}]
    return _ruleset("llmops: evidence and log are only added to", _WRITTEN, rules, [])


def writer(app_id: int | None) -> dict[str, Any]:
    """The App alone writes. A ruleset of its own, so that the App cannot rewrite either."""
    if app_id is None:
        what = "which App writes evidence is not known"
        raise UsageError(what, hint="say --app with the App's id (Settings > Developer settings)")
    updates = {"type": "update", "parameters": {"update_allows_fetch_and_merge": False}}
    bypass = [{"actor_id": app_id, "actor_type": "Integration", "bypass_mode": "always"}]
    rules: list[dict[str, Any]] = [{"type": "creation"}, updates]
    return _ruleset("llmops: the gate alone writes", _WRITTEN, rules, bypass)


RULESETS: Mapping[str, Callable[[int | None], dict[str, Any]]] = {
    "target": target,
    "evidence": evidence,
    "evidence-writer": writer,
}


def _ruleset(
    name: str,
    branches: Sequence[str],
    rules: Sequence[Mapping[str, Any]],
    bypass: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [*branches], "exclude": []}},
        "rules": [*rules],
        "bypass_actors": [*bypass],
    }
