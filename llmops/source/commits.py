"""Files -> a commit, without a work tree: one process, however many files. Wet.

In: a parent, paths with their bytes, a message, who and when. Out: the commit's id; the same values
give the same id. No branch moves: whoever called decides what becomes of the commit.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llmops.diagnostics import printable
from llmops.errors import UsageError
from llmops.source.git import Git, safely

# One segment of a path: no control characters, and nothing that git or another system would read
# as its own folder, as the folder above, or as a device or stream.
_SEGMENT = re.compile(r"[^\x00-\x1f\x7f/\\:]{1,255}")
_OWN = re.compile(r"\.{1,2}|\.git[ .]*|git~\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Who:
    """Who commits, and when in seconds since the epoch (UTC)."""

    name: str
    email: str
    at: int


def committed(
    git: Git, parent: str | None, files: Mapping[str, bytes | None], message: str, who: Who
) -> str:
    """The id of the commit. Raises UsageError for a path of no file, GitError if git refuses."""
    ref = f"refs/llmops/new-{secrets.token_hex(8)}"  # gone again before git ends
    nothing = "0" * (len(parent) if parent else _hexes(git))
    data = b"".join(_stream(ref, parent, files, message, who, nothing))
    kept = Git(git.folder, {**git.extra, **safely()})
    done = kept.run("fast-import", "--quiet", "--done", "--force", data=data)
    return done.stdout.decode().strip()


def _hexes(git: Git) -> int:
    """How long the repository's object ids are."""
    return 64 if git.text("rev-parse", "--show-object-format") == "sha256" else 40


def _stream(
    ref: str,
    parent: str | None,
    files: Mapping[str, bytes | None],
    message: str,
    who: Who,
    nothing: str,
) -> Iterator[bytes]:
    """What `git fast-import` reads: https://git-scm.com/docs/git-fast-import."""
    zone = f"{_plain(who.name)} <{_plain(who.email)}> {who.at} +0000"
    yield f"commit {ref}\nmark :1\ncommitter {zone}\n".encode()
    yield from _bytes(message.encode())
    if parent is not None:
        yield f"from {parent}\n".encode()
    for path, content in files.items():
        if content is None:
            yield b"D " + _path(path) + b"\n"
        else:
            yield b"M 100644 inline " + _path(path) + b"\n"
            yield from _bytes(content)
    yield f"get-mark :1\nreset {ref}\nfrom {nothing}\ndone\n".encode()


def _bytes(data: bytes) -> Iterator[bytes]:
    yield f"data {len(data)}\n".encode()
    yield data
    yield b"\n"


def _path(path: str) -> bytes:
    """A path as git reads it, in quotes. Raises UsageError for what is no path below a folder."""
    for part in path.split("/"):
        if not _SEGMENT.fullmatch(part) or _OWN.fullmatch(part):
            raise UsageError(f'"{printable(path, 120)}" cannot be the path of a file in a commit')
    return b'"' + path.replace('"', '\\"').encode() + b'"'


def _plain(text: str) -> str:
    return re.sub(r"[<>\x00-\x1f]", "", text)
