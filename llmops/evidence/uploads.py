"""Artifacts that workflow runs uploaded, brought through the forge. Wet.

In: records of uploads, a forge that may read them. Out: files out of an upload's zip, unpacked as
those of a stranger are. The zero-setup way: it works until uploads expire, then jobs are planned
again; an `Environment.store` keeps artifacts for as long as they are needed.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from pathlib import Path

from llmops.errors import StoreError
from llmops.evidence.elsewhere import Recorded
from llmops.evidence.parcel import Limits, Refused, unpack
from llmops.evidence.places import Place
from llmops.evidence.statement import hex_of
from llmops.forge.base import Forge, ForgeError, RunArtifact
from llmops.jobs.base import Artifact

MOST_BYTES = 64 * 2**30  # of an upload


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class Uploads(Recorded):
    """The same, brought through the forge: each upload is downloaded and unpacked once.

    What was unpacked goes when this goes.
    """

    forge: Forge | None = None  # always given
    _kept: dict[int, Path] = field(default_factory=dict)

    def bring(self, closure: str, artifact: Artifact, into: Path) -> Path:
        """The artifact's bytes out of the newest upload that has them."""
        said = StoreError(f'artifact "{artifact.name}" is in no upload that is known')
        for place in self.alive(closure):
            try:
                path = self._unpacked(place) / "runs" / hex_of(closure) / "artifacts"
                if (path / artifact.name).exists():
                    return path / artifact.name
            except (ForgeError, Refused) as error:
                if isinstance(error, ForgeError) and not _gone(error):
                    raise  # an outage, or no permission: nobody knows whether it is there
                words = f"{place.name} of run {place.run_id} cannot be had: {error}"
                said = StoreError(words, hint="llmops plan shows the job that makes it again")
        raise said

    def _unpacked(self, place: Place) -> Path:
        if place.artifact_id not in self._kept:
            self._kept[place.artifact_id] = self._fetched(place)
        return self._kept[place.artifact_id]

    def _fetched(self, place: Place) -> Path:
        """Raises ForgeError or Refused."""
        assert self.forge is not None, "made with a forge"
        if str(self.forge.repo) != place.repository:
            raise Refused(f"it is of {place.repository}, and this token is for {self.forge.repo}")
        self.root.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix=".incoming-", dir=self.root)
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        asked = RunArtifact(
            place.artifact_id, place.name, place.size_bytes, place.run_id, False, place.digest
        )
        archive = Path(folder, "upload.zip")
        self.forge.download(asked, archive, MOST_BYTES)
        unpack(archive, Path(folder, "pack"), Limits())
        archive.unlink()
        return Path(folder, "pack")


def _gone(error: ForgeError) -> bool:
    """Whether trying again brings nothing: the bytes are not there, or not the ones listed."""
    return type(error) is ForgeError or getattr(error, "status", 0) in (404, 410)
