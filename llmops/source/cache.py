"""A cache of plain values by git blob id: what was parsed once is not parsed again.

In: an object id and a plain value (maps, lists, text, numbers). Out: the same value in a later
process. One file for each state of the code that made the values (`code_digest`), written whole
and atomically, with its own digest in front; a file that is damaged or unwritable is as good as
none. It speeds work up and is never evidence. The format is `marshal`, which is only ever read
back from the user's own cache folder after its digest was checked.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_HEAD = b"llmops-cache-1 "
MOST = 60_000  # values kept; above that the file is begun anew


class BlobCache(MutableMapping[str, Any]):
    """A mapping that `save` keeps for the next process; without a folder it lives in memory."""

    def __init__(self, folder: Path | None, version: str) -> None:
        tag = f"{version}-{sys.version_info[0]}{sys.version_info[1]}"
        self._path = folder / f"specs-{tag}.cache" if folder is not None else None
        self._kept: dict[str, Any] = _read(self._path)
        self._changed = False

    def __getitem__(self, oid: str) -> Any:
        return self._kept[oid]

    def __setitem__(self, oid: str, value: Any) -> None:
        if len(self._kept) >= MOST:
            self._kept = {}
        self._kept[oid] = value
        self._changed = True

    def __delitem__(self, oid: str) -> None:
        del self._kept[oid]
        self._changed = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def save(self) -> None:
        """Keep what was added. A full or read-only disk costs speed, never the command."""
        if self._path is None or not self._changed:
            return
        body = marshal.dumps(self._kept)
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self._path, _HEAD + hashlib.sha256(body).digest() + body)
            self._changed = False
            _drop_old(self._path.parent)


def code_digest(*folders: Path) -> str:
    """Digest of the code (and its data) that turns texts into values: other code, other cache."""
    found = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".json"):
                found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _drop_old(folder: Path, keep: int = 4) -> None:
    """Caches of earlier code are of no use to anybody but a quick switch back."""
    kept = sorted(folder.glob("specs-*.cache"), key=lambda p: p.stat().st_mtime, reverse=True)
    for path in kept[keep:]:
        path.unlink(missing_ok=True)


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    digest, body = data[len(_HEAD) : len(_HEAD) + 32], data[len(_HEAD) + 32 :]
    if not data.startswith(_HEAD) or hashlib.sha256(body).digest() != digest:
        return {}
    found: dict[str, Any] = marshal.loads(body)
    return found


def _replace(path: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
