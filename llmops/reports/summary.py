"""Report -> the summary of a workflow step: the page as Markdown, at most 900 KiB of it.

GitHub shows nothing of a summary beyond 1 MiB. The verdict can never be cut; a section that does
not fit is left out and counted.
"""

from __future__ import annotations

from llmops.reports import md
from llmops.reports.escape import size, text
from llmops.reports.phrase import Lang
from llmops.reports.phrases import Words
from llmops.reports.report import Report
from llmops.reports.told import content

LIMIT_BYTES = 900 * 1024
_MOST_ROWS = 100
_LEFT_OUT = ("method", "evidence")  # the page has them; a summary is read once


def render(report: Report, lang: Lang, other: str = "") -> str:
    """The first page, then sections while there is room."""
    told = content(report, lang)
    parts = list(md.head(told))
    room = LIMIT_BYTES - sum(size(part) + 2 for part in parts) - 400
    dropped = 0
    for i, section in enumerate(told.sections, start=1):
        if section.name in _LEFT_OUT:
            continue
        shown = md.section_text(told, section, i, _MOST_ROWS)
        fits = size(shown) + 2 <= room
        parts += [shown] if fits else []
        room -= size(shown) + 2 if fits else 0
        dropped += not fits
    if dropped:
        parts.append(text(Words(lang)("more_sections", n=str(dropped))))
    return "\n\n".join(parts)
