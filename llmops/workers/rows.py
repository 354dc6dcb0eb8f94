"""Files of rows -> rows with their line, strictly: JSON Lines (RFC 8259) and CSV (RFC 4180).

In: bytes that somebody else wrote. Out: `Row`s, and a `Bad` for each line that is not one, in
file order; nothing is raised for content. UTF-8 only; a byte order mark at the very start is
skipped (spreadsheets write it). JSON: no NaN, no infinity, no repeated key, no text that is not
Unicode, no integer that canonical JSON cannot hold. CSV: one header, every row as long as it.
Blank lines are no rows. Memory is one row at a time.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

from llmops import digest
from llmops.diagnostics import printable
from llmops.workers.contract import WorkerError

LONGEST_ROW_BYTES = 16 * 1024 * 1024
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class Row(NamedTuple):
    """A row and the line (from 1) on which it begins."""

    line: int
    value: dict[str, Any]


class Bad(NamedTuple):
    """A line that is no row, and why, in one phrase."""

    line: int
    what: str


def read(path: Path, media: str) -> Iterator[Row | Bad]:
    """The rows of a file. `media` is "jsonl" or "csv". Raises WorkerError if it cannot be read."""
    if media not in READERS:
        raise WorkerError(f'no reader for "{media}"', hint=f"known are {', '.join(READERS)}")
    try:
        with path.open("rb") as file:
            yield from READERS[media](file)
    except OSError as error:
        raise WorkerError(f"{path.name} cannot be read: {error.strerror}") from error


def read_kept(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file that another job made. Raises WorkerError at the first that is none."""
    for found in read(path, "jsonl"):
        if isinstance(found, Bad):
            raise WorkerError(f"{path.name}:{found.line}: {found.what}", hint="run the job again")
        yield found.value


def line(value: Mapping[str, Any]) -> bytes:
    """One row as canonical JSON with its line feed."""
    return digest.canonical(value) + b"\n"


def write(path: Path, values: Iterable[Mapping[str, Any]]) -> int:
    """All rows to a file, one canonical JSON a line; how many they were."""
    count = 0
    with path.open("wb") as file:
        for value in values:
            file.write(line(value))
            count += 1
    return count


class _Line(NamedTuple):
    number: int
    data: bytes
    whole: bool  # False when it was longer than a row may be


def _lines(file: BinaryIO) -> Iterator[_Line]:
    """Physical lines without their ending, the first without a UTF-8 byte order mark."""
    number = 0
    while data := file.readline(LONGEST_ROW_BYTES + 1):
        number += 1
        whole = len(data) <= LONGEST_ROW_BYTES
        rest = data
        while not whole and rest and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_ROW_BYTES)
        if number == 1:
            data = data.removeprefix(_UTF8_MARK)
        yield _Line(number, data, whole)


def _too_long(found: _Line) -> Bad:
    return Bad(found.number, f"a row of more than {LONGEST_ROW_BYTES} bytes")


def _first_line_problem(found: _Line) -> Bad | None:
    if found.number == 1 and found.data.startswith(_UTF16_MARKS):
        return Bad(1, "the file is UTF-16, not UTF-8")
    return None


def _jsonl(file: BinaryIO) -> Iterator[Row | Bad]:
    for found in _lines(file):
        if problem := _first_line_problem(found):
            yield problem
            return
        if not found.whole:
            yield _too_long(found)
        elif found.data.strip():
            yield _json_row(found)


class _NotStrict(ValueError):
    """JSON that the standard library takes and the standard does not."""


def _json_row(found: _Line) -> Row | Bad:
    try:
        value = _DECODER.decode(found.data.decode("utf-8"))
        digest.canonical(value)
    except UnicodeDecodeError as error:
        return Bad(found.number, f"not UTF-8 at byte {error.start + 1}")
    except json.JSONDecodeError as error:
        what = (error.msg[:1].lower() + error.msg[1:]).removesuffix(" at")
        return Bad(found.number, f"not JSON: {what} at column {error.colno}")
    except _NotStrict as error:
        return Bad(found.number, str(error))
    except RecursionError:
        return Bad(found.number, "nested too deeply")
    except ValueError:  # canonical JSON has no text for it
        return Bad(found.number, "half of a surrogate pair in a text")
    if not isinstance(value, dict):
        return Bad(found.number, "a row is an object, this is not one")
    return Row(found.number, value)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(k for k, _ in pairs if k in seen or seen.add(k))  # type: ignore[func-returns-value]
        raise _NotStrict(f'key "{printable(twice, 60)}" stands twice')
    return made


def _constant(text: str) -> NoReturn:
    raise _NotStrict(f"{text} is no JSON number")


def _int(text: str) -> int:
    if len(text) > 16 or abs(int(text)) >= 2**53:
        raise _NotStrict(f"{printable(text, 40)} is an integer beyond 2^53 (write it as text)")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NotStrict(f"{printable(text, 40)} is beyond the range of numbers")
    return value


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
)


def _csv(file: BinaryIO) -> Iterator[Row | Bad]:
    source = _CsvText(file)
    csv.field_size_limit(LONGEST_ROW_BYTES)
    reader = csv.reader(source, strict=True)
    header: list[str] | None = None
    while True:
        begins = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # The reader has lost the row boundaries: what follows would be noise.
            yield source.problem or Bad(begins, f"not CSV: {error}")
            return
        if cells is None:
            break
        if not cells:
            continue
        if problem := _cells_problem(cells, header):
            yield Bad(begins, problem)
            if header is None:
                return
        elif header is None:
            header = cells
        else:
            yield Row(begins, dict(zip(header, cells, strict=True)))
    if source.problem:
        yield source.problem


class _CsvText:
    """Lines for `csv.reader`; bytes that are not UTF-8 become surrogates, found per row later."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = _lines(file)
        self.problem: Bad | None = None

    def __iter__(self) -> _CsvText:
        return self

    def __next__(self) -> str:
        found = next(self._lines)
        self.problem = _first_line_problem(found) or (None if found.whole else _too_long(found))
        if self.problem:
            raise StopIteration
        return found.data.decode("utf-8", errors="surrogateescape")


def _cells_problem(cells: list[str], header: list[str] | None) -> str | None:
    """Why these cells are no header, or no row below one; None when they are."""
    joined = "".join(cells)
    if any("\ud800" <= c <= "\udfff" for c in joined):
        return "not UTF-8"
    if "\0" in joined:
        return "a NUL character"
    if header is None:
        return _header_problem(cells)
    if len(cells) != len(header):
        return f"{len(cells)} cells, the header has {len(header)}"
    return None


def _header_problem(cells: list[str]) -> str | None:
    for index, name in enumerate(cells):
        if not name.strip():
            return f"column {index + 1} has no name"
        if name in cells[:index]:
            return f'column "{printable(name, 60)}" stands twice in the header'
    return None


READERS: Mapping[str, Callable[[BinaryIO], Iterator[Row | Bad]]] = {"jsonl": _jsonl, "csv": _csv}
