"""What may go of what runs left: a store and the closures in use -> `Litter`, and its removal.

Evidence is append-only and never goes: statements are small, signed or not. What goes are run
folders (artifacts, logs, checkpoints) and blobs that no plan in use and no running job needs, once
they are older than asked. A folder that a run holds is never touched: it is removed under its own
claim.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmops.digest import PATTERN
from llmops.evidence.files import failed
from llmops.evidence.store import Store
from llmops.executors.folder import RunFolder

DAY_SECONDS = 86400.0
_GONE = ".gone-"


@dataclass(frozen=True, slots=True)
class InUse:
    """What must stay: closures of jobs, digests of the blobs that they read."""

    closures: Collection[str]
    blobs: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Litter:
    """One thing that may go: what it is in words, where, how large, how old in days."""

    what: str
    path: Path
    size_bytes: int
    days: float


def litter(store: Store, used: InUse, keep_days: float, now: float) -> tuple[Litter, ...]:
    """Everything that may go, the largest first. `now` in seconds since the epoch."""
    held = _held(store)
    found = [*_runs(store, used, held), *_blobs(store, used, held), *_unfinished(store)]
    old = [one for one in found if now - _touched(one.path) >= keep_days * DAY_SECONDS]
    aged = (Litter(o.what, o.path, o.size_bytes, _days(o.path, now)) for o in old)
    return tuple(sorted(aged, key=lambda one: (-one.size_bytes, str(one.path))))


def remove(store: Store, one: Litter) -> bool:
    """Whether it is gone; False when a run took hold of it meanwhile. Raises StoreError."""
    try:
        if one.path.parent == store.root / "runs" and not one.path.name.startswith(_GONE):
            return _remove_run(one.path)
        if one.path.name == "checkpoints":
            return _remove_run(one.path.parent, only=one.path)
        shutil.rmtree(one.path) if one.path.is_dir() else one.path.unlink(missing_ok=True)
    except OSError as error:
        raise failed("remove", one.path, error) from error
    return True


def _remove_run(folder: Path, only: Path | None = None) -> bool:
    """Removes a run folder (or `only` a part of it) under its claim."""
    with RunFolder(folder).claim_if_free() as free:
        if free and only is not None:
            shutil.rmtree(only)
        elif free:
            gone = folder.with_name(f"{_GONE}{folder.name}")  # a half-removed run has no name
            os.rename(folder, gone)
            shutil.rmtree(gone)
    return free


def _runs(store: Store, used: InUse, held: frozenset[str]) -> Iterator[Litter]:
    for folder in _entries(store.root / "runs"):
        closure = f"sha256:{folder.name}"
        if folder.name.startswith(_GONE):
            yield _litter("a run that was half removed", folder)
        elif not PATTERN.fullmatch(closure) or closure in held:
            continue
        elif closure not in used.closures:
            yield _litter(f"run of {_job(folder)}", folder)
        elif _entries(folder / "checkpoints") and store.evidence(closure) is not None:
            yield _litter(f"checkpoints of {_job(folder)}", folder / "checkpoints")


def _blobs(store: Store, used: InUse, held: frozenset[str]) -> Iterator[Litter]:
    for path in _entries(store.root / "blobs" / "sha256"):
        digest = f"sha256:{path.name}"
        if PATTERN.fullmatch(digest) and digest not in used.blobs and digest not in held:
            yield _litter("file of the repository that a job read", path)


def _unfinished(store: Store) -> Iterator[Litter]:
    """What a write that was killed left beside the names it did not reach."""
    folders = [
        store.root / "blobs" / "sha256", store.root / "ledger", *_entries(store.root / "evidence"),
        *_entries(store.root / "signed"),
    ]  # fmt: skip
    for folder in folders:
        for path in _entries(folder):
            if path.name.startswith(".") and path.suffix == ".tmp":
                yield _litter("a write that never finished", path)
    for path in _entries(store.root):
        if path.name.startswith(".incoming-"):
            yield _litter("a pack that was never taken in", path)


def _held(store: Store) -> frozenset[str]:
    """Closures and blobs of runs that are working now."""
    found: set[str] = set()
    for folder in _entries(store.root / "runs"):
        if RunFolder(folder).is_claimed():
            found.add(f"sha256:{folder.name}")
            for path in _inputs(folder):
                found |= {f"sha256:{part}" for part in path.parts}
    return frozenset(found)


def _inputs(folder: Path) -> list[Path]:
    try:
        given = json.loads((folder / "job.json").read_bytes())["inputs"]
        return [Path(str(one["path"])) for one in given.values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _job(folder: Path) -> str:
    """`train/support-lora`, as far as the folder says so."""
    try:
        return str(json.loads((folder / "job.json").read_bytes())["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return "a job that left no job.json"


def _entries(folder: Path) -> list[Path]:
    """What stands in a folder, links left out. Raises StoreError if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return sorted(Path(entry.path) for entry in found if not entry.is_symlink())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise failed("read", folder, error) from error


def _litter(what: str, path: Path) -> Litter:
    return Litter(what, path, _size(path), 0.0)


def _size(path: Path) -> int:
    """Bytes of all regular files below; what vanishes meanwhile counts nothing."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            total += _bytes(os.path.join(folder, name))
    return total or _bytes(str(path))


def _bytes(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _touched(path: Path) -> float:
    """When it was last written: the youngest of a folder and what stands in it."""
    try:
        inside = [entry.lstat().st_mtime for entry in path.iterdir()] if path.is_dir() else []
        return max([path.lstat().st_mtime, *inside])
    except OSError:
        return time.time()


def _days(path: Path, now: float) -> float:
    return max(0.0, (now - _touched(path)) / DAY_SECONDS)
