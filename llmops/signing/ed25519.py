"""Ed25519 (RFC 8032) as the other files need it: ids, checks, and points that are no keys. Dry.

In: raw public halves (32 bytes), messages, signatures. Out: key ids and yes or no. A key's id is
sha256 of its DER SubjectPublicKeyInfo (RFC 8410), so `openssl pkey -pubin -outform DER | sha256sum`
says it too.
"""

from __future__ import annotations

import hashlib

SPKI = bytes.fromhex("302a300506032b6570032100")  # what RFC 8410 puts before the 32 bytes
_PRIME = 2**255 - 19
_SIGN = 1 << 255
# The y of every point whose order divides 8 (Chalkias and others, eprint 2020/1244, table 1).
# A signature by such a "key" can be made to hold for any message, so it binds nobody.
_SMALL = frozenset(
    int.from_bytes(bytes.fromhex(text), "little")
    for text in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    )
)


def spki(public: bytes) -> bytes:
    """A public half as DER SubjectPublicKeyInfo."""
    return SPKI + public


def key_id(public: bytes) -> str:
    """The id of a key: 64 hex digits."""
    return hashlib.sha256(spki(public)).hexdigest()


def is_key(public: bytes) -> bool:
    """Whether 32 bytes can be somebody's key: written the one way, and of no small order."""
    y = int.from_bytes(public, "little") & ~_SIGN
    return len(public) == 32 and y < _PRIME and y not in _SMALL and _on_curve(y)


def verified(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is the key's over exactly this message."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _on_curve(y: int) -> bool:
    """Whether some x has -x^2 + y^2 = 1 + d x^2 y^2, that is, x^2 = (y^2 - 1) / (d y^2 + 1)."""
    d = -121665 * pow(121666, -1, _PRIME)
    square = (y * y - 1) * pow(d * y * y + 1, -1, _PRIME)
    return pow(square, (_PRIME - 1) // 2, _PRIME) in (0, 1)
