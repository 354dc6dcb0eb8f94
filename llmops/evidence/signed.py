"""Signed statements about runs: one envelope per payload, found by what a run's statement names.

In: envelopes, the evidence of a closure. Out: `Papers`, the envelopes about one run (that it
started, what it found, where its weights are from), each None where nobody signed it. They lie at
`reports/signed/<2 hex>/<sha256 of payload>.json` in their one canonical text. Nothing here says
whether a key counts: `signing.root` does, with base's root, wherever a signature is believed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from llmops.digest import of_bytes
from llmops.evidence import layout, started
from llmops.evidence.files import read, refuse_links, replace, write_new
from llmops.evidence.statement import Evidence, hex_of
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, Envelope, Signer

FOLDER = "signed"


@dataclass(frozen=True, slots=True)
class Papers:
    """The signed statements about one run, in the order in which they were made."""

    started: Envelope | None = None
    provenance: Envelope | None = None
    run: Envelope | None = None

    def all(self) -> tuple[Envelope, ...]:
        """Those that are there, in the order in which they may stand in a log."""
        given = (self.started, self.provenance, self.run)
        return tuple(one for one in given if one is not None)


def vouched(statement: bytes, signer: Signer) -> Envelope:
    """A statement's own bytes, signed by somebody who answers for them."""
    return dsse.sign(IN_TOTO, statement, [signer])


class Envelopes:
    """The signed statements below a store's folder. The first envelope of a payload stays."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._nonces: dict[str, str] | None = None

    def path(self, digest: str) -> Path:
        """Where the envelope of a payload lies, or would."""
        return self._root / layout.signed_path(hex_of(digest))

    def of(self, evidence: Evidence) -> Papers:
        """The envelopes about the run that evidence is of."""
        links = evidence.links
        return Papers(
            self.get(links.started) if links.started else None,
            self.get(links.provenance) if links.provenance else None,
            self.get(evidence.digest),
        )

    def get(self, digest: str) -> Envelope | None:
        """The envelope of a payload; None where none is, or what lies there is none of it."""
        data = self.raw(digest)
        return dsse.decode(data) if data is not None else None

    def raw(self, digest: str) -> bytes | None:
        """The same as its canonical bytes."""
        try:
            data = read(str(self.path(digest)))
            expect(data, digest)
        except (OSError, ValueError):
            return None
        return data

    def keep(self, envelope: Envelope) -> str:
        """Keep an envelope for ever; the digest of its payload. Raises StoreError."""
        digest, data = of_bytes(envelope.payload), dsse.encode(envelope)
        path = self.path(digest)
        refuse_links(self._root, path.parent)
        if not write_new(path, data) and self.raw(digest) is None:
            replace(path, data)  # what stood there was not what its name says
        if self._nonces is not None:
            self._nonces |= _nonce(envelope)
        return digest

    def started_by(self, nonce: str) -> str:
        """The digest of the start that used a nonce, "" where none is known."""
        if self._nonces is None:
            self._nonces = {}
            for envelope in self._every():
                self._nonces |= _nonce(envelope)
        return self._nonces.get(nonce, "")

    def _every(self) -> Iterator[Envelope]:
        for folder, _, names in os.walk(self._root / FOLDER):
            for name in names:
                digest = layout.signed_at(os.path.relpath(os.path.join(folder, name), self._root))
                envelope = self.get(f"sha256:{digest}") if digest else None
                if envelope is not None:
                    yield envelope


def expect(data: bytes, digest: str) -> Envelope:
    """The envelope that bytes are, of a statement with that digest. Raises ValueError."""
    envelope = dsse.decode(data)
    if envelope.payload_type != IN_TOTO:
        raise ValueError(f"it holds {envelope.payload_type[:80]!r}, not a statement")
    if hashlib.sha256(envelope.payload).hexdigest() != hex_of(digest):
        raise ValueError("it holds another statement than its name says")
    return envelope


def _nonce(envelope: Envelope) -> dict[str, str]:
    """The nonce of a start with its digest; nothing for any other statement."""
    try:
        found = started.parse(envelope.payload)
    except ValueError:
        return {}
    return {found.nonce: found.digest}
