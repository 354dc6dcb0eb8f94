"""Digest -> a verified file or folder: from the cache, a mirror, or the network. Wet.

Flows in: `sha256:<hex>` and, where the content lies in the network, its `uri`. Flows out: a path
whose bytes were hashed just now. Looked up in the cache (`LLMOPS_CACHE`), then in each folder of
`LLMOPS_MIRROR`, then downloaded; all lie at `sha256/<hex>`. Wrong bytes are never used: a damaged
cache entry is removed and made again. With `LLMOPS_OFFLINE=1` nothing is ever downloaded.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llmops import digest as digests
from llmops.diagnostics import printable
from llmops.errors import FetchError
from llmops.source.download import Download, TransientError, check_host, shown, split
from llmops.source.egress import Egress, check_egress


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Where content named by digest is looked for, and whether the network may be asked.

    `allow_hosts` are host names that may be reached though their address is not public.
    Every list of `egress` must have the host that is asked, and those it redirects to.
    `pauses_s` are the seconds waited before each further try when a server fails.
    """

    cache: Path
    mirrors: tuple[Path, ...] = ()
    offline: bool = False
    allow_hosts: frozenset[str] = frozenset()
    pauses_s: tuple[float, ...] = (0.5, 2.0)
    max_bytes: int = 64 * 1024**3
    egress: tuple[Egress, ...] = ()

    def get(self, digest: str, uri: str | None = None, *, who: str = "llmops") -> Path:
        """The verified file or folder; `who` asks is named when it cannot be had.

        Raises FetchError: not there, wrong bytes (both digests), offline, or the network failed.
        """
        name = _hex(digest)
        wrong: list[str] = []
        for folder in (self.cache, *self.mirrors):
            path = folder / "sha256" / name
            actual = _digest_of(path)
            if actual == digest:
                return path
            if actual is not None:
                wrong.append(f"{path} has {actual}")
                _drop(path, within=self.cache)
        if wrong and (uri is None or self.offline):
            raise _altered(digest, wrong)
        if uri is None:
            raise self._absent(digest, who)
        return self._download(digest, uri, who)

    def _download(self, digest: str, uri: str, who: str) -> Path:
        self._may_reach(digest, uri, who)
        for pause in self.pauses_s:
            try:
                return self._once(digest, uri)
            except TransientError:
                time.sleep(pause)
        try:
            return self._once(digest, uri)
        except TransientError as error:
            error.hint = f"try again later, or {_in_a_mirror(digest)}"
            raise

    def _may_reach(self, digest: str, uri: str, who: str) -> None:
        scheme, host = split(uri)
        mirror = _in_a_mirror(digest)
        if self.offline:
            wish = f"{printable(who)} needs {digest} from {shown(uri)}"
            raise FetchError(f"{wish}, but LLMOPS_OFFLINE=1", hint=mirror)
        if scheme not in ("http", "https") or not host:
            raise FetchError(f"{shown(uri)} is not an http or https address", hint=mirror)
        check_egress(host, self.egress)
        check_host(host, self.allow_hosts)

    def _once(self, digest: str, uri: str) -> Path:
        final = self.cache / "sha256" / _hex(digest)
        download = Download(self.allow_hosts, max_bytes=self.max_bytes, egress=self.egress)
        with _kept_when_whole(final) as file, download.chunks(uri) as pieces:
            actual = _copy(pieces, file, final)
            if actual != digest:
                raise _altered(digest, [f"{shown(uri)} sent {actual}"])
        return final

    def _absent(self, digest: str, who: str) -> FetchError:
        places = ", ".join(str(folder) for folder in (self.cache, *self.mirrors))
        return FetchError(
            f"{printable(who)} needs {digest}, which is not in {places}",
            hint="give its uri, or put it at sha256/<hex> in a folder of LLMOPS_MIRROR",
        )


def from_environment(
    environ: dict[str, str] | None = None, first: tuple[Path, ...] = ()
) -> Fetcher:
    """A fetcher as LLMOPS_CACHE, LLMOPS_MIRROR, LLMOPS_OFFLINE and LLMOPS_ALLOW_HOSTS say.

    `first`: further mirrors, asked before those of the environment.
    """
    env = dict(os.environ) if environ is None else environ
    cache = Path(env.get("LLMOPS_CACHE") or "~/.cache/llmops").expanduser()
    mirrors = [Path(part) for part in env.get("LLMOPS_MIRROR", "").split(os.pathsep) if part]
    hosts = [host.strip() for host in env.get("LLMOPS_ALLOW_HOSTS", "").split(",")]
    offline = env.get("LLMOPS_OFFLINE", "") not in ("", "0")
    return Fetcher(cache, (*first, *mirrors), offline, frozenset(host for host in hosts if host))


def _hex(digest: str) -> str:
    if not digests.PATTERN.fullmatch(digest):
        raise FetchError(
            f"{printable(digest)} is not a digest", hint="write sha256:<64 hex digits>"
        )
    return digest.removeprefix("sha256:")


def _in_a_mirror(digest: str) -> str:
    return f"put the content at sha256/{_hex(digest)} in a folder of LLMOPS_MIRROR"


def _digest_of(path: Path) -> str | None:
    """Digest of what lies there, file or folder; None where nothing does."""
    try:
        if path.is_dir():
            return digests.of_folder(path)
        return digests.of_file(path) if path.exists() else None
    except OSError as error:
        raise FetchError(f"{path} cannot be read: {error.strerror}") from error


def _drop(path: Path, *, within: Path) -> None:
    """Remove a damaged entry of our own cache; a mirror belongs to someone else."""
    if not path.is_relative_to(within):
        return
    with suppress(OSError):  # a read-only cache keeps it, and it is refused again next time
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _copy(pieces: Iterator[bytes], file: IO[bytes], final: Path) -> str:
    seen = hashlib.sha256()
    written = 0
    for piece in pieces:
        seen.update(piece)
        try:
            file.write(piece)
        except OSError as error:
            raise _unwritable(final, error, written) from error
        written += len(piece)
    return f"sha256:{seen.hexdigest()}"


@contextmanager
def _kept_when_whole(final: Path) -> Iterator[IO[bytes]]:
    """A file beside `final` that takes its name when all went well, and else is gone."""
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".part-", dir=final.parent)
    except OSError as error:
        raise _unwritable(final, error) from error
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(final)
        _sync_folder(final.parent)
    except OSError as error:
        raise _unwritable(final, error) from error
    finally:
        part.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritable(final: Path, error: OSError, written: int | None = None) -> FetchError:
    after = "" if written is None else f" (after {written:,} bytes)"
    return FetchError(
        f"{final} cannot be written: {error.strerror or error}{after}",
        hint="free some space, or set LLMOPS_CACHE to a folder that can be written",
    )


def _altered(digest: str, wrong: list[str]) -> FetchError:
    return FetchError(
        f"wrong bytes for {digest}: {'; '.join(wrong)}",
        hint="correct the digest in the spec if the new content is meant, else the source",
    )
