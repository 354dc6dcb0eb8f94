"""Somebody with the gate's and the log's keys who edits one thing and rehashes all above it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmops import merkle
from llmops.audit.base import Material
from llmops.digest import canonical, of_bytes
from llmops.log import checkpoint
from llmops.log.base import RUN
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from llmops.signing.keys import PemSigner
from llmops.source.objects import Withheld
from llmops.source.tree import Tree
from tests.audit.logs import Held

Change = Callable[[int, dict[str, Any]], None]


@dataclass(frozen=True)
class Forged(Held):
    """A log that was made again, over the trees and pages of another."""

    of: Any = None
    shown: Mapping[str, bytes] = field(default_factory=dict)

    def tree(self, oid: str, label: str, commit: str | None) -> Tree | None:
        found: Tree | None = self.of.tree(oid, label, commit)
        return found

    def withheld(self) -> Mapping[str, Withheld]:
        found: Mapping[str, Withheld] = self.of.withheld()
        return found

    def pages(self) -> Mapping[str, bytes]:
        return self.shown


def forged(
    material: Material,
    pen: PemSigner,
    change: Change = lambda _number, _said: None,
    blobs: Mapping[str, bytes] | None = None,
    drop: tuple[int, ...] = (),
) -> Forged:
    """The log with blobs replaced (digest -> bytes), statements changed, entries left out.

    Whatever names what was changed by its sha256 names the new one; Merkle roots are those of the
    new entries; everything is signed again.
    """
    held = {digest: data or b"" for digest, data in material.many(sorted(material.digests))}
    moved = {old[7:]: of_bytes(data)[7:] for old, data in (blobs or {}).items()}
    kept = {**held, **(blobs or {})}
    old_leaves: list[bytes] = []
    entries: list[bytes] = []
    for number, entry in enumerate(material.entries()):
        _root(moved, old_leaves, [merkle.leaf(one) for one in entries])
        old_leaves.append(merkle.leaf(entry))
        if number not in drop:
            entries.append(_again(entry, number, pen, change, moved))
    leaves = [merkle.leaf(one) for one in entries]
    origin = checkpoint.decode(material.checkpoint() or b"").origin
    note = checkpoint.sign(origin, len(leaves), merkle.root(leaves), pen)
    whole = {of_bytes(data): data for data in kept.values()}
    return Forged(tuple(entries), note, whole, of=material, shown=material.pages())


def _root(moved: dict[str, str], before: list[bytes], after: list[bytes]) -> None:
    moved[merkle.root(before).hex()] = merkle.root(after).hex()


def _again(
    entry: bytes, number: int, pen: PemSigner, change: Change, moved: dict[str, str]
) -> bytes:
    envelope = dsse.decode(entry)
    if envelope.payload_type != IN_TOTO:
        return entry
    text = envelope.payload.decode()
    for old, new in moved.items():
        text = text.replace(old, new) if old != new else text
    said = json.loads(text)
    change(number, said)
    payload = canonical(said)
    if payload == envelope.payload:
        return entry
    moved[hashlib.sha256(envelope.payload).hexdigest()] = hashlib.sha256(payload).hexdigest()
    return dsse.encode(dsse.sign(IN_TOTO, payload, [pen]))


def rows_of(material: Material, job: str) -> tuple[str, bytes]:
    """Digest and bytes of the public rows of a job's first run, by the beginning of its id."""
    for entry in material.entries():
        envelope = dsse.decode(entry)
        said = json.loads(envelope.payload) if envelope.payload_type == IN_TOTO else {}
        if said.get("predicateType") == RUN and said["predicate"]["job"]["id"].startswith(job):
            digest = said["predicate"]["disclosed"]["rows.jsonl"]
            return digest, material.blob(digest) or b""
    raise AssertionError(f"no run of {job}")


def edited(held: Held, **changes: Any) -> Held:
    """The same with something else."""
    return replace(held, **changes)
