"""The trust root: the files that say whose key counts for what, and how one follows another. Dry.

In: the bytes of `policies/trust/N.root.json`, canonical DSSE envelopes. Out: `Root`, and `Chain`,
the roots one after another: each names the digest of the one before it and is signed by enough
owners (role root) of both, which is the rule of TUF (specification v1.0.33, 5.3). So whoever knows
the digest of any one of them knows all: those before it by their digests, those after by hands.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llmops.digest import PATTERN, canonical
from llmops.signing import dsse
from llmops.signing.base import ROLES, ROOT, Envelope, Role
from llmops.signing.ed25519 import is_key, key_id
from llmops.signing.grants import FORMAT_VERSION, Grant, Key, Revoked, said, wrong
from llmops.signing.grants import Root as Root
from llmops.signing.grants import moment as moment

MOST_BYTES = 1 << 20  # of one root: a thousand owners fit
_MOST_TEXT = 200
_FIELDS = {"format_version", "version", "previous", "keys", "roles", "revoked"}


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
        payload = json.loads(envelope.payload)
    except (ValueError, RecursionError):
        raise ValueError("its payload is not JSON") from None
    root = _root(payload, envelope)
    if canonical(said(root)) != envelope.payload:
        raise ValueError("its payload is not written as canonical JSON")
    return root


def chain(files: Iterable[bytes]) -> Chain:
    """The roots that files are, from version 1 on.

    Raises ValueError naming the first version that does not follow from the one before it.
    """
    found, unsigned = unfinished(tuple(files))
    if unsigned is not None:
        why = missing(unsigned, found.newest if found else None)
        raise ValueError(f"trust root {unsigned.version}: {why}")
    if found is None:
        raise ValueError("there is no trust root")
    return found


def unfinished(files: Sequence[bytes]) -> tuple[Chain | None, Root | None]:
    """The roots that hold, and the last one where owners have yet to sign it.

    Raises ValueError as `chain` does.
    """
    roots: list[Root] = []
    for number, data in enumerate(files, 1):
        before = roots[-1] if roots else None
        try:
            root = decode(data)
            _expect_follows(root, before)
            lacks = missing(root, before)
            if lacks and number < len(files):
                raise ValueError(lacks)
        except ValueError as error:
            raise ValueError(f"trust root {number}: {error}") from None
        if lacks:
            return (Chain(tuple(roots)) if roots else None), root
        roots.append(root)
    return (Chain(tuple(roots)) if roots else None), None


def missing(root: Root, before: Root | None) -> str:
    """How many signatures a root still lacks, in words; "" where enough owners have signed."""
    signed = {one.key for one in root.envelope.signatures}
    for one in [before, root] if before is not None else [root]:
        count, asked = len(signed & set(one.owners())), one.roles["root"].threshold
        if count < asked:
            return f"signed by {count} of the {asked} owners that trust root {one.version} asks for"
    return ""


def draft(root: Root) -> Root:
    """A root that nobody has signed, read again as a stranger would. Raises ValueError."""
    return of_envelope(Envelope(ROOT, canonical(said(root)), ()))


def _expect_follows(root: Root, before: Root | None) -> None:
    """ValueError unless a root may come after another (None: as the first), once it is signed."""
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
    if why := wrong(keys, root.envelope):
        raise ValueError(why)
    for key, gone in (before.revoked if before is not None else {}).items():
        still = root.revoked.get(key)
        if still is None or moment(still.at) > moment(gone.at):
            raise ValueError(f"key {key} was revoked at {gone.at} and counts again")


def _root(value: Any, envelope: Envelope) -> Root:
    _fields(value, _FIELDS, "the root")
    if type(value["format_version"]) is not int or value["format_version"] != FORMAT_VERSION:
        newer = f"it is written in format {value['format_version']}, this llmops reads"
        raise ValueError(f"{newer} {FORMAT_VERSION}")
    version, previous = value["version"], value["previous"]
    if type(version) is not int or version < 1:
        raise ValueError(f"version {version} is no number from 1 on")
    if previous is not None and (type(previous) is not str or not PATTERN.fullmatch(previous)):
        raise ValueError('"previous" is no digest')
    keys = {key: _key(key, one) for key, one in _table(value["keys"], "keys").items()}
    revoked = {key: _gone(key, one) for key, one in _table(value["revoked"], "revoked").items()}
    roles = {
        _role(name): _grant(name, one) for name, one in _table(value["roles"], "roles").items()
    }
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
