"""Report -> Markdown with the sections of the page: for a repository, a wiki, a step summary.

A drawing is left out, its table stands for it. Text of others is escaped as in the comment of a
pull request: it cannot mention, link or draw.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmops.reports.content import Absent, Block, Cell, Content, Para, Section, Table
from llmops.reports.escape import code_cell, text
from llmops.reports.phrase import Lang
from llmops.reports.phrases import Words
from llmops.reports.report import Report
from llmops.reports.told import content

_LONGEST = 700  # characters of one cell


def render(report: Report, lang: Lang, other: str = "") -> str:
    """The whole page as Markdown."""
    told = content(report, lang)
    foot = Words(lang)("foot", version=report.verdict.tool_version)
    parts = [*head(told), *(section_text(told, s, i) for i, s in enumerate(told.sections, 1))]
    return "\n\n".join([*parts, f"<sub>{text(foot)}</sub>"])


def head(told: Content) -> Iterator[str]:
    """The first page: the verdict, five numbers, what is not measured, who approved."""
    front = told.front
    yield f"# {text(told.title)}"
    yield f"## {front.outcome.mark} {text(front.word)} — {text(front.headline)}"
    rows = [f"| {cell(told, number)} | {text(label)} |" for label, number in front.figures]
    yield "\n".join(["| | |", "|---|---|", *rows])
    for block in front.blocks:
        yield from block_text(told, block)
    rows = [f"| {text(name)} | {code_cell(value, 300)} |" for name, value in front.seal]
    yield "\n".join(["| | |", "|---|---|", *rows])


def section_text(told: Content, section: Section, number: int, most: int = 10_000) -> str:
    """One section; `most` rows of each of its tables."""
    found = [part for block in section.blocks for part in block_text(told, block, most)]
    return "\n\n".join([f"## {number} {text(section.title)}", *found])


def block_text(told: Content, block: Block, most: int = 10_000) -> Iterator[str]:
    """One block; nothing for a drawing."""
    if isinstance(block, Table):
        yield table(told, block, most)
    elif isinstance(block, Absent):
        say = Words("zh" if told.lang == "zh" else "en")
        yield f"* **{say('not_measured')}** {text(block.what)}: {text(block.why)}"
    elif isinstance(block, Para):
        words = text(block.text, 2_000)
        yield f"**{words}**" if block.tone == "heading" else words


def table(told: Content, one: Table, most: int) -> str:
    """A table; rows beyond `most` are counted."""
    say = Words("zh" if told.lang == "zh" else "en")
    width = len(one.head) or len(one.rows[0])
    names = [text(name) for name in one.head] or [""] * width
    lines = [f"**{text(one.title)}**", ""] if one.title else []
    lines += [f"| {' | '.join(names)} |", "|" + "---|" * width]
    lines += [f"| {' | '.join(cell(told, c) for c in row)} |" for row in one.rows[:most]]
    left = say("more_rows", n=f"{len(one.rows) - most:,}") if len(one.rows) > most else one.left
    return "\n".join([*lines, *(["", text(left)] if left else [])])


def cell(told: Content, one: Cell) -> str:
    """A cell with its mark before it and its evidence behind it."""
    shown = code_cell(one.text, _LONGEST) if one.kind == "code" and one.text else _said(one)
    marks = [told.marks[ref] for ref in one.refs if ref in told.marks]
    parts = (one.mark.mark if one.mark is not None else "", shown, " ".join(marks))
    return " ".join(part for part in parts if part)


def _said(one: Cell) -> str:
    return text(one.text, _LONGEST)
