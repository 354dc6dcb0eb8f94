"""Proofs for whoever does not believe a log: an entry is in it, and it only grew. Dry.

In: leaf hashes and a signed checkpoint. Out: texts that need no llmops to check. An entry's is a
C2SP tlog-proof (https://c2sp.org/tlog-proof): index, path, checkpoint. That an older checkpoint is
the beginning of a newer one has no such format yet; it is JSON with both and the path of RFC 6962.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmops import merkle
from llmops.log.base import Checkpoint
from llmops.log.checkpoint import decode

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a leaf stands at an index of the tree that a note is about."""

    index: int
    path: tuple[bytes, ...]
    note: bytes

    def holds(self, leaf: bytes) -> bool:
        """Whether it shows that for this leaf hash; who signed the note is another question."""
        said = decode(self.note)
        return merkle.included(leaf, self.index, said.size, self.path, said.root)

    def encode(self) -> bytes:
        """The text of the proof."""
        lines = (HEADER, f"index {self.index}", *(_text(step) for step in self.path), "")
        return "".join(f"{line}\n" for line in lines).encode() + self.note


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of one checkpoint begins with that of another."""

    before: Checkpoint
    after: Checkpoint
    path: tuple[bytes, ...]

    def holds(self) -> bool:
        """Whether it shows that."""
        first, second = self.before, self.after
        return merkle.consistent(first.size, first.root, second.size, second.root, self.path)

    def to_json(self) -> dict[str, Any]:
        """The proof as plain values, hashes in hex."""
        return {
            "before": _head(self.before),
            "after": _head(self.after),
            "path": [step.hex() for step in self.path],
        }


def inclusion(leaves: Sequence[bytes], index: int, note: bytes) -> Inclusion:
    """The proof for one entry of a log whose leaves these are. Raises IndexError."""
    return Inclusion(index, merkle.inclusion(leaves, index), note)


def consistency(leaves: Sequence[bytes], before: Checkpoint, after: Checkpoint) -> Consistency:
    """The proof that the log had grown and nothing else; it does not hold where that is not so.

    Raises IndexError where the older checkpoint has no entry, or more than there are.
    """
    return Consistency(before, after, merkle.consistency(leaves, before.size))


def decoded(data: bytes) -> Inclusion:
    """The proof that a text is. Raises ValueError; a line of extra data is not ours."""
    head, _, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
        found = _INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
        if lines[0] != HEADER or found is None:
            raise ValueError("it does not begin as a proof does")
        path = tuple(base64.b64decode(line, validate=True) for line in lines[2:])
    except UnicodeDecodeError:
        raise ValueError("it is not ASCII before its checkpoint") from None
    decode(note)
    proof = Inclusion(int(found[1]), path, note)
    if proof.encode() != data or any(len(step) != 32 for step in path):
        raise ValueError("it is not written as a proof is, byte for byte")
    return proof


def _head(said: Checkpoint) -> dict[str, Any]:
    return {"origin": said.origin, "size": said.size, "root": said.root.hex()}


def _text(step: bytes) -> str:
    return base64.b64encode(step).decode()
