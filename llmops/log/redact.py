"""A blob goes, its digest and the reason stay: what a person's right to erasure needs. Dry.

In: a digest, a reason, a time, a signer of role gate. Out: a signed statement for the log; the
append that carries it takes the blob from the branch's tip, and no later append brings it back.
Entries never go: they hold digests, not people's words, and every proof stays what it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from llmops.digest import canonical
from llmops.log.base import REDACTION
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, Envelope, Signer

_TYPE = "https://in-toto.io/Statement/v1"


def redaction(digest: str, reason: str, at: str, signer: Signer) -> bytes:
    """The envelope that takes a blob (`sha256:<hex>`) away at a time (UTC, RFC 3339)."""
    said = {
        "_type": _TYPE,
        "subject": [{"name": "blob", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": REDACTION,
        "predicate": {"reason": reason, "redactedAt": at},
    }
    return dsse.encode(dsse.sign(IN_TOTO, canonical(said), [signer]))


def redacted(envelopes: Iterable[Envelope]) -> frozenset[str]:
    """Digests (`sha256:<hex>`) of all blobs that entries take away."""
    found = map(_taken, envelopes)
    return frozenset(digest for digest in found if digest)


def _taken(envelope: Envelope) -> str:
    """The digest that an envelope redacts, "" where it is none of that kind."""
    if envelope.payload_type != IN_TOTO or REDACTION.encode() not in envelope.payload:
        return ""
    try:
        said: Any = json.loads(envelope.payload)
        if said["predicateType"] == REDACTION:
            return f"sha256:{said['subject'][0]['digest']['sha256']}"
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        pass
    return ""
