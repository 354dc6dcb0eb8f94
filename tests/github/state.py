"""Who asks: persons, Apps, tokens and what they may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from tests.github.wire import Refusal

LEVELS = ("none", "read", "write", "admin")
ROLES = ("none", "read", "triage", "write", "maintain", "admin")
# The App that a workflow's GITHUB_TOKEN belongs to; its id on github.com.
ACTIONS_APP = 15368
# What an App asks for by default in these tests: SECURITY.md 7, and the log branch.
GATE_PERMISSIONS = {
    "metadata": "read", "checks": "write", "contents": "write", "actions": "read",
    "pull_requests": "write", "issues": "write", "members": "read", "statuses": "write",
    "security_events": "write", "deployments": "write", "administration": "read",
    "environments": "read", "secrets": "read",
}  # fmt: skip


@cache
def test_key() -> tuple[str, Any]:
    """A private key (PEM) and its public half; one for all Apps of a test run."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.TraditionalOpenSSL, form.NoEncryption()
    )
    return pem.decode(), key.public_key()


@dataclass
class Person:
    """A user or an organisation; `kind` User, Bot or Organization."""

    id: int
    login: str
    kind: str = "User"
    email: str = ""


@dataclass
class App:
    """A GitHub App with one installation for each owner."""

    id: int
    slug: str
    owner: str
    permissions: dict[str, str]
    installations: dict[str, int] = field(default_factory=dict)  # owner -> installation id
    events: list[str] = field(default_factory=list)
    hook: dict[str, Any] = field(default_factory=dict)  # what its webhook is set to otherwise

    @property
    def key(self) -> str:
        """The private key, PEM."""
        return test_key()[0]

    @property
    def bot(self) -> str:
        return f"{self.slug}[bot]"


@dataclass
class Team:
    """A team: login -> "active" or "pending", and the maintainers among them."""

    id: int
    slug: str
    members: dict[str, str] = field(default_factory=dict)
    maintainers: set[str] = field(default_factory=set)
    repositories: dict[str, str] = field(default_factory=dict)  # full name -> permission
    parent: str = ""


@dataclass
class Organization:
    """An organisation: login -> role (member, admin), teams by slug."""

    login: str
    members: dict[str, str] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    rulesets: dict[int, dict[str, Any]] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass
class Caller:
    """Who holds a token. `permissions` None: a person, who may what the role allows."""

    login: str
    app: App | None = None
    permissions: Mapping[str, str] | None = None
    repository: str = ""  # "" everywhere, else one repository's full name
    owner: str = ""  # of the installation
    expires_at: datetime | None = None
    token: str = ""
    is_app: bool = False  # the App itself, by a JWT


def must_have(who: Caller, needs: str, role: str) -> None:
    """Raise as GitHub does where a token lacks `permission:level` (`a:x|b:y`: either will do)."""
    wanted = [one.partition(":")[::2] for one in needs.split("|") if ":" in one]
    if not wanted or any(_has(who, name, level, role) for name, level in wanted):
        return
    if who.permissions is None:
        raise Refusal(403, "Must have admin rights to Repository.")
    named = "; ".join(f"{name}={level}" for name, level in wanted)
    headers = {"X-Accepted-GitHub-Permissions": named}
    raise Refusal(403, "Resource not accessible by integration", headers=headers)


def _has(who: Caller, name: str, level: str, role: str) -> bool:
    if who.permissions is None:  # a person
        least = "admin" if name in ("administration", "secrets") else level
        return ROLES.index(role) >= ROLES.index(least)
    held = "read" if name == "metadata" else who.permissions.get(name, "none")
    return LEVELS.index(held) >= LEVELS.index(level)
