"""Somebody's CSV of texts and labels -> clean rows, what was left out, and every mistake by line.

In: a file, the names of two columns, an encoding. Out: `Labelled`. A separator is found, not asked
for: it is the one under which the header has both columns. What cannot be read (cells that are too
many or too few, bytes of another encoding) is a mistake, and then nothing is made; what can be
read and not be used (no text, no label, a text that stands twice, a text with two labels) is left
out and told. Two texts are the same as a curate job sees it: whatever the case and the blanks.
"""

from __future__ import annotations

import csv
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from llmops.diagnostics import Diagnostic, Span, nearest, printable
from llmops.errors import UsageError

ENCODINGS = ("utf-8", "gb18030", "cp1252")
SEPARATORS = (",", ";", "\t", "|")
LONGEST_TEXT = 600  # characters of a text that are kept: what a small model reads in its time
LONGEST_LABEL = 200
LONGEST_CELL = 1024 * 1024
FEWEST_ROWS = 30
MOST_LABELS = 1000
MOST_CONTRADICTED = 0.2  # share of texts with two labels from which on they are no slips
MOST_SHOWN = 20
MOST_WRONG = 10_000  # mistakes that are counted before reading stops
PLACES = 5  # lines that a note names
# How a file begins that is no text.
_FORMS = (
    (b"PK\x03\x04", "is a workbook or archive, not CSV", "save the sheet as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel workbook, not CSV", "save the sheet as CSV UTF-8"),
    (b"\x1f\x8b", "is compressed", "unpack it first"),
    (b"%PDF", "is a PDF, not CSV", "save the table as CSV UTF-8"),
    (b"\xff\xfe", "is UTF-16, not UTF-8", 'save it as "CSV UTF-8"'),
    (b"\xfe\xff", "is UTF-16, not UTF-8", 'save it as "CSV UTF-8"'),
)
_MARK = b"\xef\xbb\xbf"


class Asked(NamedTuple):
    """Which columns are read, and how the bytes are text."""

    text: str
    label: str
    encoding: str = "utf-8"


class Row(NamedTuple):
    """A row that stays, and the line on which it begins."""

    line: int
    text: str
    label: str


@dataclass(slots=True)
class Left:
    """Rows of one kind: how many, and the first lines."""

    count: int = 0
    lines: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        """Counts one."""
        self.count += 1
        if len(self.lines) < PLACES:
            self.lines.append(place)


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a file holds. `labels` are counted over the rows that stay, commonest first."""

    name: str
    rows: tuple[Row, ...]
    labels: Counter[str]
    columns: tuple[str, str]  # of the texts, of the labels
    separator: str
    digest: str
    read: int  # rows of the file
    empty: Left  # no text, or no label
    repeated: Left  # the same text and label as before
    contradicted: Left  # texts with two labels; none of their rows stays
    cut: Left  # texts that were longer than a small model reads
    others: tuple[str, ...]  # columns that are not taken over
    alike: tuple[tuple[str, str], ...]  # labels that differ in case or blanks alone
    wrong: tuple[Diagnostic, ...] = ()


def read(path: Path, name: str, asked: Asked) -> Labelled:
    """The rows of a file called `name`. Raises UsageError for one that is no table of two columns.

    Mistakes in rows are in `wrong`; a file without any has rows that can be learned from.
    """
    try:
        with path.open("rb") as file:
            _expect_text(name, file)
            reading = _Reading(name, asked, file)
            for line, cells in reading.records():
                reading.take(line, cells)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{printable(name)} cannot be read: {why}") from error
    found = reading.done()
    if not found.wrong:
        _expect_enough(found)
    return found


def _expect_text(name: str, file: BinaryIO) -> None:
    head = file.read(4)
    file.seek(0)
    for begins, what, hint in _FORMS:
        if head.startswith(begins):
            raise UsageError(f"{printable(name)} {what}", hint=hint)
    if not head.removeprefix(_MARK).strip():
        file.seek(0)
        if not file.read(LONGEST_CELL).removeprefix(_MARK).strip():
            raise UsageError(f"{printable(name)} is empty")
        file.seek(0)


def _expect_enough(found: Labelled) -> None:
    rows, labels = len(found.rows), len(found.labels)
    name = printable(found.name)
    texts = rows + found.contradicted.count
    if found.contradicted.count > max(1, MOST_CONTRADICTED * texts):
        what = f"{found.contradicted.count} of {texts} texts have two labels or more"
        some = ", ".join(found.contradicted.lines)
        hint = f"one label for each text is needed; see lines {some}"
        raise UsageError(f"{name}: {what}", hint=hint)
    if rows < FEWEST_ROWS:
        what = f"{rows} rows can be used, which show nothing"
        raise UsageError(f"{name}: {what}", hint=f"at least {FEWEST_ROWS} are needed{_lost(found)}")
    if labels < 2:
        what = f'every row has the label "{printable(next(iter(found.labels)), 60)}"'
        raise UsageError(f"{name}: {what}", hint="two labels or more are needed to tell apart")
    if labels > min(MOST_LABELS, rows // 2):
        what = f"{labels} labels for {rows} rows"
        hint = "is --label the column of labels? each needs several rows, and 1,000 are the most"
        raise UsageError(f"{name}: {what}", hint=hint)


def _lost(found: Labelled) -> str:
    lost = (
        (found.empty, "without text or label"),
        (found.repeated, "repeated"),
        (found.contradicted, "texts with two labels"),
    )
    said = [f"{left.count} {word}" for left, word in lost if left.count]
    return f"; left out: {', '.join(said)}" if said else ""


class _Reading:
    """One file on its way: its header, its rows, and what is left out."""

    def __init__(self, name: str, asked: Asked, file: BinaryIO) -> None:
        self.name, self.asked, self.file = name, asked, file
        self.hash = hashlib.sha256()
        self.wrong: list[Diagnostic] = []
        self.rows: list[Row] = []
        self.known: dict[bytes, int] = {}  # key of a text -> its row
        self.bad: set[int] = set()  # rows whose text has another label elsewhere
        self.read = 0
        self.empty, self.repeated, self.contradicted, self.cut = Left(), Left(), Left(), Left()
        self.header: Sequence[str] = ()
        self.separator = ","
        self.text = self.label = 0
        self.broken: list[Diagnostic] = []  # a line that is no text: reading stops there

    def complain(self, line: int, what: str, hint: str = "") -> None:
        """Adds a mistake."""
        self.wrong.append(Diagnostic(Span(self.name, line), "labelled-row", what, hint))

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Each row below the header with the line on which it begins, as cells."""
        lines = self._lines()
        first = next(lines, "")
        for one in self.broken:
            what = f"the first line of {printable(self.name)} is {one.message}"
            raise UsageError(what, hint=one.hint)
        self._choose(first)
        csv.field_size_limit(LONGEST_CELL)
        reader = csv.reader(_Chained(first, lines), delimiter=self.separator, strict=True)
        while len(self.wrong) < MOST_WRONG:
            begins = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                self.complain(begins, *_of_csv(str(error)))
                return  # where the next row begins is not known any more
            if cells is None:
                break
            if begins == 1:
                self._columns(cells)
            elif any(cell.strip() for cell in cells):
                yield begins, cells
        self.wrong += self.broken

    def _lines(self) -> Iterator[str]:
        number = 0
        while data := self.file.readline(LONGEST_CELL * 4):
            number += 1
            self.hash.update(data)
            if number == 1:
                data = data.removeprefix(_MARK)
            try:
                yield data.decode(self.asked.encoding)
            except UnicodeDecodeError as error:
                what = f"not {self.asked.encoding.upper()} at byte {error.start + 1} of the line"
                hint = _other(data, self.asked.encoding)
                self.broken.append(Diagnostic(Span(self.name, number), "labelled-row", what, hint))
                return

    def _choose(self, first: str) -> None:
        """The separator under which the first line has both columns, else the most columns."""
        wanted = {self.asked.text, self.asked.label}
        cut = {one: _cells(first, one) for one in SEPARATORS}
        having = [one for one in SEPARATORS if wanted <= set(cut[one])]
        self.separator = having[0] if having else max(SEPARATORS, key=lambda one: len(cut[one]))

    def _columns(self, cells: Sequence[str]) -> None:
        """Finds both columns in the header. Raises UsageError."""
        header = [cell.strip() for cell in cells]
        if self.asked.text == self.asked.label:
            raise UsageError("--text and --label name the same column")
        for option, wanted in (("--text", self.asked.text), ("--label", self.asked.label)):
            count = header.count(wanted)
            if count == 0:
                raise UsageError(
                    f'{printable(self.name)} has no column "{printable(wanted, 60)}" ({option})',
                    hint=_near(wanted, header),
                )
            if count > 1:
                what = f'{count} columns of {printable(self.name)} are called "{wanted}"'
                raise UsageError(what, hint="rename one of them in the first line")
        self.header = header
        self.text, self.label = header.index(self.asked.text), header.index(self.asked.label)

    def take(self, line: int, cells: Sequence[str]) -> None:
        """Adds one row, or notes why not."""
        self.read += 1
        if len(cells) != len(self.header) and not self._padded(cells):
            what = f"{len(cells)} cells, the header has {len(self.header)}"
            self.complain(line, what, "put quotes around cells that hold the separator")
            return
        text, label = cells[self.text].strip(), cells[self.label].strip()
        if "\0" in text or "\0" in label:
            self.complain(line, "a NUL character", "the file is damaged, or is no text")
        elif not text or not label:
            self.empty.add(str(line))
        elif len(label) > LONGEST_LABEL:
            what = f"a label of {len(label):,} characters, {LONGEST_LABEL} are the most"
            self.complain(line, what, "is --label the column of labels?")
        else:
            self._keep(line, text, label)

    def _padded(self, cells: Sequence[str]) -> bool:
        """Whether the row is longer than the header by empty cells alone, as spreadsheets write."""
        more = cells[len(self.header) :]
        return bool(more) and not any(cell.strip() for cell in more)

    def _keep(self, line: int, text: str, label: str) -> None:
        if len(text) > LONGEST_TEXT:
            self.cut.add(str(line))
            text = text[:LONGEST_TEXT].rstrip()
        key = _key(text)
        number = self.known.setdefault(key, len(self.rows))
        if number == len(self.rows):
            self.rows.append(Row(line, text, label))
            return
        first = self.rows[number]
        if first.label == label:
            self.repeated.add(str(line))
        elif number not in self.bad:
            self.bad.add(number)
            self.contradicted.add(f"{first.line} and {line}")

    def done(self) -> Labelled:
        """What was read."""
        rows = tuple(r for i, r in enumerate(self.rows) if i not in self.bad)
        counted = Counter(row.label for row in rows)
        labels = Counter(dict(sorted(counted.items(), key=lambda one: (-one[1], one[0]))))
        if not self.header and not self.wrong:
            raise UsageError(f"{printable(self.name)} has no header")
        taken = (self.text, self.label)
        others = tuple(c for i, c in enumerate(self.header) if i not in taken and c)
        return Labelled(
            name=self.name,
            rows=rows,
            labels=labels,
            columns=(self.asked.text, self.asked.label),
            separator=self.separator,
            digest=f"sha256:{self.hash.hexdigest()}",
            read=self.read,
            empty=self.empty,
            repeated=self.repeated,
            contradicted=self.contradicted,
            cut=self.cut,
            others=others,
            alike=_alike(labels),
            wrong=tuple(self.wrong),
        )


class _Chained:
    """A first line and the lines after it."""

    def __init__(self, first: str, rest: Iterator[str]) -> None:
        self._first: str | None = first
        self._rest = rest

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        first, self._first = self._first, None
        return next(self._rest) if first is None else first


def _cells(line: str, separator: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _near(wanted: str, header: Sequence[str]) -> str:
    named = [name for name in header if name]
    folded = {name.casefold(): name for name in named}
    near = folded.get(wanted.casefold()) or nearest(wanted, named)
    if near:
        return f'did you mean "{printable(near, 60)}"?'
    shown = ", ".join(f'"{printable(name, 40)}"' for name in named[:8])
    more = f" and {len(named) - 8} more" if len(named) > 8 else ""
    return f"its first line must name the columns; it has {shown}{more}"


def _of_csv(said: str) -> tuple[str, str]:
    if "field limit" in said or "unexpected end" in said:
        what = f"a cell that does not end within {LONGEST_CELL:,} characters"
        if "unexpected end" in said:
            what = "a cell that does not end before the file does"
        return what, "a quote is opened on this line and never closed; a quote in a text is doubled"
    if "new-line character" in said:
        return "a bare carriage return", "save the file with line ends of Windows or Unix"
    return f"not CSV: {said}", "a cell that holds quotes is quoted, with each of them doubled"


def _other(data: bytes, tried: str) -> str:
    """Which encoding a line that is none of `tried` may have."""
    for encoding in ("utf-8", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != tried and (
            encoding == "utf-8" or any("\u4e00" <= c < "\ua000" for c in text)
        ):
            return f"try --encoding {encoding}"
    return (
        f"try --encoding {', '.join(e for e in ENCODINGS if e != tried)}, or save it as CSV UTF-8"
    )


def _key(text: str) -> bytes:
    """The same for texts that differ in case, blanks or the spelling of Unicode alone."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return hashlib.blake2b(" ".join(plain.casefold().split()).encode(), digest_size=16).digest()


def _alike(labels: Counter[str]) -> tuple[tuple[str, str], ...]:
    first: dict[bytes, str] = {}
    return tuple(
        (first[key], one) for one in labels if first.setdefault(key := _key(one), one) != one
    )
