"""A pack that another machine made -> evidence here, or why not, in words.

In: a zip or folder that nobody vouches for, the jobs that are expected of it, which run it must be
of. Out: the closures that are proven now. What is taken: a statement in our own form about an
expected job, told exactly what the plan tells it, made from what is known here, with artifacts of
the digests it names, and with measurements that its rows give when they are computed again. All
else is refused, each with its reason; nothing of it is kept, and nothing of a pack is executed.

What is not shown by this: that a model gave those responses, or a judge those scores, and how long
anything took. That rests on who ran it, and on running a part of it again.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from llmops.digest import of_value
from llmops.errors import StoreError
from llmops.evidence.files import failed, refuse_links, replace, write_new
from llmops.evidence.manifest import Manifest, decode
from llmops.evidence.parcel import MANIFEST, Limits, Piece, Refused, artifact_at, unpack
from llmops.evidence.recompute import disagreements
from llmops.evidence.statement import Evidence, encode, hex_of, parse, told_digests
from llmops.evidence.store import Store
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
class _Offered:
    """One statement of a pack with the artifact files that came with it, by name."""

    evidence: Evidence
    data: bytes
    inputs: Mapping[str, str]
    told: Mapping[str, Any]
    files: Mapping[str, Piece] = field(default_factory=dict)


def admit(
    store: Store,
    source: Path,
    expected: Mapping[str, Job],
    expecting: Expecting,
    *,
    check: Check | None = None,
    limits: Limits | None = None,
) -> Admitted:
    """Take in what holds. Raises StoreError where nothing can be written; then nothing was kept.

    `expected`: closure -> job, as this machine's own plan has them.
    """
    store.prepare()
    try:
        staged = Path(tempfile.mkdtemp(prefix=".incoming-", dir=store.root))
    except OSError as error:
        raise failed("write", store.root, error) from error
    try:
        pieces = unpack(source, staged, limits or Limits())
        _expect_whole(pieces, expecting)
        return _taken(store, staged, pieces, expected, check)
    except Refused as error:
        return Admitted(refused=(str(error),))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _taken(
    store: Store,
    staged: Path,
    pieces: Mapping[str, Piece],
    expected: Mapping[str, Job],
    check: Check | None,
) -> Admitted:
    kept, known, refused = list[str](), list[str](), list[str]()
    offered = dict(_offered(pieces, refused))
    for closure in _in_order(offered, expected):
        if closure not in expected or _stands(store, closure):
            known_here = store.evidence(closure) is not None
            (known if known_here else refused).append(
                closure if known_here else f"{_name(offered[closure])} was not planned"
            )
            continue
        reasons = _reasons(store, staged, offered[closure], expected[closure], check)
        if reasons:
            refused += [f"{expected[closure].id}: {reason}" for reason in reasons[:5]]
        else:
            _keep(store, staged, offered[closure])
            kept.append(closure)
    return Admitted(tuple(kept), tuple(known), tuple(refused))


def _stands(store: Store, closure: str) -> bool:
    """Whether there is evidence that can be used: the first result of a closure stands."""
    evidence = store.evidence(closure)
    return evidence is not None and (evidence.status != "ok" or not store.missing(closure))


def _in_order(offered: Mapping[str, _Offered], expected: Mapping[str, Job]) -> Iterator[str]:
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
        return decode(_json(piece.path.read_bytes()))
    except ValueError as error:
        raise Refused(f"its {MANIFEST} is none of ours: {str(error)[:300]}") from None


def _offered(pieces: Mapping[str, Piece], refused: list[str]) -> Iterator[tuple[str, _Offered]]:
    """The statements of a pack that are whole in themselves, each closure once."""
    files: dict[str, dict[str, Piece]] = {}
    statements: dict[str, list[str]] = {}
    for name, piece in pieces.items():
        if (artifact := artifact_at(name)) is not None:
            files.setdefault(artifact[0], {})[artifact[1]] = piece
        elif name != MANIFEST:
            statements.setdefault(name.split("/")[1], []).append(name)
    for closure in sorted(files.keys() - statements.keys()):
        refused.append(f"artifacts of {closure[:12]} come without a statement")
    for closure, names in sorted(statements.items()):
        try:
            if len(names) > 1:
                raise ValueError(f"{len(names)} statements about one closure")
            yield f"sha256:{closure}", _read(names[0], pieces[names[0]], files.get(closure, {}))
        except ValueError as error:
            refused.append(f"{names[0][:32]}…: {str(error)[:300]}")


def _read(name: str, piece: Piece, files: Mapping[str, Piece]) -> _Offered:
    """A statement in our own form, byte for byte. Raises ValueError."""
    _, closure, file = name.split("/")
    data = piece.path.read_bytes()
    if file != f"{piece.digest[7:]}.json":
        raise ValueError("a statement holds other bytes than its name says")
    value = _json(data)
    evidence = parse(value, piece.digest)
    if evidence.closure != f"sha256:{closure}":
        raise ValueError("a statement is about another closure")
    if encode(value)[0] != data:
        raise ValueError("a statement is not written as canonical JSON")
    told = value["predicate"]["job"]
    return _Offered(evidence, data, evidence.inputs, told, files)


# ---- one statement ---------------------------------------------------------------------------


def _reasons(
    store: Store, staged: Path, one: _Offered, job: Job, check: Check | None
) -> tuple[str, ...]:
    """Why a statement is not taken; the cheap and telling reasons first."""
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
    if check is None or one.evidence.status != "ok":
        return ()
    return tuple(check(job, _folder(staged, one), _given(store, staged, job)))


def _of_job(one: _Offered, job: Job) -> Iterator[str]:
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


def _of_times(one: _Offered, job: Job) -> Iterator[str]:
    try:
        started, ended = (
            datetime.fromisoformat(text)
            for text in (one.evidence.result.started_at, one.evidence.result.finished_at)
        )
        if started.tzinfo is None or ended.tzinfo is None or ended < started:
            raise ValueError
    except (ValueError, TypeError):
        yield "it does not say from when to when it ran"


def _of_inputs(store: Store, one: _Offered, job: Job) -> Iterator[str]:
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


def _of_artifacts(store: Store, staged: Path, one: _Offered) -> Iterator[str]:
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


def _digest(one: _Offered, artifact: Artifact, inner: set[str]) -> str:
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
            found = [_json(line) for line in path.read_bytes().split(b"\n") if line.strip()]
        except ValueError as error:
            self.problems.append(f"{name} is no file of JSON lines: {str(error)[:200]}")
            return None
        if not all(isinstance(one, dict) for one in found):
            self.problems.append(f"{name} has a line that is no object")
            return None
        return found


def _folder(staged: Path, one: _Offered) -> Path:
    return staged / "runs" / hex_of(one.evidence.closure) / "artifacts"


# ---- keeping ---------------------------------------------------------------------------------


def _keep(store: Store, staged: Path, one: _Offered) -> None:
    """Artifacts first, the statement last: without it they are no evidence."""
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
    path = store.statement(closure, one.evidence.digest)
    refuse_links(store.root, path.parent)
    if not write_new(path, one.data):
        replace(path, one.data)


def _name(one: _Offered) -> str:
    told = one.told["id"]
    return f"{told[:80] if isinstance(told, str) else 'a job'} ({one.evidence.closure[7:19]})"


def _json(data: bytes) -> Any:
    try:
        return json.loads(data.decode(), parse_constant=_refuse)
    except (RecursionError, UnicodeDecodeError) as error:
        raise ValueError(type(error).__name__) from None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
