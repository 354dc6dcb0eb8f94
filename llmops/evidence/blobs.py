"""Artifacts by digest where several machines reach them: an `Environment.store`, over fsspec. Wet.

In: an address (`s3://bucket/llmops`, `file:///mnt/llmops`). Out: files and folders under their
sha256, put whole or not at all, hashed again whenever they are read. Whoever can write there can
remove what lies there, never replace it. A file stands at `sha256/<hex>`; of a folder its listing
(path -> digest, canonical JSON) at `folders/<hex>`, so equal files lie there once.

Keys come from the environment of the process, as the driver reads them, and from nowhere else.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from llmops.diagnostics import printable
from llmops.digest import canonical, of_bytes, of_file
from llmops.errors import AwayError, FetchError, StoreError
from llmops.evidence.statement import hex_of, is_name
from llmops.source.egress import Egress, check_egress

T = TypeVar("T")
_PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "oss": "ossfs", "hdfs": "pyarrow",
             "sftp": "paramiko"}  # fmt: skip
_NEAR = ("file", "memory")
_SECRET = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{64}")
_LISTING_BYTES = 64 * 2**20


class Blobs(Protocol):
    """Files and folders by digest, on another machine."""

    uri: str

    def has(self, digest: str) -> bool:
        """Whether something lies there under a digest. Raises StoreError: it cannot be reached."""

    def get(self, digest: str, to: Path) -> None:
        """The file or folder at `to`, which is not there yet.

        Raises StoreError: it is not whole, AwayError: it cannot be reached.
        """

    def put(self, path: Path, digest: str) -> None:
        """Lay a file or folder there, unless it is there. Raises StoreError."""

    def laid(self, now: datetime) -> Sequence[Laid]:
        """All that lies there: files, and the listings of folders. Raises StoreError."""

    def inside(self, digest: str) -> frozenset[str]:
        """Digests of the files of a folder that lies there; nothing for a file."""

    def remove(self, one: Laid) -> None:
        """It is gone from there. Raises StoreError."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Something in a shared store: where it stands, its digest, how large, how many days old."""

    path: str
    digest: str
    size_bytes: int
    days: float


@cache
def opened(uri: str, egress: tuple[Egress, ...] = ()) -> Blobs:
    """The store at an address. Nothing is asked of it before it is used."""
    return _Filed(uri, egress)


class _Filed:
    """Blobs in a file system that fsspec knows."""

    def __init__(self, uri: str, egress: tuple[Egress, ...]) -> None:
        self.uri = uri
        self._egress = egress
        self._scheme, _, path = uri.partition("://")
        self._root = path.rstrip("/")
        self._known: dict[str, set[str]] = {}
        self._made: Any = None

    def has(self, digest: str) -> bool:
        name = hex_of(digest)
        return name in self._names("sha256") or name in self._names("folders")

    def get(self, digest: str, to: Path) -> None:
        name = hex_of(digest)
        if name in self._names("folders"):
            self._folder(name, to)
        else:
            self._file(name, to)

    def put(self, path: Path, digest: str) -> None:
        name = hex_of(digest)
        if not path.is_dir():
            self._lay("sha256", name, path, of_file(path))
            return
        inner = [file for file in sorted(path.rglob("*")) if file.is_file()]
        files = {file.relative_to(path).as_posix(): of_file(file)[7:] for file in inner}
        listing = canonical(files)
        for file in inner:
            at = files[file.relative_to(path).as_posix()]
            self._lay("sha256", at, file, f"sha256:{at}")
        self._lay("folders", name, listing, of_bytes(listing))

    def laid(self, now: datetime) -> Sequence[Laid]:
        found = []
        for folder in ("sha256", "folders"):
            for name in sorted(self._names(folder)):
                at = f"{self._root}/{folder}/{name}"
                size = int(self._try("read", partial(_size, path=at)))
                days = self._try("read", partial(_days, path=at, now=now))
                found.append(Laid(f"{folder}/{name}", f"sha256:{name}", size, days))
        return found

    def inside(self, digest: str) -> frozenset[str]:
        name = hex_of(digest)
        if name not in self._names("folders"):
            return frozenset()
        data = self._try("read", lambda fs: fs.cat_file(f"{self._root}/folders/{name}"))
        return frozenset(f"sha256:{one}" for one in (_listing(data) or {}).values())

    def remove(self, one: Laid) -> None:
        self._try("cleared", lambda fs: fs.rm_file(f"{self._root}/{one.path}"))
        folder, _, name = one.path.partition("/")
        self._names(folder).discard(name)

    # ---- below -----------------------------------------------------------------------------

    def _lay(self, folder: str, name: str, data: Path | bytes, actual: str) -> None:
        """Bytes under their digest: whole or not there, also where somebody else lays them too."""
        if actual != f"sha256:{name}":
            raise StoreError(f"what was to be put into {self.uri} is {actual}, not sha256:{name}")
        if name in self._names(folder):
            return
        size = len(data) if isinstance(data, bytes) else data.stat().st_size
        self._try("written", lambda fs: self._upload(fs, f"{self._root}/{folder}", name, data))
        found = self._try("read", lambda fs: fs.info(f"{self._root}/{folder}/{name}"))
        if found.get("size") != size:
            raise StoreError(f"{self.uri} kept {found.get('size')} of {size:,} bytes of {name}")
        self._names(folder).add(name)

    def _upload(self, fs: Any, folder: str, name: str, data: Path | bytes) -> None:
        """An object store shows an object when it is whole; a folder is given a whole file."""
        local = self._scheme in ("file", "sftp", "hdfs")
        at = f"{folder}/.{secrets.token_hex(8)}.tmp" if local else f"{folder}/{name}"
        fs.makedirs(folder, exist_ok=True)
        try:
            if isinstance(data, bytes):
                fs.pipe_file(at, data)
            else:
                fs.put_file(str(data), at)
            if local:
                fs.mv(at, f"{folder}/{name}")
        except BaseException:
            if local and fs.exists(at):
                fs.rm_file(at)
            raise

    def _file(self, name: str, to: Path) -> None:
        to.parent.mkdir(parents=True, exist_ok=True)
        self._try("read", lambda fs: fs.get_file(f"{self._root}/sha256/{name}", str(to)))
        if of_file(to) != f"sha256:{name}":
            to.unlink()
            self._spoiled("sha256", name)

    def _folder(self, name: str, to: Path) -> None:
        path = f"{self._root}/folders/{name}"
        size = self._try("read", lambda fs: fs.info(path)).get("size") or 0
        data = b"" if size > _LISTING_BYTES else self._try("read", lambda fs: fs.cat_file(path))
        files = _listing(data) if of_bytes(data) == f"sha256:{name}" else None
        if files is None:
            self._spoiled("folders", name)
            return
        for inner, digest in files.items():
            self._file(digest, to / inner)

    def _spoiled(self, folder: str, name: str) -> None:
        """Other bytes than the name says: gone from now on, so that its job is planned again."""
        hint = "its job is planned again"
        try:
            self._try("cleared", lambda fs: fs.rm_file(f"{self._root}/{folder}/{name}"))
        except StoreError:
            hint = f"remove {folder}/{name} there: its job is planned again then"
        self._names(folder).discard(name)
        raise StoreError(f"{self.uri} has other bytes at {folder}/{name} than its name says",
                         hint=hint)  # fmt: skip

    def _names(self, folder: str) -> set[str]:
        """What lies in a folder there; asked once."""
        if folder not in self._known:
            found = self._try("read", lambda fs: _listed(fs, f"{self._root}/{folder}"))
            self._known[folder] = {name for name in found if _HEX.fullmatch(name)}
        return self._known[folder]

    def _try(self, verb: str, act: Callable[[Any], T]) -> T:
        try:
            if self._made is None:
                self._made = self._driver()
            return act(self._made)
        except (StoreError, FetchError, KeyboardInterrupt):
            raise
        except Exception as error:  # whatever a driver raises: each has a tree of its own
            what = f"the store {self.uri} cannot be {verb}: {_words(error)}"
            hint = "see the address in Environment.store, and the keys in the environment"
            raise AwayError(what, hint=hint) from error

    def _driver(self) -> Any:
        """The file system of the scheme. Raises StoreError: its package is missing, or offline."""
        if self._scheme not in _NEAR:
            if os.environ.get("LLMOPS_OFFLINE", "") not in ("", "0"):
                raise AwayError(f"the store {self.uri} is in the network, but LLMOPS_OFFLINE=1")
            if self._scheme in ("sftp", "hdfs"):
                check_egress(urlsplit(self.uri).hostname or "", self._egress)
        try:
            fsspec = importlib.import_module("fsspec")
        except ImportError as error:
            what = f"the store {self.uri} needs the package fsspec"
            raise AwayError(what, hint="pip install 'llmops[store]'") from error
        try:
            return fsspec.filesystem(self._scheme, skip_instance_cache=True)
        except (ImportError, ValueError) as error:
            package = _PACKAGES.get(self._scheme, "a driver of fsspec")
            what = f"the store {self.uri} needs the package {package}"
            raise AwayError(what, hint=f"pip install {package}") from error


def _listed(fs: Any, folder: str) -> list[str]:
    try:
        fs.invalidate_cache()
        found = fs.ls(folder, detail=False)
    except FileNotFoundError:
        return []
    return [str(path).rstrip("/").rpartition("/")[2] for path in found]


def _size(fs: Any, path: str) -> int:
    return int(fs.info(path).get("size") or 0)


def _days(fs: Any, path: str, now: datetime) -> float:
    """Days since something was laid; 0 where the driver does not say, so that it stays."""
    try:
        laid = fs.modified(path)
    except NotImplementedError:
        return 0.0
    laid = laid if laid.tzinfo is not None else laid.replace(tzinfo=UTC)
    return max(0.0, float((now - laid).total_seconds()) / 86400)


def _listing(data: bytes) -> Mapping[str, str] | None:
    """The files of a folder by path; None where that is none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or canonical(found) != data:
        return None
    whole = all(is_name(k) and isinstance(v, str) and _HEX.fullmatch(v) for k, v in found.items())
    return found if whole else None


def _words(error: Exception) -> str:
    """What a driver said, without the value of any variable that is a secret by its name."""
    said = str(error) or type(error).__name__
    for name, value in os.environ.items():
        if len(value) >= 6 and _SECRET.search(name):
            said = said.replace(value, "***")
    return printable(said.splitlines()[0] if said.strip() else type(error).__name__, 240)
