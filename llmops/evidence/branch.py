"""Evidence shared through a branch of the repository: what the gate knows, everybody can read.

In: a store, a remote. Out: statements, signed and not, the ledger and where artifacts lie, brought
here (`pull`) or there (`push`). The branch has no parent in the code's history, one commit for
each push, and is never forced: of several writers one wins, and the others bring what it wrote here
and try again, with their attempts after its own. So twenty writers lose nothing and need no server
but git's.

Nothing of it is believed for where it stands: a statement must have the digest that names it, the
ledger must be a chain, and what is not so is skipped with a note. Who may push decides who is
believed: protect the branch, so that only the gate may.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from llmops.digest import canonical
from llmops.errors import GitError
from llmops.evidence import layout
from llmops.evidence.entry import Kept
from llmops.evidence.files import put, shown
from llmops.evidence.ledger import Damaged, Ledger, chain, merged, raw
from llmops.evidence.mark import Mark
from llmops.evidence.places import Place, decode, encode, merge, places, record
from llmops.evidence.signed import expect
from llmops.evidence.statement import hex_of
from llmops.evidence.store import Store
from llmops.jobs.base import FORMAT_VERSION
from llmops.signing import dsse
from llmops.source.commits import Who
from llmops.source.remote import Remote
from llmops.source.tree import Tree
from llmops.source.turns import turns

BRANCH = layout.BRANCH
REF = "refs/llmops/evidence"
MOST_BYTES = 16 * 2**20  # of one statement
_TRIES = 60
_NOTES = 20
_WHO = ("llmops", "llmops@users.noreply.github.com")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull brought. `tip` is None where there is no such branch yet."""

    tip: str | None
    statements: int = 0
    entries: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push added to the branch; `commit` is its tip now, None where nothing was to add."""

    commit: str | None
    statements: int = 0
    entries: int = 0
    tries: int = 1
    notes: tuple[str, ...] = ()


def pull(store: Store, remote: Remote, *, branch: str = BRANCH) -> Pulled:
    """Bring here what the branch has and this store has not.

    A branch that is not there is none yet. Raises GitError where it cannot be reached, Damaged
    where its ledger is no chain: statements are here then, and nothing is counted.
    """
    tip = remote.bring(branch, REF)
    if tip is None:
        return Pulled(None)
    store.prepare()
    repository = remote.repository
    tree, mark = repository.tree(tip), Mark.of(store, remote.address, branch)
    since = mark.tip if mark.tip and repository.commit(mark.tip) else None
    paths = repository.changed(since, tip) if since != tip else ()
    read = _Read(store, tree, known=since is not None)
    read.signed(paths)
    read.audits(paths)
    brought = read.statements(paths)
    read.places(paths)
    entries = Ledger(store.root).follow(partial(merged, _chain_of(tree, branch)))
    mark.set(store, tip)
    return Pulled(tip, brought, entries, read.notes)


def push(
    store: Store,
    remote: Remote,
    closures: Iterable[str] | None = None,
    *,
    branch: str = BRANCH,
    now: Callable[[], float] = time.time,
    pause: Callable[[float], None] = time.sleep,
) -> Pushed:
    """Add statements (of some closures, or all), the ledger and places to the branch.

    What others pushed meanwhile is brought here first, and attempts of ours that they have not yet
    come after theirs. Raises GitError: not reached, not allowed, or always somebody faster.
    """
    chosen = None if closures is None else tuple(dict.fromkeys(closures))
    notes: dict[str, None] = {}
    for number in turns(_TRIES, pause):
        pulled = pull(store, remote, branch=branch)
        notes |= dict.fromkeys(pulled.notes)
        tree = remote.repository.tree(pulled.tip) if pulled.tip else None
        files = _files(store, tree, chosen, notes)
        if not files:
            return Pushed(pulled.tip, tries=number, notes=tuple(notes))
        who = Who(*_WHO, int(now()))
        commit = remote.repository.commit_files(pulled.tip, files, _message(files), who)
        if remote.push(commit, branch):
            remote.repository.point(REF, commit)
            Mark.of(store, remote.address, branch).set(store, commit)
            made = _Counted.of(files)
            return Pushed(commit, made.statements, made.entries, number, tuple(notes))
    what = f"{branch} could not be pushed: somebody was faster {_TRIES} times"
    raise GitError(what, hint="try again; nothing is lost, all of it is kept here")


@dataclass(frozen=True, slots=True)
class _Counted:
    """How many of a commit's files are what."""

    statements: int
    entries: int

    @classmethod
    def of(cls, files: Iterable[str]) -> _Counted:
        """Of paths on the branch."""
        named = list(files)
        statements = sum(layout.statement_at(path) is not None for path in named)
        return cls(statements, sum(layout.entry_at(path) is not None for path in named))


# ---- here <- branch --------------------------------------------------------------------------


class _Read:
    """Reads what a commit of the branch has into a store; `notes` say what was not taken."""

    def __init__(self, store: Store, tree: Tree, *, known: bool) -> None:
        self._store, self._tree, self._known = store, tree, known
        self._notes: list[str] = []

    @property
    def notes(self) -> tuple[str, ...]:
        """The first of them, and how many more there are."""
        more = len(self._notes) - _NOTES
        return (*self._notes[:_NOTES], *((f"{more} more of the kind",) if more > 0 else ()))

    def statements(self, paths: Sequence[str]) -> int:
        """How many statements are new here."""
        found = {path: at for path in paths if (at := layout.statement_at(path)) is not None}
        wanted = {path: at for path, at in found.items() if not self._there(*at)}
        large = {path for path in wanted if self._tree.blobs()[path].size > MOST_BYTES}
        for path in large:
            self._notes.append(f"{path} on the branch is larger than a statement may be; not used")
        brought = 0
        for path, data in self._tree.read_many(wanted.keys() - large).items():
            closure, digest = wanted[path]
            if hashlib.sha256(data).hexdigest() != digest:
                said = f"{path} on the branch holds other bytes than its name says; not used"
                self._notes.append(said)
                continue
            put(self._store.statement(f"sha256:{closure}", f"sha256:{digest}"), data)
            brought += 1
        return brought

    def signed(self, paths: Sequence[str]) -> None:
        """Take over envelopes; whether their keys count is for whoever believes them to ask."""
        found = {path: at for path in paths if (at := layout.signed_at(path)) is not None}
        kept = self._store.signed
        wanted = [path for path, at in found.items() if kept.raw(f"sha256:{at}") is None]
        small = [path for path in wanted if self._tree.blobs()[path].size <= MOST_BYTES]
        for path, data in self._tree.read_many(small).items():
            try:
                expect(data, f"sha256:{found[path]}")
            except ValueError as error:
                self._notes.append(f"{path} on the branch is not what its name says: {error}")
                continue
            put(kept.path(f"sha256:{found[path]}"), data)

    def audits(self, paths: Sequence[str]) -> None:
        """Take over audits; one that is not what its name says is none when it is read."""
        for path in paths:
            at = layout.audit_on_branch(path)
            if at is None or self._tree.blobs()[path].size > MOST_BYTES:
                continue
            own = layout.audit_in_pack(*(f"sha256:{one}" for one in at))
            if not (self._store.root / own).is_file():
                put(self._store.root / own, self._tree.read(path))

    def _there(self, closure: str, digest: str) -> bool:
        """Whether it is here with the right bytes; what was brought before is taken to be."""
        path = self._store.statement(f"sha256:{closure}", f"sha256:{digest}")
        try:
            data = path.read_bytes()
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == digest

    def places(self, paths: Sequence[str]) -> None:
        """Take over where artifacts lie."""
        found = {path: at for path in paths if (at := layout.places_at(path)) is not None}
        small = [path for path in found if self._tree.blobs()[path].size <= MOST_BYTES]
        for path, data in self._tree.read_many(small).items():
            try:
                said = decode(data)
            except ValueError as error:
                self._notes.append(f"{path} on the branch is no record of places: {error}")
                continue
            record(self._store, f"sha256:{found[path]}", said)


def _chain_of(tree: Tree, branch: str) -> tuple[Kept, ...]:
    """The branch's ledger. Raises Damaged."""
    numbers = {n: path for path in tree.blobs() if (n := layout.entry_at(path)) is not None}
    count = max(numbers, default=0)
    for number in range(1, count + 1):
        if number not in numbers:
            raise Damaged(f"{layout.entry_path(number)} of {branch} is gone")
    data = tree.read_many(numbers.values())
    return chain([data[numbers[n]] for n in range(1, count + 1)], f"{branch}: ")


# ---- here -> branch --------------------------------------------------------------------------


def _files(
    store: Store, tree: Tree | None, closures: Sequence[str] | None, notes: dict[str, None]
) -> Mapping[str, bytes]:
    """What the branch lacks, by path."""
    there = tree.blobs() if tree is not None else {}
    chosen = store.closures() if closures is None else closures
    made: dict[str, bytes] = {} if there else {layout.README: layout.TEXT}
    for closure in chosen:
        made |= dict(_of_closure(store, closure, there, tree, notes))
    made |= dict(_audits(store, there))
    made |= _entries(store, there)
    return made if made.keys() - {layout.README} else {}


def _of_closure(
    store: Store,
    closure: str,
    there: Mapping[str, object],
    tree: Tree | None,
    notes: dict[str, None],
) -> Iterator[tuple[str, bytes]]:
    """A closure's statements, each checked once more, and its places."""
    for digest in store.digests(closure):
        yield from _signed(store, closure, digest, there)
        path = layout.statement_path(hex_of(closure), hex_of(digest))
        if path in there:
            continue
        data = store.statement(closure, digest).read_bytes()
        if hashlib.sha256(data).hexdigest() != hex_of(digest):
            notes[f"{shown(store.statement(closure, digest))} changed meanwhile; not pushed"] = None
            continue
        yield path, data
    own, path = places(store, closure), layout.places_path(hex_of(closure))
    if own:
        said = encode(merge(own, _places_there(tree, path, there)))
        if tree is None or path not in there or tree.read(path) != said:
            yield path, said


def _signed(
    store: Store, closure: str, digest: str, there: Mapping[str, object]
) -> Iterator[tuple[str, bytes]]:
    """The envelopes about one run that the branch has not, if the run is signed."""
    own = layout.signed_path(hex_of(digest)) not in there and store.signed.path(digest).is_file()
    evidence = store.told(closure, digest) if own else None
    for envelope in store.signed.of(evidence).all() if evidence is not None else ():
        path = layout.signed_path(hashlib.sha256(envelope.payload).hexdigest())
        if path not in there:
            yield path, dsse.encode(envelope)


def _audits(store: Store, there: Mapping[str, object]) -> Iterator[tuple[str, bytes]]:
    """The audits that the branch has not, each with its envelope where somebody signed it."""
    for audit in store.audits.all():
        closure, digest = hex_of(audit.closure), hex_of(audit.digest)
        path = layout.audit_path(closure, digest)
        if path not in there:
            yield path, store.audits.bytes(audit)
        raw, signed = store.signed.raw(audit.digest), layout.signed_path(digest)
        if raw is not None and signed not in there:
            yield signed, raw


def _places_there(tree: Tree | None, path: str, there: Mapping[str, object]) -> Sequence[Place]:
    if tree is None or path not in there:
        return ()
    try:
        return decode(tree.read(path))
    except ValueError:
        return ()


def _entries(store: Store, there: Mapping[str, object]) -> Mapping[str, bytes]:
    """The entries that only this ledger has, and its end."""
    kept = Ledger(store.root).kept()
    new = {layout.entry_path(one.number): one for one in kept}
    made = {path: raw(one) for path, one in new.items() if path not in there}
    if made:
        last = {"format_version": FORMAT_VERSION, "count": len(kept), "last": kept[-1].digest}
        made[layout.CHECKPOINT] = canonical(last)
    return made


def _message(files: Mapping[str, bytes]) -> str:
    made = _Counted.of(files)
    parts = [(made.statements, "statement"), (made.entries, "entry of the ledger")]
    words = [f"{n} {word}" if n == 1 else f"{n} {_many(word)}" for n, word in parts if n]
    return f"{' and '.join(words) or 'Places of artifacts'}\n"


def _many(word: str) -> str:
    return {"statement": "statements", "entry of the ledger": "entries of the ledger"}[word]
