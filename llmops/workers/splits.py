"""Which part a row belongs to: by the hash of its subject, or as its source was given.

By hash: part = f(seed, subject) and nothing else, so a new row never moves an old one and all rows
of a subject lie on one side. The line from 0 to 1 is cut at the shares in the order of the parts'
names; the arithmetic is exact, so every machine cuts at the same place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from llmops import digest
from llmops.diagnostics import printable
from llmops.workers.contract import WorkerError

_WHOLE = 2**256


class ByHash:
    """Cuts by sha256 of the seed and the subject's canonical JSON."""

    def __init__(self, parts: Mapping[str, Any], seed: int, by: str | None) -> None:
        self.seed = seed
        self.by = by
        self.edges = _edges(parts)
        self.names = tuple(name for name, _ in self.edges)

    def part(self, row: Mapping[str, Any], source: str) -> str | None:
        """The row's part; None when the row has no subject."""
        subject = row["id"] if self.by is None else row.get(self.by)
        if subject is None or subject == "":
            return None
        hashed = hashlib.sha256(digest.canonical([self.seed, subject])).digest()
        point = int.from_bytes(hashed, "big")
        return next(name for name, edge in self.edges if point < edge)


class Given:
    """A part is a source; rows of a source that no part names are in none."""

    by = None

    def __init__(self, parts: Mapping[str, Any]) -> None:
        self.parts = {str(source): name for name, source in sorted(parts.items())}
        if len(self.parts) != len(parts):
            raise WorkerError("one source is given as two parts", hint="list the source once")
        self.names = tuple(sorted(parts))

    def part(self, row: Mapping[str, Any], source: str) -> str | None:
        """The part that this source is; None when it is none."""
        return self.parts.get(source)


def build(splits: Mapping[str, Any], sources: tuple[str, ...]) -> ByHash | Given:
    """The cutter that `splits` describes. Raises WorkerError when it cannot mean anything."""
    method, parts = splits["method"], splits["parts"]
    if not parts:
        raise WorkerError("splits has no parts")
    if method == "hash":
        return ByHash(parts, splits.get("seed", 0), splits.get("by"))
    if method != "given":
        raise WorkerError(f'no split method "{printable(str(method))}"', hint="hash or given")
    for name, source in sorted(parts.items()):
        if source not in sources:
            hint = f"sources are {', '.join(sources)}"
            raise WorkerError(f'part "{name}" is given by no source "{source}"', hint=hint)
    return Given(parts)


def _edges(parts: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    shares = {name: Fraction(str(share)) for name, share in sorted(parts.items())}
    if sum(shares.values()) != 1 or min(shares.values()) <= 0:
        total = float(sum(shares.values()))
        raise WorkerError(f"the shares of the parts sum to {total:g}, not 1")
    reached = Fraction(0)
    edges: list[tuple[str, int]] = []
    for name, share in shares.items():
        reached += share
        edges.append((name, int(reached * _WHOLE)))
    return tuple(edges)
