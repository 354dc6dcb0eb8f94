"""Report -> Content: the order of a page's sections, and what they leave unmeasured."""

from __future__ import annotations

from llmops.reports import front, grounds, judged, measured
from llmops.reports.content import Absent, Content, Section, gaps
from llmops.reports.phrase import Lang
from llmops.reports.report import Report
from llmops.reports.teller import Teller

_BEFORE_GAPS = (
    judged.changes,
    judged.jobs,
    judged.gates,
    judged.differences,
    measured.training,
    measured.data,
    measured.confusion,
    measured.cases,
    measured.safety,
    measured.guards,
    judged.looser,
    grounds.estimates,
)


def content(report: Report, lang: Lang) -> Content:
    """The whole page in one language. Pure: equal reports give equal pages."""
    told = Teller(report, lang)
    shown = [section(told) for section in _BEFORE_GAPS]
    missing = (*_missing(shown), *grounds.always(told))
    listed = grounds.missing(told, missing)
    number = len(shown) + 1
    shown += [listed, grounds.method(told), grounds.tools(told)]
    shown += [grounds.numbers(told, shown), grounds.evidence(told)]
    name = front.title(told)
    return Content(
        lang=lang,
        title=told.say("of", name=name) if name else told.say("title"),
        front=front.front(told, missing, number),
        sections=tuple(shown),
        marks=told.marks,
    )


def _missing(sections: list[Section]) -> tuple[Absent, ...]:
    """Every gap once, in the order of the sections."""
    found = (gap for section in sections for gap in gaps(section.blocks))
    return tuple(dict.fromkeys(found))
