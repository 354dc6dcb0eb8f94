"""Findings and diagnostics -> annotations of a check: on the lines that caused them, worst first.

At most 200. A finding stands on the line of its claim, and on each line whose change it rests on.
A path goes out only where it can be nothing but a file of the repository; an annotation without
such a path is left out, for the comment and the check's text say the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from llmops.diagnostics import Diagnostic, Severity
from llmops.forge.base import Payload
from llmops.reports import github_limits as limits
from llmops.reports import notes
from llmops.reports.escape import hidden, visible
from llmops.reports.notes import Note
from llmops.rules.base import Verdict

_LINES = 10_000_000  # more than any file that is read has
_PATH_BYTES = 1_000


def of_verdict(verdict: Verdict) -> tuple[Payload, ...]:
    """What did not pass, where it is claimed; warned is a warning, the rest a failure."""
    gone = frozenset(c.path for c in verdict.changes if c.action == "removed")
    found = [note for note in notes.of_verdict(verdict) if note.level != "none"]
    return tuple(_annotations(found, gone))


def of_diagnostics(found: Iterable[Diagnostic]) -> tuple[Payload, ...]:
    """What `validate` found, errors first."""
    told = [d for d in found if d.severity is not Severity.INFO]
    ordered = sorted(notes.of_diagnostics(told), key=lambda note: note.level != "error")
    return tuple(_annotations(ordered, frozenset()))


def _annotations(found: Iterable[Note], gone: frozenset[str]) -> Iterator[Payload]:
    shown = [note for note in found if safe(note.path) and note.path not in gone]
    yield from map(_annotation, shown[: limits.ANNOTATIONS])


def _annotation(note: Note) -> Payload:
    named = note.rule if note.same else f"{note.rule}: {note.subject}"
    said = [f"{note.word}: {visible(note.message, 4_000)}", visible(note.hint, 4_000)]
    message = "\n".join(part for part in said if part)
    line = min(note.line, _LINES)
    body = {
        "path": note.path,
        "start_line": line,
        "end_line": line,
        "annotation_level": "warning" if note.level == "warning" else "failure",
        "title": limits.title(named, limits.ANNOTATION_TITLE),
        "message": limits.bytes_cut(message, limits.ANNOTATION_BYTES),
    }
    return {
        **body,
        "start_column": min(note.column, _LINES),
        "end_column": min(note.column, _LINES),
    }


def safe(path: str) -> bool:
    """Whether a path is relative, stays inside, and says nothing else than it shows."""
    parts = path.split("/")
    return (
        0 < len(path.encode("utf-8", "replace")) <= _PATH_BYTES
        and not any(part in ("", ".", "..") for part in parts)
        and parts[0].casefold() != ".git"
        and not any(hidden(char) or char in "\\:" for char in path)
        and unicodedata.normalize("NFC", path) == path
        and path == path.strip()
    )
