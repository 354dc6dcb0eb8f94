"""A cache of plain values by git blob id: what was parsed once is not parsed again.

In: an object id and a plain value (maps, lists, text, numbers). Out: the same value in a later
process. One file for each state of the code that made the values (`code_digest`); how it is kept
is told in `kept`. The format is `marshal`, which is only ever read back from the user's own cache
folder after its digest was checked.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

from llmops.source import kept

MOST = 60_000  # values kept; above that the file is begun anew
_STATES = 4  # of the code: earlier ones are of no use to anybody but a quick switch back
_LIBRARIES = ("google_re2-", "pydantic-", "pydantic_core-", "ruamel_yaml-", "ruamel_yaml_clib-")


class BlobCache(MutableMapping[str, Any]):
    """A mapping that `save` keeps for the next process; without a folder it lives in memory."""

    def __init__(self, folder: Path | None, version: str) -> None:
        self._path = folder / f"specs-{version}.cache" if folder is not None else None
        body = kept.read(self._path) if self._path is not None else None
        self._kept: dict[str, Any] = marshal.loads(body) if body is not None else {}
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
        if kept.write(self._path, marshal.dumps(self._kept)):
            self._changed = False
            kept.drop_old(self._path.parent, "specs-*.cache", _STATES)


def code_digest(*folders: Path) -> str:
    """Digest of what turns texts into values: this code and its data, Python, the libraries.

    Other code has another cache. Files are read, never judged by their times.
    """
    found = hashlib.sha256(repr((sys.version_info[:2], _libraries())).encode())
    for folder in folders:
        for path in _files(folder):
            with open(path, "rb") as file:
                data = file.read()
            found.update(f"{path[len(str(folder)) :]} {len(data)}\n".encode() + data)
    return found.hexdigest()[:32]


def _files(folder: Path) -> Iterator[str]:
    for where, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if name != "__pycache__")
        yield from (os.path.join(where, n) for n in sorted(names) if n.endswith((".py", ".json")))


def _libraries() -> list[str]:
    """`pydantic-2.14.3.dist-info` and the others that read specs, as they are installed."""
    found: set[str] = set()
    for folder in filter(os.path.isdir, sys.path):
        found.update(name for name in os.listdir(folder) if name.startswith(_LIBRARIES))
    return sorted(found)
