"""People with keys, and the trust roots that they sign, for the tests of every room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from llmops.signing import dsse
from llmops.signing.base import ROLES, ROOT, Envelope, Role
from llmops.signing.grants import Grant, Key
from llmops.signing.keys import PemSigner, of_private
from llmops.signing.root import Root, draft

SINCE = "2026-01-01T00:00:00Z"
NOW = "2026-11-22T08:00:00Z"


def person(name: str) -> PemSigner:
    """Always the same key for a name."""
    return of_private(Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"\0")))


def pem(signer: PemSigner) -> bytes:
    """What its file holds."""
    from cryptography.hazmat.primitives import serialization as form

    held = signer._private
    return held.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())


def named(signer: PemSigner, owner: str = "ann", since: str = SINCE, until: str = "") -> Key:
    """The public half, as a root lists it."""
    return Key(signer.key, signer.public, owner, since, until)


def root_of(*signers: PemSigner, roles: Sequence[Role] = ROLES, threshold: int = 1) -> Root:
    """Version 1: everybody has all the roles, and so many owners are needed for what follows."""
    keys = tuple(sorted(one.key for one in signers))
    grants: dict[Role, Grant] = {role: Grant(keys) for role in roles}
    grants["root"] = Grant(keys, threshold)
    return draft(Root(1, "", {one.key: named(one) for one in signers}, grants, {}))


def after(before: Root, **changes: Any) -> Root:
    """The next version, with some things otherwise. Nothing checks them."""
    made = {"version": before.version + 1, "previous": before.digest, **changes}
    return replace(before, envelope=Envelope(ROOT, b"", ()), **made)


def signed(root: Root, *signers: PemSigner) -> bytes:
    """The file of a root with these signatures."""
    return dsse.encode(dsse.sign(ROOT, root.payload, signers))


def statement(*signers: PemSigner) -> Envelope:
    """Something that was signed."""
    return dsse.sign("application/vnd.in-toto+json", b'{"_type":"x"}', signers)
