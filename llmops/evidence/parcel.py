"""A zip or folder that somebody else made -> files of known names, counted, measured, digested.

In: bytes that nobody vouches for. Out: copies below a folder of ours, each under a name that a
parcel may hold, or a `Refused` in words. Nothing is written before its name and kind are known to
be harmless, and no more than the limits allow; what a zip says about itself is not believed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from llmops.diagnostics import printable
from llmops.evidence import layout
from llmops.evidence.files import failed
from llmops.evidence.statement import is_name

MANIFEST = "manifest.json"
_STATEMENT = re.compile(r"evidence/[0-9a-f]{64}/[0-9a-f]{64}\.json")
_ARTIFACT = re.compile(r"runs/([0-9a-f]{64})/artifacts/(.+)", re.DOTALL)
_PIECE = 1 << 20
_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Refused(ValueError):
    """Why nothing of a parcel is taken, in words for people."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a parcel may hold. `ratio`: bytes out for each byte in, over all of a large zip."""

    files: int = 20_000
    file_bytes: int = 64 * 2**30
    total_bytes: int = 128 * 2**30
    text_bytes: int = 16 * 2**20  # of the manifest, and of a statement; half more when signed
    ratio: int = 200
    ratio_from_bytes: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Piece:
    """One file of a parcel, copied to `path`."""

    path: Path
    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    size_bytes: int
    open: Callable[[], IO[bytes]]


def unpack(source: Path, into: Path, limits: Limits) -> Mapping[str, Piece]:
    """Every file of a parcel by name, copied below `into`. Raises Refused, or StoreError."""
    with _entries(source, limits) as found:
        _expect_apart([entry.name for entry in found])
        made: dict[str, Piece] = {}
        left = limits.total_bytes
        for entry in found:
            made[entry.name] = _copied(entry, into, min(left, _most(entry.name, limits)))
            left -= made[entry.name].size_bytes
        return made


def artifact_at(name: str) -> tuple[str, str] | None:
    """Closure (64 hex digits) and name of the artifact file that a parcel's name stands for."""
    found = _ARTIFACT.fullmatch(name)
    return (found[1], found[2]) if found else None


def _most(name: str, limits: Limits) -> int:
    if artifact_at(name):
        return limits.file_bytes
    return limits.text_bytes * 3 // 2 if layout.signed_at(name) else limits.text_bytes


def _expect_apart(names: list[str]) -> None:
    """No two names that some file system takes for one."""
    seen: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFC", name).casefold()
        if key in seen:
            raise Refused(f'"{_shown(name)}" stands twice in it, or differs by case alone')
        seen[key] = name


def _expect_name(name: str) -> None:
    """A name that a parcel may hold: no way out of it, and nothing that is none of ours."""
    artifact = artifact_at(name)
    inner = artifact[1] if artifact else ""
    told = _STATEMENT.fullmatch(name) or layout.audit_at(name) or layout.signed_at(name)
    ours = name == MANIFEST or told is not None
    known = ours or (artifact and is_name(inner))
    plain = inner.isprintable() and not any(c in inner for c in '\\:*?"<>|')
    if not known or not plain or len(os.fsencode(name)) > 1024:
        raise Refused(f'"{_shown(name)}" is no name of a file that evidence consists of')


def _copied(entry: _Entry, into: Path, most: int) -> Piece:
    """The file's bytes at a path of ours, as many as are allowed and no more."""
    if entry.size_bytes > most:
        raise Refused(f"{_shown(entry.name)} has {entry.size_bytes:,} bytes, at most {most:,}")
    path, digest, size = into / entry.name, hashlib.sha256(), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with entry.open() as source, path.open("xb") as target:
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > most:
                    raise Refused(f"{_shown(entry.name)} has more than {most:,} bytes")
                digest.update(piece)
                target.write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused(f"{_shown(entry.name)} cannot be unpacked: {_words(error)}") from None
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise Refused(f"{_shown(entry.name)} is a file and a folder at once") from None
    except OSError as error:
        raise failed("write", path, error, entry.size_bytes) from error
    return Piece(path, f"sha256:{digest.hexdigest()}", size)


@contextmanager
def _entries(source: Path, limits: Limits) -> Iterator[list[_Entry]]:
    """What a zip or a folder says that it holds, names checked."""
    if source.is_dir() and not source.is_symlink():
        yield list(_of_folder(source, limits))
        return
    try:
        with zipfile.ZipFile(source) as archive:
            yield list(_of_zip(archive, limits, source.stat().st_size))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Refused(f"it is no zip that can be read: {_words(error)}") from None
    except (ValueError, OverflowError, UnicodeError, RuntimeError, IndexError) as error:
        if isinstance(error, Refused):
            raise
        raise Refused(f"it is no zip that can be read: {_words(error)}") from None
    except FileNotFoundError:
        raise Refused("it is not there") from None
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror or error}") from None


def _of_zip(archive: zipfile.ZipFile, limits: Limits, size: int) -> Iterator[_Entry]:
    infos = archive.infolist()
    if len(infos) > limits.files:
        raise Refused(f"it holds {len(infos):,} files, at most {limits.files:,} are read")
    total = sum(info.file_size for info in infos)
    if total > limits.total_bytes:
        raise Refused(f"it holds {total:,} bytes, at most {limits.total_bytes:,} are read")
    if total > limits.ratio_from_bytes and total > limits.ratio * size:
        raise Refused(f"it would grow from {size:,} bytes to {total:,}: that is no evidence")
    for info in infos:
        mode = info.external_attr >> 16
        if info.is_dir() and not info.file_size:
            continue
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise Refused(f"{_shown(info.filename)} is a link or no regular file")
        if info.flag_bits & 0x1:
            raise Refused(f"{_shown(info.filename)} is encrypted")
        if info.compress_type not in _DEFLATED:
            raise Refused(f"{_shown(info.filename)} is packed in a way that is not read")
        if info.orig_filename != info.filename:
            raise Refused(f'"{_shown(info.orig_filename)}" is no plain name')
        _expect_name(info.filename)
        yield _Entry(info.filename, info.file_size, partial(archive.open, info))


def _of_folder(root: Path, limits: Limits) -> Iterator[_Entry]:
    count, total = 0, 0
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for entry in sorted(os.scandir(folder), key=lambda one: one.name):
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                waiting.append(Path(entry.path))
                continue
            name = os.path.relpath(entry.path, root)
            count, total = count + 1, total + found.st_size
            if not stat.S_ISREG(found.st_mode):
                raise Refused(f"{_shown(name)} is a link or no regular file")
            if count > limits.files or total > limits.total_bytes:
                raise Refused(f"it holds more than {limits.files:,} files or "
                              f"{limits.total_bytes:,} bytes")  # fmt: skip
            _expect_name(name)
            yield _Entry(name, found.st_size, partial(_opened, entry.path))


def _opened(path: str) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def _shown(name: str) -> str:
    return printable(name, 160)


def _words(error: Exception) -> str:
    return printable(str(error), 200) or type(error).__name__
