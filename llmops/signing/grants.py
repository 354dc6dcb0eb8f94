"""The nouns of a trust root: `Root`, and whether what somebody signed counts by it. Dry.

In: an envelope, the roles that may sign it, and when it was made. Out: "" or why it does not count.
A key that was replaced stays in its roles with its end, so that what it signed before stays good.
Owners have no end: a root carries no time that could be held against one, so they are taken out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from llmops.digest import canonical, of_bytes
from llmops.signing import dsse
from llmops.signing.base import ROOT, Envelope, Role
from llmops.signing.ed25519 import verified

FORMAT_VERSION = 1
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")


@dataclass(frozen=True, slots=True)
class Key:
    """Whose key it is, and when: from `since` on, and before `until` ("" for no end)."""

    id: str
    public: bytes
    owner: str
    since: str
    until: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether the key is valid at a time."""
        return moment(self.since) <= at and (not self.until or at < moment(self.until))


@dataclass(frozen=True, slots=True)
class Grant:
    """Who has a role, and how many of them must sign together."""

    keys: tuple[str, ...]
    threshold: int = 1


@dataclass(frozen=True, slots=True)
class Revoked:
    """From when on nothing that a key signs counts any more, and why."""

    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Root:
    """One version. `previous` is the digest of the version before it, "" for the first."""

    version: int
    previous: str
    keys: Mapping[str, Key]
    roles: Mapping[Role, Grant]
    revoked: Mapping[str, Revoked]
    envelope: Envelope = field(repr=False, compare=False, default=Envelope(ROOT, b"", ()))

    @property
    def digest(self) -> str:
        """`sha256:<hex>` of the payload: what an auditor pins."""
        return of_bytes(self.payload)

    @property
    def payload(self) -> bytes:
        """The bytes that owners sign."""
        return self.envelope.payload or canonical(said(self))

    def owners(self) -> tuple[str, ...]:
        """The keys of role root."""
        return self.roles["root"].keys

    def allows(self, roles: Role | Sequence[Role], envelope: Envelope, at: str) -> str:
        """Whether a statement made at a time is signed as one of the roles asks: "", or why not.

        Every signature of it must be good, so that none is there unchecked.
        """
        asked = _roles(roles)
        signed = [one.key for one in envelope.signatures]
        why = next((said for key in signed if (said := self._refuses(key, asked, at))), "")
        why = why or wrong(self.keys, envelope)
        if why or any(self._enough(role, signed) for role in asked):
            return why
        return f"not signed by enough keys of role {' or '.join(asked)}"

    def holders(self, role: Role, at: str) -> tuple[Key, ...]:
        """Whose signature counts for a role at a time."""
        return tuple(key for key in self.keys.values() if not self._refuses(key.id, (role,), at))

    def _enough(self, role: Role, signed: Sequence[str]) -> bool:
        grant = self.roles.get(role, Grant((), 1))
        return len(set(signed) & set(grant.keys)) >= grant.threshold

    def _refuses(self, key: str, asked: Sequence[Role], at: str) -> str:
        """Why a key may not sign as any of the roles at a time, or ""."""
        named = self.keys.get(key)
        if named is None:
            return f"key {key} is not in trust root {self.version}"
        if not any(key in self.roles.get(role, Grant(())).keys for role in asked):
            return f"key {key} ({named.owner}) has no role {' or '.join(asked)}"
        try:
            when = moment(at)
        except ValueError as error:
            return f"key {key} ({named.owner}) cannot be judged: {error}"
        gone = self.revoked.get(key)
        if gone is not None and when >= moment(gone.at):
            return f"key {key} ({named.owner}) is revoked since {gone.at}: {gone.reason}"
        if not named.holds(when):
            span = f"from {named.since}" if when < moment(named.since) else f"until {named.until}"
            return f"key {key} ({named.owner}) is valid {span} only, not at {at}"
        return ""


def moment(text: str) -> datetime:
    """The time that a text says, in UTC as RFC 3339 with a Z. Raises ValueError."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError(f'"{text}" is no time as in 2026-11-22T08:00:00Z')
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is no time') from None


def wrong(keys: Mapping[str, Key], envelope: Envelope) -> str:
    """The first signature that is not its key's, in words, or ""."""
    message = dsse.pae(envelope.payload_type, envelope.payload)
    for one in envelope.signatures:
        if not verified(keys[one.key].public, message, one.value):
            return f"the signature by key {one.key} ({keys[one.key].owner}) is wrong"
    return ""


def said(root: Root) -> dict[str, Any]:
    """The payload as plain JSON."""
    return {
        "format_version": FORMAT_VERSION,
        "version": root.version,
        "previous": root.previous or None,
        "keys": {
            key.id: {
                "public": base64.b64encode(key.public).decode(),
                "owner": key.owner,
                "from": key.since,
                "until": key.until or None,
            }
            for key in root.keys.values()
        },
        "roles": {
            role: {"keys": sorted(grant.keys), "threshold": grant.threshold}
            for role, grant in root.roles.items()
        },
        "revoked": {
            key: {"at": gone.at, "reason": gone.reason} for key, gone in root.revoked.items()
        },
    }


def _roles(roles: Role | Sequence[Role]) -> tuple[Role, ...]:
    return (roles,) if isinstance(roles, str) else tuple(roles)
