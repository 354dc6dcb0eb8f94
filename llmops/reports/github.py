"""Verdict or diagnostics -> workflow commands: annotations on the lines of a pull request.

At most 200, the worst first. GitHub obeys these lines, so text of others is escaped as its runner
unescapes it: it can neither end its line nor begin a property or another command.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llmops.diagnostics import Diagnostic, Severity
from llmops.reports import notes
from llmops.reports.base import Page
from llmops.reports.escape import visible
from llmops.reports.notes import Note
from llmops.reports.verdict_words import waived_gates
from llmops.reports.words import plural
from llmops.rules.base import Verdict

MOST = 200
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
_MESSAGE = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})


def render(verdict: Verdict, page: Page) -> str:
    """What did not pass, one command a line; then the verdict as a notice."""
    found = [note for note in notes.of_verdict(verdict) if note.level != "none"]
    waived = waived_gates(verdict)
    more = f", {plural(waived, 'gate')} waived" if waived else ""
    last = f"::notice title=llmops::verdict: {verdict.outcome.word}{more}"
    return "\n".join([*_commands(found, "llmops gate"), last])


def diagnostics(found: Iterable[Diagnostic], page: Page) -> str:
    """What a command found, one workflow command a line, errors first."""
    worst = sorted(notes.of_diagnostics(found), key=lambda note: note.level != "error")
    return "\n".join(_commands(worst, f"llmops {page.command}"))


def _commands(found: Sequence[Note], lister: str) -> list[str]:
    lines = [_command(note) for note in found[:MOST]]
    left = len(found) - MOST
    if left <= 0:
        return lines
    more = f"{left} of {len(found)} are not annotated; {lister} lists them"
    return [*lines, f"::notice title=llmops::{more}"]


def _command(note: Note) -> str:
    level = "notice" if note.word == Severity.INFO.value else note.level
    title = f"{note.rule}: {note.subject}" if not note.same else note.rule
    given = {"title": visible(title, 200)}
    if note.path:
        path = visible(note.path, 1_000)
        given |= {"file": path, "line": str(note.line), "col": str(note.column)}
    named = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in given.items())
    said = [f"{note.word}: {visible(note.message, 1_000)}", visible(note.hint, 1_000)]
    message = "\n".join(part for part in said if part)
    return f"::{level} {named}::{message.translate(_MESSAGE)}"
