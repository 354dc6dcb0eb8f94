"""Each verdict derived again from rows, policies and trees, and compared byte for byte.

In: the verdicts of a log, its runs and ledger, the material. Out: for each verdict whether it
follows; the first number that does not, with what follows instead. What a verdict takes as given is
held against the log first: where it was judged, on which runs, by which root, at which time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llmops import __version__
from llmops.attest.given import Given, Named
from llmops.audit import differs
from llmops.audit.attempts import Ledger
from llmops.audit.base import Entry, Flaw, History, Judged, Material
from llmops.audit.kept import Blobs
from llmops.audit.ordered import Runs
from llmops.audit.repeated import Repeated
from llmops.audit.times import in_utc, shown
from llmops.audit.verdicts import ASIDE, Stated
from llmops.derived import Derived, Parsed, derived
from llmops.diagnostics import printable
from llmops.errors import GitError, LlmopsError, StoreError
from llmops.evidence.disclosed import Known
from llmops.jobs.attempts import Attempt, Decided, Granted
from llmops.jobs.attempts import Judged as Told
from llmops.log.base import RUN
from llmops.pipeline import jobs_of
from llmops.project import Pair
from llmops.signing import trust
from llmops.signing.root import Chain
from llmops.source.tree import Tree


@dataclass(frozen=True)
class Log:
    """A log that was read and checked, as far as it holds."""

    material: Material
    history: History
    leaves: Sequence[bytes]
    chain: Chain
    runs: Runs
    ledger: Ledger
    blobs: Blobs
    repeated: Repeated
    roots: Mapping[int, str]  # Merkle root (hex) over so many first entries
    parsed: Parsed = field(default_factory=Parsed.new)
    whole: set[str] = field(default_factory=set)  # public forms that were checked


@dataclass(frozen=True, slots=True)
class Again:
    """One verdict, looked at again. `hidden`: why it could not be derived without a flaw."""

    stated: Stated
    flaws: tuple[Flaw, ...]
    made: Derived | None = None
    hidden: str = ""

    @property
    def judged(self) -> Judged:
        """In the words of its summary."""
        given = self.stated.given
        return Judged(
            self.stated.number, self.stated.outcome, given.head.tree, given.change,
            given.judged_at, not self.flaws and not self.hidden,
        )  # fmt: skip


def check(stated: Stated, log: Log) -> Again:
    """Whether a verdict follows."""
    given = list(_given(stated, log))
    away = _redacted(stated.given, log)
    if away:
        return Again(stated, tuple(given), hidden=away)
    try:
        made = _derive(stated.given, log)
    except _NotHere as error:
        if log.material.whole:
            flaw = Flaw("incomplete", str(error), entry=stated.number)
            return Again(stated, (*given, flaw))
        return Again(stated, tuple(given), hidden=str(error))
    except GitError as error:  # an object that a tree names, and nobody has
        flaw = Flaw("incomplete", f"it is not derived: {error.message}", entry=stated.number)
        return Again(stated, (*given, flaw))
    except LlmopsError as error:
        flaw = Flaw("verdict", f"it does not follow: {error.message}", error.hint, stated.number)
        return Again(stated, (*given, flaw))
    # Signed, and so odd that no rule was written for it: that it does not follow is all we know.
    except Exception as error:
        what = f"it cannot be derived: {type(error).__name__}: {printable(str(error), 200)}"
        return Again(stated, (*given, Flaw("verdict", what, entry=stated.number)))
    given += _compared(stated, made, log.history)
    given += _ledger(stated, made, log.ledger)
    given += _needed(stated, made)
    return Again(stated, tuple(given), made)


# ---- what is given ---------------------------------------------------------------------------


def _given(stated: Stated, log: Log) -> Iterator[Flaw]:
    """What a verdict takes as given, held against the log."""
    given, number = stated.given, stated.number
    if given.log_size > number or given.log_size > len(log.leaves):
        what = f"it says that it rests on {given.log_size:,} entries, and {number:,} are before it"
        yield Flaw("order", what, entry=number, number="given/log_size")
    elif (root := log.roots[given.log_size]) != given.log_root:
        what = f"the first {given.log_size:,} entries had root {given.log_root} when it was judged"
        hint = f"they have root {root} here"
        yield Flaw("fork", what, hint, entry=number, number="given/log_root")
    yield from _between(stated, log)
    yield from _runs(stated, log)
    counted = log.ledger.before(given.log_size)
    last = counted[-1].digest if counted else ""
    if (given.ledger.entries, given.ledger.last) != (len(counted), last):
        what = (
            f"it counts by {given.ledger.entries:,} entries of the ledger, "
            f"and the log had {len(counted):,} then"
        )
        yield Flaw("attempts", what, entry=number, number="given/ledger")
    if log.chain.pinned(given.root) is None:
        what = f"it names a trust root that the log does not have: {printable(given.root, 100)}"
        yield Flaw("key", what, entry=number, number="given/root")


def _between(stated: Stated, log: Log) -> Iterator[Flaw]:
    """What it would rest on, and came into the log after that was read, before the verdict."""
    size, number = stated.given.log_size, stated.number
    later = [one.entry.number for one in log.runs.runs]
    later += [one.entry for one in log.ledger.placed if isinstance(one.kept.entry, Attempt)]
    later += [entry for entry, _ in log.repeated.audits]
    for entry in sorted(one for one in later if size <= one < number):
        what = f"entry {entry} came before this verdict, which was judged without it"
        yield Flaw("order", what, entry=number, number="given/log_size")


def _runs(stated: Stated, log: Log) -> Iterator[Flaw]:
    """The runs that a verdict rests on stand where it says, before it, and ended before it."""
    given, number = stated.given, stated.number
    known = {one.entry.number: one for one in log.runs.runs}
    given_at = _second(in_utc(given.judged_at))
    for closure, said in sorted(given.runs.items()):
        ran = known.get(said.entry)
        place = f"given/runs/{closure}"
        if ran is None or ran.entry.digest != said.sha256 or ran.evidence.closure != closure:
            what = f"entry {said.entry} is not the run that this verdict rests on"
            yield Flaw("verdict", what, entry=number, number=place)
        elif said.entry >= given.log_size:
            what = f"the run in entry {said.entry} came after this verdict was judged"
            yield Flaw("order", what, entry=number, number=place)
        elif _second(ended := in_utc(ran.evidence.result.finished_at)) > given_at:
            ended = shown(ended)
            what = f"the run in entry {said.entry} ended at {ended}, after this verdict was judged"
            yield Flaw("order", what, entry=number, number=place)


def _second(at: str) -> str:
    """A time without its fraction: verdicts are judged at whole seconds."""
    return at[:19]


def _redacted(given: Given, log: Log) -> str:
    """Why a verdict can no longer be derived: what it rests on was taken away, by whose word."""
    for run in given.runs.values():
        entry = log.history.by_digest.get(run.sha256)
        disclosed = entry.predicate.get("disclosed") if entry and entry.kind == RUN else None
        for name, digest in (disclosed or {}).items():
            taken = log.blobs.redacted.get(digest)
            if taken is not None:
                return f"{name} of entry {run.entry} was taken away by entry {taken.number}"
    return ""


# ---- again -----------------------------------------------------------------------------------


class _NotHere(Exception):
    """A tree that was judged is not in the material."""


def _derive(given: Given, log: Log) -> Derived:
    known = Known(
        runs=log.runs.before(given.log_size),
        ledger=log.ledger.before(given.log_size),
        blob=log.material.blob,
        audits=log.repeated.before(given.log_size),
        whole=log.whole,
    )
    base = _tree(given.base, log) if given.base is not None else None
    _expect_root(given, base or _tree(given.head, log))
    return derived(given, known, lambda named: _tree(named, log), log.parsed)


def _tree(named: Named, log: Log) -> Tree:
    found = log.material.tree(named.tree, named.label, named.commit)
    if found is None:
        raise _NotHere(
            f"tree {printable(named.tree, 80)} ({printable(named.label, 60)}) is not here"
        )
    return found


def _expect_root(given: Given, tree: Tree) -> None:
    """Raises StoreError unless the tree that decides has the trust root that the verdict names."""
    found = trust.of_tree(tree)
    if found is None or found.newest.digest != given.root:
        has = found.newest.digest if found is not None else "none"
        raise StoreError(f"it names trust root {printable(given.root, 100)}, its base has {has}")


def _compared(stated: Stated, made: Derived, history: History) -> Iterator[Flaw]:
    """Each statement against what follows."""
    entries = {entry.kind: entry for entry in (stated.report, stated.result, stated.summary)}
    for statement in made.statements():
        if statement.kind in ASIDE:
            yield from _aside(statement.kind, statement.payload, stated, history)
            continue
        entry = entries[statement.kind]
        if entry.payload != statement.payload:
            yield _differing(entry, statement.payload, stated.given)


def _differing(entry: Entry, follows: bytes, given: Given) -> Flaw:
    place = differs.first(entry.payload, follows)
    what = f"it says {place.said}, and {place.follows} follows from rows, policies and trees"
    number = place.path.removeprefix("predicate/")
    return Flaw("verdict", what, made_by(given), entry=entry.number, number=number)


def made_by(given: Given) -> str:
    """By which other version of llmops a verdict was made, as a hint; "" by this one."""
    if given.tool_version == __version__:
        return ""
    said = printable(given.tool_version, 80)
    return f"made by llmops {said}, this is {__version__}: verify it with that version too"


def _aside(kind: str, payload: bytes, stated: Stated, history: History) -> Iterator[Flaw]:
    """An approval, or a change of policies, is in the log before the verdict that counts it."""
    size = stated.number
    for entry in history.of(kind):
        if entry.number < size and _timeless(entry.payload) == _timeless(payload):
            return
    short = kind.split("/")[-2]
    what = f"it counts on a statement of {short} that is not in the log before it"
    yield Flaw("incomplete", what, entry=stated.number)


def _timeless(payload: bytes) -> bytes:
    """A statement without the time at which it was seen."""
    head, mark, rest = payload.partition(b'"seen_at":"')
    return head + mark + rest.partition(b'"')[2]


def _needed(stated: Stated, made: Derived) -> Iterator[Flaw]:
    """What is given of runs and files is given of what the verdict needs, and of nothing else."""
    given, jobs = stated.given, jobs_of(made.planned)
    files = dict(_files(made.planned.both))
    said = {oid: (f"sha256:{one.sha256}", one.size) for oid, one in given.files.items()}
    odd = {
        "runs": given.runs.keys() <= jobs.keys(),
        "missing": given.missing.keys() <= given.runs.keys() and all(given.missing.values()),
        "to_run": given.to_run.keys() <= jobs.keys() - given.runs.keys(),
        "files": said == files,
    }
    for name, right in odd.items():
        if not right:
            what = f'what it takes as given under "{name}" is not what it needs'
            yield Flaw("verdict", what, entry=stated.number, number=f"given/{name}")


def _files(both: Pair) -> Iterator[tuple[str, tuple[str, int]]]:
    """The files of both trees' Datasets: git object -> digest, size."""
    for state in (one for one in (both.base, both.head) if one is not None):
        blobs = state.tree.blobs()
        datasets = (spec for ref, spec in state.loaded.specs.items() if ref.kind == "Dataset")
        paths = sorted({use.path for spec in datasets for use in spec.files} & blobs.keys())
        for path, digest in state.tree.digests(paths).items():
            yield blobs[path].oid, (digest, blobs[path].size)


def _ledger(stated: Stated, made: Derived, ledger: Ledger) -> Iterator[Flaw]:
    """What became of each claim stands in the ledger before the verdict does."""
    before = [one.kept.entry for one in ledger.placed if one.entry < stated.number]
    number = stated.number
    for wanted in made.outcomes():
        same = [
            one
            for one in before
            if type(one) is type(wanted)
            and isinstance(one, Decided | Granted)
            and (one.claim, one.closure) == (wanted.claim, wanted.closure)
        ]
        said = same[-1] if same else None
        if said is None or (isinstance(said, Decided) and said.outcome != _word(wanted)):
            what = f"the ledger does not say what became of {printable(str(wanted.claim), 200)}"
            yield Flaw("attempts", what, entry=number)
    key = stated.given.head.tree, made.judged.policy_tree
    told = [one for one in before if isinstance(one, Told) and (one.tree, one.policy) == key]
    if told and told[-1].outcome != made.judged.outcome.word:
        what = f"the ledger says that this tree was judged {printable(told[-1].outcome, 20)}"
        yield Flaw("attempts", what, entry=number)


def _word(one: Decided | Granted) -> str:
    return one.outcome if isinstance(one, Decided) else ""
