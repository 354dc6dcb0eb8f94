"""DSSE envelopes: signing, and the one text of each. Dry.

In: a payload and signers. Out: canonical JSON of an `Envelope`; reading takes that text only, so
that no byte of a file is free: standard base64 with padding and no spare bits, sorted keys, no
blanks, exactly the keys of DSSE v1.0.2 (https://github.com/secure-systems-lab/dsse).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from llmops.digest import canonical
from llmops.signing.base import Envelope, Signature, Signer

_KEYS = {"payload", "payloadType", "signatures"}
_SIGNATURE_KEYS = {"keyid", "sig"}
_HEX = frozenset("0123456789abcdef")


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding; lengths in bytes, in decimal."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: str, payload: bytes, signers: Sequence[Signer]) -> Envelope:
    """The payload signed by everybody given, in the order of their key ids."""
    message = pae(payload_type, payload)
    made = (Signature(one.key, one.sign(message)) for one in signers)
    return Envelope(payload_type, payload, tuple(sorted(made, key=lambda one: one.key)))


def encode(envelope: Envelope) -> bytes:
    """The canonical bytes of an envelope.

    Written out, since ten thousand are compared with it: base64 holds nothing that JSON escapes.
    """
    signatures = b",".join(
        b'{"keyid":%b,"sig":"%b"}' % (canonical(one.key), base64.b64encode(one.value))
        for one in envelope.signatures
    )
    payload, kind = base64.b64encode(envelope.payload), canonical(envelope.payload_type)
    return b'{"payload":"%b","payloadType":%b,"signatures":[%b]}' % (payload, kind, signatures)


def decode(data: bytes) -> Envelope:
    """The envelope that bytes are. Raises ValueError naming what is not as `encode` writes it."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        raise ValueError("it is not JSON") from None
    if type(said) is not dict or said.keys() != _KEYS:
        raise ValueError(f"it has not exactly the keys {', '.join(sorted(_KEYS))}")
    kind, listed = said["payloadType"], said["signatures"]
    if type(kind) is not str or type(listed) is not list or not listed:
        raise ValueError("its payloadType is no text, or nobody signed it")
    envelope = Envelope(kind, _base64(said["payload"]), tuple(map(_signature, listed)))
    keys = [one.key for one in envelope.signatures]
    if keys != sorted(set(keys)):
        raise ValueError("its signatures are not each key's one, in the order of key ids")
    if encode(envelope) != data:
        raise ValueError("it is not written as canonical JSON with canonical base64")
    return envelope


def _signature(value: Any) -> Signature:
    if type(value) is not dict or value.keys() != _SIGNATURE_KEYS:
        raise ValueError(f"a signature has not exactly the keys {', '.join(_SIGNATURE_KEYS)}")
    key, made = value["keyid"], _base64(value["sig"])
    if type(key) is not str or len(key) != 64 or not _HEX.issuperset(key):
        raise ValueError("a keyid is not 64 hex digits")
    if len(made) != 64:
        raise ValueError(f"a signature has {len(made)} bytes, not 64")
    return Signature(key, made)


def _base64(value: Any) -> bytes:
    if type(value) is not str:
        raise ValueError("what should be base64 is no text")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what should be base64 is none") from None
