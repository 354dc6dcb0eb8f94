"""Verdict or diagnostics -> a GitLab code quality report: a JSON list, shown on a merge request.

One entry for each rule and gate that did not pass, on the line of its claim; failed is critical,
inconclusive major, warned minor. A fingerprint stays from run to run, so that GitLab tells what is
new and what is mended. What stands in no file stands on the folder of the specs.
https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmops.diagnostics import Diagnostic
from llmops.reports import notes
from llmops.reports.base import Page
from llmops.reports.data import dumps
from llmops.reports.escape import visible
from llmops.reports.notes import Note
from llmops.rules.base import Verdict

MOST = 5_000
_NOWHERE = "specs"
_SEVERITIES: Mapping[str, str] = {
    "failed": "critical",
    "inconclusive": "major",
    "warned": "minor",
    "error": "critical",
    "warning": "minor",
    "info": "info",
}


def render(verdict: Verdict, page: Page) -> str:
    """What did not pass, the worst first; an empty list when all did."""
    return _report([note for note in notes.of_verdict(verdict) if note.level != "none"])


def diagnostics(found: Iterable[Diagnostic], page: Page) -> str:
    """What `validate` found."""
    return _report(notes.of_diagnostics(found))


def _report(found: Sequence[Note]) -> str:
    entries: dict[str, dict[str, Any]] = {}
    for note in found[:MOST]:
        entries.setdefault(note.fingerprint, _entry(note))
    return dumps(list(entries.values()))


def _entry(note: Note) -> dict[str, Any]:
    waived = f" ({note.numbers['unwaived']}, waived)" if note.numbers.get("unwaived") else ""
    named = note.message if note.same else f"{note.subject}: {note.word}{waived}: {note.message}"
    hint = f" ({note.hint})" if note.hint else ""
    return {
        "description": visible(f"{named}{hint}", 2_000) or note.word,
        "check_name": visible(f"llmops/{note.rule}", 200),
        "fingerprint": note.fingerprint,
        "severity": _SEVERITIES[note.word],
        "location": {"path": _path(note.path), "lines": {"begin": note.line}},
    }


def _path(path: str) -> str:
    """A relative path; GitLab takes none that begins with `./` or `/`."""
    return re.sub(r"^(\./|/)+", "", visible(path, 1_000)) or _NOWHERE
