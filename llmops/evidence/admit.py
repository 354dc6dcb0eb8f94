"""A pack that another machine made -> evidence here, or why not, in words.

In: a zip or folder that nobody vouches for, the jobs that are expected of it, which run it must be
of. Out: the closures that are proven now. What is taken: a statement in our own form about an
expected job, told exactly what the plan tells it, made from what is known here, with artifacts of
the digests it names, with measurements that its rows give when they are computed again, and signed
as base's trust root asks, if there is one. All else is refused, each with its reason; nothing of it
is kept, and nothing of a pack is executed.

What is not shown by this: that a model gave those responses, or a judge those scores, and how long
anything took. That rests on who ran it, and on running a part of it again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from llmops.digest import of_value
from llmops.errors import StoreError
from llmops.evidence.files import failed, refuse_links, replace, write_new
from llmops.evidence.lots import apart, take
from llmops.evidence.making import disclosed
from llmops.evidence.manifest import Manifest, decode
from llmops.evidence.offered import Offered, offered_in, strict_json
from llmops.evidence.parcel import MANIFEST, Limits, Piece, Refused, unpack
from llmops.evidence.provenance import provenance
from llmops.evidence.recompute import disagreements
from llmops.evidence.statement import hex_of, told_digests
from llmops.evidence.store import Store
from llmops.evidence.trusted import Trust, signed
from llmops.jobs.base import Artifact, Job

MOST_ROWS_BYTES = 4 * 2**30
# More that must hold of a job's artifacts: the job, its folder of artifacts, those of its inputs.
Check = Callable[[Job, Path, Mapping[str, Path]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Expecting:
    """Which run a pack must be of; what is None may be any."""

    run_id: int | None = None
    repository: str | None = None
    head_sha: str | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """What came of a pack. `kept`: closures proven now. `known`: those of which evidence stood."""

    kept: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Asked:
    """What must hold of a statement beside what its own bytes can show."""

    check: Check | None
    trust: Trust | None
    columns: Collection[str] | None


def admit(
    store: Store,
    source: Path,
    expected: Mapping[str, Job],
    expecting: Expecting,
    *,
    check: Check | None = None,
    limits: Limits | None = None,
    trust: Trust | None = None,
    columns: Collection[str] | None = None,
) -> Admitted:
    """Take in what holds. Raises StoreError where nothing can be written; then nothing was kept.

    `expected`: closure -> job, as this machine's own plan has them. `trust`: base's trust root, if
    it has one. `columns`: those of rows that public forms may show at most; None for any.
    """
    store.prepare()
    try:
        staged = Path(tempfile.mkdtemp(prefix=".incoming-", dir=store.root))
    except OSError as error:
        raise failed("write", store.root, error) from error
    try:
        pieces = unpack(source, staged, limits or Limits())
        _expect_whole(pieces, expecting)
        return _taken(store, staged, pieces, expected, _Asked(check, trust, columns))
    except Refused as error:
        return Admitted(refused=(str(error),))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _taken(
    store: Store,
    staged: Path,
    pieces: Mapping[str, Piece],
    expected: Mapping[str, Job],
    asked: _Asked,
) -> Admitted:
    kept, known, refused = list[str](), list[str](), list[str]()
    lots, runs = apart(pieces)
    offered = dict(offered_in(runs, refused))
    for closure in _in_order(offered, expected):
        if closure not in expected or _stands(store, closure):
            known_here = store.evidence(closure) is not None
            (known if known_here else refused).append(
                closure if known_here else f"{_name(offered[closure])} was not planned"
            )
            continue
        reasons = _reasons(store, staged, offered[closure], expected[closure], asked)
        if reasons:
            refused += [f"{expected[closure].id}: {reason}" for reason in reasons[:5]]
        else:
            _keep(store, staged, offered[closure], asked)
            kept.append(closure)
    refused += take(store, lots, expected, asked.trust)
    return Admitted(tuple(kept), tuple(known), tuple(refused))


def _stands(store: Store, closure: str) -> bool:
    """Whether there is evidence that can be used: the first result of a closure stands."""
    evidence = store.evidence(closure)
    return evidence is not None and (evidence.status != "ok" or not store.missing(closure))


def _in_order(offered: Mapping[str, Offered], expected: Mapping[str, Job]) -> Iterator[str]:
    """What other jobs read comes before them."""
    done: set[str] = set()

    def after(closure: str) -> Iterator[str]:
        if closure in done or closure not in offered:
            return
        done.add(closure)
        for need in expected[closure].needs if closure in expected else ():
            yield from after(need)
        yield closure

    for closure in sorted(offered):
        yield from after(closure)


# ---- the pack --------------------------------------------------------------------------------


def _expect_whole(pieces: Mapping[str, Piece], expecting: Expecting) -> None:
    """Raises Refused unless the manifest lists exactly what is there, of the expected run."""
    if MANIFEST not in pieces:
        raise Refused(f"it has no {MANIFEST}: the run did not finish it")
    found = _manifest(pieces[MANIFEST])
    origin = found.origin
    for what, wanted, got in (
        ("run", expecting.run_id, origin.run_id),
        ("repository", expecting.repository, origin.repository),
        ("commit", expecting.head_sha, origin.head_sha),
    ):
        if wanted is not None and wanted != got:
            raise Refused(f"it is of another {what}: {got or 'none'}, expected is {wanted}")
    there = pieces.keys() - {MANIFEST}
    for name in sorted(there - found.files.keys()):
        raise Refused(f"{name[:160]} is in it and not in its manifest")
    for name in sorted(found.files.keys() - there):
        raise Refused(f"{name[:160]!r} is in its manifest and not in it")
    for name, listed in found.files.items():
        if (listed.digest, listed.size_bytes) != (pieces[name].digest, pieces[name].size_bytes):
            raise Refused(f"{name[:160]} is not the file that its manifest lists")


def _manifest(piece: Piece) -> Manifest:
    try:
        return decode(strict_json(piece.path.read_bytes()))
    except ValueError as error:
        raise Refused(f"its {MANIFEST} is none of ours: {str(error)[:300]}") from None


# ---- one statement ---------------------------------------------------------------------------


def _reasons(store: Store, staged: Path, one: Offered, job: Job, asked: _Asked) -> tuple[str, ...]:
    """Why a statement is not taken; the cheap and telling reasons first."""
    if why := signed(one, store, asked.trust)[1]:
        return (why,)
    for reasons in (_of_job, _of_times):
        if found := tuple(reasons(one, job)):
            return found
    if found := tuple(_of_inputs(store, one, job)):
        return found
    if found := tuple(_of_artifacts(store, staged, one)):
        return found
    lines = _Lines(_folder(staged, one))
    differs = tuple(disagreements(job, one.evidence.result, lines.of))
    if found := (*lines.problems, *differs):
        return found
    if asked.check is not None and one.evidence.status == "ok":
        given = _given(store, staged, job)
        if found := tuple(asked.check(job, _folder(staged, one), given)):
            return found
    return tuple(_of_links(staged, one, job, asked.columns))


def _of_job(one: Offered, job: Job) -> Iterator[str]:
    """What the worker was told is what the plan tells."""
    told = one.told
    for what, got, wanted in (
        ("type", told["type"], job.type),
        ("subject", told["subject"], str(job.subject)),
        ("seed", told["seed"], job.seed),
        ("tools", told["tools"], dict(job.tools)),
    ):
        if type(got) is not type(wanted) or got != wanted:
            yield f"it was run with another {what} than planned"
    if told["spec"] not in told_digests(job):
        yield "it was run on another description than planned"


def _of_times(one: Offered, job: Job) -> Iterator[str]:
    try:
        started, ended = (
            datetime.fromisoformat(text)
            for text in (one.evidence.result.started_at, one.evidence.result.finished_at)
        )
        if started.tzinfo is None or ended.tzinfo is None or ended < started:
            raise ValueError
    except (ValueError, TypeError):
        yield "it does not say from when to when it ran"


def _of_inputs(store: Store, one: Offered, job: Job) -> Iterator[str]:
    """It was given what the plan gives: content by digest, and what other jobs made."""
    if one.inputs.keys() != {given.name for given in job.inputs}:
        yield "it was given other inputs than planned"
        return
    for given in job.inputs:
        if given.job is None:
            if one.inputs[given.name] != given.digest:
                yield f'its input "{given.name}" is not the one planned'
        elif one.inputs[given.name] not in store.made(given.job, given.artifact or ""):
            yield f'its input "{given.name}" is not what is known of the job that makes it'


def _of_artifacts(store: Store, staged: Path, one: Offered) -> Iterator[str]:
    """Every artifact is there with its digest (or in the shared store), and nothing else is."""
    named: set[str] = set()
    for artifact in one.evidence.result.artifacts:
        inner = {n for n in one.files if n == artifact.name or n.startswith(f"{artifact.name}/")}
        named |= inner
        if not inner:
            if not store.elsewhere(one.evidence.closure, artifact):
                yield f'artifact "{artifact.name}" did not come along'
        elif _digest(one, artifact, inner) != artifact.digest:
            yield f'artifact "{artifact.name}" is not the one that its statement names'
    for name in sorted(one.files.keys() - named):
        yield f'file "{name[:80]}" is no artifact that its statement names'


def _of_links(
    staged: Path, one: Offered, job: Job, columns: Collection[str] | None
) -> Iterator[str]:
    """What it names beside its result follows from its artifacts and its job."""
    links, result = one.evidence.links, one.evidence.result
    more = set(links.columns) - set(columns) if columns is not None else set[str]()
    if more:
        yield f'it discloses the column "{min(more)[:80]}", by which no spec slices'
        return
    made = dict(disclosed(result, _folder(staged, one), links.columns))
    for name in sorted(made.keys() | (links.disclosed.keys() & one.files.keys())):
        if made.get(name) != links.disclosed.get(name):
            yield f'the public form of "{name}" is not the one that its statement names'
    origin = provenance(job, result, one.inputs, links.started)
    if links.provenance != (of_value(origin) if origin is not None else ""):
        yield "where its weights are from is not what its statement names"


def _digest(one: Offered, artifact: Artifact, inner: set[str]) -> str:
    if artifact.name in inner:
        return one.files[artifact.name].digest
    start = len(artifact.name) + 1
    return of_value({name[start:]: one.files[name].digest[7:] for name in inner})


def _given(store: Store, staged: Path, job: Job) -> Mapping[str, Path]:
    """The artifacts of other jobs that this one read, as far as they are on this machine."""
    found: dict[str, Path] = {}
    for given in job.inputs:
        if given.job is not None and given.artifact is not None:
            try:
                found[given.name] = store.artifact(given.job, given.artifact)
            except StoreError:
                continue
    return found


@dataclass(slots=True)
class _Lines:
    """Artifacts of JSON lines, read once and strictly."""

    folder: Path
    problems: list[str] = field(default_factory=list)
    known: dict[str, Sequence[Any] | None] = field(default_factory=dict)

    def of(self, name: str) -> Sequence[Any] | None:
        """The lines of an artifact; None where it is not there or is none."""
        if name not in self.known:
            self.known[name] = self._read(name)
        return self.known[name]

    def _read(self, name: str) -> Sequence[Any] | None:
        path = self.folder / name
        if not path.is_file():
            return None
        if path.stat().st_size > MOST_ROWS_BYTES:
            self.problems.append(f"{name} is larger than rows may be")
            return None
        try:
            found = [strict_json(line) for line in path.read_bytes().split(b"\n") if line.strip()]
        except ValueError as error:
            self.problems.append(f"{name} is no file of JSON lines: {str(error)[:200]}")
            return None
        if not all(isinstance(one, dict) for one in found):
            self.problems.append(f"{name} has a line that is no object")
            return None
        return found


def _folder(staged: Path, one: Offered) -> Path:
    return staged / "runs" / hex_of(one.evidence.closure) / "artifacts"


# ---- keeping ---------------------------------------------------------------------------------


def _keep(store: Store, staged: Path, one: Offered, asked: _Asked) -> None:
    """Artifacts first, then what is signed, the statement last: without it all is no evidence."""
    closure = one.evidence.closure
    target = store.run_folder(closure) / "artifacts"
    refuse_links(store.root, target)
    try:
        if target.is_dir():
            shutil.rmtree(target)  # of a run that is no evidence, or no longer
        for name in one.files:
            to = target / name
            to.parent.mkdir(parents=True, exist_ok=True)
            os.replace(_folder(staged, one) / name, to)
    except OSError as error:
        raise failed("write", target, error) from error
    for envelope in signed(one, store, asked.trust)[0]:
        store.signed.keep(envelope)
    path = store.statement(closure, one.evidence.digest)
    refuse_links(store.root, path.parent)
    if not write_new(path, one.data):
        replace(path, one.data)


def _name(one: Offered) -> str:
    told = one.told["id"]
    return f"{told[:80] if isinstance(told, str) else 'a job'} ({one.evidence.closure[7:19]})"
