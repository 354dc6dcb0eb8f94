"""Where the artifacts of a closure lie when they are not here: records beside the evidence.

In: what a workflow run uploaded, by closure. Out: the records again, newest first. A record is a
hint and proves nothing: what it leads to is taken only with the digests of the statement.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from llmops.digest import canonical
from llmops.evidence.files import put, read, refuse_links
from llmops.evidence.statement import hex_of
from llmops.jobs.base import FORMAT_VERSION

FOLDER = "places"
_MOST = 8  # records of one closure: an older one has expired long before
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")
_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64})?")


class Rooted(Protocol):
    """A store, as far as records need it."""

    @property
    def root(self) -> Path:
        """Its folder."""


@dataclass(frozen=True, slots=True)
class Place:
    """An artifact of a workflow run that holds a closure's artifacts, as `evidence pack` has them.

    `expires_at`: UTC, RFC 3339, "" where nobody says.
    """

    repository: str  # owner/name
    run_id: int
    artifact_id: int
    name: str
    expires_at: str = ""
    size_bytes: int = 0
    digest: str = ""


def places(store: Rooted, closure: str) -> tuple[Place, ...]:
    """What is known of a closure, the newest first; nothing where the record is damaged."""
    return known(store.root, closure)


def known(root: Path, closure: str) -> tuple[Place, ...]:
    """The same, by the folder of a store."""
    try:
        return decode(read(str(_path(root, closure))))
    except (OSError, ValueError):
        return ()


def record(store: Rooted, closure: str, found: Iterable[Place]) -> None:
    """Add places of a closure. Raises StoreError."""
    there = places(store, closure)
    merged = merge(there, found)
    if merged != there:
        refuse_links(store.root, store.root / FOLDER)
        put(_path(store.root, closure), encode(merged))


def merge(*several: Iterable[Place]) -> tuple[Place, ...]:
    """All places once, the newest runs first, as many as are worth keeping."""
    every = {(one.repository, one.artifact_id): one for some in several for one in some}
    ordered = sorted(every.values(), key=lambda one: (-one.run_id, -one.artifact_id, one.name))
    return tuple(ordered[:_MOST])


def encode(found: Iterable[Place]) -> bytes:
    """Places as canonical JSON."""
    return canonical({"format_version": FORMAT_VERSION, "places": [asdict(one) for one in found]})


def decode(data: bytes) -> tuple[Place, ...]:
    """Places from JSON. Raises ValueError for what `encode` would not write."""
    try:
        said = json.loads(data)
        if type(said) is not dict or said.keys() != {"format_version", "places"}:
            raise ValueError("other keys than format_version and places")
        if said["format_version"] != FORMAT_VERSION:
            raise ValueError("another format_version")
        return tuple(map(_place, said["places"]))
    except (TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _place(data: Any) -> Place:
    made = Place(**data)
    texts = (
        (_REPOSITORY, made.repository), (_NAME, made.name), (_TIME, made.expires_at),
        (_DIGEST, made.digest),
    )  # fmt: skip
    numbers = (made.run_id, made.artifact_id, made.size_bytes)
    if not all(type(number) is int and 0 <= number < 2**53 for number in numbers):
        raise ValueError("a number of it is none")
    if not all(type(text) is str and pattern.fullmatch(text) for pattern, text in texts):
        raise ValueError("a text of it is none that we write")
    return made


def _path(root: Path, closure: str) -> Path:
    return root / FOLDER / f"{hex_of(closure)}.json"
