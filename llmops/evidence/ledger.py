"""The ledger of attempts: append-only, one entry per file, each naming the one before.

In: entries, while others append theirs. Out: all entries in order, or what is wrong with them: a
gap, an entry that was edited, removed or torn, a file or link that is none of ours. A damaged
ledger is read by nobody and takes no entry, so that nothing counted can pass on it.

An entry is made by exclusive create under the next number: of two writers one wins, and the other
reads again and decides again whether its entry is still wanted. `checkpoint.json` holds how many
there are and the last one's digest, written after each; it may be behind (a crash), never ahead:
that is how entries that were removed from the end are missed. Names and texts follow the log that
will hold them: `00000042.json`, canonical JSON, sha256.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmops.digest import PATTERN, canonical
from llmops.errors import StoreError
from llmops.evidence.entry import Kept, encode, parse
from llmops.evidence.files import failed, read, refuse_links, replace, shown, write_new
from llmops.jobs.attempts import Entry
from llmops.jobs.base import FORMAT_VERSION

FOLDER = "ledger"
CHECKPOINT = "checkpoint.json"
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
            number = len(self._kept) + 1
            data = encode(number, self.tip.digest or None, entry)
            refuse_links(self._reports, self._folder)
            if write_new(self._path(number), data):
                self._read()
                self._mark()
                return entry

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.json"

    def _mark(self) -> None:
        """Write down where the end is."""
        tip = self.tip
        said = {"format_version": FORMAT_VERSION, "count": tip.count, "last": tip.digest}
        replace(self._folder / CHECKPOINT, canonical(said))

    # ---- reading -------------------------------------------------------------------------------

    def _read(self) -> None:
        """Read what is new, and hold the names against what must be there."""
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
        raw = _bytes(path)
        try:
            found = parse(_JSON.decode(raw.decode()), raw)
        except (ValueError, RecursionError) as error:
            raise Damaged(f"{shown(path)} is no entry: {error}") from None
        if found.number != number:
            raise Damaged(f"{shown(path)} is entry {found.number}")
        if found.previous != (self.tip.digest or None):
            raise Damaged(f"{shown(path)} does not follow the entry before it")
        return found

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
