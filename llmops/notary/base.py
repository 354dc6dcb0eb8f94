"""The nouns of the gate's pen: `Pen`, `Unsigned`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from llmops.log.branch import Appended, Build, Log
from llmops.signing.base import Role, Signer
from llmops.signing.root import Chain

ROLES: tuple[Role, ...] = ("gate", "log")  # that whoever writes has, both


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def text(at: datetime) -> str:
    """A time as statements have it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Pen:
    """Who writes into which log, by base's leave. `repository`: where it is, as a URI."""

    log: Log
    signer: Signer
    chain: Chain
    repository: str
    clock: Callable[[], datetime] = now
    pause: Callable[[float], None] = time.sleep

    def append(self, build: Build, blobs: Iterable[bytes] = ()) -> Appended:
        """Append to the log, signed. Raises LogError, GitError."""
        return self.log.append(
            build, blobs, self.signer, now=lambda: self.clock().timestamp(), pause=self.pause
        )

    @property
    def root(self) -> str:
        """The digest of the trust root in force."""
        return self.chain.newest.digest


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Why nothing is signed although base names whose key counts, and what to do."""

    why: str
    hint: str = ""
