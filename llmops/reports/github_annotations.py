"""Findings and diagnostics -> annotations of a check: on the lines that caused them, worst first.

At most 200. A gate that did not pass stands on the line of its claim, and once on each changed line
that it may rest on, which is where a reviewer looks. A path goes out only where it can be nothing
but a file of the repository; what has no such path is left to the comment and the check's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmops.diagnostics import Diagnostic, Severity
from llmops.forge.base import Payload
from llmops.reports import github_limits as limits
from llmops.reports import notes
from llmops.reports.escape import is_path, visible
from llmops.reports.notes import Note, Place
from llmops.reports.verdict_words import short_gate
from llmops.reports.words import capped, plural
from llmops.rules.base import Cause, Verdict

_LINES = 10_000_000  # more than any file that is read has
_MOST_GATES = 6  # that one changed line names


@dataclass(frozen=True, slots=True)
class _Mark:
    """One annotation before it is written down."""

    path: str
    line: int
    column: int
    bad: bool
    title: str
    message: str


def of_verdict(verdict: Verdict) -> tuple[Payload, ...]:
    """What did not pass: first the changed lines, then the claims; each by the worst outcome."""
    found = [note for note in notes.of_verdict(verdict) if note.level != "none"]
    here = _here(verdict)
    claims = [_claim(note, here.get(note.subject, note.place)) for note in found]
    gone = frozenset(c.path for c in verdict.changes if c.action == "removed")
    marks = [mark for mark in (*_changed(found), *claims) if mark.path not in gone]
    return _written(marks)


def of_diagnostics(found: Iterable[Diagnostic]) -> tuple[Payload, ...]:
    """What `validate` found, errors first."""
    told = (d for d in found if d.severity is not Severity.INFO)
    return _written([_claim(note, note.place) for note in notes.of_diagnostics(told)])


def _here(verdict: Verdict) -> Mapping[str, Place]:
    """Where head claims what base's claim was judged for: that line is in the pull request."""
    gates = (gate for gate in verdict.plan.gates if gate.judged_by == "head")
    found = {gate.id: notes.placed(gate.place) for gate in gates}
    return {name: place for name, place in found.items() if place[0]}


def _changed(found: Sequence[Note]) -> Iterator[_Mark]:
    """Each changed line once, with all gates that may rest on it."""
    resting: dict[Cause, list[Note]] = {}
    for note in found:
        for cause in note.causes:
            resting.setdefault(cause, []).append(note)
    for cause, held in resting.items():
        shown, left = capped([f"{short_gate(n.subject)}: {n.message}" for n in held], _MOST_GATES)
        said = [f"changed here: {cause.about} {cause.field}", *shown]
        said += [f"… {left} more"] if left else []
        title = f"{plural(len(held), 'gate')} may rest on this line"
        bad = any(note.level == "error" for note in held)
        yield _Mark(*notes.placed(cause.place), bad, title, _lines(said))


def _claim(note: Note, place: Place) -> _Mark:
    named = note.rule if note.same else f"{note.rule}: {note.subject}"
    said = _lines([f"{note.word}: {note.message}", note.hint])
    return _Mark(*place, note.level == "error", named, said)


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(visible(part, 2_000) for part in parts if part)


def _written(marks: Sequence[_Mark]) -> tuple[Payload, ...]:
    """Failures before warnings, in the order given, as far as their paths are safe."""
    shown = [mark for mark in sorted(marks, key=lambda one: not one.bad) if is_path(mark.path)]
    return tuple(_annotation(mark) for mark in shown[: limits.ANNOTATIONS])


def _annotation(mark: _Mark) -> Payload:
    line, column = min(mark.line, _LINES), min(mark.column, _LINES)
    return {
        "path": mark.path,
        "start_line": line,
        "end_line": line,
        "start_column": column,
        "end_column": column,
        "annotation_level": "failure" if mark.bad else "warning",
        "title": limits.title(mark.title, limits.ANNOTATION_TITLE),
        "message": limits.bytes_cut(mark.message, limits.ANNOTATION_BYTES),
    }
