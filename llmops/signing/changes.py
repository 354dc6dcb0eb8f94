"""The next trust root, as owners ask for it. Dry.

In: a root, and what shall be otherwise. Out: the version that follows it, which nobody has signed
yet, and in words what is otherwise. What cannot be is a ValueError in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from llmops.signing.base import ROLES, ROOT, Envelope, Role
from llmops.signing.ed25519 import is_key, key_id
from llmops.signing.grants import Grant, Key, Revoked, Root, moment

_UNSIGNED = Envelope(ROOT, b"", ())


@dataclass(frozen=True, slots=True)
class Person:
    """A public half, and whose it is (a person, or a machine by its name)."""

    owner: str
    public: bytes

    @property
    def key(self) -> str:
        """The key's id."""
        return key_id(self.public)


def first(maker: Person, others: Sequence[Person], threshold: int, since: str) -> Root:
    """Version 1: whoever makes it has every role, the others are owners with them."""
    made = Root(1, "", {}, {}, {}, _UNSIGNED)
    made = added(made, maker, ROLES, since)
    for one in others:
        made = added(made, one, ("root",), since)
    return asking(made, threshold)


def following(root: Root) -> Root:
    """The version after one, with nothing otherwise yet."""
    return replace(
        root, version=root.version + 1, previous=root.digest, envelope=_UNSIGNED
    )  # fmt: skip


def added(root: Root, who: Person, roles: Sequence[Role], since: str, until: str = "") -> Root:
    """With somebody's key in these roles too."""
    if not is_key(who.public):
        raise ValueError(f"the key of {who.owner} is no Ed25519 key")
    if who.key in root.revoked:
        raise ValueError(f"key {who.key} is revoked: {root.revoked[who.key].reason}")
    known = root.keys.get(who.key) or Key(who.key, who.public, who.owner, since)
    if known.owner != who.owner:
        raise ValueError(f"key {who.key} is {known.owner}'s already")
    grants = dict(root.roles)
    for role in roles:
        grant = grants.get(role, Grant(()))
        grants[role] = replace(grant, keys=tuple(sorted({*grant.keys, who.key})))
    keys = {**root.keys, who.key: replace(known, until=until or known.until)}
    return replace(root, keys=keys, roles=grants)


def removed(root: Root, key: str, at: str, roles: Sequence[Role] = ROLES) -> Root:
    """Without a key: no owner any more, and its end in the other roles.

    Where only some roles are named it is taken out of them, with what it signed there.
    """
    if tuple(roles) != ROLES:
        return _out_of(root, key, roles)
    known = root.keys[key]
    left = _out_of(root, key, ("root",))
    serves = any(key in grant.keys for grant in left.roles.values())
    if not serves or moment(at) <= moment(known.since):
        left = _out_of(left, key, ROLES)
        return replace(left, keys={k: v for k, v in left.keys.items() if k != key})
    return _ending(left, key, at)


def replaced(root: Root, key: str, public: bytes, since: str, until: str) -> Root:
    """With a new key in every role of an old one, which ends some time after."""
    old = root.keys[key]
    roles = tuple(role for role, grant in root.roles.items() if key in grant.keys)
    made = added(root, Person(old.owner, public), roles, since)
    return _ending(_out_of(made, key, ("root",)), key, until)


def revoked(root: Root, key: str, at: str, reason: str) -> Root:
    """With nothing that a key signs from a time on. Its older signatures stay good."""
    left = _out_of(root, key, ("root",))
    return replace(left, revoked={**root.revoked, key: Revoked(at, reason)})


def asking(root: Root, threshold: int) -> Root:
    """With so many owners to sign the next one."""
    owners = Grant(root.owners(), threshold)
    if not 1 <= threshold <= len(owners.keys):
        raise ValueError(f"{threshold} of {len(owners.keys)} owners cannot sign")
    return replace(root, roles={**root.roles, "root": owners})


def differences(root: Root, before: Root | None) -> Iterator[str]:
    """What is otherwise, a line each, as whoever signs must see it."""
    old = before.keys if before is not None else {}
    for key in root.keys.values():
        yield from _of_key(root, key, before)
    for key_gone in sorted(old.keys() - root.keys.keys()):
        yield f"- {_called(old[key_gone])} is gone"
    for name, gone in root.revoked.items():
        if before is None or name not in before.revoked:
            yield f"- {_called(root.keys[name])} revoked since {gone.at}: {gone.reason}"
    asked = root.roles["root"].threshold
    was = before.roles["root"].threshold if before is not None else 0
    if asked != was:
        yield f"~ {asked} of {len(root.owners())} owners sign the next root"


def roles_of(root: Root, key: str) -> tuple[Role, ...]:
    """The roles of a key, in one order."""
    return tuple(role for role in ROLES if key in root.roles.get(role, Grant(())).keys)


def found(root: Root, said: str) -> str:
    """The id of the key that is meant: by its beginning (8 digits and more), or its owner."""
    ids = [key for key in root.keys if len(said) >= 8 and key.startswith(said)]
    ids = ids or [key.id for key in root.keys.values() if key.owner == said]
    current = [key for key in ids if key not in root.revoked and not root.keys[key].until]
    chosen = current if len(ids) > 1 else ids
    if len(chosen) == 1:
        return chosen[0]
    if ids:
        raise ValueError(f'"{said}" has several keys: {", ".join(one[:16] for one in ids)}')
    raise ValueError(f'no key in the trust root begins with "{said}", and no owner is called so')


def _of_key(root: Root, key: Key, before: Root | None) -> Iterator[str]:
    now = roles_of(root, key.id)
    if before is None or key.id not in before.keys:
        yield f"+ {_called(key)} {' '.join(now) or 'no role'}{_end(key)}"
        return
    was = roles_of(before, key.id)
    for sign, roles in (("+", set(now) - set(was)), ("-", set(was) - set(now))):
        if roles:
            word = "gets" if sign == "+" else "loses"
            yield f"{sign} {_called(key)} {word} {' '.join(r for r in ROLES if r in roles)}"
    if key.until != before.keys[key.id].until:
        yield f"~ {_called(key)}{_end(key) or ', without an end'}"


def _called(key: Key) -> str:
    return f"{key.owner} ({key.id[:16]})"


def _end(key: Key) -> str:
    return f", until {key.until}" if key.until else ""


def _out_of(root: Root, key: str, roles: Sequence[Role]) -> Root:
    """Without a key in some roles. Raises ValueError where too few owners are left."""
    left: dict[Role, Grant] = {}
    for role, grant in root.roles.items():
        keys = tuple(k for k in grant.keys if k != key) if role in roles else grant.keys
        if role in ("root", "release") and len(keys) < grant.threshold and keys != grant.keys:
            people = "owners" if role == "root" else "keys of role release"
            raise ValueError(f"that leaves {len(keys)} of the {grant.threshold} {people} it takes")
        if keys:
            left[role] = replace(grant, keys=keys)
    return replace(root, roles=left)


def _ending(root: Root, key: str, at: str) -> Root:
    known: Key = root.keys[key]
    until = at if not known.until or moment(at) < moment(known.until) else known.until
    keys: Mapping[str, Key] = {**root.keys, key: replace(known, until=until)}
    return replace(root, keys=keys)
