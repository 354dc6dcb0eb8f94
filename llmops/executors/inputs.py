"""What a job reads, as verified paths on this machine.

In: an `Input` (another job's artifact, a file of the tree, or content by address and digest).
Out: `Given`, a path whose bytes have the digest beside it. Files of the tree are written by
digest below `reports/blobs/`, because the tree that is judged need not be checked out.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from llmops.digest import of_bytes
from llmops.errors import FetchError, StoreError
from llmops.evidence.files import Digests, refuse_links, replace
from llmops.evidence.statement import hex_of
from llmops.evidence.store import Store
from llmops.executors.base import Given
from llmops.jobs.base import Input

Fetch = Callable[[str, str | None], Path]
ReadBlob = Callable[[str, str], bytes]


class Inputs:
    """Finds inputs. `fetch(digest, uri)` gives a verified path, `read_blob(digest, file)` bytes."""

    def __init__(self, store: Store, fetch: Fetch, read_blob: ReadBlob) -> None:
        self._store, self._fetch, self._read_blob = store, fetch, read_blob
        self._digests = Digests()

    def __call__(self, wanted: Input) -> Given:
        """The input's verified bytes. Raises StoreError or FetchError if they cannot be had."""
        if wanted.job is not None and wanted.artifact is not None:
            return self._artifact(wanted.job, wanted.artifact)
        if wanted.digest is None:
            raise StoreError(f'input "{wanted.name}" says neither a job nor a digest')
        if wanted.file is not None:
            return Given(self._blob(wanted.digest, wanted.file), wanted.digest)
        # Absolute: a cache or mirror may be named relative to here, and the worker is elsewhere.
        return Given(self._fetch(wanted.digest, wanted.uri).absolute(), wanted.digest)

    def _artifact(self, closure: str, name: str) -> Given:
        path = self._store.artifact(closure, name)
        evidence = self._store.evidence(closure)
        assert evidence is not None, "the store just gave an artifact of it"
        return Given(path, next(a.digest for a in evidence.result.artifacts if a.name == name))

    def _blob(self, digest: str, file: str) -> Path:
        path = self._store.root / "blobs" / "sha256" / hex_of(digest)
        refuse_links(self._store.root, path.parent)
        if self._holds(path, digest):
            return path
        data = self._read_blob(digest, file)
        if of_bytes(data) != digest:
            raise FetchError(
                f"{file} is {of_bytes(data)} in the tree, the plan names {digest}",
                hint="plan again",
            )
        replace(path, data)
        return path

    def _holds(self, path: Path, digest: str) -> bool:
        try:
            return self._digests.of(path) == digest
        except (OSError, ValueError):  # not there yet, or no file: it is written anew
            return False
