"""What a pack offers: statements with the files and the signatures that belong to each.

In: the pieces of a parcel, by name. Out: one `Offered` per closure, whole in itself and in our own
form, byte for byte; what is not goes to a list of reasons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmops.evidence import layout
from llmops.evidence.parcel import MANIFEST, Piece, artifact_at
from llmops.evidence.statement import Evidence, encode, parse


@dataclass(frozen=True, slots=True)
class Offered:
    """One statement of a pack, what its job was told, and what came along with it.

    `files`: artifacts by name. `papers`: envelopes by the digest of what they are on.
    """

    evidence: Evidence
    data: bytes
    inputs: Mapping[str, str]
    told: Mapping[str, Any]
    files: Mapping[str, Piece] = field(default_factory=dict)
    papers: Mapping[str, Piece] = field(default_factory=dict)

    def signable(self) -> Mapping[str, str]:
        """What may be signed of it: digest -> in words."""
        links = self.evidence.links
        every = {
            links.started: "its start", links.provenance: "where its weights are from",
            self.evidence.digest: "the run",
        }  # fmt: skip
        return {digest: words for digest, words in every.items() if digest}


def offered_in(pieces: Mapping[str, Piece], refused: list[str]) -> Iterator[tuple[str, Offered]]:
    """The statements of a pack that are whole in themselves, each closure once."""
    files: dict[str, dict[str, Piece]] = {}
    statements: dict[str, list[str]] = {}
    papers: dict[str, Piece] = {}
    for name, piece in pieces.items():
        if (artifact := artifact_at(name)) is not None:
            files.setdefault(artifact[0], {})[artifact[1]] = piece
        elif (digest := layout.signed_at(name)) is not None:
            papers[f"sha256:{digest}"] = piece
        elif name != MANIFEST:
            statements.setdefault(name.split("/")[1], []).append(name)
    for closure in sorted(files.keys() - statements.keys()):
        refused.append(f"artifacts of {closure[:12]} come without a statement")
    for closure, names in sorted(statements.items()):
        try:
            if len(names) > 1:
                raise ValueError(f"{len(names)} statements about one closure")
            made = _read(names[0], pieces[names[0]], files.get(closure, {}), papers)
            for digest in made.papers:
                del papers[digest]
            yield f"sha256:{closure}", made
        except ValueError as error:
            refused.append(f"{names[0][:32]}…: {str(error)[:300]}")
    if papers:
        refused.append(f"{len(papers)} signed statements come without the run that they are of")


def strict_json(data: bytes) -> Any:
    """The value that JSON is. Raises ValueError, for NaN and what is nested too deeply too."""
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except (RecursionError, UnicodeDecodeError) as error:
        raise ValueError(type(error).__name__) from None


def _read(
    name: str, piece: Piece, files: Mapping[str, Piece], papers: Mapping[str, Piece]
) -> Offered:
    """A statement in our own form, byte for byte. Raises ValueError."""
    _, closure, file = name.split("/")
    data = piece.path.read_bytes()
    if file != f"{piece.digest[7:]}.json":
        raise ValueError("a statement holds other bytes than its name says")
    value = strict_json(data)
    evidence = parse(value, piece.digest)
    if evidence.closure != f"sha256:{closure}":
        raise ValueError("a statement is about another closure")
    if encode(value)[0] != data:
        raise ValueError("a statement is not written as canonical JSON")
    made = Offered(evidence, data, evidence.inputs, value["predicate"]["job"], files)
    return replace(made, papers={one: papers[one] for one in made.signable() if one in papers})


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
