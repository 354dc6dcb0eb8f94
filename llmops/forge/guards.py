"""The nouns of what guards a gate: a `Guard`, what is `Asked`, the rules of a branch. Dry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llmops.forge.base import CHECK
from llmops.forge.settings import Settings

State = Literal["ok", "warning", "missing", "unknown"]
RULESETS = "Settings > Rules > Rulesets"
ACTIONS = "Settings > Actions > General"
TOKEN = "ask with a token that has Administration: read"


@dataclass(frozen=True, slots=True)
class Guard:
    """The answer to one question. `must`: without it the gate can be gone around."""

    id: str
    state: State
    message: str
    hint: str = ""
    must: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """What the settings are held to.

    `app_id`: the App that writes the check, None where it is not known. `environments`: those that
    jobs on machines of the repository's own run in; `for_forks`: those of them that a stranger's
    pull request reaches. `own_machines`: whether a workflow asks for such machines.
    """

    check: str = CHECK
    app_id: int | None = None
    environments: tuple[str, ...] = ()
    for_forks: tuple[str, ...] = ()
    own_machines: bool = False


@dataclass(frozen=True, slots=True)
class Branch:
    """The rules of one branch from rulesets and classic protection, in the words of rulesets."""

    name: str
    rules: tuple[Mapping[str, Any], ...]
    unknown: str

    def of(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """The parameters of each rule of a type."""
        for rule in self.rules:
            if rule.get("type") == kind:
                yield rule.get("parameters") or {}

    def has(self, kind: str) -> bool:
        """Whether there is such a rule."""
        return any(True for _ in self.of(kind))


def branch_of(settings: Settings, name: str) -> Branch:
    """The rules of a branch."""
    rules, classic = settings.rules[name], settings.protection[name]
    return Branch(
        name, (*rules.value, *_of_classic(classic.value)), rules.unknown or classic.unknown
    )


def _of_classic(classic: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Classic protection as the rules that say the same."""
    checks = classic.get("required_status_checks")
    if isinstance(checks, dict):
        listed = checks.get("checks") or [{"context": c} for c in checks.get("contexts", ())]
        known = [
            {"context": c.get("context"), "integration_id": _app(c.get("app_id"))} for c in listed
        ]
        yield {
            "type": "required_status_checks",
            "parameters": {
                "required_status_checks": known,
                "strict_required_status_checks_policy": bool(checks.get("strict")),
            },
        }
    reviews = classic.get("required_pull_request_reviews")
    if isinstance(reviews, dict):
        yield {
            "type": "pull_request",
            "parameters": {
                "required_approving_review_count": reviews.get(
                    "required_approving_review_count", 0
                ),
                "dismiss_stale_reviews_on_push": reviews.get("dismiss_stale_reviews", False),
                "require_code_owner_review": reviews.get("require_code_owner_reviews", False),
                "require_last_push_approval": reviews.get("require_last_push_approval", False),
            },
        }
    for key, kind in (("allow_force_pushes", "non_fast_forward"), ("allow_deletions", "deletion")):
        if classic and not (classic.get(key) or {}).get("enabled", False):
            yield {"type": kind}


def _app(number: Any) -> int | None:
    """Classic protection says "any source" with -1."""
    return number if isinstance(number, int) and number > 0 else None


def absent(branch: Branch, name: str, message: str, hint: str) -> Guard:
    """Missing, or unknown where the branch's rules could not all be read."""
    if branch.unknown:
        return Guard(name, "unknown", f"{message}, as far as is seen: {branch.unknown}", TOKEN)
    return Guard(name, "missing", message, hint)


def required(branch: Branch, check: str) -> tuple[int | None, ...]:
    """The sources that the check is expected from, one for each rule that requires it."""
    return tuple(
        one.get("integration_id")
        for rule in branch.of("required_status_checks")
        for one in rule.get("required_status_checks") or ()
        if one.get("context") == check
    )


def workflows(branch: Branch) -> frozenset[str]:
    """Paths of the workflows that an organisation requires."""
    return frozenset(
        str(one.get("path"))
        for rule in branch.of("workflows")
        for one in rule.get("workflows") or ()
    )
