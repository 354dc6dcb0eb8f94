"""The trust root: whose key counts for what, from when, until when. Dry.

In: the bytes of `policies/trust/N.root.json`, canonical DSSE envelopes. Out: `Root`, and `Chain`,
the roots one after another: each names the digest of the one before it and is signed by enough
owners (role root) of both, which is the rule of TUF (specification v1.0.33, 5.3). So whoever knows
the digest of any one of them knows all: those before it by their digests, those after by hands.

A key that was replaced stays in its roles with its end, so that what it signed before stays good.
Owners have no end: a root carries no time that could be held against one, so they are taken out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from llmops.digest import PATTERN, canonical, of_bytes
from llmops.signing import dsse
from llmops.signing.base import ROLES, ROOT, Envelope, Role
from llmops.signing.ed25519 import is_key, key_id, verified

FORMAT_VERSION = 1
MOST_BYTES = 1 << 20  # of one root: a thousand owners fit
_MOST_TEXT = 200
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
_FIELDS = {"format_version", "version", "previous", "keys", "roles", "revoked"}


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
        return self.envelope.payload or canonical(_said(self))

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
        why = why or _wrong(self.keys, envelope)
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


@dataclass(frozen=True, slots=True)
class Chain:
    """Roots that follow from each other, from version 1 on."""

    roots: tuple[Root, ...]

    @property
    def newest(self) -> Root:
        """The root that holds now."""
        return self.roots[-1]

    def pinned(self, digest: str) -> Root | None:
        """The version whose digest somebody knows, None where this is another chain."""
        return next((root for root in self.roots if root.digest == digest), None)


def moment(text: str) -> datetime:
    """The time that a text says, in UTC as RFC 3339 with a Z. Raises ValueError."""
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        raise ValueError(f'"{text}" is no time as in 2026-11-22T08:00:00Z')
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is no time') from None


def decode(data: bytes) -> Root:
    """The root that bytes are; whether enough owners signed it is for `chain`.

    Raises ValueError naming what is not as `llmops keys` writes it.
    """
    if len(data) > MOST_BYTES:
        raise ValueError(f"it has {len(data):,} bytes, more than {MOST_BYTES:,}")
    return of_envelope(dsse.decode(data))


def of_envelope(envelope: Envelope) -> Root:
    """The root in an envelope. Raises ValueError."""
    if envelope.payload_type != ROOT:
        raise ValueError(f"it is no trust root but {envelope.payload_type}")
    try:
        said = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        raise ValueError("its payload is not JSON") from None
    root = _root(said, envelope)
    if canonical(_said(root)) != envelope.payload:
        raise ValueError("its payload is not written as canonical JSON")
    return root


def chain(files: Iterable[bytes]) -> Chain:
    """The roots that files are, from version 1 on.

    Raises ValueError naming the first version that does not follow from the one before it.
    """
    roots: list[Root] = []
    for number, data in enumerate(files, 1):
        try:
            root = decode(data)
            _expect_follows(root, roots[-1] if roots else None)
        except ValueError as error:
            raise ValueError(f"trust root {number}: {error}") from None
        roots.append(root)
    if not roots:
        raise ValueError("there is no trust root")
    return Chain(tuple(roots))


def missing(root: Root, before: Root | None) -> str:
    """Whose signatures a root still lacks, in words; "" where enough have signed."""
    signed = {one.key for one in root.envelope.signatures}
    asked = [before, root] if before is not None else [root]
    for one in asked:
        grant = one.roles["root"]
        if len(signed & set(grant.keys)) < grant.threshold:
            return (
                f"signed by {len(signed & set(grant.keys))} of the {grant.threshold} owners that"
                f" trust root {one.version} asks for"
            )
    return ""


def draft(root: Root) -> Root:
    """A root that nobody has signed, read again as a stranger would. Raises ValueError."""
    return of_envelope(Envelope(ROOT, canonical(_said(root)), ()))


def _expect_follows(root: Root, before: Root | None) -> None:
    """ValueError unless a root may come after another (None: may be the first)."""
    version = 1 if before is None else before.version + 1
    if root.version != version:
        raise ValueError(f"it says version {root.version}, not {version}: one is left out")
    if root.previous != ("" if before is None else before.digest):
        raise ValueError("it does not name the digest of the version before it")
    keys = {**root.keys, **(before.keys if before is not None else {})}
    owners = {*root.owners(), *(before.owners() if before is not None else ())}
    for one in root.envelope.signatures:
        if one.key not in owners:
            raise ValueError(f"key {one.key} signed it and is no owner's (role root)")
    if why := _wrong(keys, root.envelope) or missing(root, before):
        raise ValueError(why)
    for key, gone in (before.revoked if before is not None else {}).items():
        still = root.revoked.get(key)
        if still is None or moment(still.at) > moment(gone.at):
            raise ValueError(f"key {key} was revoked at {gone.at} and counts again")


def _wrong(keys: Mapping[str, Key], envelope: Envelope) -> str:
    """The first signature that is not its key's, in words, or ""."""
    message = dsse.pae(envelope.payload_type, envelope.payload)
    for one in envelope.signatures:
        if not verified(keys[one.key].public, message, one.value):
            return f"the signature by key {one.key} ({keys[one.key].owner}) is wrong"
    return ""


def _roles(roles: Role | Sequence[Role]) -> tuple[Role, ...]:
    return (roles,) if isinstance(roles, str) else tuple(roles)


def _said(root: Root) -> dict[str, Any]:
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


def _root(said: Any, envelope: Envelope) -> Root:
    _fields(said, _FIELDS, "the root")
    if type(said["format_version"]) is not int or said["format_version"] != FORMAT_VERSION:
        newer = f"it is written in format {said['format_version']}, this llmops reads"
        raise ValueError(f"{newer} {FORMAT_VERSION}")
    version, previous = said["version"], said["previous"]
    if type(version) is not int or version < 1:
        raise ValueError(f"version {version} is no number from 1 on")
    if previous is not None and (type(previous) is not str or not PATTERN.fullmatch(previous)):
        raise ValueError('"previous" is no digest')
    keys = {key: _key(key, value) for key, value in _table(said["keys"], "keys").items()}
    revoked = {key: _gone(key, one) for key, one in _table(said["revoked"], "revoked").items()}
    roles = {_role(name): _grant(name, one) for name, one in _table(said["roles"], "roles").items()}
    root = Root(version, previous or "", keys, roles, revoked, envelope)
    _expect_whole(root)
    return root


def _expect_whole(root: Root) -> None:
    if "root" not in root.roles:
        raise ValueError("nobody has the role root")
    for role, grant in root.roles.items():
        for key in grant.keys:
            if key not in root.keys:
                raise ValueError(f"role {role} names key {key}, which is not under keys")
        if role not in ("root", "release") and grant.threshold != 1:
            raise ValueError(f"role {role} has threshold {grant.threshold}: machines sign alone")
    for key in root.revoked:
        if key in root.owners():
            raise ValueError(f"key {key} is revoked and still has the role root")
        if key not in root.keys:
            raise ValueError(f"key {key} is revoked and not under keys")


def _key(name: str, value: Any) -> Key:
    _fields(value, {"public", "owner", "from", "until"}, f"key {name}")
    try:
        public = base64.b64decode(value["public"], validate=True)
    except (TypeError, ValueError):
        raise ValueError(f"key {name} has a public half that is no base64") from None
    if not is_key(public):
        raise ValueError(f"key {name} has a public half that is no Ed25519 key")
    if key_id(public) != name:
        raise ValueError(f"key {name} is not the id of its public half, which is {key_id(public)}")
    since, until = value["from"], value["until"]
    if until is not None and moment(until) <= moment(since):
        raise ValueError(f"key {name} ends before it begins")
    moment(since)
    return Key(name, public, _text(value["owner"], f"the owner of key {name}"), since, until or "")


def _gone(name: str, value: Any) -> Revoked:
    _fields(value, {"at", "reason"}, f"the revocation of key {name}")
    moment(value["at"])
    return Revoked(value["at"], _text(value["reason"], f"the reason against key {name}"))


def _role(name: str) -> Role:
    for role in ROLES:
        if role == name:
            return role
    raise ValueError(f'there is no role "{name}"')


def _grant(name: str, value: Any) -> Grant:
    _fields(value, {"keys", "threshold"}, f"role {name}")
    keys, threshold = value["keys"], value["threshold"]
    if type(keys) is not list or not keys or not all(type(one) is str for one in keys):
        raise ValueError(f"role {name} has no list of keys")
    if keys != sorted(set(keys)):
        raise ValueError(f"the keys of role {name} are not each there once, in order")
    if type(threshold) is not int or not 1 <= threshold <= len(keys):
        raise ValueError(f"role {name} asks for {threshold} of {len(keys)} keys")
    return Grant(tuple(keys), threshold)


def _fields(value: Any, names: set[str], what: str) -> None:
    if type(value) is not dict or value.keys() != names:
        raise ValueError(f"{what} has not exactly the fields {', '.join(sorted(names))}")


def _table(value: Any, name: str) -> dict[str, Any]:
    if type(value) is not dict:
        raise ValueError(f'"{name}" is no table')
    return value


def _text(value: Any, what: str) -> str:
    if type(value) is not str or not value.strip() or len(value) > _MOST_TEXT:
        raise ValueError(f"{what} is no text of 1 to {_MOST_TEXT} characters")
    if not value.isprintable():
        raise ValueError(f"{what} holds characters that cannot be printed")
    return value
