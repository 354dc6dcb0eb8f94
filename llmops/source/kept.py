"""Files of a cache: each is whole, with its own digest in front, or as good as none. Wet.

In: a path and bytes. Out: the same bytes in a later process. What is damaged, cut or of somebody
else is not read, and a disk that is full or read-only keeps nothing; neither is ever an error,
since a cache speeds work up and decides nothing. A file appears under its name only when it is
whole, so two processes may write the same one. Nothing is synced: what a power cut takes is made
again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

_HEAD = b"llmops-cache-1 "
_START = len(_HEAD) + 32


def read(path: Path) -> bytes | None:
    """What `write` kept there, if every byte of it is still the same."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, body = data[len(_HEAD) : _START], data[_START:]
    whole = data.startswith(_HEAD) and hashlib.sha256(body).digest() == digest
    return body if whole else None


def write(path: Path, body: bytes) -> bool:
    """Keep these bytes under a name, in place of what was there; whether that went well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, _HEAD + hashlib.sha256(body).digest() + body)
    except OSError:
        return False
    return True


def drop_old(folder: Path, pattern: str, keep: int) -> None:
    """Leave only so many files of a name, those written last."""
    with suppress(OSError):
        found = sorted(folder.glob(pattern), key=lambda p: p.stat().st_mtime, reverse=True)
        for path in found[keep:]:
            path.unlink(missing_ok=True)


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise
