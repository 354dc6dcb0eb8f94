"""Kept evidence -> what of it goes into the log: statements, their envelopes, public forms.

In: a store, the closures that a verdict rests on, and every run there that measured on rows, since
each of those was a look at them. Out: `Brought`. What a runner signed is taken as it is; for what
nobody signed the gate speaks itself: it admitted the run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from llmops.digest import of_bytes
from llmops.errors import StoreError
from llmops.evidence.rows import looks
from llmops.evidence.statement import Evidence
from llmops.evidence.store import Store
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, Signer


@dataclass(frozen=True)
class Brought:
    """The runs that a gate rests on, by closure, and all of which the log has to know."""

    used: Mapping[str, Evidence]
    looks: Mapping[str, Evidence]
    store: Store

    def all(self) -> Mapping[str, Evidence]:
        """Every run, those that a verdict rests on first."""
        return {**self.used, **self.looks}

    def statement(self, evidence: Evidence) -> bytes:
        """The bytes of a run's statement. Raises StoreError."""
        path = self.store.statement(evidence.closure, evidence.digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path.name} cannot be read: {error.strerror}") from error
        if of_bytes(data) != evidence.digest:
            raise StoreError(f"{path.name} changed meanwhile")
        return data


def brought(store: Store, closures: Collection[str]) -> Brought:
    """What a store has of some closures, and all looks at rows that it knows of."""
    used = {closure: kept for closure in sorted(closures) if (kept := store.evidence(closure))}
    return Brought(used, dict(sorted(looks(store))), store)


def signed(payload: bytes, signer: Signer) -> bytes:
    """A statement's envelope, as a file of the log."""
    return dsse.encode(dsse.sign(IN_TOTO, payload, [signer]))
