"""Evidence by closure, append-only, trusted only after its bytes were checked.

In: results of runs, later closures. Out: `Evidence`, and paths of artifacts whose digests were
verified. What is damaged is never used and never a crash: the closure counts as not proven (or
its artifact as missing, so its job is planned again) and a note says which file it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmops.digest import PATTERN, of_value
from llmops.errors import AwayError, LlmopsError, StoreError
from llmops.evidence.audits import Audits
from llmops.evidence.elsewhere import InBlobs, Source
from llmops.evidence.files import (
    Digests,
    failed,
    read,
    refuse_links,
    replace,
    shown,
    write_new,
)
from llmops.evidence.lazy import Lazy
from llmops.evidence.making import make
from llmops.evidence.signed import Envelopes, vouched
from llmops.evidence.statement import Evidence, expect_names, hex_of, parse
from llmops.jobs.base import Artifact, Job, Proof, Result
from llmops.specs.base import Ref

if TYPE_CHECKING:
    from llmops.evidence.blobs import Blobs
    from llmops.jobs.attempts import Entry
    from llmops.signing.base import Signer


class Store:
    """The evidence and artifacts below one folder (`reports/`), which need not exist yet.

    `blobs`: where artifacts lie for all machines. `sources`: where else they are looked for.
    """

    def __init__(
        self, root: Path, blobs: Blobs | None = None, sources: Sequence[Source] = ()
    ) -> None:
        self.root: Path = root.absolute()
        self.looked = False  # whether it was asked of other places what they have
        self.signed = Envelopes(self.root)
        self._blobs = blobs
        self._sources = (*((InBlobs(blobs),) if blobs is not None else ()), *sources)
        self._evidence = str(self.root / "evidence")  # text: a thousand are read at once
        self._digests = Digests()
        self._notes: dict[str, None] = {}
        self._latest: dict[tuple[str, Ref], Evidence] | None = None

    @property
    def audits(self) -> Audits:
        """Of reused jobs that were run once more."""
        return Audits(self.root, self._note)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found damaged so far, one phrase each, in the order of discovery."""
        return tuple(self._notes)

    def run_folder(self, closure: str) -> Path:
        """Where the run of a closure lives."""
        return self.root / "runs" / hex_of(closure)

    def prepare(self) -> None:
        """The folder, with a `.gitignore`: what a run leaves is never part of a tree.

        Raises StoreError if it cannot be made.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise failed("make", self.root, error) from error
        if not (self.root / ".gitignore").exists():
            write_new(self.root / ".gitignore", b"*\n")

    def evidence(self, closure: str) -> Evidence | None:
        """What is known of a closure, or None.

        Where an artifact was lost and its job ran again there are several statements: the newest
        one whose artifacts are in place counts, or else the newest.
        """
        found = sorted(self._statements(closure), key=_age, reverse=True)
        if len(found) > 1:
            whole = (e for e in found if not self._gone(e, e.result.artifacts))
            return next(whole, found[0])
        return found[0] if found else None

    def proven(self) -> Mapping[str, Evidence]:
        """Closure -> evidence. Each statement is read when asked for, and once."""
        return Lazy(self._closures, self.evidence)

    def proofs(self) -> Mapping[str, Proof]:
        """Closure -> what planning needs to know, artifacts checked. Read when asked for."""
        return Lazy(self._closures, self._proof)

    def latest(self, job_type: str, subject: Ref) -> Proof | None:
        """The newest good run of one kind of job, whatever its closure; artifacts not checked."""
        if self._latest is None:
            self._latest = {}
            good = (e for e in self.proven().values() if e.status == "ok")
            for evidence in sorted(good, key=_age):
                self._latest[evidence.type, evidence.subject] = evidence
        found = self._latest.get((job_type, subject))
        return found.proof() if found is not None else None

    def state(self) -> str:
        """One digest of all that planning can see here: equal where nothing came, went or broke.

        Statements and artifacts count by their bytes, of every closure, needed or not.
        """
        seen = [
            [closure, one.digest, sorted(self._gone(one, one.result.artifacts))]
            for closure, one in self.proven().items()
        ]
        audited = [audit.digest for audit in self.audits.all()]
        return of_value([seen, audited, self.notes])

    def missing(self, closure: str, names: Iterable[str] | None = None) -> frozenset[str]:
        """Names of artifacts that are gone or whose bytes are others (of `names`, if given)."""
        evidence = self.evidence(closure)
        if evidence is None:
            return frozenset(names or ())
        known = {a.name: a for a in evidence.result.artifacts}
        asked = known if names is None else tuple(names)
        unknown = frozenset(asked) - known.keys()
        return unknown | self._gone(evidence, [known[n] for n in asked if n in known])

    def absent(self, closure: str) -> frozenset[str]:
        """Names of artifacts that are not whole on this machine, wherever else they may be."""
        evidence = self.evidence(closure)
        if evidence is None:
            return frozenset()
        problems = ((a.name, self._problem(closure, a)) for a in evidence.result.artifacts)
        return frozenset(name for name, problem in problems if problem)

    def made(self, closure: str, name: str) -> frozenset[str]:
        """The digests that an artifact has by the statements of a closure; most often one."""
        return frozenset(
            artifact.digest
            for one in self._statements(closure)
            for artifact in one.result.artifacts
            if artifact.name == name
        )

    def made_by(self, closure: str) -> frozenset[str]:
        """The digests of all artifacts that the statements of a closure name."""
        return frozenset(
            a.digest for one in self._statements(closure) for a in one.result.artifacts
        )

    def elsewhere(self, closure: str, artifact: Artifact) -> bool:
        """Whether an artifact that is not here can be had from somewhere else.

        A place that cannot be looked at is taken to have it, with a note: what is brought is
        checked, and work that is done is not done again because a network is down.
        """
        self.looked = self.looked or bool(self._sources)
        for source in self._sources:
            try:
                if source.has(closure, artifact):
                    return True
            except LlmopsError as error:
                self._note(f"{error.message}; its artifacts are taken to be there")
                return True
        return False

    def share(self, evidence: Evidence) -> None:
        """Lay a run's artifacts where all machines reach them. Raises StoreError."""
        if self._blobs is None or evidence.status != "ok":
            return
        for artifact in evidence.result.artifacts:
            if not self._problem(evidence.closure, artifact):
                self._blobs.put(self._path(evidence.closure, artifact.name), artifact.digest)

    def artifact(self, closure: str, name: str) -> Path:
        """The path of an artifact whose bytes were just checked. Raises StoreError."""
        evidence = self.evidence(closure)
        if evidence is None:
            raise StoreError(f"no evidence for {closure}", hint="llmops plan, then llmops run")
        listed = next((a for a in evidence.result.artifacts if a.name == name), None)
        if listed is None:
            known = ", ".join(a.name for a in evidence.result.artifacts) or "nothing"
            raise StoreError(f'{closure} made no artifact "{name}"', hint=f"it made {known}")
        problem = self._problem(closure, listed)
        if problem:
            self._bring(closure, listed, problem)
        return self._path(closure, name)

    def read(self, closure: str, name: str) -> bytes:
        """The bytes of an artifact. Raises StoreError, or OSError where they cannot be read."""
        return self.artifact(closure, name).read_bytes()

    def counted(self) -> tuple[tuple[Entry, ...], str]:
        """The entries of the ledger beside it and the last one's digest. Raises Damaged."""
        from llmops.evidence.ledger import Ledger

        ledger = Ledger(self.root)
        return ledger.entries(), ledger.tip.digest

    def _bring(self, closure: str, artifact: Artifact, problem: str) -> None:
        """Have an artifact here that lies elsewhere. Raises StoreError: it is nowhere, or other.

        Where a place cannot be reached nobody knows that: AwayError, or the forge's own.
        """
        said = StoreError(problem, hint="llmops plan shows the job that makes it again")
        for source in self._sources:
            try:
                if source.has(closure, artifact):
                    with self._beside() as folder:
                        self._place(closure, artifact, source.bring(closure, artifact, folder))
                    return
            except AwayError:
                raise
            except StoreError as error:
                said = StoreError(error.message, hint=error.hint or said.hint)
        raise said

    @contextlib.contextmanager
    def _beside(self) -> Iterator[Path]:
        """An empty folder on the disk where artifacts are, gone afterwards."""
        try:
            self.prepare()
            folder = Path(tempfile.mkdtemp(prefix=".incoming-", dir=self.root))
        except OSError as error:
            raise failed("write", self.root, error) from error
        try:
            yield folder
        except OSError as error:
            raise failed("write", folder, error) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _place(self, closure: str, artifact: Artifact, path: Path) -> None:
        """Move what was brought into its place, once its bytes are those of the artifact."""
        try:
            found = self._digests.of(path)
        except (OSError, ValueError) as error:
            raise StoreError(f'artifact "{artifact.name}" did not come whole: {error}') from error
        if found != artifact.digest:
            what = f'artifact "{artifact.name}" came as {found}, expected {artifact.digest}'
            raise StoreError(what, hint="llmops plan shows the job that makes it again")
        target = self._path(closure, artifact.name)
        refuse_links(self.root, target)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(path, target)

    def statement(self, closure: str, digest: str) -> Path:
        """Where the statement of a closure lies that a digest names."""
        return Path(self._evidence, hex_of(closure), f"{hex_of(digest)}.json")

    def told(self, closure: str, digest: str) -> Evidence | None:
        """What one statement of a closure says, None where it is not whole."""
        return self._read(str(self.statement(closure, digest)))

    def closures(self) -> tuple[str, ...]:
        """All closures of which a folder of statements is here, in order."""
        return tuple(self._closures())

    def digests(self, closure: str) -> tuple[str, ...]:
        """The statements of a closure that are whole, by digest, the oldest first."""
        return tuple(one.digest for one in sorted(self._statements(closure), key=_age))

    def keep(
        self,
        job: Job,
        result: Result,
        inputs: Mapping[str, str] | None = None,
        *,
        started: str = "",
        columns: Collection[str] = (),
        signer: Signer | None = None,
    ) -> Evidence:
        """Make a result evidence, for ever. `inputs`: name -> digest of what the job was given.

        `started`: the digest of its start's statement; `columns`: of rows, to disclose; `signer`:
        who answers for it all. Raises StoreError if it is of another job, if its artifacts are
        not the files on disk, or if it cannot be written; then it is no evidence. Keeping the
        same twice changes nothing.
        """
        folder = self.run_folder(result.closure) / "artifacts"
        try:
            expect_names(result)
            if problem := self.problem(result):
                raise ValueError(problem)
            made = make(job, result, inputs or {}, folder, started, columns)
        except ValueError as error:
            raise StoreError(f'result of "{job.id}" cannot be kept: {error}') from error
        if signer is not None:
            for said in filter(None, (made.provenance, made.statement)):
                self.signed.keep(vouched(said, signer))
        path = self.statement(job.closure, made.digest)
        refuse_links(self.root, path.parent)
        if not write_new(path, made.statement) and self._read(str(path)) is None:
            replace(path, made.statement)  # what stood there was not what its name says
        return parse(_JSON.decode(made.statement.decode()), made.digest)

    def problem(self, result: Result) -> str:
        """The first artifact of a result that is not as it says on disk, in words; "" if none."""
        problems = (self._problem(result.closure, a) for a in result.artifacts)
        return next((p for p in problems if p), "")

    def _proof(self, closure: str) -> Proof | None:
        evidence = self.evidence(closure)
        if evidence is None:
            return None
        return evidence.proof(self._gone(evidence, evidence.result.artifacts))

    def _gone(self, evidence: Evidence, artifacts: Iterable[Artifact]) -> frozenset[str]:
        closure = evidence.closure
        away = (a for a in artifacts if self._problem(closure, a))
        return frozenset(a.name for a in away if not self.elsewhere(closure, a))

    def _problem(self, closure: str, artifact: Artifact) -> str:
        """Why an artifact cannot be used, "" if it can. Damage (not mere absence) is noted."""
        path = self._path(closure, artifact.name)
        try:
            self._inside(closure, path)
            found = self._digests.of(path)
        except FileNotFoundError:
            return f"artifact {shown(path)} is gone"
        except (OSError, ValueError) as error:
            return self._note(f"artifact {shown(path)} cannot be read: {error}")
        if found != artifact.digest:
            return self._note(f"artifact {shown(path)} is {found}, expected {artifact.digest}")
        return ""

    def _inside(self, closure: str, path: Path) -> None:
        """Refuses a path that leads through a link."""
        step = str(self.run_folder(closure))
        for part in os.path.relpath(path, step).split(os.sep):
            step = os.path.join(step, part)
            if os.path.islink(step):
                raise ValueError(f"{shown(Path(step))} is a link")

    def _path(self, closure: str, name: str) -> Path:
        return self.run_folder(closure) / "artifacts" / name

    def _closures(self) -> list[str]:
        named = (f"sha256:{name}" for name in sorted(_listed(self._evidence)))
        return [closure for closure in named if PATTERN.fullmatch(closure)]

    def _statements(self, closure: str) -> Iterator[Evidence]:
        folder = f"{self._evidence}/{hex_of(closure)}"
        for name in _listed(folder):
            if name.startswith("."):  # a write that never finished
                continue
            evidence = self._read(f"{folder}/{name}")
            if evidence is not None and evidence.closure == closure:
                yield evidence
            elif evidence is not None:
                self._unused(f"{folder}/{name}", "is about another closure")

    def _read(self, path: str) -> Evidence | None:
        """The evidence in a statement file, or None and a note if it is not what its name says."""
        try:
            data = read(path)
        except OSError as error:
            return self._unused(path, f"cannot be read: {error.strerror}")
        name = hashlib.sha256(data).hexdigest()
        if not path.endswith(f"/{name}.json"):
            return self._unused(path, "holds other bytes than its name says")
        try:
            return parse(_JSON.decode(data.decode()), f"sha256:{name}")
        except (ValueError, RecursionError) as error:
            return self._unused(path, f"is no statement of ours: {error}")

    def _unused(self, path: str, why: str) -> Evidence | None:
        self._note(f"{shown(Path(path))} {why}; not used")
        return None

    def _note(self, text: str) -> str:
        self._notes[text] = None
        return text


class Lookout(Store):
    """A store that sees what lies elsewhere and brings nothing: for planning."""

    def _bring(self, closure: str, artifact: Artifact, problem: str) -> None:
        raise StoreError(problem, hint="llmops run brings it")


def _age(evidence: Evidence) -> tuple[str, str]:
    return (evidence.result.finished_at, evidence.digest)


def _listed(folder: str) -> list[str]:
    """Names in a folder; none if it is not there. Raises StoreError if it cannot be read."""
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise failed("read", Path(folder), error) from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse)
