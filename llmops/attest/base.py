"""The noun of the room: a statement about a verdict. Dry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Statement:
    """One in-toto Statement: its predicate type, and the canonical bytes of it."""

    kind: str
    payload: bytes
