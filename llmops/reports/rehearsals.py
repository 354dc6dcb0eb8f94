"""What the tests of policies expected and got -> text, JSON, JUnit."""

from __future__ import annotations

from collections.abc import Sequence

from llmops.jobs.base import FORMAT_VERSION
from llmops.reports import junit
from llmops.reports.base import Page
from llmops.reports.data import dumps, plain
from llmops.reports.escape import visible
from llmops.reports.layout import Cell, wrap
from llmops.reports.notes import Note, placed
from llmops.reports.words import plural
from llmops.rules.rehearsal import Line


def text(found: Sequence[Line], page: Page) -> str:
    """One line for each expectation; below one that was missed, what the rules said."""
    if not found:
        return "No policy has tests."
    lines = [line for one in found for line in _lines(one, page)]
    missed = sum(not one.held for one in found)
    tests = plural(len({one.test for one in found}), "test")
    return "\n".join([*lines, f"{tests}: {len(found) - missed} as expected, {missed} not"])


def _lines(one: Line, page: Page) -> list[str]:
    sign = Cell("ok  ", "good") if one.held else Cell("FAIL", "bad")
    about = f"{visible(one.test, 120)}  {visible(one.gate or 'verdict', 120)}"
    said = f"{one.expected}" if one.held else f"expected {one.expected}, got {one.got or 'nothing'}"
    first = f"{page.style.paint(sign.text, sign.tone)}  {about}: {said}"
    rest = f"{visible(one.place, 200)}: " if not one.held and one.place else ""
    return [first, *wrap(f"{rest}{visible(one.message)}", page, 6, 6)]


def json_text(found: Sequence[Line], page: Page) -> str:
    """One JSON object for tools."""
    rows = [{**plain(one), "held": one.held} for one in found]
    return dumps({"format_version": FORMAT_VERSION, "tests": rows})


def junit_text(found: Sequence[Line], page: Page) -> str:
    """A test case for each expectation, in suites by policy."""
    return junit.document([_note(one) for one in found])


def _note(one: Line) -> Note:
    path, line, column = placed(one.place)
    subject = f"{one.test}: {one.gate or 'verdict'}"
    if one.held:
        return Note("policy-test", subject, "none", "passed", one.message)
    got = f"expected {one.expected}, got {one.got or 'nothing'}: {one.message}"
    return Note("policy-test", subject, "error", "failed", got, "", path, line, column)
