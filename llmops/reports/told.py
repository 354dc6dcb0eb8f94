"""Report -> Content: the order of a page's sections, and what they leave unmeasured."""

from __future__ import annotations

from llmops.reports import firmness, front, grounds, judged, measured, proof
from llmops.reports.content import Absent, Content, Section, gaps
from llmops.reports.phrase import Lang
from llmops.reports.report import Report
from llmops.reports.teller import Teller

_BEFORE_GAPS = (
    judged.changes,
    judged.jobs,
    judged.gates,
    judged.differences,
    firmness.attempts,
    firmness.judges,
    firmness.unshown,
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
    sections = [section(told) for section in _BEFORE_GAPS]
    proven = proof.check(told)
    missing = (*_missing([*sections, proven]), *grounds.always(told))
    listed = grounds.missing(told, missing)
    number = len(sections) + 1
    unshown = next(i for i, one in enumerate(sections, 1) if one.name == "unshown")
    sections += [listed, proven, grounds.method(told), grounds.tools(told)]
    sections += [grounds.numbers(told, sections), grounds.evidence(told)]
    name = front.title(told)
    return Content(
        lang=lang,
        title=told.say("of", name=name) if name else told.say("title"),
        front=front.front(told, missing, number, unshown),
        sections=tuple(sections),
        marks=told.marks,
    )


def _missing(sections: list[Section]) -> tuple[Absent, ...]:
    """Every gap once, in the order of the sections."""
    found = (gap for section in sections for gap in gaps(section.blocks))
    return tuple(dict.fromkeys(found))
