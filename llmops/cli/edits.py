"""Files that a command writes into somebody's repository: all of them or none, and nothing lost.

In: bytes by path. Out: those files, or an error and everything as it was. A file that git does not
have as it lies there is an unsaved change: it is written over with `--force` alone. Links are
written through to nothing: a file that is one stands in the way.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from llmops.cli import common
from llmops.diagnostics import printable
from llmops.errors import LlmopsError, UsageError


def add_force(parser: argparse.ArgumentParser) -> None:
    """`--force`."""
    parser.add_argument(
        "--force", action="store_true", help="also over files that git does not have as they are"
    )


def write(args: argparse.Namespace, files: Mapping[Path, bytes]) -> None:
    """Writes all files or none; folders are made, modes of what was there are kept.

    Raises UsageError for a file with unsaved changes (unless `args.force`), or where something
    else than a file stands in its place; LlmopsError when the disk refuses. Then nothing changed.
    """
    for path, data in files.items():
        _expect_place(path)
        if not args.force:
            _expect_saved(args, path, data)
    _write(files)


def _expect_place(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        shown = printable(str(path))
        raise UsageError(f"{shown} is no plain file", hint="move it away first")


def _expect_saved(args: argparse.Namespace, path: Path, data: bytes) -> None:
    if not path.exists():
        return
    old = _bytes(path)
    if old != data and not saved(args, path, old):
        raise UsageError(
            f"{printable(str(path))} has changes that are not committed",
            hint="commit them, or write over them with --force",
        )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{printable(str(path))} cannot be read: {error.strerror}") from error


def saved(args: argparse.Namespace, path: Path, data: bytes) -> bool:
    """Whether the last commit has a file as it lies there (`data`)."""
    try:
        repository = common.project(args).repository
        tree = repository.tree("HEAD")
        return tree.read(path.resolve().relative_to(repository.root).as_posix()) == data
    except (LlmopsError, KeyError, ValueError):
        return False  # no repository, no commit, or not in it


def _write(files: Mapping[Path, bytes]) -> None:
    """Each beside its place first, then all of them moved there; what was there comes back."""
    undo = contextlib.ExitStack()
    with contextlib.ExitStack() as scratch:
        try:
            ready = [(_beside(path, data, scratch), path) for path, data in files.items()]
            for beside, path in ready:
                _replace(beside, path, undo, scratch)
        except BaseException as error:
            undo.close()
            if isinstance(error, OSError):
                raise _refused(error) from error
            raise


def _refused(error: OSError) -> LlmopsError:
    where = printable(str(error.filename or ""))
    return LlmopsError(
        f"{where} cannot be written: {error.strerror}",
        hint="nothing was changed; free space, or make the folder writable",
    )


def _beside(path: Path, data: bytes, scratch: contextlib.ExitStack) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = _spare(path)
    scratch.callback(beside.unlink, missing_ok=True)
    with beside.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        beside.chmod(path.stat().st_mode)
    return beside


def _spare(path: Path) -> Path:
    return path.with_name(f".{path.name[:80]}.{secrets.token_hex(6)}.tmp")


def _replace(
    beside: Path, path: Path, undo: contextlib.ExitStack, scratch: contextlib.ExitStack
) -> None:
    if not path.exists():
        os.replace(beside, path)
        undo.callback(path.unlink)
        return
    old = _spare(path)
    os.link(path, old)
    scratch.callback(old.unlink, missing_ok=True)
    os.replace(beside, path)
    undo.callback(os.replace, old, path)
