"""A repository's settings as GitHub tells them: each answer, or why it is not known.

In: a `Forge`. Out: `Settings`, the JSON of each question as it came. A token sees what its owner
may see, so every answer is `Seen`: the value, or the reason that there is none. `protection.py`
judges them. Only reads are made, one for each question and one for each ruleset and environment.
https://docs.github.com/en/rest/repos/rules, .../actions/permissions, .../deployments/environments
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from llmops.errors import UsageError
from llmops.forge.base import Forge, ForgeError, Refused

T = TypeVar("T")
EVIDENCE = "llmops-evidence"  # the branch that the gate writes and nobody else
LOG = "llmops-log"  # the branch of what it signed
OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # where GitHub looks, in order
_MOST_RULESETS = 200
_MOST_ENVIRONMENTS = 100


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """An answer; `unknown` says why there is none."""

    value: T
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What was asked, as it was answered.

    `rules` and `protection` are by branch: the active rules of all rulesets, and the classic
    protection ({} where there is none). `logged` is whether the log's branch is there.
    `rulesets` have their details, `bypass_actors` only where
    the token may change them. `secrets` are names by where they stand: `repository`,
    `organization`, and `environment NAME`. `codeowners` is the file's text, "" without one.
    """

    repository: Mapping[str, Any]
    branch: str
    rules: Mapping[str, Seen[tuple[Mapping[str, Any], ...]]]
    protection: Mapping[str, Seen[Mapping[str, Any]]]
    rulesets: Seen[tuple[Mapping[str, Any], ...]]
    environments: Seen[tuple[Mapping[str, Any], ...]]
    secrets: Mapping[str, Seen[tuple[str, ...]]]
    actions: Seen[Mapping[str, Any]]
    workflow: Seen[Mapping[str, Any]]
    forks: Seen[Mapping[str, Any]]
    runners: Seen[tuple[Mapping[str, Any], ...]]
    codeowners: Seen[str]
    logged: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def public(self) -> bool:
        """Whether everybody can fork it and open a pull request."""
        return not self.repository.get("private", False)


def read(forge: Forge, branch: str = "") -> Settings:
    """The settings that guard a branch, the default one unless said.

    Raises UsageError for a repository that the token cannot see, and ForgeError where GitHub cannot
    be asked at all. What single questions are refused is unknown.
    """
    root = f"repos/{forge.repo}"
    repository = forge.get(root)
    if not isinstance(repository, dict):
        hint = "is it written owner/name, and may the token read it?"
        raise UsageError(f"{forge.repo} is no repository that this token can see", hint=hint)
    branch = branch or str(repository.get("default_branch") or "main")
    private = bool(repository.get("private", False))
    environments = _listed(forge, f"{root}/environments", "environments", _MOST_ENVIRONMENTS)
    branches = (branch, EVIDENCE, LOG)
    about = {one: _one(forge, f"{root}/branches/{quote(one, safe='')}") for one in branches}
    return Settings(
        repository=repository,
        branch=branch,
        rules={one: _rules(forge, root, one) for one in branches},
        protection={one: _protection(forge, root, one, about[one]) for one in branches},
        rulesets=_rulesets(forge, root),
        environments=environments,
        secrets=_secrets(forge, root, environments),
        actions=_one(forge, f"{root}/actions/permissions"),
        workflow=_one(forge, f"{root}/actions/permissions/workflow"),
        forks=_forks(forge, root, private=private),
        runners=_listed(forge, f"{root}/actions/runners", "runners", 1),
        codeowners=_codeowners(forge, root, branch),
        logged=bool(about[LOG].value),
    )


def _rules(forge: Forge, root: str, branch: str) -> Seen[tuple[Mapping[str, Any], ...]]:
    return _listed(forge, f"{root}/rules/branches/{quote(branch, safe='')}", "", 1_000)


def _protection(
    forge: Forge, root: str, branch: str, about: Seen[Mapping[str, Any]]
) -> Seen[Mapping[str, Any]]:
    """Classic protection, {} where there is none: everybody who reads sees whether there is."""
    if about.unknown:
        return Seen({}, "" if about.unknown == _ABSENT else about.unknown)
    if not (about.value.get("protection") or {}).get("enabled", False):
        return Seen({})
    return _one(forge, f"{root}/branches/{quote(branch, safe='')}/protection")


def _rulesets(forge: Forge, root: str) -> Seen[tuple[Mapping[str, Any], ...]]:
    listed = _listed(forge, f"{root}/rulesets", "", _MOST_RULESETS)
    if listed.unknown:
        return listed
    found = [_one(forge, f"{root}/rulesets/{one.get('id')}") for one in listed.value]
    detailed = tuple(d.value or one for d, one in zip(found, listed.value, strict=True))
    return Seen(detailed)


def _secrets(
    forge: Forge, root: str, environments: Seen[tuple[Mapping[str, Any], ...]]
) -> Mapping[str, Seen[tuple[str, ...]]]:
    """Names, never values: GitHub tells nobody a value."""
    paths = {
        "repository": f"{root}/actions/secrets",
        "organization": f"{root}/actions/organization-secrets",
    }
    for one in environments.value:
        name = str(one.get("name", ""))
        paths[f"environment {name}"] = f"{root}/environments/{quote(name, safe='')}/secrets"
    found = {where: _listed(forge, path, "secrets", 1_000) for where, path in paths.items()}
    return {
        where: Seen(tuple(str(one.get("name", "")) for one in seen.value), seen.unknown)
        for where, seen in found.items()
    }


def _forks(forge: Forge, root: str, *, private: bool) -> Seen[Mapping[str, Any]]:
    """Whose fork starts a workflow: a public repository has another question than a private one."""
    name = "fork-pr-workflows-private-repos" if private else "fork-pr-contributor-approval"
    return _one(forge, f"{root}/actions/permissions/{name}")


def _codeowners(forge: Forge, root: str, branch: str) -> Seen[str]:
    unknown = ""
    for path in OWNERS:
        found = _one(forge, f"{root}/contents/{path}", ref=branch)
        if found.value:
            return Seen(_decoded(found.value))
        if found.unknown != _ABSENT:
            unknown = found.unknown
    return Seen("", unknown)


def _decoded(content: Mapping[str, Any]) -> str:
    try:
        return base64.b64decode(str(content.get("content", ""))).decode("utf-8", "replace")
    except ValueError:
        return ""


_ABSENT = "GitHub has none"


def _one(forge: Forge, path: str, **params: Any) -> Seen[Mapping[str, Any]]:
    """An object; {} and `_ABSENT` for 404."""

    def ask() -> Mapping[str, Any]:
        found = forge.get(path, **params)
        return found if isinstance(found, dict) else {}

    seen: Seen[Mapping[str, Any]] = _asked(ask, {})
    return Seen({}, _ABSENT) if not seen.value and not seen.unknown else seen


def _listed(forge: Forge, path: str, key: str, most: int) -> Seen[tuple[Mapping[str, Any], ...]]:
    def ask() -> tuple[Mapping[str, Any], ...]:
        every = (one for one in forge.every(path, key) if isinstance(one, dict))
        return tuple(one for one, _ in zip(every, range(most), strict=False))

    return _asked(ask, ())


def _asked(ask: Callable[[], T], nothing: T) -> Seen[T]:
    try:
        return Seen(ask())
    except Refused as refusal:
        return Seen(nothing, refusal.message)
    except ForgeError as error:
        return Seen(nothing, error.message)
