"""Up to which commit of the branch a store was filled, so that the next pull reads what is new.

The mark lies among the statements: whoever removes those removes it too. It says since when this
machine runs: what was written to a disk just before the power went may not be on it, so after a
start everything is compared once more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from llmops.evidence.files import read, replace
from llmops.evidence.store import Store

_NAME = "evidence/.branch"


@dataclass(frozen=True, slots=True)
class Mark:
    """The commit, "" where nothing was brought yet, and of which branch and remote it is."""

    tip: str
    url: str
    branch: str

    @classmethod
    def of(cls, store: Store, url: str, branch: str) -> Mark:
        """The mark of a store; an empty one where there is none that can be used."""
        try:
            said = json.loads(read(str(store.root / _NAME)))
            if [said["url"], said["branch"], said["boot"]] == [url, branch, _boot()]:
                return cls(str(said["tip"]), url, branch)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass
        return cls("", url, branch)

    def set(self, store: Store, tip: str) -> None:
        """All that the branch has at `tip` is here. Raises StoreError."""
        said = {"tip": tip, "url": self.url, "branch": self.branch, "boot": _boot()}
        if tip != self.tip:
            replace(store.root / _NAME, json.dumps(said).encode())


def _boot() -> str:
    """Which start of this machine it is, "" where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
