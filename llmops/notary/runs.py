"""Kept evidence -> what of it goes into the log: statements in envelopes, and public forms.

In: a store, the jobs of a plan, every run there that measured on rows, since each of those was a
look at them, and what was run again to see whether it comes out the same. Out: `Runs`. A statement
that names what cannot be shown (a public form whose artifact is gone, a column that specs slice by
now, a start or a provenance that is not here) is stated once more with what can be, so that all
that the log names is in the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llmops.digest import canonical, of_bytes
from llmops.errors import AwayError, StoreError
from llmops.evidence.provenance import provenance
from llmops.evidence.public import OWN_COLUMNS, discloses, public
from llmops.evidence.rows import looks
from llmops.evidence.statement import Evidence, parse
from llmops.evidence.store import Store
from llmops.jobs.base import Job
from llmops.log.base import PROVENANCE, RUN, RUN_STARTED, Known
from llmops.notary import reading
from llmops.pipeline import Planned, jobs_of


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement about a run, of a kind of the log's. `evidence`: of the run that it is about."""

    kind: str
    payload: bytes
    evidence: Evidence

    @property
    def digest(self) -> str:
        """What names it."""
        return of_bytes(self.payload)


@dataclass(frozen=True)
class Runs:
    """The runs that a plan rests on, and the looks beside them; read from the store when asked."""

    store: Store
    jobs: Mapping[str, Job]
    used: Mapping[str, Evidence]
    looks: Mapping[str, Evidence]
    columns: frozenset[str]
    forms: dict[str, bytes] = field(default_factory=dict)  # public forms that are new, by digest

    @classmethod
    def of(cls, store: Store, planned: Planned) -> Runs:
        """What a store has of a plan's jobs, and all looks at rows that it knows of."""
        jobs = jobs_of(planned)
        used = {one: kept for one in sorted(jobs) if (kept := store.evidence(one)) is not None}
        beside = {**dict(looks(store)), **dict(_repeated(store))}
        return cls(store, jobs, used, dict(sorted(beside.items())), planned.columns - OWN_COLUMNS)

    def stated(self, known: Known) -> Mapping[str, tuple[Stated, ...]]:
        """By closure what the log is to have of each run, in its order; the run itself last."""
        return {
            closure: self._there(known, one) or self._shown(one)
            for closure, one in {**self.used, **self.looks}.items()
        }

    def _there(self, known: Known, one: Evidence) -> tuple[Stated, ...]:
        """The statement about a run that the log has already, where that will do."""
        place = known.payloads.get(one.digest[7:])
        if place is not None and self._enough(one):
            return (Stated(RUN, known.envelopes[place].payload, one),)
        for payload in reading.naming(known, RUN, one.closure):
            found = _read(payload)
            if (found.closure, found.result) == (one.closure, one.result) and self._enough(found):
                return (Stated(RUN, payload, found),)
        return ()

    def _enough(self, one: Evidence) -> bool:
        """Whether a statement shows all that could be shown of what a plan rests on."""
        if one.closure not in self.used:
            return True
        can = {artifact.name for artifact in one.result.artifacts if discloses(artifact.name)}
        if not can:
            return True
        return can == one.links.disclosed.keys() and self.columns <= set(one.links.columns)

    def _shown(self, one: Evidence) -> tuple[Stated, ...]:
        """The statements about a run, its own made anew where not all it names can be shown."""
        data = self.statement(one)
        papers = tuple(self._papers(one))
        said: dict[str, Any] = json.loads(data)
        predicate: dict[str, Any] = said["predicate"]
        for name in ("disclosed", "columns", *_PAPERS):
            predicate.pop(name, None)
        predicate |= {_NAMES[paper.kind]: paper.digest for paper in papers}
        predicate |= self._disclosed(one)
        again = canonical(said)
        run = one if again == data else _read(again)
        return (*papers, Stated(RUN, again, run))

    def statement(self, one: Evidence) -> bytes:
        """The bytes of a run's statement as it is kept. Raises StoreError."""
        path = self.store.statement(one.closure, one.digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path.name} cannot be read: {error.strerror}") from error
        if of_bytes(data) != one.digest:
            raise StoreError(f"{path.name} changed meanwhile")
        return data

    # ---- what it names -----------------------------------------------------------------------

    def _disclosed(self, one: Evidence) -> dict[str, Any]:
        """The public forms of a run's artifacts, as its statement names them; kept for the log."""
        own = self.columns if one.closure in self.used else frozenset[str]()
        columns = sorted(own | set(one.links.columns))
        forms = dict(self._forms(one, columns))
        self.forms.update({of_bytes(form): form for form in forms.values()})
        if not forms:
            return {}
        named = {name: of_bytes(form) for name, form in forms.items()}
        return {"disclosed": named, **({"columns": columns} if columns else {})}

    def _forms(self, one: Evidence, columns: list[str]) -> Iterator[tuple[str, bytes]]:
        for artifact in one.result.artifacts:
            data = self._artifact(one, artifact.name) if discloses(artifact.name) else None
            try:
                if data is not None:
                    yield artifact.name, public(artifact.name, data, columns).data
            except ValueError:
                continue  # it is not of its shape, and no rule reads it either

    def _artifact(self, one: Evidence, name: str) -> bytes | None:
        """The bytes of an artifact, None where they are gone. Raises AwayError."""
        try:
            return self.store.read(one.closure, name)
        except AwayError:
            if one.closure in self.used:
                raise  # nobody knows whether it is there
            return None
        except (StoreError, OSError):
            return None

    def _papers(self, one: Evidence) -> Iterator[Stated]:
        """What a run's statement names and that can be had, in the order of the log."""
        start = self.store.signed.get(one.links.started) if one.links.started else None
        if start is not None:
            yield Stated(RUN_STARTED, start.payload, one)
        weights = self._provenance(one) if one.links.provenance else b""
        if weights:
            yield Stated(PROVENANCE, weights, one)

    def _provenance(self, one: Evidence) -> bytes:
        """Of a training's weights: as it was signed, or made again from job and result."""
        kept, job = self.store.signed.get(one.links.provenance), self.jobs.get(one.closure)
        if kept is not None or job is None:
            return kept.payload if kept is not None else b""
        made = provenance(job, one.result, one.inputs, one.links.started)
        payload = canonical(made) if made is not None else b""
        return payload if of_bytes(payload) == one.links.provenance else b""


def _repeated(store: Store) -> Iterator[tuple[str, Evidence]]:
    """The runs that others were held against, by closure."""
    for audit in store.audits.all():
        found = store.told(audit.closure, audit.kept)
        if found is not None:
            yield audit.closure, found


_NAMES: Mapping[str, str] = {RUN_STARTED: "started", PROVENANCE: "provenance"}
_PAPERS = tuple(_NAMES.values())


def _read(payload: bytes) -> Evidence:
    """The evidence that a statement is."""
    return parse(json.loads(payload), of_bytes(payload))
