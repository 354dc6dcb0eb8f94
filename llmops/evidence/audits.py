"""What came of running reused jobs once more: statements below `reports/audits/`, read strictly.

In: a job, its kept evidence, the evidence of a second run with the lines of both. Out: one in-toto
Statement v1 per audit (predicate `reuse-audit/v1`) whose canonical bytes name its file,
`audits/<closure>/<sha256>.json`. Like evidence they are never edited and never removed; a damaged
one is none, and a note says which.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llmops.digest import PATTERN
from llmops.evidence import layout
from llmops.evidence.files import failed, read, refuse_links, replace, shown, write_new
from llmops.evidence.repeats import Lines, compare, promised
from llmops.evidence.statement import TYPE, Evidence, encode, hex_of
from llmops.jobs.audits import CLASSES, Audit
from llmops.jobs.base import FORMAT_VERSION, Job
from llmops.jobs.wire import result_from_json, to_json

PREDICATE_TYPE = "https://llmops.dev/reuse-audit/v1"
FOLDER = "audits"
_STATEMENT_KEYS = {"_type", "subject", "predicateType", "predicate"}
_KEYS = {"format_version", "job", "draw", "kept", "again", "promised", "repeats", "differences"}


def statement(
    job: Job, draw: str, both: tuple[Evidence, Evidence], lines: tuple[Lines, Lines]
) -> dict[str, Any]:
    """The statement about one audit; the kept evidence comes first. Raises nothing of its own."""
    kept, again = both
    results = kept.result, again.result
    may = promised(job, kept.result.environment, again.result.environment)
    repeats, why = compare(results, lines)
    stricter = why.get(may, ()) or why.get("bit", ())
    return {
        "_type": TYPE,
        "subject": _subject(kept.closure, kept.digest),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "format_version": FORMAT_VERSION,
            "job": {"id": job.id, "type": job.type, "subject": str(job.subject)},
            "draw": draw,
            "kept": kept.digest,
            "again": to_json(again.result),
            "promised": may,
            "repeats": repeats,
            "differences": list(stricter),
        },
    }


def parse(data: Any, digest: str) -> Audit:
    """The audit that a statement holds. Raises ValueError for what `statement` does not write."""
    if type(data) is not dict or data.keys() != _STATEMENT_KEYS:
        raise ValueError("a statement has not exactly its keys")
    said = data["predicate"]
    if (data["_type"], data["predicateType"]) != (TYPE, PREDICATE_TYPE):
        raise ValueError(f"a statement of another type: {data['predicateType']}")
    if type(said) is not dict or said.keys() != _KEYS or said["format_version"] != FORMAT_VERSION:
        raise ValueError("a predicate has not exactly its keys")
    job, again = said["job"], result_from_json(said["again"])
    if (
        type(job) is not dict
        or job.keys() != {"id", "type", "subject"}
        or job["type"] != again.type
    ):
        raise ValueError("its job is not the one that was run once more")
    if data["subject"] != _subject(again.closure, said["kept"]):
        raise ValueError("its subjects are not what was compared")
    may, repeats, why = said["promised"], said["repeats"], said["differences"]
    if may not in CLASSES or repeats not in (*CLASSES, "") or type(why) is not list:
        raise ValueError("it does not say in which class the results agree")
    if not all(type(one) is str for one in (*why, said["draw"], job["id"])):
        raise ValueError("it has no text where one must be")
    return Audit(
        again.closure, job["id"], said["kept"], said["draw"], may, repeats, tuple(why),
        again.finished_at, digest,
    )  # fmt: skip


class Audits:
    """The audits below a store's folder, which need not exist yet. `note` hears of damaged ones."""

    def __init__(self, root: Path, note: Callable[[str], object] = lambda _text: None) -> None:
        self._folder = root / FOLDER
        self._root, self._note = root, note

    def all(self) -> tuple[Audit, ...]:
        """Every audit that is whole, in the order in which they were made."""
        found = (self._read(path) for path in self.paths())
        return tuple(sorted((one for one in found if one), key=lambda a: (a.finished_at, a.digest)))

    def paths(self) -> Iterator[Path]:
        """The files of audits, in order."""
        try:
            for folder in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
                if PATTERN.fullmatch(f"sha256:{folder.name}") and not folder.is_symlink():
                    yield from (p for p in sorted(folder.iterdir()) if p.name[:1] != ".")
        except OSError as error:
            raise failed("read", self._folder, error) from error

    def bytes(self, audit: Audit) -> bytes:
        """The statement of an audit. Raises StoreError."""
        path = self._root / layout.audit_in_pack(audit.closure, audit.digest)
        try:
            return read(str(path))
        except OSError as error:
            raise failed("read", path, error) from error

    def keep(self, made: Mapping[str, Any]) -> Audit:
        """Keep a statement, for ever. Keeping the same twice changes nothing. Raises StoreError."""
        data, digest = encode(made)
        audit = parse(json.loads(data), digest)
        path = self._root / layout.audit_in_pack(audit.closure, digest)
        refuse_links(self._root, path.parent)
        if not write_new(path, data) and self._read(path) is None:
            replace(path, data)  # what stood there was not what its name says
        return audit

    def _read(self, path: Path) -> Audit | None:
        try:
            data = read(str(path))
            name = hashlib.sha256(data).hexdigest()
            if path.name != f"{name}.json":
                raise ValueError("it holds other bytes than its name says")
            value = json.loads(data.decode(), parse_constant=_refuse)
            audit = parse(value, f"sha256:{name}")
            if path.parent.name != hex_of(audit.closure) or encode(value)[0] != data:
                raise ValueError("it is about another closure, or not canonical")
            return audit
        except (OSError, ValueError, RecursionError) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
            self._note(f"{shown(path)} is no audit: {why}; not used")
            return None


def lines_of(folder: Path, evidence: Evidence) -> Lines:
    """The lines of a run's tables below its `artifacts/`; None for what is not there or broken."""
    names = {artifact.name for artifact in evidence.result.artifacts}
    known: dict[str, Sequence[Any] | None] = {}

    def find(name: str) -> Sequence[Any] | None:
        if name not in known:
            known[name] = _lines(folder / name) if name in names else None
        return known[name]

    return find


def _lines(path: Path) -> Sequence[Any] | None:
    try:
        return [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    except (OSError, ValueError, RecursionError):
        return None


def _subject(closure: str, kept: Any) -> list[dict[str, Any]]:
    named = (("closure", closure), ("run", kept if type(kept) is str else ""))
    return [{"name": name, "digest": {"sha256": hex_of(digest)}} for name, digest in named]


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
