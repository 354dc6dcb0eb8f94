"""Report -> CSV: every number with its evidence, and the cases that got worse, for a spreadsheet.

RFC 4180 with a byte order mark, so that spreadsheets read it as UTF-8. A cell that a spreadsheet
would take for a formula begins with an apostrophe; a number is left alone.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from llmops.reports.content import Content, Table
from llmops.reports.escape import visible
from llmops.reports.phrase import Lang
from llmops.reports.phrases import Words
from llmops.reports.report import Report
from llmops.reports.told import content
from llmops.reports.words import MINUS

_MARK = "\ufeff"
_FORMULA = re.compile(r"\s*[=+\-@\t\r|%−＝＋－＠]")  # wide ones too: some locales run them
_NUMBER = re.compile(r"-?[\d,]+(\.\d+)?(e-?\d+)?")
_LONGEST = 1_000


def render(report: Report, lang: Lang, other: str = "") -> str:
    """Rows of section, table, row, column, value, evidence."""
    told = content(report, lang)
    say = Words(lang)
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    head = ("section", "table", "row", "column", "value", "evidence")
    writer.writerow(tuple(say(f"csv_{name}") for name in head))
    writer.writerows(tuple(map(safe, row)) for row in _rows(told))
    return _MARK + file.getvalue().removesuffix("\r\n")


def safe(value: str) -> str:
    """A value that no spreadsheet runs; its minus signs are plain ones."""
    shown = visible(value, _LONGEST)
    plain = shown.replace(MINUS, "-")
    if _NUMBER.fullmatch(plain):
        return plain
    return f"'{shown}" if _FORMULA.match(shown) else shown


def _rows(told: Content) -> Iterator[tuple[str, ...]]:
    for section in told.sections:
        for block in section.blocks:
            if isinstance(block, Table) and section.name != "numbers":
                yield from _table(section.title, block)


def _table(section: str, table: Table) -> Iterator[tuple[str, ...]]:
    heads = table.head or ("",) * (len(table.rows[0]) if table.rows else 0)
    for row in table.rows:
        refs = " ".join(dict.fromkeys(ref for cell in row for ref in cell.refs))
        for head, cell in zip(heads[1:], row[1:], strict=False):
            if cell.text:
                yield section, table.title, row[0].text, head, cell.text, refs
