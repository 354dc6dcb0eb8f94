"""Evidence -> a folder that another machine may take in: statements, signed or not, artifacts.

In: a store, closures, which run it was. Out: a folder with `manifest.json`, written last, so that a
pack that was not finished is none. Whoever takes it in believes nothing of it (see `admit`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from llmops.digest import of_bytes, of_file
from llmops.errors import UsageError
from llmops.evidence import layout
from llmops.evidence.files import failed, replace, shown
from llmops.evidence.manifest import Listed, Manifest, Origin, encode
from llmops.evidence.parcel import MANIFEST
from llmops.evidence.statement import Evidence, hex_of
from llmops.evidence.store import Store
from llmops.jobs.audits import Audit
from llmops.jobs.base import Artifact

Keep = Callable[[Artifact], bool]


def pack(
    store: Store,
    closures: Iterable[str],
    folder: Path,
    origin: Origin,
    keep: Keep = lambda artifact: True,
    *,
    audits: Iterable[Audit] = (),
) -> Manifest:
    """Write what is known of some closures into a new folder. `keep`: which artifacts go along.

    `audits`: those of the store that go along. Raises UsageError where something stands there
    already, StoreError where it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "name a folder that is not there yet"
        raise UsageError(f"{shown(folder)} is there already and not empty", hint=hint)
    files: dict[str, Listed] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for closure in closures:
            evidence = store.evidence(closure)
            if evidence is not None:
                for name, path in _files(store, evidence, keep):
                    files[name] = _copied(path, folder / name)
        for name, path in _audits(store, audits):
            files[name] = _copied(path, folder / name)
    except OSError as error:
        raise failed("write", folder, error) from error
    found = Manifest(origin, files)
    replace(folder / MANIFEST, encode(found))
    return found


def _files(store: Store, evidence: Evidence, keep: Keep) -> Iterator[tuple[str, Path]]:
    """The files of a closure by their name in a pack; artifacts that are not whole stay out."""
    closure = hex_of(evidence.closure)
    statement = store.statement(evidence.closure, evidence.digest)
    yield f"evidence/{closure}/{statement.name}", statement
    for envelope in store.signed.of(evidence).all():
        path = store.signed.path(of_bytes(envelope.payload))
        yield path.relative_to(store.root).as_posix(), path
    gone = store.absent(evidence.closure)
    for artifact in evidence.result.artifacts:
        if artifact.name in gone or not keep(artifact):
            continue
        path = store.run_folder(evidence.closure) / "artifacts" / artifact.name
        for file in sorted(path.rglob("*")) if path.is_dir() else (path,):
            if file.is_file() and not file.is_symlink():
                inner = file.relative_to(store.run_folder(evidence.closure)).as_posix()
                yield f"runs/{closure}/{inner}", file


def _audits(store: Store, audits: Iterable[Audit]) -> Iterator[tuple[str, Path]]:
    """The files of audits by their name in a pack, with their signatures."""
    for audit in audits:
        name = layout.audit_in_pack(audit.closure, audit.digest)
        yield name, store.root / name
        if store.signed.raw(audit.digest) is not None:
            path = store.signed.path(audit.digest)
            yield path.relative_to(store.root).as_posix(), path


def _copied(path: Path, to: Path) -> Listed:
    """The file in its place; a second name for it where that can be had, since it never changes."""
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists():
        try:
            os.link(path, to)
        except OSError:
            shutil.copyfile(path, to)
    return Listed(of_file(to), to.stat().st_size)
