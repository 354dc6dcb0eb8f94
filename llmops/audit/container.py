"""One file that holds many, of which no byte is free: a stored zip written in one way. Dry.

In: names and bytes. Out: a zip (APPNOTE 6.3.10) that every unzip reads: nothing compressed, names
sorted, no times, no extra fields, no comment; more than 65,534 files have a zip64 end record. A
reader walks it from its first byte and holds each header, and at last the directory, against what
the writer writes for the same files: a byte that differs is named with its offset. Nothing inflates
and nothing is laid on a disk, so a file is never larger than what was handed over.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOST_BYTES = 2**31 - 1  # of the whole file
MOST_FILES = 2**20
LONGEST_NAME = 200
_NAME = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_VERSION, _VERSION64 = 20, 45
_UNIX = 3 << 8
_DATE = 1 << 5 | 1  # the first day that a zip can name
_PLAIN_FILE = 0o100644 << 16
_MOST_SHORT = 0xFFFE  # files that an end record without zip64 counts
BEGINS = b"PK\3\4"


@dataclass(frozen=True, slots=True)
class Damage:
    """Where a container is not as the writer writes it. `ends`: what is behind it was not read."""

    what: str
    offset: int
    name: str = ""
    ends: bool = True


@dataclass(frozen=True)
class Contents(Mapping[str, bytes]):
    """The files of a container by name; `damage` is the first byte that is not the writer's."""

    data: bytes
    places: Mapping[str, tuple[int, int]]  # where a file's bytes begin and end
    damage: Damage | None = None

    def __getitem__(self, name: str) -> bytes:
        start, end = self.places[name]
        return self.data[start:end]

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, name: object) -> bool:
        return name in self.places


def is_name(name: str) -> bool:
    """Whether a file may be called so: plain segments between single slashes, none of them dots."""
    return len(name) <= LONGEST_NAME and _NAME.fullmatch(name) is not None


def pieces(files: Mapping[str, bytes]) -> Iterator[bytes]:
    """The bytes of a container, piece by piece. Raises ValueError for what cannot be in one."""
    listed, at = [], 0
    if len(files) > MOST_FILES:
        raise ValueError(f"{len(files):,} files are more than the {MOST_FILES:,} that one holds")
    for name in sorted(files):
        if not is_name(name):
            raise ValueError(f'"{name[:80]}" is no name of a file')
        head = _Head(name, zlib.crc32(files[name]), len(files[name]), at)
        at += len(head.local) + head.size
        if at > MOST_BYTES:
            raise ValueError(f"more than the {MOST_BYTES:,} bytes that one holds")
        listed.append(head)
        yield head.local
        yield files[name]
    yield from _directory(listed, at)


def encode(files: Mapping[str, bytes]) -> bytes:
    """A container as one text of bytes. Raises ValueError for what cannot be in one."""
    return b"".join(pieces(files))


def read(data: bytes) -> Contents:
    """The files of a container, with the first damage. Raises ValueError where it is none at all.

    A file whose bytes are not those of its checksum is given as it is; where the frame around files
    is damaged, no file behind that is given.
    """
    if not data.startswith(BEGINS):
        raise ValueError("it does not begin as a bundle does")
    heads: list[_Head] = []
    damage = _walk(data, heads)
    if damage is None:
        at = heads[-1].end if heads else 0
        damage = _compare(data, at, b"".join(_directory(heads, at)))
    return Contents(data, {h.name: (h.start, h.end) for h in heads}, damage)


@dataclass(frozen=True, slots=True)
class _Head:
    """What the headers say of a file; `at` is where its own begins."""

    name: str
    crc: int
    size: int
    at: int

    @property
    def local(self) -> bytes:
        raw, size = self.name.encode(), self.size
        fixed = (BEGINS, _VERSION, 0, 0, 0, _DATE, self.crc, size, size, len(raw), 0)
        return _LOCAL.pack(*fixed) + raw

    @property
    def central(self) -> bytes:
        raw, size = self.name.encode(), self.size
        return (
            _CENTRAL.pack(
                b"PK\1\2", _UNIX | _VERSION, _VERSION, 0, 0, 0, _DATE, self.crc, size, size,
                len(raw), 0, 0, 0, 0, _PLAIN_FILE, self.at,
            )
            + raw
        )  # fmt: skip

    @property
    def start(self) -> int:
        return self.at + _LOCAL.size + len(self.name)

    @property
    def end(self) -> int:
        return self.start + self.size


def _walk(data: bytes, heads: list[_Head]) -> Damage | None:
    """Every file from the first byte on, as far as they are the writer's."""
    at, last, first = 0, "", None
    while data.startswith(BEGINS, at):
        found = _head(data, at)
        if isinstance(found, Damage):
            return first or found
        if found.name <= last:
            what = "a file stands twice, or not in the order of names"
            return first or Damage(what, at, found.name)
        if len(heads) == MOST_FILES:
            return first or Damage(f"more than {MOST_FILES:,} files", at)
        if first is None and zlib.crc32(memoryview(data)[found.start : found.end]) != found.crc:
            what = "its bytes are not those of its checksum"
            first = Damage(what, found.start, found.name, ends=False)
        heads.append(found)
        at, last = found.end, found.name
    return first


def _head(data: bytes, at: int) -> _Head | Damage:
    if len(data) < at + _LOCAL.size:
        return Damage("it is cut short", len(data))
    *_, crc, _, size, length, _ = _LOCAL.unpack_from(data, at)
    raw = data[at + _LOCAL.size : at + _LOCAL.size + length]
    name = raw.decode("ascii", "replace")
    if not is_name(name) or not raw.isascii():
        return Damage("a file has a name that no file of a bundle has", at + _LOCAL.size)
    found = _Head(name, crc, size, at)
    if (damage := _compare(data, at, found.local, whole=False)) is not None:
        return Damage(damage.what, damage.offset, name)
    if len(data) < found.end:
        return Damage("it is cut short", len(data), name)
    return found


def _compare(data: bytes, at: int, wanted: bytes, *, whole: bool = True) -> Damage | None:
    """The first byte at which data is not as wanted; with `whole` nothing may follow either."""
    found = data[at:] if whole else data[at : at + len(wanted)]
    if found == wanted:
        return None
    both = enumerate(zip(found, wanted, strict=False))
    first = next((i for i, (one, other) in both if one != other), min(len(found), len(wanted)))
    if at + first >= len(data):
        return Damage("it is cut short", at + first)
    if first >= len(wanted):
        return Damage("something follows its end", at + first)
    return Damage("a byte of its frame is another than a bundle has there", at + first)


def _directory(heads: list[_Head], at: int) -> Iterator[bytes]:
    """What stands behind the files."""
    size = 0
    for head in heads:
        central = head.central
        size += len(central)
        yield central
    count = len(heads)
    if count > _MOST_SHORT:
        yield _END64.pack(
            b"PK\6\6", _END64.size - 12, _UNIX | _VERSION64, _VERSION64, 0, 0, count, count,
            size, at,
        )  # fmt: skip
        yield _LOCATOR.pack(b"PK\6\7", 0, at + size, 1)
        count = 0xFFFF
    yield _END.pack(b"PK\5\6", 0, 0, count, count, size, at, 0)
