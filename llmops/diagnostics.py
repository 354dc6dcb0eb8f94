"""A user's mistake, as a value: place, severity, rule, one phrase, and a hint.

Mistakes are collected, never raised, so that one look shows all of them; sorted when printed.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from llmops.columns import around, width_of, wrapped

_ANY = 1_000_000  # columns: more than any line that is shown has
LITERAL_SECRET = "literal-secret"  # the rule whose lines are never shown


class Severity(StrEnum):
    """How much a finding weighs: an error makes the exit code non-zero."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a text: repo-relative POSIX path, line and column from 1, `width` characters."""

    path: str
    line: int = 1
    column: int = 1
    width: int = 1

    def __str__(self) -> str:
        return f"{printable(self.path)}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake. `message` is one phrase fit to stand alone; `hint` says what to do."""

    span: Span
    rule: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """By place, then rule, so that output never depends on the order of discovery."""
        return (self.span.path, self.span.line, self.span.column, self.rule, self.message)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them is an error."""
    return any(d.severity is Severity.ERROR for d in diagnostics)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that a misspelt one most likely meant, or None if none is near."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """A hint naming the nearest known name; else the `otherwise` text."""
    near = nearest(word, known)
    return f'did you mean "{near}"?' if near else otherwise


_BIDI = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}


def printable(text: str, limit: int = 200) -> str:
    """Text that is safe on a terminal: controls and bidi marks as escapes, cut at `limit`."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(
        c.encode("unicode_escape").decode("ascii")
        if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or ord(c) in _BIDI or 0xD800 <= ord(c) <= 0xDFFF
        else c
        for c in cut
    )


def render(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str] | None = None, width: int = 0
) -> str:
    """All of them as text, sorted: `path:line:col: severity[rule]: what`, the line, the hint.

    `texts` maps a path to its content; where it is given, the line and a caret are shown, but
    never a line on which a literal secret stands. `width`: columns to fit, 0 for any number.
    """
    diagnostics = list(diagnostics)
    secret = {(d.span.path, d.span.line) for d in diagnostics if d.rule == LITERAL_SECRET}
    shown = {path: text.split("\n") for path, text in (texts or {}).items()}
    blocks: list[str] = []
    for d in sorted(set(diagnostics), key=lambda d: d.sort_key):
        lines = _fit(f"{d.span}: {d.severity.value}[{d.rule}]: {printable(d.message, 400)}", width)
        if (d.span.path, d.span.line) not in secret:
            lines += _excerpt(d.span, shown.get(d.span.path, []), width)
        if d.hint:
            lines += _fit(f"  hint: {printable(d.hint, 400)}", width)
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def _fit(line: str, width: int) -> list[str]:
    indent = len(line) - len(line.lstrip())
    return wrapped(line.strip(), width, indent, indent + 4) if width else [line]


def _excerpt(span: Span, lines: list[str], width: int = 0) -> list[str]:
    if not 1 <= span.line <= len(lines):
        return []
    line = lines[span.line - 1].rstrip("\r")
    if len(line) > 160 or not line.isprintable():
        return []
    start = span.column - 1
    shown, before = around(line, start, max(width - 8, 1) if width else _ANY)
    marked = width_of(line[start : start + span.width])
    marks = max(1, min(marked, width_of(shown) - before))
    return [f"{span.line:>5} | {shown}", f"      | {' ' * before}{'^' * marks}"]
