"""Checkpoints of a training: each whole, and of this very job, or it is not gone on from.

In: folders `checkpoint-STEP` that Trainer filled. Out: the newest one that may be used, with what
was found damaged on the way. A checkpoint counts when its `manifest.json`, written last, names
every file in it with its digest; a flipped, cut, missing, added or exchanged file is found before
anything in it is loaded, and the one before is taken.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llmops import digest
from llmops.workers.contract import WorkerError, write_atomically

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
_NAME = "checkpoint-"


class _DamagedError(Exception):
    """A checkpoint that is not whole, and what of it."""


@dataclass(frozen=True, slots=True)
class Maker:
    """What a checkpoint must have been made by: a job, so many ranks, these versions."""

    closure: str
    processes: int
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """Where to go on: a folder and its step, or None to start; `damaged`: what was passed over."""

    folder: Path | None = None
    step: int = 0
    damaged: Mapping[str, str] = field(default_factory=dict)


def folder_of(root: Path, step: int) -> Path:
    """Where the checkpoint after a step stands, as Trainer names it."""
    return root / f"{_NAME}{step}"


def seal(folder: Path, step: int, maker: Maker) -> None:
    """Makes a finished folder a checkpoint: all its bytes on disk, then the manifest."""
    for path in sorted(folder.rglob("*")):
        _sync(path)
    body = {
        "format_version": FORMAT_VERSION,
        "step": step,
        **asdict(maker),
        "files": _digests(folder),
    }
    whole = {**body, "digest": digest.of_value(body)}
    write_atomically(folder / MANIFEST, digest.canonical(whole))
    _sync(folder)
    _sync(folder.parent)


def choose(root: Path, maker: Maker) -> Choice:
    """The newest whole checkpoint. Raises WorkerError if it is not one of this job made here."""
    if root.is_symlink():
        raise WorkerError(f"{root} is a link", hint="remove it: llmops makes the folder itself")
    damaged: dict[str, str] = {}
    for step, folder in _newest_first(root):
        try:
            manifest = _whole(folder, step)
        except _DamagedError as error:
            damaged[folder.name] = str(error)
            continue
        _refuse_others(folder, manifest, maker)
        return Choice(folder, step, damaged)
    return Choice(damaged=damaged)


def prune(root: Path, keep: int | None, damaged: Collection[str]) -> None:
    """Leaves the newest `keep` sealed checkpoints, not counting damaged ones; all if None."""
    if keep is None:
        return
    sealed = [f for _, f in _newest_first(root) if _is_sealed(f) and f.name not in damaged]
    for folder in sealed[keep:]:
        (folder / MANIFEST).unlink()  # first: what is half removed is no checkpoint
        shutil.rmtree(folder)


def discard(folder: Path) -> None:
    """Nothing stands in a checkpoint's place."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.is_dir():
        (folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder)


def _is_sealed(folder: Path) -> bool:
    return (folder / MANIFEST).is_file()


def _newest_first(root: Path) -> Iterator[tuple[int, Path]]:
    names = [path.name[len(_NAME) :] for path in root.glob(f"{_NAME}*")]
    for step in sorted((int(name) for name in names if name.isdecimal()), reverse=True):
        yield step, folder_of(root, step)


def _whole(folder: Path, step: int) -> dict[str, Any]:
    """The manifest of a checkpoint, all its files checked. Raises _DamagedError."""
    manifest = _manifest(folder)
    if manifest["step"] != step:
        raise _DamagedError(f"it holds step {manifest['step']}")
    wanted, found = manifest["files"], _names(folder)
    for name in sorted(wanted.keys() ^ found):
        why = "is missing" if name in wanted else "does not belong to it"
        raise _DamagedError(f"{name} {why}")
    for name, expected in wanted.items():
        path = folder / name
        if path.is_symlink() or not path.is_file() or digest.of_file(path) != expected:
            raise _DamagedError(f"{name} is not as it was written")
    return manifest


def _manifest(folder: Path) -> dict[str, Any]:
    """What stands in the manifest; its bytes are those of one value, or it is damaged."""
    if folder.is_symlink() or not folder.is_dir():
        raise _DamagedError("it is no folder")
    try:
        data = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise _DamagedError("it was not finished") from None
    try:
        found = json.loads(data)
        body = {key: value for key, value in found.items() if key != "digest"}
        if digest.canonical(found) == data and digest.of_value(body) == found["digest"]:
            return body
    except (ValueError, KeyError, AttributeError, RecursionError):
        pass
    raise _DamagedError(f"{MANIFEST} is not as it was written")


def _refuse_others(folder: Path, manifest: Mapping[str, Any], maker: Maker) -> None:
    start_over = "say checkpoint: {resume: never} in the Recipe to start over"
    if manifest["closure"] != maker.closure:
        raise WorkerError(
            f"{folder.name} belongs to another job, {manifest['closure']}",
            hint=f"this one is {maker.closure}; remove {folder}",
        )
    for tool in sorted(manifest["versions"].keys() | maker.versions.keys()):
        then, now = manifest["versions"].get(tool, "none"), maker.versions.get(tool, "none")
        if then != now:
            raise WorkerError(
                f"{folder.name} was made by {tool} {then}, this is {tool} {now}",
                hint=f"go on with {tool} {then}, or {start_over}",
            )
    if manifest["processes"] != maker.processes:
        raise WorkerError(
            f"{folder.name} was made by {manifest['processes']} processes, "
            f"these are {maker.processes}",
            hint=f"go on with as many, or {start_over}",
        )


def _names(folder: Path) -> set[str]:
    """Paths of all that is no folder, but for the manifest."""
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if _is_leaf(p)}
    return found - {MANIFEST}


def _is_leaf(path: Path) -> bool:
    return path.is_symlink() or not path.is_dir()


def _digests(folder: Path) -> dict[str, str]:
    return {name: digest.of_file(folder / name) for name in sorted(_names(folder))}


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
