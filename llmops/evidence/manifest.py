"""What a run says that it hands over: every file with digest and size, and which run it was. Dry.

In: what a CI says of itself, the files of a pack. Out: `manifest.json`, and back, strictly. It
proves nothing: it makes a pack whole or not whole, of this run or of another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmops.digest import PATTERN, canonical
from llmops.jobs.base import FORMAT_VERSION

_KEYS = {"format_version", "repository", "run_id", "run_attempt", "head_sha", "files"}
_SHA = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})?")
_REPOSITORY = re.compile(r"[\w./-]{0,200}")


@dataclass(frozen=True, slots=True)
class Origin:
    """Which run made a pack: repository (owner/name), number of the run and its attempt, commit.

    "" and 0 where nobody says.
    """

    repository: str = ""
    run_id: int = 0
    run_attempt: int = 0
    head_sha: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file as a manifest has it."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The origin of a pack and all of its files but the manifest itself, by name."""

    origin: Origin
    files: Mapping[str, Listed]


def encode(found: Manifest) -> bytes:
    """The manifest as canonical JSON."""
    one = found.origin
    return canonical(
        {
            "format_version": FORMAT_VERSION,
            "repository": one.repository,
            "run_id": one.run_id,
            "run_attempt": one.run_attempt,
            "head_sha": one.head_sha,
            "files": {
                name: {"digest": file.digest, "size_bytes": file.size_bytes}
                for name, file in found.files.items()
            },
        }
    )


def decode(data: Any) -> Manifest:
    """The manifest that parsed JSON is. Raises ValueError naming what is not as `encode` has it."""
    if type(data) is not dict or data.keys() != _KEYS:
        raise ValueError(f"it has not exactly the keys {', '.join(sorted(_KEYS))}")
    if type(data["format_version"]) is not int or data["format_version"] != FORMAT_VERSION:
        raise ValueError(f"its format_version is not {FORMAT_VERSION}")
    origin = Origin(data["repository"], data["run_id"], data["run_attempt"], data["head_sha"])
    for number in (origin.run_id, origin.run_attempt):
        if type(number) is not int or not 0 <= number < 2**53:
            raise ValueError("the number of its run is none")
    for text, pattern in ((origin.repository, _REPOSITORY), (origin.head_sha, _SHA)):
        if type(text) is not str or not pattern.fullmatch(text):
            raise ValueError("its repository or commit is none")
    if type(data["files"]) is not dict:
        raise ValueError("its files are no object")
    return Manifest(origin, {name: _listed(name, one) for name, one in data["files"].items()})


def _listed(name: str, data: Any) -> Listed:
    if type(data) is not dict or data.keys() != {"digest", "size_bytes"}:
        raise ValueError(f'file "{name[:80]}" has not exactly the keys digest and size_bytes')
    digest, size = data["digest"], data["size_bytes"]
    if type(digest) is not str or not PATTERN.fullmatch(digest):
        raise ValueError(f'file "{name[:80]}" has no digest')
    if type(size) is not int or not 0 <= size < 2**53:
        raise ValueError(f'file "{name[:80]}" has no size')
    return Listed(digest, size)
