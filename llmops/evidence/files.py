"""Writing that is whole or not there, and digests that need not be computed twice.

In: bytes and a path. Out: those bytes under that name, or nothing new under it, whatever fails in
between: temporary file, fsync, link or rename, fsync of the folder. `Digests` reads files and
folders strictly (regular files only: no links out of a run folder, no pipes that would block).
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from llmops.digest import of_file, of_value
from llmops.errors import StoreError

_PIECE = 1 << 16
_SETTLED_NS = 200_000_000  # a file changed less than this ago may change again unseen by its times


def shown(path: Path) -> str:
    """The path for people: relative to the current folder where it lies below it."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


_IN_THE_WAY = (errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def failed(verb: str, path: Path, error: OSError, size: int | None = None) -> StoreError:
    """A failed operation on a path as an error for people, with what to do about it.

    `size`: how many bytes were to be written.
    """
    why = error.strerror or str(error)
    if error.errno in _FULL:
        why += free(path)
    what = "free space or make the folder writable"
    if error.errno in _IN_THE_WAY:
        what = "move away what stands in its place"
    many = "" if size is None else f" ({size:,} bytes)"
    return StoreError(
        f"cannot {verb} {shown(path)}{many}: {why}",
        hint=f"{what}, then run again: work that is done is kept",
    )


def free(path: Path) -> str:
    """How much space is left where a path is or would be, as the end of a sentence."""
    there = next((p for p in (path, *path.parents) if p.exists()), None)
    if there is None:
        return ""
    with contextlib.suppress(OSError):
        return f", {shutil.disk_usage(there).free:,} bytes are free"
    return ""


def refuse_links(root: Path, path: Path) -> None:
    """Raises StoreError if the way from `root` (which may be one) to `path` leads over a link.

    What is cleared or written there would be somebody else's.
    """
    for step in (path, *path.parents):
        if step == root:
            return
        if step.is_symlink():
            raise StoreError(
                f"{shown(step)} is a link, so what is written there would be elsewhere",
                hint="remove the link: llmops makes the folder itself",
            )


def write_new(path: Path, data: bytes) -> bool:
    """Create the file with these bytes; False if one of that name is there already.

    Raises StoreError with the path; then nothing new stands under the name.
    """
    try:
        with _temporary(path, data) as temporary:
            os.link(temporary, path)
        _sync_folder(path.parent)
    except FileExistsError:
        return False
    except OSError as error:
        raise failed("write", path, error, len(data)) from error
    return True


def replace(path: Path, data: bytes) -> None:
    """The file with exactly these bytes, in place of what was there. Raises StoreError."""
    try:
        with _temporary(path, data) as temporary:
            os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise failed("write", path, error, len(data)) from error


def put(path: Path, data: bytes) -> None:
    """Like `replace`, for one of thousands that can be had again: a loss of power may tear it.

    Raises StoreError.
    """
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise failed("write", path, error, len(data)) from error


def give(path: Path, data: bytes) -> None:
    """Like `replace`, where a person says: a device or a pipe is written to, as in /dev/stdout.

    A link in a work tree may be the change's own, so it is replaced and never followed.
    """
    plain = path.is_dir() or path.is_file() or not path.exists()
    if plain and not path.absolute().is_relative_to("/dev"):
        replace(path, data)
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise failed("write", path, error, len(data)) from error


def read(path: str) -> bytes:
    """All of a file. A pipe in its place is empty and does not block. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        pieces = [os.read(descriptor, _PIECE)]
        while len(pieces[-1]) == _PIECE:
            pieces.append(os.read(descriptor, _PIECE))
        return b"".join(pieces)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _temporary(path: Path, data: bytes) -> Iterator[Path]:
    """A finished file beside `path`, gone afterwards."""
    _make_folder(path.parent)
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        yield temporary
    finally:
        # Renamed, never made, or on a disk that refuses: readers skip such names.
        with contextlib.suppress(OSError):
            os.unlink(temporary)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _make_folder(folder: Path) -> None:
    """The folder, and its name on disk too: a file in a folder that is lost is lost with it."""
    missing = [f for f in (folder, *folder.parents) if not f.is_dir()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        _sync_folder(made.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Digests:
    """Digests of files and folders, remembered while nothing about the file has changed.

    A file is read again when its size, inode, or a time of it differs, or when it was changed so
    recently that another change could bear the same time.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}

    def of(self, path: Path) -> str:
        """`sha256:<hex>` of a file, or of a folder as `llmops.digest.of_folder` has it.

        Raises OSError if it cannot be read, ValueError if a link or a special file is in it.
        """
        mode = os.lstat(path).st_mode
        if not stat.S_ISDIR(mode):
            return self._of_file(path)
        files = {p.relative_to(path).as_posix(): self._of_file(p)[7:] for p in _files(path)}
        return of_value(files)

    def _of_file(self, path: Path) -> str:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{shown(path)} is not a regular file")
        key = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if key not in self._known:
            digest = of_file(path)
            if time.time_ns() - found.st_ctime_ns < _SETTLED_NS:
                return digest
            self._known[key] = digest
        return self._known[key]


def _files(folder: Path) -> Iterator[Path]:
    """Everything below a folder that is not itself a folder; links are never followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry.path))
            else:
                yield Path(entry.path)
