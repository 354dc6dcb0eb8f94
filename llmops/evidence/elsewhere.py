"""Where artifacts may lie that are not on this machine: a shared store, uploads of workflow runs.

In: a closure and an artifact as its statement names it. Out: whether it can be had, and its bytes,
which nobody believes before their digest is compared (`store.py`). To add a place: a class with
`has` and `bring`, as `uploads.Uploads` is one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from llmops.errors import StoreError
from llmops.evidence.places import Place, known
from llmops.jobs.base import Artifact

if TYPE_CHECKING:
    from llmops.evidence.blobs import Blobs

Now = Callable[[], datetime]


class Source(Protocol):
    """Where an artifact may lie that is not on this machine."""

    def has(self, closure: str, artifact: Artifact) -> bool:
        """Whether it is there. Raises StoreError: that cannot be looked at."""

    def bring(self, closure: str, artifact: Artifact, into: Path) -> Path:
        """Its bytes, somewhere below a folder that is empty; others check them.

        Raises StoreError where they cannot be had.
        """


@dataclass(frozen=True, slots=True)
class InBlobs:
    """Artifacts by digest in a store that several machines share."""

    blobs: Blobs

    def has(self, closure: str, artifact: Artifact) -> bool:
        """Whether it lies there."""
        return self.blobs.has(artifact.digest)

    def bring(self, closure: str, artifact: Artifact, into: Path) -> Path:
        """Its bytes, checked on the way."""
        self.blobs.get(artifact.digest, into / "artifact")
        return into / "artifact"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What records say of uploads: seen, and brought by whoever may ask the forge for them."""

    root: Path  # of the store
    now: Now = lambda: datetime.now(UTC)

    def has(self, closure: str, artifact: Artifact) -> bool:
        """Whether a workflow run uploaded it and keeps it still."""
        return bool(self.alive(closure))

    def bring(self, closure: str, artifact: Artifact, into: Path) -> Path:
        """Nothing: this needs a token."""
        place = self.alive(closure)[0]
        what = f'artifact "{artifact.name}" lies in {place.name} of run {place.run_id}'
        hint = "llmops evidence pull --plan plan.json brings it, with a token for actions: read"
        raise StoreError(f"{what} of {place.repository}, not here", hint=hint)

    def alive(self, closure: str) -> tuple[Place, ...]:
        """The uploads that have a closure's artifacts and have not expired, newest first."""
        return tuple(one for one in known(self.root, closure) if not _expired(one, self.now()))


def _expired(place: Place, now: datetime) -> bool:
    return bool(place.expires_at) and datetime.fromisoformat(place.expires_at) <= now
