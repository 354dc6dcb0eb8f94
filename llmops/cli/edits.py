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


def write(
    args: argparse.Namespace, files: Mapping[Path, bytes], kept: Mapping[Path, bytes] | None = None
) -> None:
    """Writes all files or none; folders are made, modes of what was there are kept.

    `kept`: files as git was given them just now, so that they are saved whatever is committed.
    Raises UsageError for a file with unsaved changes (unless `args.force`), or where something
    else than a file stands in its place; LlmopsError when the disk refuses. Then nothing changed.
    """
    for path, data in files.items():
        _expect_place(path)
        if not getattr(args, "force", False):
            _expect_saved(args, path, data, (kept or {}).get(path))
    _write(files)


def _expect_place(path: Path) -> None:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        shown = printable(str(path))
        raise UsageError(f"{shown} is no plain file", hint="move it away first")


def _expect_saved(args: argparse.Namespace, path: Path, data: bytes, kept: bytes | None) -> None:
    if not path.exists():
        return
    old = content(path)
    if old not in (data, kept) and not saved(args, path, old):
        raise UsageError(
            f"{printable(str(path))} has changes that are not committed",
            hint="commit them, or write over them with --force",
        )


def content(path: Path) -> bytes:
    """A plain file's bytes. UsageError for a link, and for what cannot be read."""
    _expect_place(path)
    return read(path)


def read(path: Path) -> bytes:
    """A file's bytes, through a link too. UsageError for what cannot be read."""
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
    """Each beside its place first, then all of them moved there; what was there comes back.

    All that needs space comes before the first move, so that a full disk moves nothing.
    """
    undo = contextlib.ExitStack()
    with contextlib.ExitStack() as scratch:
        try:
            ready = [(_beside(path, data, scratch), path) for path, data in files.items()]
            moves = [(beside, path, _second_name(path, scratch)) for beside, path in ready]
            for beside, path, old in moves:
                os.replace(beside, path)
                undo.callback(*((os.replace, old, path) if old else (path.unlink,)))
        except BaseException as error:
            whole = _undone(undo)
            if isinstance(error, OSError):
                raise _refused(error, whole=whole) from error
            raise


def _undone(undo: contextlib.ExitStack) -> bool:
    """Whether everything is as it was again."""
    try:
        undo.close()
    except OSError:
        return False
    return True


def _refused(error: OSError, *, whole: bool) -> LlmopsError:
    where = printable(str(error.filename or ""))
    left = "nothing was changed; free space, or make the folder writable"
    if not whole:
        left = "some files are changed, each of them whole: git status shows which"
    return LlmopsError(f"{where} cannot be written: {error.strerror}", hint=left)


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


def _second_name(path: Path, scratch: contextlib.ExitStack) -> Path | None:
    """Another name of the file that stands there, under which it stays until all is done."""
    if not path.exists():
        return None
    old = _spare(path)
    os.link(path, old)
    scratch.callback(old.unlink, missing_ok=True)
    return old
