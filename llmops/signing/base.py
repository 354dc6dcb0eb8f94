"""The nouns: `Envelope`, `Signature`, `Signer`, and the roles that keys may have. Dry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

Role = Literal["root", "gate", "runner", "log", "release"]
ROLES: tuple[Role, ...] = get_args(Role)
IN_TOTO = "application/vnd.in-toto+json"  # payload type of every statement
ROOT = "application/vnd.llmops.root+json"  # payload type of a trust root


@dataclass(frozen=True, slots=True)
class Signature:
    """`key` is the key's id: sha256 (64 hex) of its public half as DER SubjectPublicKeyInfo."""

    key: str
    value: bytes  # 64 bytes, Ed25519 (RFC 8032) over the envelope's PAE


@dataclass(frozen=True, slots=True)
class Envelope:
    """Signed bytes with their type: DSSE v1.0.2 (https://github.com/secure-systems-lab/dsse)."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...]


class Signer(Protocol):
    """Somebody who can sign. `key` is the key's id, `public` its raw 32 bytes."""

    @property
    def key(self) -> str:
        """The key's id."""
        ...

    @property
    def public(self) -> bytes:
        """The public half, raw."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of an Ed25519 signature over exactly these bytes."""
        ...
