"""The ledger of attempts: append-only, one entry per file, each naming the one before.

In: entries, while others append theirs. Out: all entries in order, or what is wrong with them: a
gap, an entry that was edited, removed or torn, a file or link that is none of ours. A damaged
ledger is read by nobody and takes no entry, so that nothing counted can pass on it.

An entry is made by exclusive create under the next number: of two writers one wins, and the other
reads again and decides again whether its entry is still wanted. `follow` puts other entries in the
place of these, those of a ledger that many share; who dies in between is gone on with by the next
reader. `checkpoint.json` holds how many
there are and the last one's digest, written after each; it may be behind (a crash), never ahead:
that is how entries that were removed from the end are missed. Names and texts follow the log that
will hold them: `00000042.json`, canonical JSON, sha256.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.digest import PATTERN, canonical, of_bytes
from llmops.errors import StoreError
from llmops.evidence.entry import Kept, encode, parse
from llmops.evidence.files import failed, put, read, refuse_links, replace, shown, write_new
from llmops.jobs.attempts import Entry
from llmops.jobs.base import FORMAT_VERSION
from llmops.jobs.rebase import rebased

FOLDER = "ledger"
CHECKPOINT = "checkpoint.json"
_NEXT = "ledger.next"  # entries that are about to stand in the place of others
_LOCK = "ledger.lock"
_NAME = re.compile(r"\d{8}\.json")
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.tmp")
Wanted = Callable[[tuple[Entry, ...]], Entry | None]


class Damaged(StoreError):
    """The ledger is not what was written to it; the message names the first thing that is wrong."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the ledger is damaged: {why}",
            hint="bring reports/ledger back as it was; until then nothing is counted",
        )
        self.why = why


@dataclass(frozen=True, slots=True)
class Tip:
    """How many entries there are, and the digest of the last; "" when there is none."""

    count: int
    digest: str


class Ledger:
    """The entries below `reports/ledger/`, which need not exist yet.

    Entries that were read and checked once are not read again: their digests hold the next ones.
    """

    def __init__(self, reports: Path) -> None:
        self._reports = reports.absolute()
        self._folder = self._reports / FOLDER
        self._kept: list[Kept] = []

    @property
    def tip(self) -> Tip:
        """The end of what was read so far."""
        return Tip(len(self._kept), self._kept[-1].digest if self._kept else "")

    def entries(self) -> tuple[Entry, ...]:
        """All entries in their order. Raises Damaged, or StoreError if they cannot be read."""
        self._read()
        return tuple(kept.entry for kept in self._kept)

    def kept(self) -> Sequence[Kept]:
        """The same with their numbers and digests."""
        self._read()
        return tuple(self._kept)

    def append(self, wanted: Wanted) -> Entry | None:
        """Append what `wanted` makes of the entries so far; None appends nothing.

        It is asked again whenever another writer was faster. Raises Damaged, or StoreError where
        nothing can be written; then no entry was made, or a whole one.
        """
        while True:
            entry = wanted(self.entries())
            if entry is None:
                return None
            with self._alone():
                if self._append(entry):
                    return entry

    def _append(self, entry: Entry) -> bool:
        """Whether the entry stands now under the number after those that were read."""
        number = len(self._kept) + 1
        if not self._still():
            return False
        data = encode(number, self.tip.digest or None, entry)
        refuse_links(self._reports, self._folder)
        if not write_new(self._path(number), data):
            return False
        self._read_once()
        self._mark()
        return True

    def _still(self) -> bool:
        """Whether the last entry that was read stands where it stood."""
        path = self._path(len(self._kept))
        return not self._kept or (path.is_file() and _bytes(path) == raw(self._kept[-1]))

    def follow(self, merged: Callable[[Sequence[Kept]], Sequence[Kept]]) -> int:
        """Put a chain of entries in the place of these: what `merged` makes of those that are here.

        It is given what can be read of a damaged ledger. How many entries are new here.
        """
        with self._alone():
            own, whole = self._readable()
            kept = merged(own)
            same = _in_common(own, kept) if whole else 0
            if not whole or same < max(len(own), len(kept)):
                self._stage(same, kept)
                self._finish()
            self._kept = list(kept)
            return len(kept) - same

    def _readable(self) -> tuple[Sequence[Kept], bool]:
        """All entries and True, or of a damaged ledger each one that is an entry by itself."""
        try:
            self._read_once()
        except Damaged:
            self._kept.clear()
            return tuple(_whole(self._folder)), False
        return tuple(self._kept), True

    def _stage(self, same: int, kept: Sequence[Kept]) -> None:
        """The new entries from `same` on, beside the ledger; its end last, which makes it count."""
        folder = self._reports / _NEXT
        if folder.is_dir():
            shutil.rmtree(folder)  # left by one who died before it was whole
        for one in kept[same:]:
            put(folder / f"{one.number:08}.json", raw(one))
        replace(folder / CHECKPOINT, _end(len(kept), kept[-1].digest if kept else ""))

    def _finish(self) -> None:
        """Move what was staged into its place; begun again, it goes on where it stopped."""
        staged = self._reports / _NEXT
        if not os.path.lexists(staged / CHECKPOINT):
            return
        refuse_links(self._reports, self._folder)
        count, _ = _checkpoint(staged / CHECKPOINT)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in sorted(os.listdir(staged)):
                if _NAME.fullmatch(name):
                    os.replace(staged / name, self._folder / name)
            for name in os.listdir(self._folder):
                if not (_NAME.fullmatch(name) and 0 < int(name[:8]) <= count):
                    (self._folder / name).unlink()
            os.replace(staged / CHECKPOINT, self._folder / CHECKPOINT)
            shutil.rmtree(staged)
        except OSError as error:
            raise failed("write", self._folder, error) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes to the ledger meanwhile."""
        try:
            self._reports.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._reports / _LOCK, flags, 0o666)
        except OSError as error:
            raise failed("write", self._reports / _LOCK, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._finish()
            yield
        finally:
            os.close(descriptor)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.json"

    def _mark(self) -> None:
        """Write down where the end is."""
        tip = self.tip
        replace(self._folder / CHECKPOINT, _end(tip.count, tip.digest))

    # ---- reading -------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read what is new; once more where it seems damaged, since others may be moving it."""
        if not self._still():
            self._kept.clear()
        try:
            self._read_once()
        except Damaged as damage:
            self._again(damage)

    def _again(self, damage: Damaged) -> None:
        try:
            with self._alone():
                self._kept.clear()
                self._read_once()
        except Damaged:
            raise
        except StoreError:  # nothing can be written here, so nobody is moving it
            raise damage from None

    def _read_once(self) -> None:
        """Hold the names against what must be there, and read what is new."""
        told = self._checkpoint()  # before the names: others append meanwhile
        listed = self._listed()
        count = max(listed, default=0)
        for number in range(1, max(count, len(self._kept)) + 1):
            # A listing may leave out what was made while it was taken.
            if number not in listed and not os.path.lexists(self._path(number)):
                raise Damaged(f"{shown(self._path(number))} is gone")
        for number in range(len(self._kept) + 1, count + 1):
            self._kept.append(self._entry(number))
        if told is not None:
            self._expect(*told)

    def _listed(self) -> frozenset[int]:
        """The numbers of the entries that are there; nothing else is."""
        try:
            found = sorted(os.listdir(self._folder))
        except FileNotFoundError:
            return frozenset()
        except NotADirectoryError:
            raise Damaged(f"{shown(self._folder)} is no folder") from None
        except OSError as error:
            raise failed("read", self._folder, error) from error
        names = [name for name in found if name != CHECKPOINT and not _UNFINISHED.fullmatch(name)]
        for name in names:
            if not _NAME.fullmatch(name) or name == "00000000.json":
                raise Damaged(f"{shown(self._folder / name)} is none of its files")
        return frozenset(int(name[:8]) for name in names)

    def _entry(self, number: int) -> Kept:
        path = self._path(number)
        return _next(shown(path), _bytes(path), number, self.tip.digest or None)

    def _checkpoint(self) -> tuple[int, str] | None:
        """What was written down of the end, None where nothing was."""
        if self._folder.is_symlink():
            raise Damaged(f"{shown(self._folder)} is a link")
        path = self._folder / CHECKPOINT
        return _checkpoint(path) if os.path.lexists(path) else None

    def _expect(self, count: int, last: str) -> None:
        """Entries that were there once are there still."""
        if count > len(self._kept):
            raise Damaged(f"{shown(self._path(len(self._kept) + 1))} is gone")
        if count and self._kept[count - 1].digest != last:
            raise Damaged(f"{shown(self._path(count))} is not the one that was written")


def chain(raws: Sequence[bytes], where: str = "") -> tuple[Kept, ...]:
    """The entries that a ledger's files hold, in their order. Raises Damaged, naming the first."""
    found: list[Kept] = []
    for number, raw in enumerate(raws, start=1):
        previous = found[-1].digest if found else None
        found.append(_next(f"{where}{number:08}.json", raw, number, previous))
    return tuple(found)


def after(kept: Sequence[Kept], entry: Entry) -> Kept:
    """An entry as the next one of a chain."""
    number, previous = len(kept) + 1, kept[-1].digest if kept else None
    return Kept(number, previous, of_bytes(encode(number, previous, entry)), entry)


def merged(theirs: Sequence[Kept], own: Sequence[Kept]) -> Sequence[Kept]:
    """The entries of a ledger that is shared, and after them those that are only here."""
    if [one.digest for one in own[: len(theirs)]] == [one.digest for one in theirs]:
        return own
    seen = 0
    while seen < min(len(own), len(theirs)) and own[seen].digest == theirs[seen].digest:
        seen += 1
    found = list(theirs)
    known = [one.entry for one in theirs]
    for one in own[seen:]:
        entry = None if one.entry in known else rebased(one.entry, known, seen)
        if entry is not None:
            found.append(after(found, entry))
            known.append(entry)
    return found


def raw(kept: Kept) -> bytes:
    """The file of an entry."""
    return encode(kept.number, kept.previous, kept.entry)


def _next(name: str, raw: bytes, number: int, previous: str | None) -> Kept:
    """The entry of one file, which is what stands under this number after `previous`."""
    try:
        found = parse(_JSON.decode(raw.decode()), raw)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"{name} is no entry: {error}") from None
    if found.number != number:
        raise Damaged(f"{name} is entry {found.number}")
    if found.previous != previous:
        raise Damaged(f"{name} does not follow the entry before it")
    return found


def _in_common(own: Sequence[Kept], others: Sequence[Kept]) -> int:
    """With how many of the same entries two chains begin."""
    pairs = zip(own, others, strict=False)
    return next(
        (n for n, (a, b) in enumerate(pairs) if a.digest != b.digest), min(len(own), len(others))
    )


def _whole(folder: Path) -> Iterator[Kept]:
    """The files of a ledger that are entries, whatever became of the others."""
    for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
        with contextlib.suppress(StoreError, ValueError, RecursionError):
            if _NAME.fullmatch(name):
                raw = _bytes(folder / name)
                yield parse(_JSON.decode(raw.decode()), raw)


def _end(count: int, last: str) -> bytes:
    """What a checkpoint says."""
    return canonical({"format_version": FORMAT_VERSION, "count": count, "last": last})


def _bytes(path: Path) -> bytes:
    """All of a regular file. Raises Damaged for what is none, StoreError if it cannot be read."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise Damaged(f"{shown(path)} is no regular file")
        return read(str(path))
    except FileNotFoundError:
        raise Damaged(f"{shown(path)} is gone") from None
    except OSError as error:
        raise failed("read", path, error) from error


def _checkpoint(path: Path) -> tuple[int, str]:
    raw = _bytes(path)
    try:
        said: Any = _JSON.decode(raw.decode())
        count, last = said["count"], said["last"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise Damaged(f"{shown(path)} is none of ours") from None
    whole = type(count) is int and count >= 0 and type(last) is str
    if not whole or (count and not PATTERN.fullmatch(last)):
        raise Damaged(f"{shown(path)} is none of ours")
    return count, last


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


_JSON = json.JSONDecoder(parse_constant=_refuse)
