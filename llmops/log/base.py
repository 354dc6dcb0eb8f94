"""The nouns of the log, and the kinds of its entries by their predicate type. Dry."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from llmops.signing import dsse
from llmops.signing.base import Envelope, Role

BRANCH = "llmops-log"
CHECKPOINT = "checkpoint"

# Kinds of entries: predicateType of the in-toto Statement in the envelope, and who may sign it.
# A trust root is an entry too: its payload is of type signing.base.ROOT, signed by role root.
RUN_STARTED = "https://llmops.dev/run-started/v1"  # runner, or gate
RUN = "https://llmops.dev/run/v1"  # runner, or gate
PROVENANCE = "https://slsa.dev/provenance/v1"  # runner, or gate; of trainings
LEDGER = "https://llmops.dev/ledger/v1"  # gate; an entry of the ledger of attempts, as it stands
APPROVAL = "https://llmops.dev/approval/v1"  # gate
POLICY_CHANGE = "https://llmops.dev/policy-change/v1"  # gate
EVAL_REPORT = "https://llmops.dev/eval-report/v1"  # gate; all that a verdict says
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"  # gate
VSA = "https://slsa.dev/verification_summary/v1"  # gate
REUSE_AUDIT = "https://llmops.dev/reuse-audit/v1"  # runner, or gate; a reused job run once more
REDACTION = "https://llmops.dev/redaction/v1"  # gate

ALLOWED: dict[str, tuple[Role, ...]] = {
    **dict.fromkeys((RUN_STARTED, RUN, PROVENANCE, REUSE_AUDIT), ("runner", "gate")),
    **dict.fromkeys(
        (LEDGER, APPROVAL, POLICY_CHANGE, EVAL_REPORT, TEST_RESULT, VSA, REDACTION), ("gate",)
    ),
}


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature line of a checkpoint: the name, and the 4 hint bytes with the signature."""

    name: str
    hint: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How many entries there are and their Merkle root (32 bytes), as somebody signed it."""

    origin: str
    size: int
    root: bytes
    signed: tuple[Signed, ...] = ()


@dataclass(frozen=True)
class Known:
    """What a log has when somebody wants to append to it."""

    entries: tuple[bytes, ...] = ()

    @property
    def size(self) -> int:
        """How many entries there are, which is the number of the next one."""
        return len(self.entries)

    @cached_property
    def envelopes(self) -> tuple[Envelope, ...]:
        """The entries read. Raises ValueError: one of them is no envelope."""
        return tuple(map(dsse.decode, self.entries))

    @cached_property
    def payloads(self) -> Mapping[str, int]:
        """The number of the first entry with a payload, by the payload's sha256 (64 hex)."""
        found: dict[str, int] = {}
        for number, envelope in enumerate(self.envelopes):
            found.setdefault(hashlib.sha256(envelope.payload).hexdigest(), number)
        return found


class Source(Protocol):
    """A log that can be read: a branch of a repository, or a bundle. Nothing in it is believed."""

    def checkpoint(self) -> bytes | None:
        """The file `checkpoint`; None where there is no log."""
        ...

    def entries(self) -> Iterator[bytes]:
        """The bytes of every entry, in the order of their numbers from 0 without a gap."""
        ...

    def blob(self, digest: str) -> bytes | None:
        """The bytes that `sha256:<hex>` names as the log keeps them, None where it has not."""
        ...
