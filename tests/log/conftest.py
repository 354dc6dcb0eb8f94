"""What tests of the log share: keys made from a seed, envelopes, and logs on a branch."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from llmops.digest import canonical
from llmops.log.base import BRANCH, Known
from llmops.log.branch import Build, Log
from llmops.signing import dsse
from llmops.signing.base import IN_TOTO, Signer
from llmops.source.commits import Who
from llmops.source.git import Git
from llmops.source.remote import Remote
from llmops.source.tree import Repository
from tests.keyring import person

PEN = person("log")


def envelope(said: object, pen: Signer = PEN) -> bytes:
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


def edit(folder: Path, files: Mapping[str, bytes | None], branch: str = BRANCH) -> str:
    """Somebody's own commit on the branch of the log."""
    repository = Repository(folder, Git(folder))  # which may be bare
    ref = f"refs/heads/{branch}"
    tip = repository.commit(ref)
    commit = repository.commit_files(tip, files, "by hand\n", Who("eve", "eve@example.invalid", 0))
    assert repository.move({ref: (tip, commit)})
    return commit
