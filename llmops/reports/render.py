"""The tables NAME -> renderer, and the faces that the rest of the program calls.

A renderer is named by its module and imported when it is asked for: a plan as text does not pay
for Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmops.jobs.base import Change, Plan
from llmops.reports.base import Page, Renderer, Style

if TYPE_CHECKING:
    from llmops.diagnostics import Diagnostic
    from llmops.reports.phrase import Lang
    from llmops.reports.report import Report
    from llmops.rules.base import Verdict
    from llmops.rules.directions import Moved
    from llmops.rules.rehearsal import Line

PLANS: Mapping[str, str] = {
    "text": "plan_text.render",
    "json": "plan_json.render",
    "markdown": "plan_markdown.render",
}
VERDICTS: Mapping[str, str] = {
    "text": "text.render",
    "json": "json.render",
    "markdown": "markdown.render",
    "sarif": "sarif.render",
    "junit": "junit.render",
    "codequality": "codequality.render",
    "github": "github.render",
}
DIAGNOSTICS: Mapping[str, str] = {
    "sarif": "sarif.diagnostics",
    "junit": "junit.diagnostics",
    "codequality": "codequality.diagnostics",
    "github": "github.diagnostics",
}
CHANGES: Mapping[str, str] = {
    "text": "changes.text",
    "json": "changes.json_text",
    "markdown": "changes.markdown",
}
DIRECTIONS: Mapping[str, str] = {
    "text": "directions.text",
    "json": "directions.json_text",
    "markdown": "directions.markdown",
}
REHEARSALS: Mapping[str, str] = {
    "text": "rehearsals.text",
    "json": "rehearsals.json_text",
    "junit": "rehearsals.junit_text",
}
FORMATS = tuple(CHANGES)  # what every value can be shown in


@dataclass(frozen=True, slots=True)
class PageFormat:
    """A format of a report: its renderer, the file's name, whether it is told in a language.

    A renderer of `VERDICTS` shows the verdict alone.
    """

    renderer: str
    file: str
    told: bool = True


REPORTS: Mapping[str, PageFormat] = {
    "html": PageFormat("html.render", "report.html"),
    "md": PageFormat("md.render", "report.md"),
    "summary": PageFormat("summary.render", "summary.md"),
    "csv": PageFormat("csv.render", "numbers.csv"),
    "json": PageFormat("report_json.render", "report.json", told=False),
    "sarif": PageFormat("sarif", "report.sarif", told=False),
    "junit": PageFormat("junit", "report.junit.xml", told=False),
}


def render_plan(plan: Plan, fmt: str, *, width: int = 100, colour: bool = False) -> str:
    """A plan in one of `FORMATS`, without a trailing newline. Raises KeyError for another one."""
    return _renderer(PLANS[fmt])(plan, Page(width, Style(colour)))


def render_verdict(verdict: Verdict, fmt: str, *, width: int = 100, colour: bool = False) -> str:
    """A verdict in one of `FORMATS`, without a trailing newline. Raises KeyError for another."""
    return _renderer(VERDICTS[fmt])(verdict, Page(width, Style(colour)))


def render_diagnostics(found: Iterable[Diagnostic], fmt: str, command: str = "validate") -> str:
    """What a command found in one of `DIAGNOSTICS`. Raises KeyError for another format."""
    return _renderer(DIAGNOSTICS[fmt])(found, Page(command=command))


def render_report(
    report: Report, formats: Sequence[str], langs: Sequence[Lang]
) -> tuple[tuple[str, str], ...]:
    """The files of a report: name and text, each ending with a line break."""
    found: dict[str, str] = {}
    for fmt in formats:
        page = REPORTS[fmt]
        for lang in langs if page.told else langs[:1]:
            found[_file(page, lang)] = _page(report, fmt, lang, langs) + "\n"
    return tuple(found.items())


def _page(report: Report, fmt: str, lang: Lang, langs: Sequence[Lang]) -> str:
    page = REPORTS[fmt]
    if page.renderer in VERDICTS:
        return render_verdict(report.verdict, page.renderer)
    other = next((_file(page, one) for one in langs if one != lang), "")
    text: str = _named(page.renderer)(report, lang, other)
    return text


def _file(page: PageFormat, lang: Lang) -> str:
    """`report.html`, and `report.zh.html` for another language than English."""
    stem, _, ending = page.file.partition(".")
    return page.file if lang == "en" or not page.told else f"{stem}.{lang}.{ending}"


def render_changes(
    changes: tuple[Change, ...], fmt: str, *, width: int = 100, colour: bool = False
) -> str:
    """Changes in one of `FORMATS`, without a trailing newline. Raises KeyError for another one."""
    return _renderer(CHANGES[fmt])(changes, Page(width, Style(colour)))


def render_directions(
    found: Sequence[Moved], fmt: str, *, width: int = 100, colour: bool = False
) -> str:
    """What became looser, tighter or neutral in one of `FORMATS`. Raises KeyError for another."""
    return _renderer(DIRECTIONS[fmt])(found, Page(width, Style(colour)))


def render_rehearsals(
    found: Sequence[Line], fmt: str, *, width: int = 100, colour: bool = False
) -> str:
    """What tests of policies got, in one of `REHEARSALS`. Raises KeyError for another format."""
    return _renderer(REHEARSALS[fmt])(found, Page(width, Style(colour)))


def _renderer(name: str) -> Renderer[Any]:
    found: Renderer[Any] = _named(name)
    return found


def _named(name: str) -> Any:
    module, _, function = name.rpartition(".")
    return getattr(import_module(f"llmops.reports.{module}"), function)
