"""An artifact of a workflow run -> a zip on the disk, whole or not at all. Its bytes are untrusted.

GitHub answers with an address of a storage host, signed and short-lived. It is followed without
our token, read in bounds, held against the digest that GitHub tells, and then appears under its
name.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import requests

from llmops.diagnostics import printable
from llmops.forge.base import ForgeError, RunArtifact
from llmops.forge.wire import Wire

_SECONDS = 900.0
_HOPS = 3


def fetch(
    wire: Wire, session: requests.Session, url: str, artifact: RunArtifact, to: Path, most: int
) -> None:
    """Write the artifact at an address of the API to `to`. Raises ForgeError."""
    name = f'artifact "{printable(artifact.name, 80)}"'
    if artifact.expired:
        raise ForgeError(f"{name} has expired", hint="run the workflow again")
    if artifact.size_bytes > most:
        raise ForgeError(f"{name} has {artifact.size_bytes} bytes, more than {most} are not read")
    part = _Part(to.with_name(f"{to.name}.part"))
    try:
        _follow(wire, session, url, part, most)
        if artifact.digest and artifact.digest != part.digest():
            raise ForgeError(f"{name} is not what github says it is: its digest differs")
        part.become(to)
    finally:
        part.path.unlink(missing_ok=True)


def _follow(wire: Wire, session: requests.Session, url: str, part: _Part, most: int) -> None:
    """Fill `part` with what an address and its redirects give."""
    for _ in range(_HOPS):
        request = session.prepare_request(requests.Request("GET", url))
        set_up = session.merge_environment_settings(url, {}, None, None, None)
        how = {key: value for key, value in set_up.items() if key != "stream"}
        answer = wire.answer(request, part.fill, most, _SECONDS, **how)
        if not answer.is_redirect:
            return
        url = str(answer.headers["location"])
    raise ForgeError("an artifact leads from one address to the next and never to bytes")


class _Part:
    """A file that grows. Trouble of the disk is told as such and is no reason to ask again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sums = hashlib.sha256()

    def fill(self, pieces: Iterator[bytes]) -> bytes:
        """Write the pieces, from the beginning."""
        self._sums = hashlib.sha256()
        self._try(lambda: self.path.write_bytes(b""))
        for piece in pieces:
            self._sums.update(piece)
            self._try(functools.partial(self._add, piece))
        return b""

    def digest(self) -> str:
        """`sha256:<hex>` of what is written."""
        return f"sha256:{self._sums.hexdigest()}"

    def become(self, path: Path) -> None:
        """Appear under another name."""
        self._try(lambda: self.path.replace(path))

    def _add(self, piece: bytes) -> None:
        with self.path.open("ab") as file:
            file.write(piece)

    def _try(self, call: Callable[[], object]) -> None:
        try:
            call()
        except OSError as error:
            raise ForgeError(f"an artifact cannot be written: {error.strerror}") from None
