"""What tests of the log share: keys made from a seed, envelopes, and logs on a branch."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from llmops.digest import canonical
from llmops.log.base import Known
from llmops.log.branch import Build, Log
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO
from llmops.source.remote import Remote
from llmops.source.tree import Repository


@dataclass(frozen=True)
class Pen:
    """A signer whose key follows from a word."""

    word: str = "log"

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.word.encode()).digest())

    @property
    def key(self) -> str:
        spki = self._private.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )
        return hashlib.sha256(spki).hexdigest()

    @property
    def public(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


PEN = Pen()


def envelope(said: object, pen: Pen = PEN) -> bytes:
    """A signed statement that says something."""
    return dsse.encode(dsse.sign(IN_TOTO, canonical({"said": said}), [pen]))


def adding(*words: object) -> Build:
    """A `build` that appends an envelope for each word that is not there yet."""
    made = [envelope(word) for word in words]

    def build(known: Known) -> Sequence[bytes] | None:
        return [one for one in made if one not in known.entries]

    return build


def log_of(folder: Path, there: Path | None = None, publics: Sequence[bytes] = ()) -> Log:
    """The log of a repository, shared at another one where that is said."""
    repository = Repository.find(folder)
    remote = None if there is None else Remote(repository, str(there))
    return Log(repository, remote, tuple(publics))


def leaves(count: int, seed: int = 7) -> list[bytes]:
    """Leaf hashes as any."""
    return [random.Random(seed * 1_000_003 + at).randbytes(32) for at in range(count)]
