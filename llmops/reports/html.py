"""Report -> one HTML file that runs nothing, asks for nothing, and prints to A4.

No script and no address of elsewhere stands in it, and its content policy would forbid both. Every
word passes through the template's escaping and through `visible`, by construction: there is no
other way from a value to the page. The template and its stylesheet lie beside this file.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from llmops.reports.content import Absent, Content, Figure, Para, Table
from llmops.reports.escape import hidden
from llmops.reports.phrase import Lang
from llmops.reports.phrases import Words
from llmops.reports.report import Report
from llmops.reports.told import content

_LONGEST = 4_000  # characters of any one text; what is longer was cut, and counted, before
_SHAPES = {Table: "table", Para: "para", Absent: "absent", Figure: "figure"}
LANG_TAGS = {"en": "en", "zh": "zh-Hans"}


def render(report: Report, lang: Lang, other: str = "") -> str:
    """The page in one language; `other` is the file with the other one, if there is one."""
    told = content(report, lang)
    return page(told, report.verdict.tool_version, other)


def page(told: Content, version: str, other: str = "") -> str:
    """The page of some content."""
    made = _environment().get_template("report.html.j2").render(
        told=told,
        say=Words("zh" if told.lang == "zh" else "en"),
        tag=LANG_TAGS[told.lang],
        version=version,
        other=other,
        shape=lambda block: _SHAPES[type(block)],
        numeric=_numeric,
    )  # fmt: skip
    return made.rstrip("\n")


def _numeric(table: Table) -> frozenset[int]:
    """The columns that hold numbers, so that their heads stand above them."""
    rows = table.rows[:50]
    return frozenset(i for row in rows for i, cell in enumerate(row) if cell.kind == "number")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("llmops.reports"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shown(value: Any) -> Any:
    """What may stand in the page: text whose hidden characters are written out."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    text = value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…"
    if text.isprintable():
        return text
    return "".join(map(_harmless, text))


@lru_cache(maxsize=8192)
def _harmless(char: str) -> str:
    if char in "\n\t":
        return char
    return char.encode("unicode_escape").decode("ascii") if hidden(char) else char
