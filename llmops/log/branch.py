"""The log on its branch: read, and appended to by compare-and-swap. Wet.

In: a repository, a remote where the log is shared, signed envelopes. Out: a `Source`, and commits
on the branch `llmops-log`, each with the new entries, the blobs they name and one new checkpoint.
Of several writers one wins, the others read what it wrote and ask anew what to append: no entry is
lost, none comes twice, and no server is needed but git's.

What stands on the branch is checked before anything is put on top of it: the files, the root, the
signature, and that it begins with what was seen here before. The last is remembered in refs below
`refs/llmops/log/`, which no push or fetch of a branch moves.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from llmops import hush, merkle
from llmops.errors import GitError, LogError
from llmops.log import layout
from llmops.log.base import BRANCH, CHECKPOINT, Checkpoint, Known
from llmops.log.checkpoint import decode, sign
from llmops.log.files import Files, Reader, Seen, digest, signed_at
from llmops.log.redact import redacted
from llmops.signing import dsse
from llmops.signing.base import Signer
from llmops.source.commits import Who
from llmops.source.remote import Remote
from llmops.source.tree import Repository
from llmops.source.turns import turns

SEEN = "refs/llmops/log/"  # what was seen last: here, and at each remote
_TRIES = 60
_WHO = ("llmops", "llmops@users.noreply.github.com")

Build = Callable[[Known], Sequence[bytes] | None]


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did: entries `first` to `size - 1` are new, none where nothing was to add.

    `note` is the signed checkpoint as it stands now, b"" where there is no log yet.
    """

    first: int
    size: int
    root: bytes
    note: bytes
    commit: str | None
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Log:
    """The log of a repository; with a remote, the one that is shared there.

    `publics`: raw public keys whose checkpoints count beside those of whoever appends; those of
    `revoked` count for the state that was seen here last, so that its owner can go on with a new
    key. `origin` names a log that does not exist yet; what exists keeps its own.
    """

    repository: Repository
    remote: Remote | None = None
    publics: tuple[bytes, ...] = ()
    revoked: tuple[bytes, ...] = ()
    branch: str = BRANCH
    origin: str = ""
    _reader: Reader = field(default_factory=Reader, repr=False, compare=False)

    def source(self) -> Files:
        """What the branch has, believed in nothing: of the remote, or the longer one here."""
        if self.remote is None:
            refs = self.repository.refs(self._ref, self._tracked)
            tip = refs.get(self._ref) or refs.get(self._tracked)
            return Files(self.repository.tree(tip) if tip else None, self.branch)
        with self._brought(self.remote) as tip:
            return Files(self.repository.tree(tip) if tip else None, self.branch)

    def append(
        self,
        build: Build,
        blobs: Iterable[bytes],
        signer: Signer,
        *,
        now: Callable[[], float] = time.time,
        pause: Callable[[float], None] = time.sleep,
    ) -> Appended:
        """Put what `build` returns after what is there; asked again when somebody was faster.

        `build` sees the log as it is at that moment; None or nothing appends nothing. `blobs` are
        looked at after that; those that the log has, or has redacted, are left out. Raises
        LogError: the branch is no log, or not the one signed or seen before, or an entry would
        hold a secret; nothing is appended then. Raises GitError: not reached, not allowed, or
        always somebody faster.
        """
        publics = (signer.public, *self.publics)
        for number in turns(_TRIES, pause):
            with self._looked(publics) as (seen, refs):
                made = build(seen.known)
                if not made:
                    return _appended(seen.known.size, self._raw(seen), seen.tip, number)
                carried = {digest(one): one for one in blobs}
                _expect_no_secret((*map(_payload, made), *carried.values()))
                files = self._files(seen, made, carried, signer)
                commit = self._commit(seen, files, len(made), now())
                if self._moved(commit, refs):
                    return _appended(seen.known.size, files[CHECKPOINT] or b"", commit, number)
        what = f"{self.branch} could not be appended to: somebody was faster {_TRIES} times"
        raise GitError(what, hint="try again; nothing was appended")

    # ---- what is there -----------------------------------------------------------------------

    @property
    def _ref(self) -> str:
        return f"refs/heads/{self.branch}"

    @property
    def _tracked(self) -> str:
        return f"refs/remotes/origin/{self.branch}"

    @property
    def _remembered(self) -> str:
        """The ref of what was seen last, of this remote or here."""
        if self.remote is None:
            return f"{SEEN}here"
        return f"{SEEN}{hashlib.sha256(self.remote.address.encode()).hexdigest()[:16]}"

    @contextmanager
    def _looked(self, publics: Sequence[bytes]) -> Iterator[tuple[Seen, _Refs]]:
        """The log as it is now, checked, and where its refs are."""
        if self.remote is None:
            yield self._checked(None, publics)
            return
        with self._brought(self.remote) as tip:
            yield self._checked(tip, publics)

    def _checked(self, theirs: str | None, publics: Sequence[bytes]) -> tuple[Seen, _Refs]:
        name = self._remembered
        found = self.repository.refs(self._ref, self._tracked, name)
        refs = _Refs(found.get(self._ref), found.get(name), name)
        here = self._seen(refs.here, refs.before, publics)
        if self.remote is None:
            if refs.here is None and self._tracked in found:
                raise self._elsewhere()
            self._remembers(refs, here)
            return here, refs
        there = here if theirs == refs.here else self._seen(theirs, refs.before, publics)
        self._remembers(refs, there)
        longer, other = (here, there) if len(here.leaves) > len(there.leaves) else (there, here)
        if not longer.begins_with(other.checkpoint):
            raise self._fork(here, there)
        return longer, refs

    def _elsewhere(self) -> LogError:
        what = f"the log of this clone is at origin, and there is no {self.branch} here"
        hint = f"name the remote, or: git branch {self.branch} origin/{self.branch}"
        return LogError(what, hint=hint)

    def _seen(self, tip: str | None, before: str | None, publics: Sequence[bytes]) -> Seen:
        if tip is None:
            return Seen()
        tree = self.repository.tree(tip)
        if tip == before:
            return self._reader.checked(tree, (*publics, *self.revoked))
        return self._reader.checked(tree, publics, self.revoked)

    def _remembers(self, refs: _Refs, now: Seen) -> None:
        """Raises LogError unless the log begins with the one that was seen here before."""
        if refs.before is None or refs.before == now.tip:
            return
        first = signed_at(self.repository.tree(refs.before), self.branch)
        if now.begins_with(first):
            return
        were = f"{_told(first)} were seen here before"
        if now.checkpoint is None:
            what = f"{self.branch} is gone: {were}"
        else:
            verb = "was rewound" if len(now.leaves) < first.size else "was rewritten"
            what = f"{self.branch} {verb}: {were}, now it has {_told(now.checkpoint)}"
        forget = f"git update-ref -d {refs.name}"
        hint = f"{refs.name} is what was seen: put it back, or forget it with {forget}"
        raise LogError(what, hint=hint)

    def _fork(self, here: Seen, there: Seen) -> LogError:
        both = (_told(one.checkpoint) for one in (here, there))
        what = "{} has forked: here it has {}, there {}".format(self.branch, *both)
        hint = f"the one that is shared stays: git branch -m {self.branch} {self.branch}-forked"
        return LogError(what, hint=hint)

    @contextmanager
    def _brought(self, remote: Remote) -> Iterator[str | None]:
        """The tip of the remote's branch, kept by a ref of our own meanwhile."""
        ref = f"refs/llmops/log-{secrets.token_hex(8)}"
        try:
            yield remote.bring(self.branch, ref)
        finally:
            self.repository.drop(ref)

    def _raw(self, seen: Seen) -> bytes:
        if seen.tip is None:
            return b""
        return Files(self.repository.tree(seen.tip), self.branch).checkpoint() or b""

    # ---- what is new -------------------------------------------------------------------------

    def _files(
        self, seen: Seen, made: Sequence[bytes], carried: Mapping[str, bytes], signer: Signer
    ) -> dict[str, bytes | None]:
        """What the commit changes. Raises ValueError: what is to be appended is no envelope."""
        envelopes = tuple(map(dsse.decode, made))
        start = seen.known.size
        files: dict[str, bytes | None] = {
            layout.entry_path(start + at): one for at, one in enumerate(made)
        }
        new = carried.keys() - seen.blobs
        away = redacted((*seen.known.envelopes, *envelopes) if new else envelopes)
        files |= {layout.blob_path(one): carried[one] for one in new - away}
        files |= dict.fromkeys(map(layout.blob_path, away & seen.blobs))
        leaves = (*seen.leaves, *map(merkle.leaf, made))
        origin = seen.checkpoint.origin if seen.checkpoint else self.origin or self._origin()
        files[CHECKPOINT] = sign(origin, len(leaves), merkle.root(leaves), signer)
        return files

    def _origin(self) -> str:
        """What a new log is called: where its repository is shared, else the folder's name."""
        where = self.remote.address if self.remote is not None else ""
        host = re.fullmatch(r"(?:\w+://|[^/@:]+@)([^/]+?)[:/]+(.+?)(?:\.git)?/*", where)
        name = f"{host[1]}/{host[2]}" if host else self.repository.root.name
        return "llmops.dev/" + (re.sub(r"[^A-Za-z0-9._/-]+", "-", name).strip("/-") or "log")

    def _commit(self, seen: Seen, files: Mapping[str, bytes | None], many: int, at: float) -> str:
        last = seen.known.size + many - 1
        said = f"Entry {last}" if many == 1 else f"Entries {seen.known.size} to {last}"
        who = Who(*_WHO, int(at))
        return self.repository.commit_files(seen.tip, files, f"{said}\n", who)

    def _moved(self, commit: str, refs: _Refs) -> bool:
        """Make the commit the branch's tip, if that is where it was seen."""
        if self.remote is not None and not self.remote.push(commit, self.branch):
            return False
        moves = {self._ref: (refs.here, commit), refs.name: (refs.before, commit)}
        return self.repository.move(moves) or self.remote is not None


@dataclass(frozen=True, slots=True)
class _Refs:
    """Where the branch is here, and what was seen last, at the moment of looking."""

    here: str | None
    before: str | None
    name: str  # of the ref that remembers


def _appended(first: int, note: bytes, commit: str | None, tries: int) -> Appended:
    said = decode(note) if note else Checkpoint("", 0, merkle.root(()))
    return Appended(first, said.size, said.root, note, commit, tries)


def _told(said: Checkpoint | None) -> str:
    if said is None:
        return "no entries"
    many = "1 entry" if said.size == 1 else f"{said.size:,} entries"
    return f"{many} with the root {said.root.hex()[:12]}"


def _payload(envelope: bytes) -> bytes:
    return dsse.decode(envelope).payload


def _expect_no_secret(data: Iterable[bytes]) -> None:
    """LogError where a secret of this process would stand in the log for ever."""
    own = hush.certain()
    for one in data:
        if name := own.held(one.decode("utf-8", "surrogateescape")):
            raise LogError(
                f"an entry would hold the secret {name}: nothing is appended",
                hint="find what repeats it, and change it where it was made",
            )
