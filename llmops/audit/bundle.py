"""A clone with its log -> what an auditor receives: one file that no key is needed to make. Wet.

In: the log as its branch has it, the trees that verdicts name, kept artifacts for lines that are to
be shown. Out: the files of a bundle (`index` says which), and what somebody should know about it.
Private text is in none of them but where lines are shown: runs are there by their public forms,
files of Datasets by their digests. What a redaction took away, and blobs that no run discloses,
stay out whatever the branch still has.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llmops.attest import given
from llmops.attest.given import Given
from llmops.audit import container, index, opened
from llmops.audit.opened import Line, Openings
from llmops.audit.source import Bundle, Clone
from llmops.audit.trees import reads
from llmops.errors import GitError, LlmopsError, LogError, StoreError, UsageError
from llmops.evidence import public
from llmops.evidence.store import Store
from llmops.log.base import EVAL_REPORT, RUN, Known
from llmops.log.checkpoint import decode
from llmops.log.redact import redacted
from llmops.signing.base import IN_TOTO
from llmops.source.cache import BlobCache
from llmops.source.objects import Withheld

Pages = Callable[[Bundle], Mapping[str, bytes]]
_NO_LOG = "the gate starts one when main has a trust root: llmops keys init, then llmops gate"


@dataclass(frozen=True, slots=True)
class Asked:
    """How many cases are shown, and who chooses: the log's root where nobody says a seed."""

    count: int = 0
    seed: str = ""


@dataclass(frozen=True)
class Made:
    """The files of a bundle; what it holds, for people; `notes`: what could not be put in."""

    files: Mapping[str, bytes]
    entries: int
    verdicts: int
    shown: Openings | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of the log: its closure, its public forms by artifact, and the columns they show."""

    closure: str
    disclosed: Mapping[str, str]
    columns: tuple[str, ...]


@dataclass
class _Maker:
    """A bundle on its way."""

    clone: Clone
    files: dict[str, bytes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def made(clone: Clone, store: Store, asked: Asked, pages: Pages) -> Made:
    """A bundle of the log and of what its verdicts rest on.

    `pages` renders those of the newest verdict from a bundle without them. Raises UsageError where
    there is no log, LogError where it cannot be read.
    """
    maker = _Maker(clone)
    known = _log(maker)
    runs, verdicts = tuple(_runs(known)), tuple(_verdicts(known))
    _blobs(maker, runs, redacted(_envelopes(known)))
    _trees(maker, verdicts)
    shown = _lines(maker, runs, store, asked) if asked.count else None
    _pages(maker, pages)
    maker.files[index.NAME] = _index(maker.files)
    return Made(maker.files, known.size, len(verdicts), shown, tuple(maker.notes))


def _log(maker: _Maker) -> Known:
    """Checkpoint and entries, as they are."""
    note = maker.clone.checkpoint()
    if note is None:
        raise UsageError(f"{maker.clone.name} has no log to bundle", hint=_NO_LOG)
    known = Known(tuple(maker.clone.entries()))
    maker.files[index.CHECKPOINT] = note
    maker.files |= {index.entry(i): data for i, data in enumerate(known.entries)}
    if strange := maker.clone.strange:
        maker.notes.append(f"{_many(len(strange), 'file')} on the branch that no log has: left out")
    return known


def _blobs(maker: _Maker, runs: Sequence[_Run], gone: frozenset[str]) -> None:
    """The public forms that runs name, but for those that were taken away."""
    named = {digest for run in runs for digest in run.disclosed.values()}
    wanted = sorted((named - gone) & maker.clone.digests)
    maker.files |= {index.blob(d): data for d, data in maker.clone.many(wanted) if data is not None}
    if absent := named - gone - maker.clone.digests:
        maker.notes.append(f"{_many(len(absent), 'blob')} that runs name: not on the branch")
    if others := maker.clone.digests - named:
        maker.notes.append(f"{_many(len(others), 'blob')} that no run discloses: left out")


def _trees(maker: _Maker, verdicts: Iterable[Given]) -> None:
    """The objects of all judged trees that are here, and the words for files that stay away."""
    cache, wanted, away = BlobCache(None, ""), dict[str, None](), dict[str, Withheld]()
    seen: set[str] = set()
    for one in verdicts:
        away |= {o: Withheld(f"sha256:{f.sha256}", f.size) for o, f in one.files.items()}
        for named in (one.base, one.head):
            if named is not None and named.tree not in seen:
                seen.add(named.tree)
                wanted |= dict.fromkeys(_of_tree(maker, named.tree, named.label, cache))
    found = maker.clone.repository.objects(sorted(wanted.keys() - away.keys()))
    maker.files |= {index.object_path(oid): data for oid, data in found.items()}
    maker.files[index.WITHHELD] = index.encode_withheld(away)


def _of_tree(maker: _Maker, oid: str, label: str, cache: BlobCache) -> frozenset[str]:
    try:
        tree = maker.clone.tree(oid, label, None)
        if tree is not None:
            return maker.clone.repository.folders(oid) | reads(tree, cache).given
        why = "git does not have it"
    except GitError as error:
        why = error.message
    maker.notes.append(f"tree {oid[:12]} ({label}) is not in the bundle: {why}")
    return frozenset()


def _lines(maker: _Maker, runs: Sequence[_Run], store: Store, asked: Asked) -> Openings:
    """The lines that a seed chooses, in plain text."""
    forms = dict(_forms(maker.files, runs))
    seed = asked.seed or base64.b64encode(decode(maker.files[index.CHECKPOINT]).root).decode()
    lines = opened.chosen(seed, asked.count, (public.header(form) for form, _ in forms.values()))
    found = opened.opened(lines, lambda line: _artifact(line, forms, store))
    shown = Openings(seed, asked.count, found)
    maker.files[index.OPENINGS] = opened.encode(shown)
    if missing := sum(one is None for _, one in shown.lines):
        maker.notes.append(f"{_many(missing, 'chosen case')}: the artifact is not here")
    return shown


def _pages(maker: _Maker, pages: Pages) -> None:
    """The pages of the newest verdict, made from what an auditor will have and nothing else."""
    try:
        maker.files |= pages(_bundle(maker.files))
    except LlmopsError as error:
        maker.notes.append(f"no pages: {error.message}")


def _forms(files: Mapping[str, bytes], runs: Iterable[_Run]) -> Iterator[tuple[str, Any]]:
    """Each public form with its run, by the digest of the artifact."""
    for run in runs:
        for digest in run.disclosed.values():
            data = files.get(index.blob(digest))
            try:
                if data is not None and public.read(data) is not None:
                    yield public.header(data).of, (data, run)
            except ValueError:
                continue  # a form that is none shows nothing; verify names it


def _artifact(
    line: Line, forms: Mapping[str, tuple[bytes, _Run]], store: Store
) -> tuple[bytes, Sequence[str]] | None:
    """The artifact of a line, where it is here and makes the form that the log has."""
    form, run = forms[line.of]
    try:
        data = store.artifact(run.closure, line.name).read_bytes()
        same = public.public(line.name, data, run.columns).data == form
    except (StoreError, OSError, ValueError):
        return None
    return (data, run.columns) if same else None


def _runs(known: Known) -> Iterator[_Run]:
    """The runs of a log that disclose something; what is none is passed over, verify names it."""
    for predicate in _predicates(known, RUN):
        try:
            yield _Run(
                str(predicate["result"]["closure"]),
                {str(name): str(one) for name, one in predicate.get("disclosed", {}).items()},
                tuple(map(str, predicate.get("columns", ()))),
            )
        except (KeyError, TypeError, AttributeError):
            continue


def _verdicts(known: Known) -> Iterator[Given]:
    """What each verdict of a log takes as given."""
    for predicate in _predicates(known, EVAL_REPORT):
        try:
            yield given.decode(predicate["given"])
        except (KeyError, TypeError, ValueError):
            continue


def _predicates(known: Known, kind: str) -> Iterator[Any]:
    mark = f'"predicateType":"{kind}"'.encode()
    for envelope in _envelopes(known):
        if envelope.payload_type != IN_TOTO or mark not in envelope.payload:
            continue
        try:
            said = json.loads(envelope.payload)
        except (ValueError, RecursionError):
            continue
        if said.get("predicateType") == kind:
            yield said.get("predicate")


def _envelopes(known: Known) -> Any:
    try:
        return known.envelopes
    except ValueError as error:
        raise LogError(f"the log cannot be bundled: an entry is no envelope: {error}") from None


def _bundle(files: Mapping[str, bytes]) -> Bundle:
    """The bundle of some files, as somebody who received them reads it. Raises LogError."""
    try:
        data = container.encode({**files, index.NAME: _index(files)})
    except ValueError as error:
        raise LogError(f"the log cannot be bundled: {error}") from None
    return Bundle.of("bundle", data)


def _index(files: Mapping[str, bytes]) -> bytes:
    try:
        return index.made(files)
    except ValueError as error:
        raise LogError(f"the log cannot be bundled: its checkpoint is none: {error}") from None


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
